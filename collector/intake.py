"""The one path behind all protocols: limits → decode → protocol → rows → spool → answer."""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import msgspec

from collector import rows
from collector.decode import inflate
from collector.limits import PATH_CHARS_MAX, QUERY_CHARS_MAX, WIRE_BYTES_MAX
from collector.metrics import Metrics
from collector.plans import SiteDirectory
from collector.protocols import ROUTES
from collector.reading import Outcome, Reading, Route
from collector.refusal import Reason, Refused, Reject
from collector.request import Answer, Request
from collector.salts import Salts
from collector.spool import SpoolUnavailable
from landing.credentials import SecretVerifier
from landing.sites import Sites

RETRY_AFTER_S = 5
"""What a 503 asks of clients: a full spool empties in seconds once the store is back."""

_SITE_PREFIX = "/s/"
_PREFLIGHT_AGE_S = 86_400
_EXPOSED = "Tidemill-Reason, Retry-After"


class Sink(Protocol):
    """Makes rows durable; `collector.spool.Spool` in production."""

    def append(self, received_at: datetime, rows: dict[str, bytes]) -> None:
        """Return once the rows are durable; raise SpoolUnavailable when they are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A request as it arrived, from a socket or from a file of recorded requests.

    Attributes:
        method: In capitals.
        path: Percent-decoded, with `/s/<site id>` where it was sent.
        query: As sent, without the question mark.
        headers: By lower-case name.
        body: As sent; at most one byte more than the limit needs to be there.
        received_at: When it was received, UTC.
        peer: Address of the other end of the connection.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    peer: str


@dataclass(frozen=True, slots=True)
class Response:
    """An answer and what became of the request; the numbers are for reports."""

    answer: Answer
    accepted: int = 0
    rejected: int = 0


class Intake:
    """Takes deliveries, keeps what is in them, answers. Safe for many threads.

    Args:
        sites: The sites file as it is now; called for each request.
        sink: Makes rows durable.
        salts: For cookieless visitors.
        metrics: Told of everything.
        collector_id: This process; a column of every row.
    """

    def __init__(
        self, *, sites: Callable[[], Sites], sink: Sink, salts: Salts, metrics: Metrics, collector_id: str
    ) -> None:
        self._sites = sites
        self._sink = sink
        self._salts = salts
        self._metrics = metrics
        self._collector_id = collector_id
        self._verifier = SecretVerifier()
        self._directory = SiteDirectory(sites(), self._verifier)
        self._numbers = itertools.count()
        self._routes: dict[str, dict[str, Route]] = {}
        for route in ROUTES:
            self._routes.setdefault(route.path, {})[route.method] = route

    def new_request_id(self) -> str:
        """An id that no other request has: of this process and a count, so that ids compress well in the archive."""
        return f"{self._collector_id}-{next(self._numbers):x}"

    def directory(self) -> SiteDirectory:
        """The sites as they are now."""
        sites = self._sites()
        if sites is not self._directory.sites:
            self._directory = SiteDirectory(sites, self._verifier)
        return self._directory

    def takes(self, path: str) -> bool:
        """Some protocol owns this path."""
        return path in self._routes or (path.startswith(_SITE_PREFIX) and _split(path)[1] in self._routes)

    def take(self, delivery: Delivery) -> Response:
        """Answer a delivery to a path that `takes` says is ours; what is acknowledged is durable."""
        started_s = time.perf_counter()
        site_id, path = _split(delivery.path)
        routes = self._routes[path]
        route = routes.get(delivery.method)
        directory = self.directory()
        if route is None:
            response = Response(_preflight(routes, delivery, directory, site_id))
        else:
            response = self._answer(route, delivery, directory, site_id, path)
        self._metrics.count_request(path, response.answer.status, time.perf_counter() - started_s)
        return response

    def _answer(
        self, route: Route, delivery: Delivery, directory: SiteDirectory, site_id: str | None, path: str
    ) -> Response:
        request = Request(
            method=delivery.method,
            path=path,
            query=delivery.query,
            headers=delivery.headers,
            body=delivery.body,
            received_at=delivery.received_at,
            address=directory.client_address(delivery.peer, delivery.headers.get("x-forwarded-for")),
            site_id=site_id,
            request_id=self.new_request_id(),
        )
        origin = delivery.headers.get("origin")
        is_allowed = origin is not None and directory.allows_origin(origin)
        try:
            try:
                _check_limits(delivery)
                body = inflate(delivery.body)
                if body is not delivery.body:
                    request = replace(request, body=body)
                reading = route.read(request, directory)
            except Refused as refused:
                self._refuse(route, request, refused, directory)
                response = Response(route.refuse(request, refused), 0, 1)
            else:
                is_allowed = origin is not None and reading.site.allows_origin(origin)
                outcome = self.keep(reading, request, route.protocol)
                response = Response(route.accept(request, outcome), outcome.accepted, len(outcome.rejects))
        except SpoolUnavailable as error:
            self._metrics.count_unavailable(error.reason)
            response = Response(_unavailable(error))
        return response if origin is None or not is_allowed else _shared_with(origin, response)

    def keep(self, reading: Reading, request: Request, protocol: str) -> Outcome:
        """Make the rows of a reading durable: what a request goes through once it is read, and an import too.

        Raises:
            SpoolUnavailable: nothing was kept.
        """
        lines = rows.build(reading, request, protocol=protocol, collector_id=self._collector_id, salts=self._salts)
        rejects = [
            rows.reject_line(
                request,
                reject=reject,
                protocol=protocol,
                collector_id=self._collector_id,
                plan=reading.site,
                tracking_key=reading.tracking_key,
                withholds=lines.withholds,
            )
            for reject in lines.rejects
        ]
        self._append(request, lines.events, rejects)
        self._count(reading.site.site_id, len(lines.events), lines.rejects)
        return Outcome(len(lines.events), lines.rejects)

    def _append(self, request: Request, events: list[bytes], rejects: list[bytes]) -> None:
        parts = {}
        if events:
            parts["events"] = b"\n".join(events) + b"\n"
        if rejects:
            parts["rejects"] = b"\n".join(rejects) + b"\n"
        if parts:
            self._sink.append(request.received_at, parts)

    def _refuse(self, route: Route, request: Request, refused: Refused, directory: SiteDirectory) -> None:
        """Keep a request that is refused as a whole."""
        plan = directory.by_id(refused.site_id) if refused.site_id is not None else None
        line = rows.reject_line(
            request,
            reject=Reject(0, refused.reason, refused.detail, request.body),
            protocol=route.protocol,
            collector_id=self._collector_id,
            plan=plan,
            tracking_key=refused.tracking_key,
            withholds=False,
        )
        self._append(request, [], [line])
        self._metrics.count_rejected("" if plan is None else plan.site_id, refused.reason, 1)

    def _count(self, site_id: str, accepted: int, rejects: list[Reject]) -> None:
        if accepted:
            self._metrics.count_accepted(site_id, accepted)
        if rejects:
            for reason, number in Counter(reject.reason for reject in rejects).items():
                self._metrics.count_rejected(site_id, reason, number)


def _split(path: str) -> tuple[str | None, str]:
    """The site that a path names, and the path below it."""
    if not path.startswith(_SITE_PREFIX):
        return None, path
    site_id, slash, rest = path[len(_SITE_PREFIX) :].partition("/")
    return site_id, slash + rest


def _check_limits(delivery: Delivery) -> None:
    if len(delivery.body) > WIRE_BYTES_MAX:
        raise Refused(Reason.BODY_TOO_LARGE, 413, f"more than {WIRE_BYTES_MAX} bytes")
    if len(delivery.path) > PATH_CHARS_MAX or len(delivery.query) > QUERY_CHARS_MAX:
        raise Refused(Reason.URL_TOO_LONG, 414, "the path or the query is too long")


def _preflight(
    routes: Mapping[str, Route], delivery: Delivery, directory: SiteDirectory, site_id: str | None
) -> Answer:
    """The answer to OPTIONS, and to methods that the path does not take."""
    methods = ", ".join([*sorted(routes), "OPTIONS"])
    if delivery.method != "OPTIONS":
        return Answer(405, b"", (("Allow", methods),))
    origin = delivery.headers.get("origin")
    plan = None if site_id is None else directory.by_id(site_id)
    if origin is None or not (directory.allows_origin(origin) if plan is None else plan.allows_origin(origin)):
        return Answer(204, b"", (("Allow", methods),))
    return Answer(
        204,
        b"",
        (
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Methods", methods),
            ("Access-Control-Allow-Headers", "authorization, content-encoding, content-type"),
            ("Access-Control-Max-Age", str(_PREFLIGHT_AGE_S)),
            ("Vary", "Origin"),
        ),
    )


def _shared_with(origin: str, response: Response) -> Response:
    """Let the page at `origin` read the answer. Never with credentials: no endpoint here knows a cookie."""
    answer = response.answer
    headers = (
        *answer.headers,
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Expose-Headers", _EXPOSED),
        ("Vary", "Origin"),
    )
    return Response(Answer(answer.status, answer.body, headers), response.accepted, response.rejected)


def _unavailable(error: SpoolUnavailable) -> Answer:
    return Answer(
        503,
        msgspec.json.encode({"reason": error.reason, "detail": "nothing was kept; send it again"}),
        (
            ("Content-Type", "application/json"),
            ("Retry-After", str(RETRY_AFTER_S)),
            ("Tidemill-Reason", error.reason),
        ),
    )
