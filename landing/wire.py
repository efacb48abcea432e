"""The tracker's wire format: the short names that a browser sends, and the columns that they become."""

from dataclasses import dataclass
from enum import Enum


class Place(Enum):
    """Where a field stands."""

    REQUEST = "request"
    """Once for the request."""
    EVENT = "event"
    """In each event."""
    EITHER = "either"
    """In an event, or once for all beside `events`, which is shorter."""


@dataclass(frozen=True, slots=True)
class WireField:
    """A field of the wire format.

    Attributes:
        name: Short, since it is sent with every event.
        type: In TypeScript.
        place: Where it stands.
        meaning: One sentence.
        column: What it becomes in the event contract; empty where it has no column of its own.
        required: Always sent.
    """

    name: str
    type: str
    place: Place
    meaning: str
    column: str = ""
    required: bool = False


WIRE_FIELDS = (
    WireField("v", "1", Place.REQUEST, "Version of the format.", "protocol_version", required=True),
    WireField("site", "string", Place.REQUEST, "Site id.", "tracking_key", required=True),
    WireField("sent_at", "number", Place.REQUEST, "Client's clock in ms at this attempt.", "sent_at", required=True),
    WireField("lib", "string", Place.REQUEST, "Version of the tracker.", "library_version", required=True),
    WireField("id", "string", Place.EVENT, "UUID; a retry repeats it.", "client_event_id", required=True),
    WireField("n", "string", Place.EVENT, "Name.", "event_name", required=True),
    WireField("ts", "number", Place.EVENT, "Client's clock in ms when it happened.", "client_time", required=True),
    WireField("u", "string", Place.EITHER, "Address of the page.", "page_url"),
    WireField("r", "string", Place.EITHER, "Address of the page that led here.", "page_referrer"),
    WireField("ti", "string", Place.EITHER, "Title of the page.", "page_title"),
    WireField("pv", "string", Place.EITHER, "Id of the page view.", "page_view_id"),
    WireField("seq", "number", Place.EVENT, "Number within the page view, counted from 1."),
    WireField("st", "number", Place.EITHER, "HTTP status of the page.", "http_status"),
    WireField("vid", "string", Place.EITHER, "Visitor id, only where allowed.", "visitor_id"),
    WireField("sid", "string", Place.EITHER, "Session id, only where allowed.", "client_session_id"),
    WireField("p", "Props", Place.EVENT, "What the page attached.", "props"),
    WireField("e", "number", Place.EVENT, "Engaged ms of the page view so far.", "engaged_ms"),
    WireField("sd", "number", Place.EVENT, "Deepest scroll position in %.", "scroll_percent"),
    WireField("w", "number", Place.EITHER, "Viewport width.", "viewport_width"),
    WireField("h", "number", Place.EITHER, "Viewport height.", "viewport_height"),
    WireField("sw", "number", Place.EITHER, "Screen width.", "screen_width"),
    WireField("sh", "number", Place.EITHER, "Screen height.", "screen_height"),
    WireField("dpr", "number", Place.EITHER, "Device pixels for each pixel."),
    WireField("l", "string", Place.EITHER, "Language.", "language"),
    WireField("tz", "string", Place.EITHER, "IANA time zone.", "time_zone"),
    WireField("b", "string", Place.EITHER, "Code of why the client looks automated.", "automation"),
    WireField("gpc", "boolean", Place.EITHER, "Global Privacy Control is set.", "gpc"),
    WireField("dnt", "boolean", Place.EITHER, "Do Not Track is set."),
)
"""Source: the tracker's requirements, "Wire format" and "Engagement and scroll"."""
