"""What a protocol hands on: candidates for events, in the words of the contract, and what it refused."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from collector.plans import SiteDirectory, SitePlan
from collector.refusal import Refused, Reject
from collector.request import Answer, Request


@dataclass(slots=True)
class Candidate:
    """One event as a protocol read it. Values are as the client sent them; `collector.rows` makes them fit.

    Attributes:
        index: Position in the request, from 0.
        columns: Values by contract column.
        client_time_us: When it happened by the client's clock, in epoch microseconds.
        original: The event as received, to be kept as `raw`.
        warnings: What was repaired while reading, as `code:field`.
        event_id: A UUID that the protocol derived because its clients send no id; None otherwise.
    """

    index: int
    columns: dict[str, Any]
    client_time_us: int | None
    original: object
    warnings: list[str] = field(default_factory=list)
    event_id: str | None = None


@dataclass(slots=True, kw_only=True)
class Reading:
    """One request as a protocol read it.

    Attributes:
        site: Whose events these are.
        version: Version of the dialect.
        tracking_key: The id by which the client named the site.
        shared: Contract columns that all candidates have in common; a candidate's own value wins.
        sent_us: When it was sent by the client's clock, in epoch microseconds.
        candidates: In order.
        rejects: What was refused alone.
        gpc: The client said so in the body.
        dnt: Likewise.
        address: The visitor's full address, unless a candidate has a column `ip`; None when unknown.
        user_agent: The visitor's user agent, unless a candidate has its own; None when unknown.
        from_server: Sent by the site's own server, with the site's secret: the ids that it sets are kept, and a
            value that does not fit refuses the event.
        warnings: Of the request as a whole.
        is_import: History, not traffic: its times are trusted however old, its visitors hashed with a lasting key.
    """

    site: SitePlan
    version: str | None = None
    tracking_key: str | None = None
    shared: dict[str, Any] = field(default_factory=dict)
    sent_us: int | None = None
    candidates: list[Candidate] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    gpc: bool = False
    dnt: bool = False
    address: str | None = None
    user_agent: str | None = None
    from_server: bool = False
    warnings: tuple[str, ...] = ()
    is_import: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a reading once it is durable.

    Attributes:
        accepted: Events kept.
        rejects: Events refused, in order of position.
    """

    accepted: int
    rejects: list[Reject]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One endpoint of a protocol: pure functions; what is behind them is the same for all.

    Attributes:
        protocol: Value of the column `protocol`.
        method: GET or POST.
        path: Without `/s/<site id>`, below which everything is served too.
        read: Authenticates, parses and maps. Raises Refused.
        accept: The answer once everything is durable.
        refuse: The answer to a request that is refused as a whole.
    """

    protocol: str
    method: str
    path: str
    read: Callable[[Request, SiteDirectory], Reading]
    accept: Callable[[Request, Outcome], Answer]
    refuse: Callable[[Request, Refused], Answer]
