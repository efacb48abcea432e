"""User agents to browser, system, kind of device and bot flag. Bots are kept and flagged, never dropped."""

import re
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import ua_parser

from orchestration.enrich.distinct import per_distinct

DEVICE_COLUMNS: Final = ("device_kind", "browser", "browser_version", "os", "os_version", "is_bot", "bot_name")

_LISTS: Final = tomllib.loads((Path(__file__).parent / "agents.toml").read_text("utf-8"))
_WEB_PROTOCOLS: Final = pa.array(_LISTS["web_protocols"], pa.string())
_AGENTS_REMEMBERED: Final = 65_536
"""User agents kept between batches: parsing one takes 100 to 300 us, and most return."""


class Agent(NamedTuple):
    """What one user agent says.

    Attributes:
        device_kind: One of the contract's device kinds, never `bot`.
        browser: Family.
        browser_version: major.minor.
        os: Family.
        os_version: major.minor.
        crawler: Name when it is a crawler or an automated browser.
        library: Name when it is an HTTP library or a command line.
    """

    device_kind: str
    browser: str | None
    browser_version: str | None
    os: str | None
    os_version: str | None
    crawler: str | None
    library: str | None


def devices(
    user_agents: pa.ChunkedArray, automation: pa.ChunkedArray, protocols: pa.ChunkedArray
) -> dict[str, pa.Array]:
    """The columns `DEVICE_COLUMNS`.

    A row is a bot's when its agent is a crawler, when the client reports automation, or when, on a protocol spoken
    by browsers, its agent is missing or an HTTP library.
    """
    kind, browser, browser_version, system, system_version, crawler, library = per_distinct(
        user_agents, describe_agent, [pa.string()] * len(Agent._fields)
    )
    is_web = pc.is_in(protocols.combine_chunks(), _WEB_PROTOCOLS)
    is_empty = pc.equal(pc.utf8_trim_whitespace(pc.fill_null(user_agents, "").combine_chunks()), "")
    automation = automation.combine_chunks()
    reason = pc.coalesce(
        crawler,
        pc.binary_join_element_wise("automation", automation, ": "),
        pc.if_else(is_web, library, pa.scalar(None, pa.string())),
        pc.if_else(pc.and_(is_web, is_empty), "no user agent", pa.scalar(None, pa.string())),
    )
    is_bot = pc.is_valid(reason)
    values = (pc.if_else(is_bot, "bot", kind), browser, browser_version, system, system_version, is_bot, reason)
    return dict(zip(DEVICE_COLUMNS, values, strict=True))


@lru_cache(_AGENTS_REMEMBERED)
def describe_agent(user_agent: str) -> Agent:
    """What is known of one user agent."""
    parsed = ua_parser.parse(user_agent)
    browser, system, device = parsed.user_agent, parsed.os, parsed.device
    crawler = None
    if device is not None and device.family == "Spider":
        crawler = browser.family if browser is not None else "Unnamed crawler"
    return Agent(
        device_kind=_first(_KINDS, user_agent) or "other",
        browser=browser.family if browser is not None else None,
        browser_version=_version(browser.major, browser.minor) if browser is not None else None,
        os=system.family if system is not None else None,
        os_version=_version(system.major, system.minor) if system is not None else None,
        crawler=crawler or _first(_CRAWLERS, user_agent),
        library=_first(_LIBRARIES, user_agent),
    )


def _patterns(named: Iterable[tuple[str, str]]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in named)


_CRAWLERS: Final = _patterns(_LISTS["crawlers"].items())
_LIBRARIES: Final = _patterns(_LISTS["libraries"].items())
_KINDS: Final = _patterns((each["kind"], each["pattern"]) for each in _LISTS["kinds"])


def _first(patterns: tuple[tuple[str, re.Pattern[str]], ...], text: str) -> str | None:
    return next((name for name, pattern in patterns if pattern.search(text)), None)


def _version(major: str | None, minor: str | None) -> str | None:
    return f"{major}.{minor}" if major and minor else major or None
