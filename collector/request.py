"""What a protocol sees of HTTP: an immutable request in, an answer out. No web framework."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request, decoded and within limits.

    Attributes:
        method: In capitals.
        path: Without `/s/<site id>`; percent-decoded.
        query: As sent, without the question mark.
        headers: By lower-case name.
        body: Without gzip.
        received_at: When the collector received it, UTC.
        address: The visitor's full address, behind trusted proxies; None when unknown.
        site_id: The site named by the path `/s/<site id>/…`; None without one.
        request_id: Made at receipt.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    address: str | None
    site_id: str | None
    request_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client gets."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
