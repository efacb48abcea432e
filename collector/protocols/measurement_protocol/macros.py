"""Webalytic's macros in custom values, which its collector replaces by what it knows of the request."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_HEADER = re.compile(r"\{H_([A-Za-z0-9_-]{1,64})\}")
_WITHHELD_HEADERS = frozenset(
    {
        "cookie",
        "authorization",
        "proxy-authorization",
        "forwarded",
        "x-forwarded-for",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "fastly-client-ip",
    }
)
"""They hold secrets or the visitor's full address."""


@dataclass(frozen=True, slots=True)
class Macros:
    """What macros stand for.

    Attributes:
        user_agent: `{USER_AGENT}`.
        address: `{IP_ADDRESS}`; the network of the visitor's address.
        headers: `{H_<name>}`, by lower-case name.
    """

    user_agent: str
    address: str
    headers: Mapping[str, str]

    def expand(self, value: str) -> str:
        """The value with what its macros stand for."""
        header = _HEADER.fullmatch(value)
        if header is not None:
            name = header[1].lower().replace("_", "-")
            return "" if name in _WITHHELD_HEADERS else self.headers.get(name, "")
        return value.replace("{USER_AGENT}", self.user_agent, 1).replace("{IP_ADDRESS}", self.address, 1)
