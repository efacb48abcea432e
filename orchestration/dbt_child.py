"""dbt as a child that does not outlive its parent: `python -m orchestration.dbt_child build …`.

A run that is killed frees its lock on the models at once. Its dbt would go on, beside that of the next run, and both
would write the same tables. So the kernel is asked to kill this process when its parent ends; the server then rolls
back what it had not committed.
"""

import ctypes
import os
import signal
import sys

PARENT_VARIABLE = "TIDEMILL_DBT_PARENT"
"""Process id of the run that starts dbt."""

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Have this process killed when the process `parent`, which started it, ends; does nothing where it cannot be."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the kernel was asked
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    die_with_parent(int(os.environ[PARENT_VARIABLE]))
    from dbt.cli.main import cli

    cli()
