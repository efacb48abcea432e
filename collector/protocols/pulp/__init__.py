"""Fleets of installed programs that report once in a while; Pulp's is one by configuration.

Source of the rules: the specification of the original; docs/protocols/pulp.md names each with its test.
"""

import base64
import functools
from typing import Any, Final

from collector.endpoint import Family, Page, Route
from collector.identity import derived_id, event_id
from collector.plans import SiteDirectory
from collector.protocols.pulp.mapping import FleetPlan, columns_of, plan_fleet
from collector.reading import Outcome, Reading, Record
from collector.refusal import Reason, Refused
from collector.request import Answer, Request
from landing.contract import CHECKINS
from landing.sites import Sites

PROTOCOL: Final = "pulp"

_GIF: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_PIXEL: Final = (("Content-Type", "image/gif"), ("Cache-Control", "no-store"))
_PLAIN: Final = (("Content-Type", "text/plain; charset=utf-8"),)
_TOO_LARGE: Final = 413


def read(plan: FleetPlan, request: Request, _directory: SiteDirectory) -> Reading:
    """Read one message of a fleet."""
    try:
        columns = _columns(plan, request)
    except Refused as refused:
        refused.tracking_key = plan.fleet_id
        raise
    message = request.query.encode() if request.method == "GET" else request.body
    columns["raw"] = base64.b64encode(message).decode()
    replay_of = request.replay_of
    columns["checkin_id"] = derived_id("replay", replay_of, "0") if replay_of else event_id("", "", None)
    return Reading(site=None, tracking_key=plan.fleet_id, records=[Record(0, CHECKINS.name, columns)])


def _columns(plan: FleetPlan, request: Request) -> dict[str, Any]:
    if len(request.body) > plan.body_bytes_max:
        raise Refused(Reason.BODY_TOO_LARGE, 400, f"more than {plan.body_bytes_max} bytes")
    return columns_of(plan, plan.codec(request))


def accept(plan: FleetPlan, request: Request, _outcome: Outcome) -> Answer:
    """The status that the fleet's clients take for success, and nothing to read."""
    return _answer(plan.ok_status, request)


def refuse(_plan: FleetPlan, request: Request, refused: Refused) -> Answer:
    """The reason in a header; clients look at the status alone."""
    status = 400 if refused.status == _TOO_LARGE else refused.status
    return _answer(status, request).with_headers(("Tidemill-Reason", refused.reason))


def endpoints_of(sites: Sites) -> tuple[Route | Page, ...]:
    """An endpoint of each fleet of the file: on its virtual hosts, or by its path alone."""
    return tuple(_endpoint(fleet_id, sites) for fleet_id in sites.fleets)


def _endpoint(fleet_id: str, sites: Sites) -> Route:
    fleet = sites.fleets[fleet_id]
    plan = plan_fleet(fleet_id, fleet)
    hosts = {name for name, host in sites.hosts.items() if host.fleet == fleet_id}
    hosts |= set() if fleet.receive.host is None else {fleet.receive.host}
    return Route(
        protocol=PROTOCOL,
        method="GET" if fleet.receive.codec == "query" else "POST",
        path=fleet.receive.path,
        cors=None,
        claims=functools.partial(_is_sent_to, frozenset(hosts)) if hosts else None,
        read=functools.partial(read, plan),
        accept=functools.partial(accept, plan),
        refuse=functools.partial(refuse, plan),
    )


def _is_sent_to(hosts: frozenset[str], request: Request) -> bool:
    return request.headers.get("host", "").partition(":")[0].rstrip(".").lower() in hosts


def _answer(status: int, request: Request) -> Answer:
    """A pixel for a picture; nothing for a message."""
    return Answer(status, _GIF, _PIXEL) if request.method == "GET" else Answer(status, b"", _PLAIN)


FAMILY = Family(protocol=PROTOCOL, endpoints=(), configured=endpoints_of)
"""The fleets of the sites file."""
