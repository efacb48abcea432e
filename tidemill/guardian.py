"""Ends the children of a supervisor that died without doing so itself, as after kill -9.

The supervisor starts `python -m tidemill.guardian` and tells it through a pipe which process groups there are: `+pid`
and `-pid`, one a line. The kernel closes the pipe however the supervisor ends; the guardian then stops what is left,
as the supervisor would have done. Signals to one child alone, such as the kernel's own death signal, would miss what
the child has started.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

POLL_S = 0.05


class Guardian:
    """The supervisor's end of the pipe.

    Args:
        lock: File that the guardian keeps locked for as long as it runs.
        stop_timeout_s: How long children have after they were asked to end.
    """

    def __init__(self, lock: Path, *, stop_timeout_s: float) -> None:
        self._process = subprocess.Popen(  # noqa: S603  (our own module)
            [sys.executable, "-m", "tidemill.guardian", str(lock), str(stop_timeout_s)],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C on the terminal, and a signal to the supervisor's group, miss it
        )

    def add(self, group: int) -> None:
        """Watch over a process group."""
        self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        """A process group has ended, and its number may be another's soon."""
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """Let the guardian go; it ends what was not removed."""
        assert self._process.stdin is not None  # noqa: S101  (it is a pipe)
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101  (it is a pipe)
        with suppress(BrokenPipeError):  # it was killed; the supervisor does its own work
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()


@contextmanager
def locked(path: Path, *, timeout_s: float) -> Iterator[bool]:
    """Hold the lock on `path`; False when another process kept it for longer than `timeout_s`."""
    deadline_s = time.monotonic() + timeout_s
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline_s:
                    yield False
                    return
                time.sleep(POLL_S)
            else:
                yield True
                return


def stop_groups(groups: set[int], *, timeout_s: float) -> None:
    """Ask process groups to end, and kill what is left after the time limit."""
    for group in groups:
        _signal(group, signal.SIGTERM)
    deadline_s = time.monotonic() + timeout_s
    while any(_is_there(group) for group in groups) and time.monotonic() < deadline_s:
        time.sleep(POLL_S)
    for group in groups:
        _signal(group, signal.SIGKILL)


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


def main() -> None:
    """Read which groups there are until the supervisor is gone, then end those that are left."""
    lock, timeout_s = Path(sys.argv[1]), float(sys.argv[2])
    groups: set[int] = set()
    with locked(lock, timeout_s=timeout_s):
        for line in sys.stdin.buffer:
            group = int(line[1:])
            if line.startswith(b"+"):
                groups.add(group)
            else:
                groups.discard(group)
        stop_groups(groups, timeout_s=timeout_s)


if __name__ == "__main__":
    main()
