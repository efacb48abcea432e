"""The replay from the archive: the collector's mappings, given to the orchestration that holds the events."""

import logging
from datetime import date
from functools import partial

from collector.endpoint import Family
from collector.log import configure_logs
from collector.protocols import FAMILIES
from collector.remap import remap_events
from orchestration import database
from orchestration.remapping import RemapReport, remap_archive
from orchestration.settings import OrchestrationSettings
from tidemill.environment import prepared_environment
from tidemill.errors import CommandFailed
from tidemill.settings import read_settings


def replay_from_archive(protocol: str, first: date, last: date) -> RemapReport:
    """Map the archived events of a protocol anew that were received from `first` to `last`, UTC days.

    Raises:
        CommandFailed: there is no such protocol, or its events cannot be mapped anew.
    """
    family = _family(protocol)
    configure_logs(level=logging.ERROR)
    with prepared_environment():
        settings = read_settings(OrchestrationSettings)
        database.migrate(settings.database_url)
        return remap_archive(
            store=settings.open_store(),
            database_url=settings.database_url,
            remap=partial(remap_events, family=family),
            first=first,
            last=last,
        )


def _family(protocol: str) -> Family:
    known = {family.protocol: family for family in FAMILIES if family.remap is not None}
    if protocol not in known:
        raise CommandFailed(f"events of {protocol!r} cannot be mapped anew; those of {', '.join(sorted(known))} can")
    return known[protocol]
