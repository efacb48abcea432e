"""Why something is refused: the reasons that all families share, and the two shapes of a refusal.

What only one family knows has a `StrEnum` of its own in the family's module.
"""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Reason codes of rejects, of error answers and of the header `Tidemill-Reason`."""

    BODY_TOO_LARGE = "body_too_large"
    """More bytes than allowed, as sent or inflated."""
    URL_TOO_LONG = "url_too_long"
    """A longer path or query than allowed."""
    INVALID_GZIP = "invalid_gzip"
    """The body begins like gzip and is none."""
    INVALID_JSON = "invalid_json"
    """The body, or the parameter that carries it, is no JSON."""
    INVALID_BODY = "invalid_body"
    """JSON, but not of the shape that the endpoint takes."""
    TOO_DEEP = "too_deep"
    """More levels of arrays and objects than allowed."""
    TOO_MANY_EVENTS = "too_many_events"
    """More events in one request than allowed."""
    UNKNOWN_SITE = "unknown_site"
    """No site has this id, or none was named."""
    WRONG_SECRET = "wrong_secret"  # noqa: S105  (a reason, no secret)
    """No or another secret than the site's."""
    INVALID_EVENT = "invalid_event"
    """The event is no object, or lacks what every event needs."""
    INVALID_FIELD = "invalid_field"
    """A field holds what its column cannot; `detail` names it."""
    EVENT_TOO_LARGE = "event_too_large"
    """More bytes of one event than allowed."""
    EVENT_TOO_OLD = "event_too_old"
    """It happened longer ago than the site's `max_event_age_days`."""
    HOST_NOT_COUNTED = "host_not_counted"
    """The page's host is not among the site's `domains`."""
    GPC_DROP = "gpc_drop"
    """Global Privacy Control, and the site drops such events. Nothing personal is kept."""
    DNT_DROP = "dnt_drop"
    """Do Not Track, and the site drops such events. Nothing personal is kept."""
    RATE_LIMITED = "rate_limited"
    """More events in a minute than the site takes; answered 429, and nothing is kept."""
    INVALID_LOG_LINE = "invalid_log_line"
    """A line of an access log that is no combined log format."""


class Refused(Exception):
    """The request as a whole is refused.

    Attributes:
        reason: Why.
        status: HTTP status that says so, where the protocol shows it.
        detail: What exactly was wrong; for people.
        site_id: The site, where it is known.
        tracking_key: The id by which the client named the site.
        body: What is kept of the request; None for its body.
    """

    def __init__(  # noqa: PLR0913  (each is told of the refusal)
        self,
        reason: StrEnum,
        status: int,
        detail: str = "",
        *,
        site_id: str | None = None,
        tracking_key: str | None = None,
        body: bytes | None = None,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.status = status
        self.detail = detail
        self.site_id = site_id
        self.tracking_key = tracking_key
        self.body = body


@dataclass(frozen=True, slots=True)
class Reject:
    """One event of a request is refused.

    Attributes:
        index: Its position in the request, from 0.
        reason: Why.
        detail: What exactly was wrong.
        part: The refused event as received.
        reject_id: A UUID derived from the part where reading it again must give the same one; None for a new one.
    """

    index: int
    reason: StrEnum
    detail: str
    part: object
    reject_id: str | None = None
