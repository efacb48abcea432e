"""One hit of the Measurement Protocol mapped to one event of the contract."""

from collections.abc import Mapping
from typing import Any

import msgspec

from collector.columns import warn
from collector.plans import SitePlan, parse_address
from collector.protocols.measurement_protocol.draft import Draft
from collector.protocols.measurement_protocol.indexed import Indexed
from collector.protocols.measurement_protocol.macros import Macros
from collector.protocols.measurement_protocol.orders import ORDER_PARAMETERS, add_order
from collector.protocols.measurement_protocol.page import PAGE_PARAMETERS, add_click, add_page
from collector.protocols.measurement_protocol.parameters import TABLE
from collector.protocols.measurement_protocol.screen import SIZE_PARAMETERS, add_sizes
from collector.protocols.measurement_protocol.values import read_integer
from collector.reading import Candidate
from collector.time import MILLISECOND_US

EVENT_TYPES = {
    "pageview": "page_view",
    "screenview": "screen_view",
    "event": "event",
    "transaction": "transaction",
    "item": "item",
    "social": "social",
    "exception": "exception",
    "timing": "timing",
}
"""Types of hits, and what they are in the contract."""

_NEVER_INTERACTIONS = {"exception", "timing"}
_ELSEWHERE = (
    frozenset({"v", "tid", "t", "z", "cid", "ni", "qt", "sc", "aip", "uip"})
    | PAGE_PARAMETERS
    | ORDER_PARAMETERS
    | SIZE_PARAMETERS
)
_EVENT_NAME_CHARS_MAX = 256
CLIENT_IDS = frozenset({"_gid", "_ga", "ecid", "jid", "gjid"})
"""Parameters of Google's scripts, otherwise unknown here, that hold ids of the browser."""


class Terms(msgspec.Struct, frozen=True):
    """What the sites file says that the meaning of a hit depends on.

    Attributes:
        home_url: The site's home page; its host completes addresses without one.
        currency_metrics: Indices of custom metrics that are amounts of money.
    """

    home_url: str | None
    currency_metrics: frozenset[int]


def terms_of(site: SitePlan) -> Terms:
    """The terms of a site."""
    return Terms(site.home_url, site.currency_metrics)


def map_hit(  # noqa: PLR0913  (a hit and everything its meaning depends on)
    index: int,
    parameters: Mapping[str, str],
    *,
    text: str,
    warnings: list[str],
    terms: Terms,
    macros: Macros | None,
) -> Candidate:
    """The event that a valid hit tells of.

    Args:
        index: Position in the request, from 0.
        parameters: Of the hit.
        text: The hit as it is kept.
        warnings: Of reading the parameters; those of their values are added.
        terms: Of the site.
        macros: What macros in custom values stand for; None where there are none.
    """
    hit_type = parameters["t"]
    draft = Draft(parameters, warnings)
    draft.columns["event_type"] = EVENT_TYPES[hit_type]
    draft.columns["event_name"] = parameters["ea"][:_EVENT_NAME_CHARS_MAX] if hit_type == "event" else hit_type
    indexed = Indexed(terms.currency_metrics, None if macros is None else macros.expand)
    _add_parameters(draft, hit_type, indexed)
    add_page(draft, terms.home_url)
    add_sizes(draft)
    add_order(draft, indexed.products)
    _add_indexed(draft, indexed)
    _add_kind(draft, hit_type)
    candidate = Candidate(index, draft.columns, None, text, warnings)
    _add_visitor(draft, candidate)
    candidate.queued_us = _queued_us(parameters, warnings)
    if draft.props:
        draft.columns["props"] = draft.props
        candidate.impersonal = without_ids(draft.props)
    return candidate


def without_ids(props: Mapping[str, Any]) -> dict[str, Any] | None:
    """The column of props for sites that keep no client's id; None where it is the same."""
    if CLIENT_IDS.isdisjoint(props):
        return None
    return {"props": {name: value for name, value in props.items() if name not in CLIENT_IDS}}


def _add_parameters(draft: Draft, hit_type: str, indexed: Indexed) -> None:
    """The parameters that stand for themselves; unknown ones become props."""
    columns, props, warnings = draft.columns, draft.props, draft.warnings
    clicked = add_click(draft.parameters, columns)
    for name, value in draft.parameters.items():
        if name in _ELSEWHERE or name == clicked:
            continue
        parameter = TABLE.get(name)
        if parameter is None:
            if not indexed.add(name, value, warnings):
                props[name] = value
        elif parameter.hits is not None and hit_type not in parameter.hits:
            props[name] = value
        else:
            typed = parameter.read(value, name, warnings)
            if typed is None:
                continue
            if parameter.column is None:
                props[name] = typed
            else:
                columns[parameter.column] = typed


def _add_kind(draft: Draft, hit_type: str) -> None:
    """What only the type of the hit tells."""
    is_silent = draft.parameters.get("ni")
    if is_silent not in {None, "0", "1"}:
        warn(draft.warnings, "invalid_value", "ni")
    draft.columns["is_interaction"] = is_silent != "1" and hit_type not in _NEVER_INTERACTIONS
    if is_silent == "1" and hit_type in _NEVER_INTERACTIONS:
        draft.props["ni"] = True
    if hit_type == "exception":
        draft.props.setdefault("exf", True)
    elif hit_type == "screenview" and "an" not in draft.parameters:
        warn(draft.warnings, "missing_an", "an")


def _add_indexed(draft: Draft, indexed: Indexed) -> None:
    columns, props = draft.columns, draft.props
    if indexed.dimensions:
        columns["dimensions"] = indexed.dimensions
    if indexed.metrics:
        columns["metrics"] = indexed.metrics
    if indexed.groups:
        columns["content_group"], named = indexed.content_groups()
        props.update(named)
    if indexed.lists:
        props["impression_lists"] = indexed.impressions()
    if indexed.promotions:
        props["promotions"] = [indexed.promotions[number] for number in sorted(indexed.promotions)]
    if indexed.promotions or "promoa" in draft.parameters:
        props["promoa"] = draft.parameters.get("promoa", "view")


def _add_visitor(draft: Draft, candidate: Candidate) -> None:
    """The user's key is the client's id, else the site's own id for the user."""
    parameters, columns = draft.parameters, draft.columns
    client = parameters.get("cid")
    columns["visitor_id"] = client if client is not None else f"uid:{parameters['uid']}"
    control = parameters.get("sc")
    if control in {"start", "end"}:
        columns["session_control"] = control
    elif control is not None:
        draft.props["sc"] = control
    if "aip" in parameters:
        draft.props["aip"] = True
        candidate.masks_address = True
    if "uip" in parameters:
        add_address(parameters["uip"], candidate)


def add_address(address: str, candidate: Candidate) -> None:
    """The address that a hit names; it is always masked."""
    candidate.masks_address = True
    if parse_address(address) is None:
        warn(candidate.warnings, "invalid_value", "uip")
    else:
        candidate.columns["ip"] = address


def _queued_us(parameters: Mapping[str, str], warnings: list[str]) -> int:
    """How long the client kept the hit; a hit that does not tell was sent at once."""
    sent = parameters.get("qt")
    queued_ms = None if sent is None else read_queue_time(sent, warnings)
    return 0 if queued_ms is None else queued_ms * MILLISECOND_US


def read_queue_time(value: str, warnings: list[str]) -> int | None:
    """Milliseconds; None for what is no integer or less than zero."""
    found: list[str] = []
    queued_ms = read_integer(value, "qt", found, is_signed=False)
    if found:
        warn(warnings, "invalid_value", "qt")
    return None if found else queued_ms
