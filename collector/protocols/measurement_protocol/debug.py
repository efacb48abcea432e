"""`/debug/collect`: tells what is wrong with hits, and keeps nothing."""

from typing import Any

import msgspec

from collector.limits import EVENTS_MAX
from collector.plans import SiteDirectory, SitePlan
from collector.protocols.measurement_protocol.answers import answer_json
from collector.protocols.measurement_protocol.collect import circumstances_of, find_site, sizes_of
from collector.protocols.measurement_protocol.hit import EVENT_TYPES, Terms, map_hit, terms_of
from collector.protocols.measurement_protocol.payload import read_parameters, read_payloads
from collector.protocols.measurement_protocol.reasons import HitReason
from collector.protocols.measurement_protocol.validity import Code, Fault, find_faults
from collector.request import Answer, Request

_CODES = {
    "invalid_value": Code.VALUE_INVALID,
    "bad_url": Code.VALUE_INVALID,
    "fraction_cut": Code.VALUE_MODIFIED,
    "truncated": Code.VALUE_MODIFIED,
    "bad_utf8": Code.VALUE_MODIFIED,
    "nul_removed": Code.VALUE_MODIFIED,
    "host_defaulted": Code.VALUE_REQUIRED,
    "missing_an": Code.VALUE_REQUIRED,
}
_WORDS = {
    "invalid_value": "the value cannot be read and counts as absent",
    "bad_url": "the address cannot be read and counts as absent",
    "fraction_cut": "the value is an integer; its fraction is cut",
    "truncated": "the value is too long and is cut",
    "bad_utf8": "what is no UTF-8 is replaced",
    "nul_removed": "NUL is removed",
    "host_defaulted": "no host is given; the site's own is taken",
    "missing_an": "a screenview should name the app",
}
_NO_TERMS = Terms(None, frozenset())


def show_faults(request: Request, directory: SiteDirectory) -> Answer:
    """All faults of all hits. An id that no site has is none here, if it is well formed."""
    lines = read_payloads(request).lines
    hits = [_result(request, directory, line) for line in lines[:EVENTS_MAX]]
    found = f"Found {len(lines)} hit{'' if len(lines) == 1 else 's'} in the request."
    summary = [{"messageType": "INFO", "description": found}]
    return answer_json(msgspec.json.encode({"hitParsingResult": hits, "parserMessage": summary}))


def _result(request: Request, directory: SiteDirectory, line: bytes) -> dict[str, Any]:
    size_bytes, size_bytes_max = sizes_of(request, line)
    warnings: list[str] = []
    if size_bytes > size_bytes_max:
        detail = f"{size_bytes} bytes; at most {size_bytes_max} are taken"
        faults = [Fault(HitReason.HIT_TOO_LARGE, "", Code.VALUE_OUT_OF_BOUNDS, detail)]
    else:
        parameters, warnings = read_parameters(line)
        tid = parameters.get("tid")
        site = find_site(request, directory, tid)
        found = find_faults(parameters, circumstances_of(request, site, tid))
        faults = [each for each in found if each.reason is not HitReason.UNKNOWN_TID]
        _add_warnings(parameters, warnings, site)
    messages = [_message("ERROR", each.code, each.detail, each.parameter) for each in faults]
    for warning in warnings:
        code, _, parameter = warning.partition(":")
        messages.append(_message("WARN", _CODES[code], _WORDS[code], parameter))
    is_post = request.method == "POST"
    path = f"{request.path}?{line.decode('utf-8', 'replace')}" if line else request.path
    hit = f"POST {request.path} HTTP/1.1" if is_post else path
    return {"valid": not faults, "parserMessage": messages, "hit": hit}


def _add_warnings(parameters: dict[str, str], warnings: list[str], site: SitePlan | None) -> None:
    """What mapping the hit would repair. Where it is none yet it is mapped as an event, so that all values are read."""
    complete = {"cid": "", "ti": "", "ea": ""} | parameters
    if parameters.get("t") not in EVENT_TYPES:
        complete["t"] = "event"
    terms = _NO_TERMS if site is None else terms_of(site)
    map_hit(0, complete, text="", warnings=warnings, terms=terms, macros=None)


def _message(kind: str, code: Code, description: str, parameter: str) -> dict[str, str]:
    return {"messageType": kind, "description": description, "messageCode": code, "parameter": parameter}
