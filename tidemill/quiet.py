"""Keeps the chatter of Dagster and dbt out of a command's report."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from tidemill.logs import open_log


@contextmanager
def output_to(path: Path) -> Iterator[None]:
    """Everything that this process and its children write to stdout and stderr goes to the file instead.

    Both the descriptors and Python's streams are turned: dbt writes to the former, Dagster's loggers to the latter.
    """
    with open_log(path) as log, path.open("a", encoding="utf-8", errors="replace") as text:
        sys.stdout.flush()
        sys.stderr.flush()
        kept = {number: os.dup(number) for number in (1, 2)}
        try:
            for number in kept:
                os.dup2(log.fileno(), number)
            with redirect_stdout(text), redirect_stderr(text), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of libraries; our own tests turn warnings into errors
                yield
        finally:
            for number, copy in kept.items():
                os.dup2(copy, number)
                os.close(copy)
