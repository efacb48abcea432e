"""Today's mapping applied to kept hits. What only the request and the sites file of their time knew is in the row."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from collector.protocols.measurement_protocol.hit import Terms, map_hit
from collector.protocols.measurement_protocol.macros import Macros
from collector.protocols.measurement_protocol.payload import read_parameters
from collector.protocols.measurement_protocol.validity import Circumstances, find_faults, is_uuid
from collector.reading import Candidate

_ANYTHING = Circumstances(names_site=True, is_known=True, queue_us_max=2**63)


def remap_hit(raw: Any, row: Mapping[str, Any]) -> Candidate:  # noqa: ANN401  (any JSON value)
    """The event that a kept hit tells of.

    Raises:
        ValueError: `raw` is no hit, or an invalid one.
    """
    if not isinstance(raw, str):
        raise ValueError("a hit is kept as text")  # noqa: TRY004  (the data is wrong, not the caller)
    parameters, warnings = read_parameters(raw.encode())
    fault = next(find_faults(parameters, _ANYTHING), None)
    if fault is not None:
        raise ValueError(fault.detail)
    macros = None
    if is_uuid(parameters.get("tid")):
        macros = Macros(row.get("user_agent") or "", row.get("ip") or "", {})
    candidate = map_hit(0, parameters, text=raw, warnings=warnings, terms=_terms(row), macros=macros)
    if macros is not None:
        _keep_headers(parameters, candidate, row)
    return candidate


def _terms(row: Mapping[str, Any]) -> Terms:
    """A host that the site lent shows in the address, and money among the metrics in its decimals."""
    home_url = None
    if "host_defaulted:dh" in (row.get("warnings") or ()) and row.get("page_url"):
        parts = urlsplit(row["page_url"])
        home_url = f"{parts.scheme}://{parts.netloc}/" if parts.netloc else None
    metrics = read_object(row.get("metrics"))
    return Terms(home_url, frozenset(int(index) for index, value in metrics.items() if isinstance(value, float)))


def _keep_headers(parameters: Mapping[str, str], candidate: Candidate, row: Mapping[str, Any]) -> None:
    """What macros took of the request's headers is nowhere else than in the old row."""
    for kind, column in (("cd", "dimensions"), ("cm", "metrics")):
        old = read_object(row.get(column))
        taken = {index: value for index, value in old.items() if parameters.get(f"{kind}{index}", "").startswith("{H_")}
        if taken:
            mapped = candidate.columns.get(column, {}) | taken
            candidate.columns[column] = {index: mapped[index] for index in old if index in mapped} | mapped


def read_object(column: Any) -> dict[str, Any]:  # noqa: ANN401  (a column of JSON, as text or read)
    """The object in a column of a kept row; empty without one."""
    value = msgspec.json.decode(column) if isinstance(column, str) else column
    return value if isinstance(value, dict) else {}
