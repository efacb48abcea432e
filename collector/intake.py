"""The one path behind all protocols: limits → decode → protocol → rows → spool → answer."""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec
from msgspec.structs import replace

from collector import cors, rows
from collector.decode import inflate
from collector.endpoint import ANY_METHOD, Page, Route
from collector.limits import PATH_CHARS_MAX, QUERY_CHARS_MAX, WIRE_BYTES_MAX
from collector.metrics import Metrics
from collector.pending import wait_for
from collector.plans import SiteDirectory, SitePlan
from collector.protocols import FAMILIES
from collector.rate import MinuteLimits, TooManyEvents
from collector.reading import Outcome, Reading
from collector.refusal import Reason, Refused, Reject
from collector.request import Answer, Request
from collector.routing import Match, Router
from collector.salts import Salts
from collector.scripts import Scripts
from collector.spool import SpoolUnavailable
from landing.credentials import SecretVerifier
from landing.sites import Sites

RETRY_AFTER_S = 5
"""What a 503 asks of clients: a full spool empties in seconds once the store is back."""

_SITE_PREFIX = "/s/"


class Sink(Protocol):
    """Makes rows durable; `collector.spool.Spool` in production."""

    async def append(self, received_at: datetime, rows: dict[str, bytes]) -> None:
        """Return once the rows are durable; raise SpoolUnavailable when they are not."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it arrived, from a socket or from a file of recorded requests.

    Attributes:
        method: In capitals.
        path: Percent-decoded, with `/s/<site id>` where it was sent.
        query: As sent, without the question mark.
        headers: By lower-case name.
        body: As sent; at most one byte more than the limit needs to be there.
        received_at: When it was received, UTC.
        peer: Address of the other end of the connection.
        scheme: http or https, of the connection to us.
        replay_of: The id of the reject that whoever runs the collector sends again; None for a client's request.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    peer: str
    scheme: str = "http"
    replay_of: str | None = None


class Place(msgspec.Struct, frozen=True):
    """Where a path leads.

    Attributes:
        directory: The sites of that moment.
        site_id: The site that the path names.
        path: Without `/s/<site id>`.
        matches: The endpoints that may answer.
    """

    directory: SiteDirectory
    site_id: str | None
    path: str
    matches: Sequence[Match]


class Response(msgspec.Struct, frozen=True):
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
        processes: How many share a site's limit of events a minute.
        scripts: The tracker, for families whose clients load it under other names.
    """

    def __init__(  # noqa: PLR0913  (everything it works with is given)
        self,
        *,
        sites: Callable[[], Sites],
        sink: Sink,
        salts: Salts,
        metrics: Metrics,
        collector_id: str,
        processes: int = 1,
        scripts: Scripts | None = None,
    ) -> None:
        self._sites = sites
        self._sink = sink
        self._salts = salts
        self._metrics = metrics
        self._collector_id = collector_id
        self._verifier = SecretVerifier()
        self._scripts = Scripts() if scripts is None else scripts
        self._directory = SiteDirectory(sites(), self._verifier, self._scripts)
        self._numbers = itertools.count()
        self._limits = MinuteLimits(processes)

    def new_request_id(self) -> str:
        """An id that no other request has: of this process and a count, so that ids compress well in the archive."""
        return f"{self._collector_id}-{next(self._numbers):x}"

    def directory(self) -> SiteDirectory:
        """The sites as they are now."""
        sites = self._sites()
        if sites is not self._directory.sites:
            self._directory = SiteDirectory(sites, self._verifier, self._scripts)
        return self._directory

    def find(self, path: str) -> Place | None:
        """Where a path leads; None when no protocol may own it."""
        directory = self.directory()
        site_id, path = _split(path)
        router, site_router = directory.prepared(_routers)
        matches = (router if site_id is None else site_router).find(path)
        return Place(directory, site_id, path, matches) if matches else None

    def take(self, delivery: Delivery) -> Response | None:
        """Answer a delivery; what is acknowledged is durable. None when no protocol owns it."""
        place = self.find(delivery.path)
        return None if place is None else wait_for(self.receive(delivery, place))

    async def receive(self, delivery: Delivery, place: Place) -> Response | None:
        """As `take`, for servers: no thread is held while the disk is waited for."""
        started_s = time.perf_counter()
        directory, matches = place.directory, place.matches
        request = self._request(delivery, place)
        found = _choose(matches, request)
        if found is not None:
            endpoint, captured = found
            if captured:
                request = replace(request, captured=captured)
            response = await self._answer(endpoint, delivery, request, directory)
        elif (alternatives := _of_other_methods(matches, request)) is None:
            return None
        else:
            endpoint = alternatives[0]
            response = Response(cors.preflight(alternatives, request, directory))
        self._metrics.count_request(endpoint.path, response.answer.status, time.perf_counter() - started_s)
        return response

    def _request(self, delivery: Delivery, place: Place) -> Request:
        headers, directory, site_id = delivery.headers, place.directory, place.site_id
        host = directory.host(headers.get("host"))
        return Request(
            method=delivery.method,
            path=place.path,
            query=delivery.query,
            headers=headers,
            body=delivery.body,
            received_at=delivery.received_at,
            address=directory.client_address(delivery.peer, headers.get("x-forwarded-for")),
            site_id=host.site_id if site_id is None and host is not None else site_id,
            request_id=self.new_request_id(),
            host=host,
            is_https=directory.is_https(delivery.peer, delivery.scheme, headers.get("x-forwarded-proto")),
            replay_of=delivery.replay_of,
        )

    async def _answer(
        self, endpoint: Route | Page, delivery: Delivery, request: Request, directory: SiteDirectory
    ) -> Response:
        site: SitePlan | None = None
        try:
            try:
                _check_limits(delivery)
                body = inflate(delivery.body)
                if body is not delivery.body:
                    request = replace(request, body=body)
                if isinstance(endpoint, Page):
                    response = Response(endpoint.answer(request, directory))
                else:
                    reading = endpoint.read(request, directory)
                    site = reading.site
                    response = await self._accept(endpoint, reading, request)
            except Refused as refused:
                response = await self._refuse(endpoint, request, refused, directory)
        except SpoolUnavailable as error:
            self._metrics.count_unavailable(error.reason)
            response = Response(_try_again(503, error.reason, RETRY_AFTER_S))
        except TooManyEvents as error:
            self._metrics.count_unavailable(Reason.RATE_LIMITED)
            response = Response(_try_again(429, Reason.RATE_LIMITED, error.retry_after_s))
        answer = cors.shared(response.answer, endpoint, request, directory, site)
        return response if answer is response.answer else replace(response, answer=answer)

    async def _accept(self, route: Route, reading: Reading, request: Request) -> Response:
        outcome = await self.keep(reading, request, route.protocol)
        answer = route.accept(request, outcome)
        if reading.cookies and not outcome.withholds:
            answer = answer.with_headers(*(cookie.header(is_https=request.is_https) for cookie in reading.cookies))
        return Response(answer, outcome.accepted, len(outcome.rejects))

    async def keep(self, reading: Reading, request: Request, protocol: str) -> Outcome:
        """Make the rows of a reading durable: what a request goes through once it is read, and an import too.

        Raises:
            SpoolUnavailable: nothing was kept.
            TooManyEvents: nothing was kept: more than the site takes in a minute.
        """
        parts = [(each, self._build(each, request, protocol)) for each in (reading, *reading.further)]
        durable: dict[str, list[bytes]] = {}
        for each, lines in parts:
            durable.setdefault("events", []).extend(lines.events)
            for dataset, encoded in lines.records.items():
                durable.setdefault(dataset, []).extend(encoded)
            if lines.rejects:
                durable.setdefault("rejects", []).extend(self._reject_lines(each, lines, request, protocol))
        await self._append(request, durable)
        accepted, refused = 0, list[Reject]()
        for each, lines in parts:
            events = len(lines.events) + sum(map(len, lines.records.values()))
            self._count("" if each.site is None else each.site.site_id, events, lines.rejects)
            accepted += events
            refused += lines.rejects
        return Outcome(accepted, refused, reading, parts[0][1].withholds)

    def _build(self, reading: Reading, request: Request, protocol: str) -> rows.Lines:
        lines = rows.build(reading, request, protocol=protocol, collector_id=self._collector_id, salts=self._salts)
        if reading.site is not None and reading.site.events_per_minute_max is not None and not reading.is_import:
            self._limits.check(reading.site.site_id, len(lines.events), reading.site.events_per_minute_max)
        if reading.quota is not None:
            owner, per_minute = reading.quota
            self._limits.check(owner, sum(map(len, lines.records.values())), per_minute)
        return lines

    def _reject_lines(self, reading: Reading, lines: rows.Lines, request: Request, protocol: str) -> list[bytes]:
        return [
            rows.reject_line(
                request,
                reject=reject,
                part=part,
                protocol=protocol,
                collector_id=self._collector_id,
                plan=reading.site,
                tracking_key=reading.tracking_key,
                withholds=lines.withholds,
            )
            for reject, part in zip(lines.rejects, rows.repeatable_parts(reading, lines.rejects), strict=True)
        ]

    async def _append(self, request: Request, rows_of: Mapping[str, list[bytes]]) -> None:
        parts = {dataset: b"\n".join(lines) + b"\n" for dataset, lines in rows_of.items() if lines}
        if request.is_replayed:  # what is refused again is kept already
            parts.pop("rejects", None)
        if parts:
            await self._sink.append(request.received_at, parts)

    async def _refuse(
        self, endpoint: Route | Page, request: Request, refused: Refused, directory: SiteDirectory
    ) -> Response:
        """Keep a request that is refused as a whole. A page keeps nothing and has no refusal of its own."""
        if isinstance(endpoint, Page):
            return Response(Answer(refused.status, b"", (("Tidemill-Reason", refused.reason),)))
        plan = directory.by_id(refused.site_id) if refused.site_id is not None else None
        line = rows.reject_line(
            request,
            reject=Reject(0, refused.reason, refused.detail, None),
            part=request.body if refused.body is None else refused.body,
            protocol=endpoint.protocol,
            collector_id=self._collector_id,
            plan=plan,
            tracking_key=refused.tracking_key,
            withholds=False,
        )
        await self._append(request, {"rejects": [line]})
        self._metrics.count_rejected("" if plan is None else plan.site_id, refused.reason, 1)
        return Response(endpoint.refuse(request, refused), 0, 1)

    def _count(self, site_id: str, accepted: int, rejects: list[Reject]) -> None:
        if accepted:
            self._metrics.count_accepted(site_id, accepted)
        if rejects:
            for reason, number in Counter(reject.reason for reject in rejects).items():
                self._metrics.count_rejected(site_id, reason, number)


def _routers(sites: Sites) -> tuple[Router, Router]:
    """Of paths without and with `/s/<site id>` in front."""
    # What the operator named comes first: on its host the path is its own.
    endpoints = [endpoint for family in FAMILIES if family.configured for endpoint in family.configured(sites)]
    endpoints += [endpoint for family in FAMILIES for endpoint in family.endpoints]
    return Router(endpoint for endpoint in endpoints if not endpoint.is_below_site), Router(endpoints)


def _split(path: str) -> tuple[str | None, str]:
    """The site that a path names, and the path below it."""
    if not path.startswith(_SITE_PREFIX):
        return None, path
    site_id, _, rest = path[len(_SITE_PREFIX) :].partition("/")
    return site_id, f"/{rest}"


def _choose(matches: Iterable[Match], request: Request) -> Match | None:
    """The endpoint that answers: of the virtual host's own family before others, of the method before any method."""
    owner = None if request.host is None else request.host.protocol
    best: Match | None = None
    best_rank = (2, 2)
    for match in matches:
        endpoint = match[0]
        if endpoint.method not in (request.method, ANY_METHOD):
            continue
        rank = (int(endpoint.protocol != owner), int(endpoint.method == ANY_METHOD))
        if rank < best_rank and (endpoint.claims is None or endpoint.claims(request)):
            best, best_rank = match, rank
            if owner is None and rank == (1, 0):
                break
    return best


def _of_other_methods(matches: Iterable[Match], request: Request) -> list[Route | Page] | None:
    """What the path offers to other methods; None when it has nothing for this host, or declined this method's content.

    A preflight has no content to claim it by: where nobody claims it, every endpoint of the path counts.
    """
    endpoints = [endpoint for endpoint, _ in matches]
    if request.host is not None:  # what its own family has at this path speaks for a virtual host
        endpoints = [each for each in endpoints if each.protocol == request.host.protocol] or endpoints
    if any(endpoint.method in (request.method, ANY_METHOD) for endpoint in endpoints):
        return None
    claimed = [each for each in endpoints if each.claims is None or each.claims(request)]
    if not claimed and request.method == "OPTIONS":
        claimed = endpoints
    return claimed or None


def _check_limits(delivery: Delivery) -> None:
    if len(delivery.body) > WIRE_BYTES_MAX:
        raise Refused(Reason.BODY_TOO_LARGE, 413, f"more than {WIRE_BYTES_MAX} bytes")
    if len(delivery.path) > PATH_CHARS_MAX or len(delivery.query) > QUERY_CHARS_MAX:
        raise Refused(Reason.URL_TOO_LONG, 414, "the path or the query is too long")


def _try_again(status: int, reason: str | StrEnum, retry_after_s: int) -> Answer:
    return Answer(
        status,
        msgspec.json.encode({"reason": reason, "detail": "nothing was kept; send it again"}),
        (
            ("Content-Type", "application/json"),
            ("Retry-After", str(retry_after_s)),
            ("Tidemill-Reason", reason),
        ),
    )
