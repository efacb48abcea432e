"""Log files of the processes that run on this machine, bounded in size."""

from pathlib import Path
from typing import IO

LOG_SIZE_MAX_BYTES = 10 * 1024 * 1024


def open_log(path: Path) -> IO[bytes]:
    """The log file to append to; a long one is put aside first, so that two of them bound the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_SIZE_MAX_BYTES:
        path.replace(path.with_suffix(".old.log"))
    return path.open("ab")
