"""WSGI in front of the intake. Requests that carry events skip Flask's routing, which costs more than keeping them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar, overload

import structlog

from collector.intake import Delivery, Intake
from collector.limits import WIRE_BYTES_MAX
from collector.pending import wait_for

log = structlog.get_logger(__name__)

Environment = dict[str, Any]
StartResponse = Callable[..., Any]
Headers = list[tuple[str, str]]
WsgiApplication = Callable[[Environment, StartResponse], Iterable[bytes]]

_Default = TypeVar("_Default")

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_OFTEN = ("host", "origin", "user-agent", "sec-gpc", "dnt", "x-forwarded-for", "x-forwarded-proto")
_PLAIN = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
_KEYS = {name: f"HTTP_{name.upper().replace('-', '_')}" for name in _OFTEN} | _PLAIN


class WsgiHeaders(Mapping[str, str]):
    """The headers of a WSGI environment by lower-case name; read where they are, since most are never asked for."""

    __slots__ = ("_environment",)

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    @overload
    def get(self, key: str, /) -> str | None: ...
    @overload
    def get(self, key: str, /, default: _Default) -> str | _Default: ...
    def get(self, key: str, /, default: object = None) -> object:
        """The value, or `default`; most headers that are asked for are not there, and an error for each would cost."""
        value: str | None = self._environment.get(_KEYS.get(key) or f"HTTP_{key.upper().replace('-', '_')}")
        if value is None:
            return default
        # WSGI hands bytes over as Latin-1; whoever sends more than ASCII means UTF-8.
        return value if value.isascii() else value.encode("latin-1", "replace").decode("utf-8", "replace")

    def __iter__(self) -> Iterator[str]:
        for key in self._environment:
            if key.startswith("HTTP_"):
                yield key[5:].lower().replace("_", "-")
        yield from (name for name, key in _PLAIN.items() if key in self._environment)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Front:
    """Gives the intake its requests and everything else to the application behind.

    Args:
        intake: Takes what carries events.
        behind: Takes the rest.
        clock: Now, UTC.

    Attributes:
        is_draining: The server is about to stop: every answer asks its client to connect anew.
    """

    def __init__(self, intake: Intake, behind: WsgiApplication, *, clock: Callable[[], datetime]) -> None:
        self._intake = intake
        self._behind = behind
        self._clock = clock
        self.is_draining = False

    def __call__(self, environment: Environment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, as every WSGI server asks for it; the thread waits for the disk."""
        answered = wait_for(self.answer(environment))
        if answered is not None:
            status, headers, body = answered
            start_response(_STATUS_LINES[status], headers)
            return [body]

        def start(status: str, headers: Headers, *error: object) -> object:
            return start_response(status, headers + self._farewell(), *error)

        return self._behind(environment, start)

    async def answer(self, environment: Environment) -> tuple[int, Headers, bytes] | None:
        """Status, headers and body, once everything acknowledged is durable; None for what is not the intake's."""
        path = environment["PATH_INFO"]
        if not path.isascii():
            path = path.encode("latin-1", "replace").decode("utf-8", "replace")
        place = self._intake.find(path)
        if place is None:
            return None
        delivery = Delivery(
            method=environment["REQUEST_METHOD"],
            path=path,
            query=environment.get("QUERY_STRING", ""),
            headers=WsgiHeaders(environment),
            body=_read_body(environment),
            received_at=self._clock(),
            peer=environment.get("REMOTE_ADDR", ""),
            scheme=environment.get("wsgi.url_scheme", "http"),
        )
        try:
            response = await self._intake.receive(delivery, place)
        except Exception:
            log.exception("a request failed in an unforeseen way; nothing of it was acknowledged", path=path)
            return 500, [("Content-Length", "0"), *self._farewell()], b""
        if response is None:
            return None
        answer = response.answer
        headers = [*answer.headers, *self._farewell()]
        if answer.status != 204:  # noqa: PLR2004  (No Content has no length)
            headers.append(("Content-Length", str(len(answer.body))))
        return answer.status, headers, answer.body

    def _farewell(self) -> Headers:
        return [("Connection", "close")] if self.is_draining else []


def _read_body(environment: Environment) -> bytes:
    """The body, or one byte more than the limit of it: enough to see that it is too long."""
    length = environment.get("CONTENT_LENGTH")
    if length:
        bytes_max = min(int(length), WIRE_BYTES_MAX + 1) if length.isdecimal() else 0
    elif environment.get("wsgi.input_terminated"):  # chunked: ends where the client ends it
        bytes_max = WIRE_BYTES_MAX + 1
    else:
        bytes_max = 0
    if not bytes_max:
        return b""
    body: bytes = environment["wsgi.input"].read(bytes_max)
    return body
