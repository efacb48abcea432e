"""Where a redirect may lead: to listed hosts alone, or anybody could send visitors anywhere in our name."""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

_PLAIN_URL = re.compile(r"https?://[!#-\[\]-~]{1,2048}", re.ASCII | re.IGNORECASE)
"""Printable ASCII without quotes and backslashes: browsers read a backslash as a slash, libraries do not."""


def may_lead_to(url: str, hosts: Collection[str]) -> bool:
    """The address is one of the web, and its host is listed."""
    if not _PLAIN_URL.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
        return "@" not in parts.netloc and (parts.hostname or "").rstrip(".") in hosts
    except ValueError:
        return False
