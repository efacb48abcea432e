"""The demo's shop: a few pages on a server of their own, behind which the collector is part of the same site.

As in production, the shop passes the tracker's paths on to the collector. Everything is first-party then, and a policy
of `default-src 'self'` is enough.
"""

import http.client
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from collector.scripts import Scripts
from landing.site import Site
from tidemill.checkout import EXAMPLE_SHOP
from tidemill.snippet import snippet_of

HOST = "127.0.0.1"
POLICY = "default-src 'self'"
_TIMEOUT_S = 20
_BODY_MAX_BYTES = 1_000_000
_ELEMENT = re.compile(r'<script defer src="/p/t\.js"([^>]*)></script>')
_SETTING = re.compile(r' data-([a-z-]+)(?:="([^"]*)")?')
_APP = re.compile(r"/app(/.*)?")
"""Addresses of the application with one document, whatever it shows."""

_HOP_BY_HOP = {"connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding"}


@dataclass(frozen=True, slots=True)
class Shop:
    """What is served.

    Attributes:
        site: Whose pages they are.
        scripts: The build that the collector serves.
        tracker_path: Where the collector serves it.
        collector: Its host and port.
        folder: The pages.
    """

    site: Site
    scripts: Scripts
    tracker_path: str
    collector: tuple[str, int]
    folder: Path = EXAMPLE_SHOP

    def page(self, path: str) -> tuple[str, bytes] | None:
        """Content type and content of a path; None where there is nothing."""
        name = "app.html" if _APP.fullmatch(path) else path.removeprefix("/") or "index.html"
        file = (self.folder / name).resolve()
        if not file.is_relative_to(self.folder) or not file.is_file():
            return None
        content_type = guess_type(file.name)[0] or "application/octet-stream"
        if content_type == "text/html":
            return f"{content_type}; charset=utf-8", self.pinned(file.read_text(encoding="utf-8")).encode()
        return content_type, file.read_bytes()

    def pinned(self, html: str) -> str:
        """The page with the element that `tidemill snippet` prints, and the settings of the page's own element."""

        def pin(found: re.Match[str]) -> str:
            settings: dict[str, str] = dict(_SETTING.findall(found[1]))
            settings["site"] = self.site.site_id
            return snippet_of(self.site, self.scripts, tracker_path=self.tracker_path, settings=settings).html

        return _ELEMENT.sub(pin, html)

    def passes_on(self, path: str) -> bool:
        """Whether the collector answers a path."""
        return path == "/e" or path.startswith(f"{self.tracker_path.rpartition('/')[0]}/")


@contextmanager
def serve_shop(shop: Shop) -> Iterator[str]:
    """Serve the shop on a free port of this machine for as long as the context lasts; gives its address."""
    server = ThreadingHTTPServer((HOST, 0), type("Handler", (_Handler,), {"shop": shop}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="shop", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    timeout = _TIMEOUT_S
    shop: ClassVar[Shop]

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if self.shop.passes_on(path):
            self._pass_on(None)
            return
        found = self.shop.page(path)
        if found is None:
            self._answer(HTTPStatus.NOT_FOUND, {"Content-Type": "text/plain"}, b"There is no such page in this shop.\n")
        else:
            headers = {"Content-Type": found[0], "Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
            self._answer(HTTPStatus.OK, headers, found[1])

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _BODY_MAX_BYTES or not self.shop.passes_on(urlsplit(self.path).path):
            self.close_connection = True  # what was posted is not read
            self._answer(HTTPStatus.BAD_REQUEST, {"Content-Type": "text/plain"}, b"Nothing is taken here.\n")
            return
        self._pass_on(self.rfile.read(int(length)))

    def _pass_on(self, body: bytes | None) -> None:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        headers["X-Forwarded-For"] = self.client_address[0]
        connection = http.client.HTTPConnection(*self.shop.collector, timeout=_TIMEOUT_S)
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
            self._answer(answer.status, kept, answer.read())
        except (OSError, http.client.HTTPException):
            self._answer(HTTPStatus.BAD_GATEWAY, {"Content-Type": "text/plain"}, b"The collector does not answer.\n")
        finally:
            connection.close()

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        with suppress(ConnectionError):  # the page has left
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the demo's own lines are what is read."""
