"""One module per family of clients. Adding one is a module and an entry below."""

from collector.endpoint import Family
from collector.protocols import (
    alcolytics,
    api,
    attolytics,
    measurement_protocol,
    objectiv,
    plausible,
    pulp,
    segment,
    snowplow,
    tracker,
)

FAMILIES: tuple[Family, ...] = (
    tracker.FAMILY,
    api.FAMILY,
    objectiv.FAMILY,
    segment.FAMILY,
    attolytics.FAMILY,
    *measurement_protocol.FAMILIES,
    snowplow.FAMILY,
    plausible.FAMILY,
    alcolytics.FAMILY,
    pulp.FAMILY,
)
"""Every dialect, in the order in which they are asked whether a request is theirs."""
