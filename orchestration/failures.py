"""Turns errors that trying again will not cure into failures that Dagster does not retry."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from landing.errors import SitesFileInvalid
from orchestration.errors import LedgerBusy, OrchestrationError


@contextmanager
def final_failures() -> Iterator[None]:
    """Errors inside the block that somebody has to look at fail the run at once, with their message on its page.

    A busy ledger, a store or a database that does not answer are left to the retry policy. Busy models are not: who
    asked for them has waited for as long as a run usually takes.
    """
    try:
        yield
    except LedgerBusy:
        raise
    except (OrchestrationError, SitesFileInvalid) as error:
        raise dg.Failure(str(error), allow_retries=False) from error
