"""What a protocol hands on: candidates for events, in the words of the contract, and what it refused."""

from collections.abc import Callable
from typing import Any

import msgspec

from collector.plans import SitePlan
from collector.refusal import Reject
from collector.request import Cookie
from collector.time import SKEW_TOLERATED_US


class Candidate(msgspec.Struct):
    """One event as a protocol read it. Values are as the client sent them; `collector.rows` makes them fit.

    Attributes:
        index: Position in the request, from 0.
        columns: Values by contract column. `visitor_id_kind` says where `visitor_id` comes from; client if absent,
            and none where nobody may be told apart, by a hash neither.
        client_time_us: When it happened by the client's clock, in epoch microseconds.
        original: The event as received, to be kept as `raw`.
        warnings: What was repaired while reading, as `code:field`.
        event_id: A UUID that the protocol derived because its clients send no id; None otherwise.
        sent_us: When this event was sent by the client's clock, where its request does not say so for all.
        queued_us: How long the client kept it before sending, where it tells that instead of a time.
        has_true_time: `client_time_us` is by a clock known to be right: it is not corrected.
        content: What a retry repeats to the byte, where that is less than `original`; None for all of it.
        impersonal: Columns that stand for others where the client's id for the visitor is not kept, because they
            would hold it too.
        masks_address: The client asks that no more than the network of the address is kept, whatever the site keeps.
    """

    index: int
    columns: dict[str, Any]
    client_time_us: int | None
    original: object
    warnings: list[str] = msgspec.field(default_factory=list)
    event_id: str | None = None
    sent_us: int | None = None
    queued_us: int | None = None
    has_true_time: bool = False
    content: object = None
    impersonal: dict[str, Any] | None = None
    masks_address: bool = False


class Record(msgspec.Struct, frozen=True):
    """One row of another dataset than events.

    Attributes:
        index: Position in the request, from 0.
        dataset: Name of the dataset.
        columns: Values by column, as the dataset's contract wants them; lineage is added.
    """

    index: int
    dataset: str
    columns: dict[str, Any]


def _as_it_is(part: object) -> object:
    return part


class Reading(msgspec.Struct, kw_only=True):
    """One request as a protocol read it.

    Attributes:
        site: Whose events these are; None for what belongs to no site: rows of declared tables, check-ins.
        version: Version of the dialect.
        tracking_key: The id by which the client named the site.
        shared: Contract columns that all candidates have in common; a candidate's own value wins.
        sent_us: When it was sent by the client's clock, in epoch microseconds.
        skew_tolerated_us: Clocks that differ by no more are taken as equal.
        candidates: In order.
        records: Rows of other datasets.
        quota: Who may add how many of them a minute; a name that no site can have. None: any number.
        rejects: What was refused alone.
        enclose: Makes of a refused event the smallest body that holds it and could be sent to the same endpoint.
        cookies: Set with the answer, unless the visitor asked not to be tracked.
        reply: What the family's `accept` wants to know of its own reading.
        gpc: The client said so in the body.
        dnt: Likewise.
        address: The visitor's full address, unless a candidate has a column `ip`; None when unknown.
        user_agent: The visitor's user agent, unless a candidate has its own; None when unknown.
        from_server: Sent by the site's own server, with the site's secret: the ids that it sets are kept.
        is_strict: A value that does not fit refuses the event: a developer is there to read the answer.
        warnings: Of the request as a whole.
        is_import: History, not traffic: its times are trusted however old, its visitors hashed with a lasting key.
        further: What the same request says to other sites; durable together with this.
    """

    site: SitePlan | None
    version: str | None = None
    tracking_key: str | None = None
    shared: dict[str, Any] = msgspec.field(default_factory=dict)
    sent_us: int | None = None
    skew_tolerated_us: int = SKEW_TOLERATED_US
    candidates: list[Candidate] = msgspec.field(default_factory=list)
    records: list[Record] = msgspec.field(default_factory=list)
    quota: tuple[str, int] | None = None
    rejects: list[Reject] = msgspec.field(default_factory=list)
    enclose: Callable[[object], object] = _as_it_is
    cookies: tuple[Cookie, ...] = ()
    reply: Any = None
    gpc: bool = False
    dnt: bool = False
    address: str | None = None
    user_agent: str | None = None
    from_server: bool = False
    is_strict: bool = False
    warnings: tuple[str, ...] = ()
    is_import: bool = False
    further: tuple["Reading", ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """What became of a reading once it is durable.

    Attributes:
        accepted: Events kept, and rows of other datasets, of all sites.
        rejects: Events refused, in order of position; those of further sites follow.
        reading: What it was made of.
        withholds: The visitor asked not to be tracked, and the site heeds it: no cookie may be set.
    """

    accepted: int
    rejects: list[Reject]
    reading: Reading
    withholds: bool = False
