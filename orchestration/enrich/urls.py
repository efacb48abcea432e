"""Page and referrer addresses taken apart: host, path, query, campaign parameters, click id.

Source of the rules: the traffic source of a hit (first match in the query, else in the fragment; values trimmed,
otherwise kept as they are; an address that cannot be read counts as absent).
"""

from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

import pyarrow as pa

from landing.contract import CLICK_ID_KINDS
from orchestration.enrich.distinct import Facts, per_distinct

PAGE_COLUMNS: Final = (
    "page_host",
    "page_path",
    "page_query",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "utm_id",
    "click_id",
    "click_id_kind",
)
"""What `describe_page` finds, in its order."""

_NOTHING: Final[Facts] = (None,) * len(PAGE_COLUMNS)


def pages(urls: pa.ChunkedArray) -> dict[str, pa.Array]:
    """The columns `PAGE_COLUMNS` of a column of page addresses."""
    return dict(zip(PAGE_COLUMNS, per_distinct(urls, describe_page, [pa.string()] * len(PAGE_COLUMNS)), strict=True))


def referrer_hosts(urls: pa.ChunkedArray) -> pa.Array:
    """The hosts of a column of referring addresses."""
    return per_distinct(urls, lambda url: (_host(_split(url)),), [pa.string()])[0]


def describe_page(url: str) -> Facts:
    """What is known of one page address; all None when it cannot be read."""
    parts = _split(url)
    # An address without a host still names a page when it begins with a slash: a log knows no host.
    if parts is None or not (parts.netloc or (parts.path.startswith("/") and not parts.scheme)):
        return _NOTHING
    query = _parameters(parts.query)
    campaign = query if "utm_source" in query else _parameters(parts.fragment.rpartition("?")[2])
    if "utm_source" not in campaign:
        campaign = query
    kind = next((kind for kind in CLICK_ID_KINDS if kind in query), None)
    return (
        _host(parts),
        _clean(parts.path) or "/",
        _clean(parts.query),
        campaign.get("utm_source"),
        campaign.get("utm_medium"),
        campaign.get("utm_campaign"),
        campaign.get("utm_term") or campaign.get("utm_keyword"),
        campaign.get("utm_content"),
        campaign.get("utm_id"),
        query[kind] if kind else None,
        kind,
    )


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url.strip())
    except ValueError:
        return None


def _host(parts: SplitResult | None) -> str | None:
    """Host in lower case without user, port and final dot."""
    if parts is None:
        return None
    try:
        return _clean((parts.hostname or "").rstrip("."))
    except ValueError:
        return None


def _parameters(query: str) -> dict[str, str]:
    """First value of each parameter, decoded and trimmed; empty ones are absent."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, errors="replace"):
        trimmed = _clean(value.strip())
        if trimmed:
            found.setdefault(name, trimmed)
    return found


def _clean(text: str) -> str | None:
    """Text without NUL, which Postgres cannot hold and `%00` decodes to; None when nothing is left."""
    return text.replace("\0", "") or None
