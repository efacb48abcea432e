"""Everything of one home on this machine: which processes, with which arguments, in which order."""

import fcntl
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from collector.settings import CollectorSettings
from tidemill.checkout import EXAMPLE_SITES, ROOT
from tidemill.console import say
from tidemill.errors import CommandFailed
from tidemill.guardian import locked
from tidemill.logs import open_log
from tidemill.ports import free_port, is_free
from tidemill.settings import read_settings
from tidemill.supervisor import STOP_TIMEOUT_S, Child, Supervisor

CODE_LOCATION = "orchestration.definitions"
GUARDIAN_LOCK = "guardian.lock"
"""File of the home that is locked while a guardian watches over its processes."""

START_TIMEOUT_S = 120
"""A cold start imports Dagster and dbt four times; a small machine takes half a minute."""


@contextmanager
def only_stack_of() -> Iterator[CollectorSettings]:
    """The settings, once it is sure that there is a sites file, that the port is free, and that nothing else runs here.

    Raises:
        CommandFailed: a setting is wrong, there is no sites file, the collector's port is taken, or another `up` or
            `demo` holds the home.
    """
    settings = read_settings(CollectorSettings)
    if not settings.sites.exists():
        raise CommandFailed(
            f"TIDEMILL_SITES: there is no sites file {settings.sites}; start from a copy of {EXAMPLE_SITES}"
        )
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / "up.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandFailed(f"`tidemill up` or `demo` is already running on {settings.home}") from None
        await_leftovers(settings.home)
        if not is_free(settings.collector_host, settings.collector_port):
            address = f"{settings.collector_host}:{settings.collector_port}"
            raise CommandFailed(f"TIDEMILL_COLLECTOR_PORT: {address} is taken; choose another port")
        yield settings


def await_leftovers(home: Path) -> None:
    """Wait until the children of an earlier `up`, which died without stopping them, are stopped by its guardian.

    Raises:
        CommandFailed: they do not end.
    """
    guardian = home / GUARDIAN_LOCK
    with locked(guardian, timeout_s=0) as is_free_at_once:
        if is_free_at_once:
            return
    say(f"an earlier `tidemill up` on {home} was killed; waiting until what it left has stopped")
    with locked(guardian, timeout_s=2 * STOP_TIMEOUT_S) as is_over:
        if not is_over:
            raise CommandFailed(f"processes of an earlier `tidemill up` on {home} do not end; end them and try again")


class Stack:
    """The processes of one home, started in the order that they need each other.

    Args:
        supervisor: Looks after them from their start on.
        settings: Where the collector listens, and the home.
        environment: From `prepared_environment`.
    """

    def __init__(self, supervisor: Supervisor, settings: CollectorSettings, environment: Mapping[str, str]) -> None:
        self._supervisor = supervisor
        supervisor.guard(settings.home / GUARDIAN_LOCK)
        self._settings = settings
        self._environment = environment
        self._logs = settings.home / "logs"
        self._dagster = settings.home / "dagster"
        self._has_code_server = False
        self._unanswered: list[tuple[str, Path, Callable[[], bool]]] = []

    def start_collector(self) -> str:
        """Start the collector; returns its address."""
        host, port = self._settings.collector_host, self._settings.collector_port
        log = self._start("collector", _module("tidemill", "collector"))
        self._unanswered.append(("the collector", log, lambda: answers(reachable(host), port, "/readyz")))
        return f"http://{reachable(host)}:{port}"

    def start_ui(self, port: int) -> str:
        """Start Dagster's web server, on another port when the wanted one is taken; returns its address."""
        self._start_code_server()
        port = port if is_free("127.0.0.1", port) else free_port()
        workspace = str(self._dagster / "workspace.yaml")
        log = self._start(
            "webserver", _program("dagster-webserver", "-h", "127.0.0.1", "-p", str(port), "-w", workspace)
        )
        self._unanswered.append(("the Dagster UI", log, lambda: answers("127.0.0.1", port, "/server_info")))
        return f"http://127.0.0.1:{port}"

    def start_daemon(self) -> None:
        """Start Dagster's daemon, and with it the schedules."""
        self._start_code_server()
        self._start("daemon", _program("dagster-daemon", "run", "-w", str(self._dagster / "workspace.yaml")))

    def _start_code_server(self) -> None:
        """One process that knows the definitions, for the web server and the daemon together."""
        if self._has_code_server:
            return
        self._has_code_server = True
        code_socket = self._dagster / "code.sock"
        code_socket.unlink(missing_ok=True)
        write_workspace(self._dagster / "workspace.yaml", code_socket)
        options = ("-m", CODE_LOCATION, "-s", str(code_socket), "-d", str(ROOT))
        log = self._start("code", _module("dagster", "code-server", "start", *options))
        # A web server or daemon that does not find it at its own start never looks again.
        self._unanswered.append(("the code server", log, code_socket.exists))
        self.await_answers()

    def _start(self, name: str, command: Sequence[str]) -> Path:
        """Start a child; returns its log."""
        log = self._logs / f"{name}.log"
        self._supervisor.start(Child(name, command, self._environment, log))
        return log

    def await_answers(self) -> None:
        """Wait until everything that was started answers, or somebody asks for the end.

        Raises:
            CommandFailed: something does not come up; its log says why.
        """
        deadline_s = time.monotonic() + START_TIMEOUT_S
        for what, log, does_answer in self._unanswered:
            self._supervisor.watch(until=_or_too_late(does_answer, deadline_s))
            if time.monotonic() > deadline_s:
                raise CommandFailed(f"{what} does not answer after {START_TIMEOUT_S} s; see {log}")
        self._unanswered.clear()


def _or_too_late(is_there: Callable[[], bool], deadline_s: float) -> Callable[[], bool]:
    return lambda: time.monotonic() > deadline_s or is_there()


def prepare(environment: Mapping[str, str], log: Path) -> None:
    """Bring tables up to date and have the dbt project parsed, once, before processes race to do it.

    Raises:
        CommandFailed: it failed; the log says why.
    """
    with open_log(log) as output:
        done = subprocess.run(  # noqa: S603  (our own module)
            _module("tidemill.prepare"), env=dict(environment), stdout=output, stderr=output, check=False
        )
    if done.returncode:
        raise CommandFailed(f"the warehouse cannot be prepared; see {log}")


def reachable(host: str) -> str:
    """Where what listens on `host` is reached from this machine."""
    return "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104  (compared, not bound)


def answers(host: str, port: int, path: str) -> bool:
    """Whether a GET of `path` is answered 200."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _module(name: str, *arguments: str) -> list[str]:
    """Command that runs a module in this interpreter, whatever is on the path."""
    return [sys.executable, "-m", name, *arguments]


def _program(name: str, *arguments: str) -> list[str]:
    """Command that runs a program installed beside this interpreter."""
    return [str(Path(sys.executable).parent / name), *arguments]


def write_workspace(path: Path, code_socket: Path) -> None:
    """Tell the web server and the daemon to share one code server, over a socket that only we can reach."""
    path.parent.mkdir(parents=True, exist_ok=True)
    server = {"socket": str(code_socket), "location_name": "tidemill"}
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}), encoding="utf-8")
    temporary.replace(path)
