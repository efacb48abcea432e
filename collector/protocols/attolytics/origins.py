"""Who may post from a browser: the original compares origins as URLs, and answers them in their normal form."""

import re
from typing import Final

from collector.request import Request

Headers = tuple[tuple[str, str], ...]

_ORIGIN: Final = re.compile(
    r"([a-z][a-z0-9+.-]*)://(\[[0-9a-f:.]+\]|[^/?#:@\s\[\]]+)(?::(\d{0,5}))?(?:[/?#].*)?", re.IGNORECASE
)
_DEFAULT_PORTS: Final = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}
_PORT_MAX: Final = 65_535
_VARY: Final = ("Vary", "Origin")


class OriginInvalid(Exception):
    """The header is no URL."""


class OriginRefused(Exception):
    """The origin may not post."""


def canonical(origin: str) -> str | None:
    """The origin with its scheme and host in small letters and without the default port; None for no URL."""
    match = _ORIGIN.fullmatch(origin) if origin.isascii() and origin.isprintable() else None
    if match is None:
        return None
    scheme, host, port = match[1].lower(), match[2].lower(), (match[3] or "").lstrip("0")
    if port and int(port) > _PORT_MAX:
        return None
    is_default = not port or port == _DEFAULT_PORTS.get(scheme)
    return f"{scheme}://{host}" if is_default else f"{scheme}://{host}:{port}"


class Origins:
    """The origins of one app.

    Args:
        allowed: As the sites file lists them.
    """

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self._takes_all = "*" in allowed
        self._takes_null = "null" in allowed
        self._allowed = frozenset(canonical(each) for each in allowed if each not in {"*", "null"})
        self._varies = self._takes_all or len(allowed) != 1

    def headers(self, request: Request) -> Headers:
        """What lets the page that asks read the answer; nothing where no page asks.

        Raises:
            OriginInvalid: the origin is no URL.
            OriginRefused: it is not among those allowed.
        """
        origin = request.headers.get("origin")
        if origin is None:
            return ()
        if origin == "null" and self._takes_null:
            return ("Access-Control-Allow-Origin", "null"), _VARY
        normal = canonical(origin)
        if normal is None:
            raise OriginInvalid
        if not self._takes_all and normal not in self._allowed:
            raise OriginRefused
        allowed = ("Access-Control-Allow-Origin", normal)
        return (allowed, _VARY) if self._varies else (allowed,)
