"""What a protocol sees of HTTP: an immutable request in, an answer out. No web framework.

What is made for each request or event is a `msgspec.Struct`: a frozen dataclass takes ten times as long to make.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from collector.plans import HostPlan


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request, decoded and within limits.

    Attributes:
        method: In capitals.
        path: Without `/s/<site id>`; percent-decoded.
        query: As sent, without the question mark.
        headers: By lower-case name.
        body: Without gzip.
        received_at: When the collector received it, UTC.
        address: The visitor's full address, behind trusted proxies; None when unknown.
        site_id: The site named by the path `/s/<site id>/…`, else by the virtual host; None without one.
        request_id: Made at receipt.
        host: The virtual host that the request was sent to; None for any other host.
        is_https: The visitor's connection was encrypted, as far as trusted proxies say.
        captured: What stands in the path where the endpoint's path has names in braces.
        replay_of: The id of the reject that whoever runs the collector sends again; None for a client's request.
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
    host: HostPlan | None = None
    is_https: bool = False
    captured: Mapping[str, str] = msgspec.field(default_factory=dict)
    replay_of: str | None = None

    @property
    def is_replayed(self) -> bool:
        """Sent again by whoever runs the collector: secrets need not be shown once more."""
        return self.replay_of is not None

    def cookie(self, name: str) -> str | None:
        """The value of the first cookie of that name; None without one."""
        for part in self.headers.get("cookie", "").split(";"):
            key, equals, value = part.partition("=")
            if equals and key.strip() == name:
                return value.strip().strip('"')
        return None


class Answer(msgspec.Struct, frozen=True):
    """What the client gets."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    def with_headers(self, *headers: tuple[str, str]) -> "Answer":
        """The same answer with more headers."""
        return Answer(self.status, self.body, self.headers + headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """A cookie of ours, for the whole host.

    Attributes:
        name: An RFC 6265 token.
        value: Without characters that need quoting: ids of ours or ids that were checked.
        max_age_s: How long the browser keeps it.
        is_http_only: Hidden from scripts.
        crosses_sites: Sent with requests of other sites' pages too, where the connection is encrypted.
    """

    name: str
    value: str
    max_age_s: int
    is_http_only: bool = True
    crosses_sites: bool = True

    def header(self, *, is_https: bool) -> tuple[str, str]:
        """The header that sets it. Over plain HTTP browsers take neither Secure nor SameSite=None."""
        crossing = "None" if self.crosses_sites and is_https else "Lax"
        parts = [f"{self.name}={self.value}", "Path=/", f"Max-Age={self.max_age_s}", f"SameSite={crossing}"]
        parts += ["Secure"] * is_https + ["HttpOnly"] * self.is_http_only
        return "Set-Cookie", "; ".join(parts)
