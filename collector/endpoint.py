"""What a family of clients is to the collector: endpoints, each a few pure functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from collector.plans import SiteDirectory
from collector.reading import Candidate, Outcome, Reading
from collector.refusal import Refused
from collector.request import Answer, Request
from landing.sites import Sites

ANY_METHOD = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """What browsers are told about requests from other sites' pages. The site's own list of origins always counts.

    Attributes:
        credentials: Answers may be read by requests that carry cookies.
        allowed_headers: Answer to a preflight; None repeats what it asks for.
        allowed_methods: Likewise; None lists the methods of the path.
        preflight_status: 204, or 200 where clients were told so.
        without_origin: `Access-Control-Allow-Origin` for requests without an origin; None for no such header.
        exposed_headers: Headers that a page's script may read.
    """

    credentials: bool = False
    allowed_headers: str | None = None
    allowed_methods: str | None = None
    preflight_status: int = 204
    without_origin: str | None = None
    exposed_headers: str = ""


OWN_CORS = Cors(
    allowed_headers="authorization, content-encoding, content-type", exposed_headers="Tidemill-Reason, Retry-After"
)
"""Of our own tracker and API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A method and a path that a family serves.

    Attributes:
        protocol: Value of the column `protocol`; on a virtual host of this protocol its endpoints come first.
        method: In capitals; `*` for every method that no other endpoint of the path takes.
        path: Without `/s/<site id>`, below which everything is served too. A segment `{name}` stands for any one.
        cors: None where the endpoint answers for itself.
        claims: Tells by content whether a request is for this endpoint, where other families have the path too.
        is_below_site: Served below `/s/<site id>` alone: the path says too little to be taken from everybody else.
    """

    protocol: str
    method: str
    path: str
    cors: Cors | None = Cors()
    claims: Callable[[Request], bool] | None = None
    is_below_site: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Endpoint):
    """An endpoint that takes events; what is behind it is the same for all.

    Attributes:
        read: Authenticates, parses and maps. Raises Refused.
        accept: The answer once everything is durable.
        refuse: The answer to a request that is refused as a whole; it is durable as a reject.
    """

    read: Callable[[Request, SiteDirectory], Reading]
    accept: Callable[[Request, Outcome], Answer]
    refuse: Callable[[Request, Refused], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Endpoint):
    """An endpoint that keeps nothing.

    Attributes:
        answer: The answer.
    """

    answer: Callable[[Request, SiteDirectory], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One dialect: a value of the column `protocol`, and everything the collector knows of it.

    Attributes:
        protocol: The value.
        endpoints: In the order in which they are asked whether a request is theirs.
        configured: Further endpoints, those that the sites file names.
        remap: What today's mapping makes of an event kept by an older one, from its `raw` and its row (by column
            name). Ids, times of receipt and the visitor stay what they were, and so does what the request said for
            all its events, unless it is given again. Raises ValueError for what it would refuse. None where nothing
            can be mapped anew.
    """

    protocol: str
    endpoints: tuple[Route | Page, ...]
    configured: Callable[[Sites], tuple[Route | Page, ...]] | None = None
    remap: Callable[[Any, Mapping[str, Any]], Candidate] | None = None
