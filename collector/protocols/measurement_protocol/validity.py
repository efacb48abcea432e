"""What makes a hit invalid, in the order in which it is tested. Everything else is at most a warning."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from collector.protocols.measurement_protocol.hit import EVENT_TYPES, read_queue_time
from collector.protocols.measurement_protocol.page import names_page
from collector.protocols.measurement_protocol.parameters import BROWSER_TIMINGS
from collector.protocols.measurement_protocol.reasons import HitReason
from collector.protocols.measurement_protocol.values import read_integer
from collector.time import MILLISECOND_US

GET_BYTES_MAX = 8_000
"""Bytes of path and query."""
PAYLOAD_BYTES_MAX = 8_192
"""Bytes of one payload in a body."""
CLIENT_ID_BYTES_MAX = 255
QUEUE_TIME_MS_MAX = 14_400_000
"""Four hours, unless the site says otherwise."""

_TRACKING_ID = re.compile(r"(?:UA|MO|YT)-[0-9]{1,32}-[0-9]{1,32}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

_NEEDED: Mapping[str, tuple[tuple[str, HitReason], ...]] = {
    "screenview": (("cd", HitReason.MISSING_CD),),
    "event": (("ec", HitReason.MISSING_EC), ("ea", HitReason.MISSING_EA)),
    "transaction": (("ti", HitReason.MISSING_TI),),
    "item": (("ti", HitReason.MISSING_TI),),
    "social": (("sn", HitReason.MISSING_SN), ("sa", HitReason.MISSING_SA), ("st", HitReason.MISSING_ST)),
}


class Code(StrEnum):
    """What kind of fault it is, as the validation endpoint names it."""

    VALUE_REQUIRED = "VALUE_REQUIRED"
    VALUE_INVALID = "VALUE_INVALID"
    VALUE_OUT_OF_BOUNDS = "VALUE_OUT_OF_BOUNDS"
    VALUE_MODIFIED = "VALUE_MODIFIED"


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason to refuse a hit.

    Attributes:
        reason: Kept with the reject.
        parameter: The one at fault; empty for the hit as a whole.
        code: Kind of fault.
        detail: For people.
    """

    reason: HitReason
    parameter: str
    code: Code
    detail: str


class Circumstances(msgspec.Struct, frozen=True):
    """What the validity of a hit depends on besides its parameters.

    Attributes:
        names_site: The site is known without the hit: by the request's path or host, or as the default.
        is_known: Some site has the hit's id; also where nobody asks.
        queue_us_max: How long the site lets its clients queue, in microseconds.
    """

    names_site: bool
    is_known: bool
    queue_us_max: int


def is_uuid(tid: str | None) -> bool:
    """The site is named as Webalytic names its resources."""
    return tid is not None and _UUID.fullmatch(tid) is not None


def find_faults(parameters: Mapping[str, str], circumstances: Circumstances) -> Iterator[Fault]:
    """Every fault of a hit that is not too large. The first is why it is refused."""
    yield from _faults_of_version(parameters)
    if not circumstances.names_site:
        yield from _faults_of_site(parameters, is_known=circumstances.is_known)
    yield from faults_of_client(parameters)
    hit_type = parameters.get("t")
    if hit_type is None:
        yield _missing(HitReason.MISSING_T, "t", "every hit needs a type")
    elif hit_type not in EVENT_TYPES:
        types = ", ".join(EVENT_TYPES)
        yield Fault(HitReason.INVALID_T, "t", Code.VALUE_INVALID, f"the type is none of {types}")
    queue_time = parameters.get("qt")
    if queue_time is not None:
        queued_ms = read_queue_time(queue_time, [])
        if queued_ms is not None and queued_ms * MILLISECOND_US > circumstances.queue_us_max:
            detail = f"queued for {queued_ms} ms; at most {circumstances.queue_us_max // MILLISECOND_US} are allowed"
            yield Fault(HitReason.QT_TOO_LARGE, "qt", Code.VALUE_OUT_OF_BOUNDS, detail)
    if hit_type is not None:
        yield from _faults_of_type(hit_type, parameters)


def faults_of_client(parameters: Mapping[str, str]) -> Iterator[Fault]:
    """Any text is a client's id, of at most 255 bytes."""
    ids = [(name, parameters[name]) for name in ("cid", "uid") if name in parameters]
    if not ids:
        yield _missing(HitReason.MISSING_CID, "cid", "neither cid nor uid says who it was")
    for name, value in ids:
        if len(value) > CLIENT_ID_BYTES_MAX or len(value.encode()) > CLIENT_ID_BYTES_MAX:
            detail = f"more than {CLIENT_ID_BYTES_MAX} bytes"
            yield Fault(HitReason.INVALID_CID, name, Code.VALUE_OUT_OF_BOUNDS, detail)


def _faults_of_version(parameters: Mapping[str, str]) -> Iterator[Fault]:
    """Webalytic's clients send no version; they name their site by a UUID."""
    version = parameters.get("v")
    if version is None:
        if not is_uuid(parameters.get("tid")):
            yield _missing(HitReason.MISSING_V, "v", "the protocol's version is missing: v=1")
    elif version != "1":
        yield Fault(HitReason.INVALID_V, "v", Code.VALUE_INVALID, "the protocol's version is 1")


def _faults_of_site(parameters: Mapping[str, str], *, is_known: bool) -> Iterator[Fault]:
    tid = parameters.get("tid")
    if tid is None:
        yield _missing(HitReason.MISSING_TID, "tid", "no site is named")
    elif not (_TRACKING_ID.fullmatch(tid) or _UUID.fullmatch(tid)):
        detail = "neither UA-<digits>-<digits> nor a UUID"
        yield Fault(HitReason.INVALID_TID, "tid", Code.VALUE_INVALID, detail)
    elif not is_known:
        yield Fault(HitReason.UNKNOWN_TID, "tid", Code.VALUE_INVALID, "no site has this id")


def _faults_of_type(hit_type: str, parameters: Mapping[str, str]) -> Iterator[Fault]:
    for name, reason in _NEEDED.get(hit_type, ()):
        if name not in parameters:
            yield _missing(reason, name, f"a hit of type {hit_type} needs {name}")
    if hit_type == "pageview" and not names_page(parameters):
        yield _missing(HitReason.MISSING_PAGE, "dp", "a pageview needs dl or dp")
    elif hit_type == "item" and not {"in", "ic"} & parameters.keys():
        yield _missing(HitReason.MISSING_IN, "in", "an item needs in or ic")
    elif hit_type == "timing" and not _is_timed(parameters):
        yield _missing(HitReason.MISSING_TIMING, "utt", "a timing needs utc, utv and utt, or a measure of the browser")


def _is_timed(parameters: Mapping[str, str]) -> bool:
    is_complete = {"utc", "utv"} <= parameters.keys() and _is_time(parameters, "utt")
    return is_complete or any(_is_time(parameters, name) for name in BROWSER_TIMINGS)


def _is_time(parameters: Mapping[str, str], name: str) -> bool:
    return name in parameters and read_integer(parameters[name], name, [], is_signed=False) is not None


def _missing(reason: HitReason, parameter: str, detail: str) -> Fault:
    return Fault(reason, parameter, Code.VALUE_REQUIRED, detail)
