"""An HTTP/1.1 load generator that costs little itself: prebuilt requests over kept-alive connections."""

import selectors
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle

_HEAD_END = b"\r\n\r\n"
_RECEIVE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Load:
    """What a run of the generator achieved.

    Attributes:
        requests: Answered requests.
        seconds: Wall time from the first request to the last answer.
        statuses: Answers by status code.
    """

    requests: int
    seconds: float
    statuses: dict[int, int]

    @property
    def requests_per_s(self) -> float:
        """Answered requests a second."""
        return self.requests / self.seconds


def post(
    path: str, body: bytes, content_type: str = "text/plain", *, headers: Mapping[str, str] | None = None
) -> bytes:
    """The bytes of one POST request, as a browser on the same machine would send them; `headers` win."""
    fields = {
        "Host": "localhost",
        "Content-Type": content_type,
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "Content-Length": str(len(body)),
    } | dict(headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    received: bytearray = field(default_factory=bytearray)


def drive(port: int, requests: Sequence[bytes], *, connections: int, seconds: float) -> Load:
    """Send `requests` again and again over `connections` connections for about `seconds` seconds.

    Each connection has one request on its way at any time. Raises ConnectionError when the server hangs up.
    """
    supply = cycle(requests)
    selector = selectors.DefaultSelector()
    statuses: dict[int, int] = {}
    for _ in range(connections):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(sock, selectors.EVENT_READ, _Connection(sock))
    started = time.perf_counter()
    deadline = started + seconds
    for key in list(selector.get_map().values()):
        key.data.socket.sendall(next(supply))
    answered, waiting = 0, connections
    while waiting:
        for key, _ in selector.select():
            status = _receive(key.data)
            if status is None:
                continue
            answered += 1
            statuses[status] = statuses.get(status, 0) + 1
            if time.perf_counter() < deadline:
                key.data.socket.sendall(next(supply))
            else:
                waiting -= 1
                selector.unregister(key.data.socket)
                key.data.socket.close()
    elapsed = time.perf_counter() - started
    selector.close()
    return Load(answered, elapsed, statuses)


def _receive(connection: _Connection) -> int | None:
    """The status of the answer if it is complete, else None."""
    data = connection.socket.recv(_RECEIVE_BYTES)
    if not data:
        raise ConnectionError("the server closed a connection under load")
    connection.received += data
    head_end = connection.received.find(_HEAD_END)
    if head_end < 0:
        return None
    head = bytes(connection.received[:head_end]).lower()
    length = next(_content_length(head), 0)
    if len(connection.received) < head_end + len(_HEAD_END) + length:
        return None
    connection.received.clear()
    return int(head.split(b" ", 2)[1])


def _content_length(head: bytes) -> Iterator[int]:
    for line in head.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            yield int(line.partition(b":")[2])
