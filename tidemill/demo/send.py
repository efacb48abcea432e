"""Sends made-up visits to a collector over HTTP, some of them twice and some of them spoilt, as the world does."""

import http.client
import json
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from tidemill.demo.traffic import BROWSER_SITE, Visit, WireRequest, wire_request
from tidemill.errors import CommandFailed

CONNECTIONS = 16
_RETRIED_SHARE = 0.01
_SPOILT_SHARE = 0.005
_TIMEOUT_S = 30


@dataclass(slots=True)
class Sent:
    """What the collector answered, in total.

    Attributes:
        requests: Requests answered with success or a refusal.
        events: Events in the good ones, each counted once.
        repeated: Events sent a second time, as a client does whose answer was lost.
        spoilt: Requests that no collector should accept.
    """

    requests: int = 0
    events: int = 0
    repeated: int = 0
    spoilt: int = 0


@dataclass(frozen=True, slots=True)
class Planned:
    """A request to make, and what it stands for."""

    request: WireRequest
    is_repeated: bool = False
    is_spoilt: bool = False


def plan_requests(
    visits: Sequence[Visit], *, seed: int, clock: Callable[[], datetime], secret: str
) -> Iterator[Planned]:
    """Each visit as a request; now and then the same again, now and then one that is wrong.

    Args:
        visits: To be sent in this order.
        seed: The same gives the same retries and mistakes.
        clock: The sender's clock when each request is made.
        secret: Of the server-side site.
    """
    dice = random.Random(seed)
    for visit in visits:
        request = wire_request(visit, sent_at=clock(), secret=secret)
        yield Planned(request)
        if dice.random() < _RETRIED_SHARE:
            yield Planned(request, is_repeated=True)
        if dice.random() < _SPOILT_SHARE:
            yield Planned(_spoilt(dice), is_spoilt=True)


def send_all(host: str, port: int, planned: Iterable[Planned], *, on_sent: Callable[[int], None]) -> Sent:
    """Send every request over a few connections that stay open.

    Args:
        host: Of the collector.
        port: Of the collector.
        planned: What to send.
        on_sent: Takes the number of events of each request that was answered.

    Raises:
        CommandFailed: the collector refuses a good request or does not answer.
    """
    sent = Sent()
    lock = threading.Lock()
    waiting = iter(planned)

    def work() -> None:
        connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
        try:
            while True:
                with lock:  # a request is made when it is sent, so that its clock is right
                    each = next(waiting, None)
                if each is None:
                    return
                status = _post(connection, each.request)
                if not each.is_spoilt and status not in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
                    raise CommandFailed(f"the collector answered {status} to {each.request.path}")
                with lock:
                    _count(sent, each)
                    on_sent(each.request.event_count)
        finally:
            connection.close()

    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="send") as pool:
        for worker in [pool.submit(work) for _ in range(CONNECTIONS)]:
            worker.result()
    return sent


def _post(connection: http.client.HTTPConnection, request: WireRequest) -> int:
    try:
        connection.request("POST", request.path, request.body, request.headers)
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException) as error:
        raise CommandFailed(f"the collector does not answer: {error}") from error
    return response.status


def _count(sent: Sent, planned: Planned) -> None:
    sent.requests += 1
    if planned.is_spoilt:
        sent.spoilt += 1
    elif planned.is_repeated:
        sent.repeated += planned.request.event_count
    else:
        sent.events += planned.request.event_count


def _spoilt(dice: random.Random) -> WireRequest:
    """A request that is wrong: another's site, an event without a name, or no JSON at all."""
    bodies = (
        json.dumps({"v": 1, "site": "nobody", "events": [{"n": "page", "u": "https://nobody.example/"}]}).encode(),
        json.dumps({"v": 1, "site": BROWSER_SITE, "events": [{"u": "https://shop.example/"}]}).encode(),
        b'{"v": 1, "site": "shop", "events": [',
    )
    return WireRequest("/e", {"Content-Type": "text/plain"}, dice.choice(bodies), 0)
