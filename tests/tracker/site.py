"""A site as a browser meets it: pages, the built tracker, and an endpoint that passes on to a collector or fails."""

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
DIST = ROOT / "tracker" / "dist"
SHOP = ROOT / "examples" / "shop"
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".pdf": "application/pdf"}

SCRIPT = '<script defer src="/p/t.js" data-site="shop"></script>'
PASS_ON, REFUSE, REFUSE_FOR_EVER = "pass on", "refuse", "refuse for ever"
LOSE_ANSWER, BLOCK = "lose the answer", "block"


def html(body: str = "", *, script: str = SCRIPT, title: str = "Shop") -> str:
    """A page."""
    return f"<!doctype html><html><head><title>{title}</title>{script}</head><body>{body}</body></html>"


def script(file: str = "t", *, site: str = "shop", **attributes: str) -> str:
    """The tracker's element with `data-*` attributes."""
    data = "".join(f" data-{key.replace('_', '-')}='{value}'" for key, value in attributes.items())
    return f'<script defer src="/p/{file}.js" data-site="{site}"{data}></script>'


@dataclass
class Site:
    """What is served, and what was asked for.

    Attributes:
        collector_port: Where events are passed on to.
        pages: Documents by path: text, and headers.
        behaviours: What to do with the next requests to the endpoint.
        decide: What to do with those that follow, by what they hold.
        requests: Paths of everything asked for, in order.
        bodies: What was posted, in order, whatever became of it.
        visit: Number of the test; its hosts begin with it, so that what an earlier one still sends is told apart.
        is_local: The test is on 127.0.0.1 instead.
    """

    collector_port: int
    pages: dict[str, tuple[str, int, dict[str, str]]] = field(default_factory=dict)
    behaviours: list[str] = field(default_factory=list)
    decide: Callable[[dict[str, Any]], str] = lambda _: PASS_ON
    requests: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0
    visit: int = 0
    is_local: bool = False

    def __post_init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"site": self}))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()

    def reset(self) -> None:
        """As new, for the next test."""
        self.visit += 1
        self.is_local = False
        self.decide = lambda _: PASS_ON
        for each in (self.pages, self.behaviours, self.requests, self.bodies):
            each.clear()

    def url(self, path: str = "/", host: str = "shop.example") -> str:
        """Address of a page, on a host of this test."""
        return f"http://v{self.visit}.{host}:{self.port}{path}"

    def put(self, path: str, text: str, *, status: int = 200, **headers: str) -> str:
        """Serve a document; returns its address."""
        self.pages[path] = (text, status, {key.replace("_", "-"): value for key, value in headers.items()})
        return self.url(path)

    def takes(self, path: str, posted: dict[str, Any]) -> bool:
        """Note what was posted, unless an earlier test's page did that on leaving."""
        host = "//127.0.0.1" if self.is_local else f"//v{self.visit}."
        is_ours = host in posted["events"][0]["u"]
        if is_ours:
            self.requests.append(path)
            self.bodies.append(posted)
        return is_ours

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every event that was posted, once for each time."""
        return [event for body in list(self.bodies) for event in body["events"]]

    def named(self, name: str) -> list[dict[str, Any]]:
        """Posted events of one name, the first time each."""
        found: dict[str, dict[str, Any]] = {}
        for event in self.events:
            if event["n"] == name:
                found.setdefault(event["id"], event)
        return list(found.values())


class _Handler(BaseHTTPRequestHandler):
    """Serves one request of a site."""

    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/favicon.ico":
            self._answer(204, b"", {})
            return
        self.site.requests.append(path)
        if path in self.site.pages:
            text, status, headers = self.site.pages[path]
            self._answer(status, text.encode(), {"Content-Type": "text/html; charset=utf-8"} | headers)
            return
        file = _file(path)
        if file is None:
            self._answer(404, b"nothing", {"Content-Type": "text/plain"})
        else:
            self._answer(200, file.read_bytes(), {"Content-Type": TYPES.get(file.suffix, "text/plain")})

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if path == "/submit":
            self._answer(200, html().encode(), {"Content-Type": "text/html"})
        elif self.site.takes(path, json.loads(body)):
            self._do_as_told(body, json.loads(body))
        else:
            self._answer(204, b"", {})

    def _do_as_told(self, body: bytes, posted: dict[str, Any]) -> None:
        behaviour = self.site.behaviours.pop(0) if self.site.behaviours else self.site.decide(posted)
        status = {REFUSE: 500, REFUSE_FOR_EVER: 400, BLOCK: 403}.get(behaviour) or self._pass_on(body)
        if behaviour in {LOSE_ANSWER, BLOCK}:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._answer(status, b"", {})

    def _pass_on(self, body: bytes) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.site.collector_port, timeout=20)
        try:
            connection.request("POST", "/e", body, {"User-Agent": self.headers["User-Agent"]})
            return connection.getresponse().status
        finally:
            connection.close()

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        with contextlib.suppress(ConnectionError):  # the page has left
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _file(path: str) -> Path | None:
    """The built tracker below /p/, whatever the release, and the demo shop."""
    base, name = (DIST, path.rpartition("/")[2]) if path.startswith("/p/") else (SHOP, path[1:] or "index.html")
    file = (base / name).resolve()
    return file if file.is_relative_to(base) and file.is_file() else None
