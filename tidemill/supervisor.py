"""Keeps the child processes of `tidemill up` running, and takes them all down again.

A child gets a session of its own, so that Ctrl-C on the terminal reaches only the supervisor, and so that
stopping the child's process group also ends whatever the child has started, such as a Dagster run. Should the
supervisor die itself, its guardian does the same.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from tidemill.guardian import Guardian
from tidemill.logs import open_log

POLL_S = 0.2
RESTART_DELAY_MIN_S = 1.0
RESTART_DELAY_MAX_S = 30.0
HEALTHY_AFTER_S = 60.0
"""A child that ran this long before it died starts again without its earlier deaths being held against it."""

STOP_TIMEOUT_S = 10.0
"""The collector drains in less; what still runs after it is killed."""


@dataclass(slots=True)
class Child:
    """A process that ought to run.

    Attributes:
        name: Word for messages and for the log file.
        command: Program and arguments.
        environment: Its whole environment.
        log: File that takes its output.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started_at_s: float = field(default=0.0, init=False)
    restart_at_s: float = field(default=0.0, init=False)
    deaths: int = field(default=0, init=False)


def restart_delay_s(deaths: int) -> float:
    """Seconds to wait after the given number of deaths in a row: doubles up to a limit."""
    return min(RESTART_DELAY_MIN_S * 2.0 ** max(deaths - 1, 0), RESTART_DELAY_MAX_S)


class Supervisor:
    """Starts children, starts them again when they die, and stops them.

    Args:
        say: Takes one line about what happened to a child.
        clock: Monotonic seconds.
    """

    def __init__(self, *, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self.children: list[Child] = []
        self._say = say
        self._clock = clock
        self._stopping = threading.Event()
        self._guardian: Guardian | None = None

    def guard(self, lock: Path) -> None:
        """Have a guardian end the children should this process die without doing so.

        Args:
            lock: File that is locked for as long as one of them may be there.
        """
        self._guardian = Guardian(lock, stop_timeout_s=STOP_TIMEOUT_S)

    def start(self, child: Child) -> None:
        """Start `child` and look after it from now on."""
        self.children.append(child)
        self._spawn(child)

    def request_stop(self) -> None:
        """Make `watch` return soon. May be called from a signal handler or a thread."""
        self._stopping.set()

    @property
    def is_stopping(self) -> bool:
        """Whether somebody asked for the end."""
        return self._stopping.is_set()

    def watch(self, *, until: Callable[[], bool] = lambda: False) -> None:
        """Look after the children until a stop is requested or `until` becomes true."""
        while not self._stopping.is_set() and not until():
            for child in self.children:
                self._look_after(child)
            self._stopping.wait(POLL_S)

    def stop(self) -> None:
        """End every child, the last started first: ask all, then kill what is left after the time limit."""
        for child in reversed(self.children):
            _signal_group(child, signal.SIGTERM)
        deadline_s = self._clock() + STOP_TIMEOUT_S
        for child in self.children:
            if child.process is not None:
                with suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(deadline_s - self._clock(), 0.0))
        for child in self.children:
            if child.process is not None and child.process.returncode is None:
                self._say(f"{child.name} did not end within {STOP_TIMEOUT_S:.0f} s and is killed")
            _signal_group(child, signal.SIGKILL)  # also what a child has left behind in its group
            if child.process is not None:
                child.process.wait()
                self._forget(child.process.pid)
        if self._guardian is not None:
            self._guardian.close()
            self._guardian = None

    def _look_after(self, child: Child) -> None:
        """Notice a death and, when its delay has passed, start the child again."""
        now_s = self._clock()
        if child.process is not None:
            code = child.process.poll()
            if code is None:
                return
            _signal_group(child, signal.SIGKILL)
            self._forget(child.process.pid)
            child.process = None
            child.deaths = 1 if now_s - child.started_at_s > HEALTHY_AFTER_S else child.deaths + 1
            delay_s = restart_delay_s(child.deaths)
            child.restart_at_s = now_s + delay_s
            self._say(f"{child.name} ended with code {code}, starts again in {delay_s:.0f} s; see {child.log}")
        elif now_s >= child.restart_at_s:
            self._spawn(child)

    def _spawn(self, child: Child) -> None:
        child.started_at_s = self._clock()
        with open_log(child.log) as log:
            child.process = subprocess.Popen(  # noqa: S603  (our own programs)
                child.command,
                env=dict(child.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if self._guardian is not None:
            self._guardian.add(child.process.pid)

    def _forget(self, group: int) -> None:
        if self._guardian is not None:
            self._guardian.remove(group)


@contextmanager
def stop_on_signals(supervisor: Supervisor) -> Iterator[None]:
    """SIGINT and SIGTERM request the supervisor's stop while the block runs."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        supervisor.request_stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _signal_group(child: Child, number: signal.Signals) -> None:
    """Signal the child's whole process group; nobody may be left in it."""
    if child.process is not None:
        with suppress(ProcessLookupError):
            os.killpg(child.process.pid, number)
