"""The page of a hit: its address from `dl`, `dh` and `dp`, its referrer, and the campaign that its address names."""

import functools
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from collector.columns import warn
from collector.protocols.measurement_protocol.draft import Draft
from collector.protocols.measurement_protocol.values import read_text
from landing.contract import CLICK_ID_KINDS

_URL_BYTES_MAX = 2_048
_HOST_BYTES_MAX = 100
PAGE_PARAMETERS = frozenset({"dl", "dh", "dp", "p", "dr"})

_CAMPAIGN_COLUMNS = {
    "utm_source": "campaign_source",
    "utm_medium": "campaign_medium",
    "utm_campaign": "campaign_name",
    "utm_term": "campaign_term",
    "utm_content": "campaign_content",
    "utm_id": "campaign_id",
}


def names_page(parameters: Mapping[str, str]) -> bool:
    """A page view with these parameters says which page it was."""
    if "dp" in parameters:
        return True
    location = parameters.get("dl")
    return _is_path(parameters.get("p")) if location is None else _split(location) is not None


def add_page(draft: Draft, home_url: str | None) -> None:
    """Fill the columns of the page. What the address does not tell of the parameters becomes props.

    `dh` and `dp` override parts of `dl`. Without any host it is the site's own. What an overridden address says of
    the campaign still counts: scripts override the path of a page to name it, not to deny where its visitor came from.
    """
    _add_referrer(draft)
    parameters, columns = draft.parameters, draft.columns
    location, host, path = _location(draft), _host(draft), _path(draft)
    split = None if location is None else _split(location)
    if "p" in parameters and (path is None or "dp" in parameters):
        draft.props["p"] = parameters["p"]
    if split is not None and split.netloc and host is None and path is None:
        columns["page_url"] = location
    elif split is not None or path is not None:
        columns["page_url"] = _compose(split, host, path, draft.warnings, home_url)
        if split is not None and split.netloc:
            draft.props["dl"] = location
            _add_campaign(split, parameters, columns)
    elif host is not None:
        draft.props["dh"] = host


def _add_referrer(draft: Draft) -> None:
    referrer = draft.parameters.get("dr")
    if referrer is None:
        return
    if _split(referrer) is None:
        warn(draft.warnings, "bad_url", "dr")
        return
    draft.columns["page_referrer"] = read_text(referrer, "dr", _URL_BYTES_MAX, draft.warnings)


def _location(draft: Draft) -> str | None:
    location = draft.parameters.get("dl")
    if location is None:
        return None
    if _split(location) is None:
        warn(draft.warnings, "bad_url", "dl")
        return None
    return read_text(location, "dl", _URL_BYTES_MAX, draft.warnings)


def _host(draft: Draft) -> str | None:
    """`dh` may carry a scheme or a path, of which nothing is kept."""
    sent = draft.parameters.get("dh")
    if sent is None:
        return None
    split = _split(sent if "//" in sent else f"//{sent}")
    host = None if split is None else split.hostname
    if not host:
        warn(draft.warnings, "invalid_value", "dh")
        return None
    return read_text(host.rstrip("."), "dh", _HOST_BYTES_MAX, draft.warnings)


def _path(draft: Draft) -> str | None:
    """`dp`; old clients of npm call it `p`."""
    name = "dp" if "dp" in draft.parameters else "p"
    path = draft.parameters.get(name)
    if path is None or (name == "p" and ("dl" in draft.parameters or not _is_path(path))):
        return None
    if not path.startswith("/"):
        warn(draft.warnings, "invalid_value", "dp")
        path = f"/{path}"
    return read_text(path, name, _URL_BYTES_MAX, draft.warnings)


def _is_path(text: str | None) -> bool:
    return text is not None and text.startswith("/")


def _compose(
    split: SplitResult | None, host: str | None, path: str | None, warnings: list[str], home_url: str | None
) -> str:
    scheme = split.scheme if split is not None else ""
    netloc = host or ("" if split is None else split.netloc)
    if not netloc:
        warn(warnings, "host_defaulted", "dh")
        home = None if home_url is None else _split(home_url)
        netloc, scheme = ("", "") if home is None else (home.netloc, home.scheme)
    if path is None and split is not None:
        path = split._replace(scheme="", netloc="").geturl()
        path = path if path.startswith("/") else f"/{path}"
    return f"{scheme or 'https'}://{netloc}{path}" if netloc else str(path)


def _add_campaign(split: SplitResult, parameters: Mapping[str, str], columns: dict[str, Any]) -> None:
    """What the query of an overridden address, else its fragment, says of the campaign and the click."""
    for source in (split.query, split.fragment):
        if "utm_source" not in source or "cs" in parameters:
            continue
        found = _first_values(source)
        if "utm_source" not in found:
            continue
        found.setdefault("utm_term", found.get("utm_keyword", ""))
        columns.update({column: found[name] for name, column in _CAMPAIGN_COLUMNS.items() if found.get(name)})
        break
    if "click_id" not in columns and "=" in split.query:
        add_click(_first_values(split.query), columns)


def add_click(parameters: Mapping[str, str], columns: dict[str, Any]) -> str | None:
    """Fill the columns of the ad click; returns the parameter that told it."""
    name = next((each for each in CLICK_ID_KINDS if each in parameters), None)
    if name is not None:
        columns["click_id"] = parameters[name]
        columns["click_id_kind"] = name
    return name


def _first_values(form: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in parse_qsl(form, errors="replace"):
        if value.strip():
            found.setdefault(name, value.strip())
    return found


@functools.lru_cache(maxsize=4_096)
def _split(url: str) -> SplitResult | None:
    """The parts of an address with a host, or of a path; None for what is neither."""
    try:
        split = urlsplit(url.strip())
        names_host = bool(split.netloc and split.hostname)
    except ValueError:
        return None
    return split if names_host or (not split.netloc and not split.scheme and split.path.startswith("/")) else None
