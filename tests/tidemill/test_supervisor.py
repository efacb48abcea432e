"""The supervisor keeps its children running and leaves nothing behind."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fixtures.collector import wait_until
from tidemill.errors import CommandFailed
from tidemill.guardian import locked
from tidemill.logs import LOG_SIZE_MAX_BYTES, open_log
from tidemill.stack import await_leftovers
from tidemill.supervisor import RESTART_DELAY_MAX_S, Child, Supervisor, restart_delay_s, stop_on_signals

TIMEOUT_S = 120
"""Far more than anything here takes: a machine may stand still for a while."""
ROOT = Path(__file__).parents[2]

WITH_GRANDCHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""


class Time:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def child(folder: Path, code: str, name: str = "child") -> Child:
    return Child(name, [sys.executable, "-c", code], dict(os.environ), folder / f"{name}.log")


def is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return "Z (zombie)" not in Path(f"/proc/{pid}/status").read_text()
    return False


def watch_until(supervisor: Supervisor, log: Path, text: str) -> None:
    timer = threading.Timer(TIMEOUT_S, supervisor.request_stop)
    timer.start()
    supervisor.watch(until=lambda: text in log.read_text())
    timer.cancel()
    assert text in log.read_text()


@pytest.mark.parametrize(("deaths", "delay_s"), [(1, 1.0), (2, 2.0), (3, 4.0), (99, RESTART_DELAY_MAX_S)])
def test_the_delay_before_a_restart_doubles_up_to_a_limit(deaths: int, delay_s: float) -> None:
    assert restart_delay_s(deaths) == delay_s


def test_a_child_that_dies_is_started_again_after_its_delay(tmp_path: Path) -> None:
    said: list[str] = []
    time = Time()
    supervisor = Supervisor(say=said.append, clock=time)
    dying = child(tmp_path, "print('started', flush=True)")
    supervisor.start(dying)
    assert dying.process is not None
    dying.process.wait(TIMEOUT_S)

    rounds = iter(range(4))
    supervisor.watch(until=lambda: next(rounds) == 2)
    assert dying.log.read_text() == "started\n"
    time.now_s = 1.5
    watch_until(supervisor, dying.log, "started\nstarted\n")

    assert "ended with code 0, starts again in 1 s" in said[0]
    supervisor.stop()


def test_stopping_ends_grandchildren_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidemill.supervisor.STOP_TIMEOUT_S", TIMEOUT_S)
    supervisor = Supervisor(say=print)
    parent = child(tmp_path, WITH_GRANDCHILD)
    supervisor.start(parent)
    watch_until(supervisor, parent.log, "\n")
    grandchild = int(parent.log.read_text())

    supervisor.stop()

    assert parent.process is not None
    assert parent.process.returncode == -signal.SIGTERM
    gone = Supervisor(say=print)
    timer = threading.Timer(TIMEOUT_S, gone.request_stop)
    timer.start()
    gone.watch(until=lambda: not is_alive(grandchild))  # a killed process takes a moment to be gone
    timer.cancel()
    assert not is_alive(grandchild)


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidemill.supervisor.STOP_TIMEOUT_S", 0.1)
    supervisor = Supervisor(say=print)
    stubborn = child(tmp_path, STUBBORN)
    supervisor.start(stubborn)
    watch_until(supervisor, stubborn.log, "ready")

    supervisor.stop()

    assert stubborn.process is not None
    assert stubborn.process.returncode == -signal.SIGKILL


SUPERVISED = """
import os, sys, time
from pathlib import Path
from tidemill import supervisor as module
module.STOP_TIMEOUT_S = 0.5
folder = Path(sys.argv[1])
supervisor = module.Supervisor(say=print)
supervisor.guard(folder / "guardian.lock")
for name, code in zip(("parent", "stubborn", "dying"), sys.argv[2:]):
    supervisor.start(module.Child(name, [sys.executable, "-c", code], dict(os.environ), folder / f"{name}.log"))
print(*(child.process.pid for child in supervisor.children), flush=True)
supervisor.watch()
"""


def test_children_of_a_supervisor_that_is_killed_are_ended_with_all_they_started(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SUPERVISED, str(tmp_path), WITH_GRANDCHILD, STUBBORN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as supervisor:
        assert supervisor.stdout
        children = [int(pid) for pid in supervisor.stdout.readline().split()]
        logs = [tmp_path / "parent.log", tmp_path / "stubborn.log"]
        wait_until(lambda: all("\n" in log.read_text() for log in logs))
        children.append(int(logs[0].read_text()))
        assert all(is_alive(pid) for pid in children)

        supervisor.kill()

    try:
        wait_until(lambda: not any(is_alive(pid) for pid in children))
        with locked(tmp_path / "guardian.lock", timeout_s=TIMEOUT_S) as is_over:
            assert is_over, "the guardian ends after them"
    finally:
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_a_guardian_is_locked_for_as_long_as_it_watches_and_leaves_alone_what_has_ended(tmp_path: Path) -> None:
    lock = tmp_path / "guardian.lock"
    supervisor = Supervisor(say=print)
    supervisor.guard(lock)
    ended = child(tmp_path, "print('started', flush=True)")
    supervisor.start(ended)
    rounds = iter(range(100))
    supervisor.watch(until=lambda: ended.process is None or next(rounds) == 99)
    wait_until(lambda: not _is_free(lock))

    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.DEVNULL) as other:
        supervisor.stop()

        assert _is_free(lock)
        assert other.poll() is None
        other.kill()


def test_a_start_waits_for_the_guardian_of_one_that_was_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = (tmp_path / "guardian.lock").open("a")
    fcntl.flock(lock, fcntl.LOCK_EX)
    said: list[str] = []

    def end_guardian(line: str) -> None:
        said.append(line)
        lock.close()

    monkeypatch.setattr("tidemill.stack.say", end_guardian)

    await_leftovers(tmp_path)

    assert said == [f"an earlier `tidemill up` on {tmp_path} was killed; waiting until what it left has stopped"]


def test_a_start_gives_up_when_leftovers_do_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidemill.stack.STOP_TIMEOUT_S", 0.05)
    with (tmp_path / "guardian.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CommandFailed, match="do not end"):
            await_leftovers(tmp_path)


def _is_free(lock: Path) -> bool:
    with locked(lock, timeout_s=0) as is_held:
        return is_held


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_watch_and_the_handlers_are_put_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    supervisor = Supervisor(say=print)

    with stop_on_signals(supervisor):
        signal.raise_signal(number)
        supervisor.watch()

    assert supervisor.is_stopping
    assert signal.getsignal(number) is before


def test_a_child_is_out_of_reach_of_the_terminals_ctrl_c(tmp_path: Path) -> None:
    supervisor = Supervisor(say=print)
    running = child(tmp_path, "import time; time.sleep(600)")
    supervisor.start(running)

    assert running.process is not None
    assert os.getpgid(running.process.pid) == running.process.pid != os.getpgid(0)
    supervisor.stop()
    with pytest.raises(ProcessLookupError):
        os.killpg(running.process.pid, 0)


def test_a_long_log_is_put_aside(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    with log.open("wb") as file:
        file.truncate(LOG_SIZE_MAX_BYTES + 1)

    with open_log(log) as file:
        file.write(b"new")

    assert log.read_bytes() == b"new"
    assert (tmp_path / "child.old.log").stat().st_size == LOG_SIZE_MAX_BYTES + 1


def test_a_program_that_does_not_exist_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Supervisor(say=print).start(Child("none", ["/nonexistent"], {}, tmp_path / "none.log"))
