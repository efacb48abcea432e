"""Reading a request of Objectiv's: the envelope, the site, and each event checked and mapped."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from collector.decode import read_json
from collector.plans import SiteDirectory, SitePlan
from collector.protocols.objectiv.checks import Checker, Finding
from collector.protocols.objectiv.contexts import (
    Sender,
    describe_sender,
    find_marketing,
    withdraw_addresses,
)
from collector.protocols.objectiv.mapping import map_event
from collector.protocols.objectiv.reasons import ObjectivReason
from collector.protocols.objectiv.visitor import find_visitor
from collector.reading import Reading
from collector.refusal import Reason, Refused, Reject
from collector.request import Request
from collector.time import parse_epoch_ms, to_us
from landing.sites import Sites
from landing.taxonomy import extended

PROTOCOL = "objectiv"

BODY_BYTES_MAX = 1_000_000
"""Bytes of a body."""

EVENTS_MAX = 1_000
"""Events of a request."""

_ADDED = ("HttpContext", "CookieIdContext")
_KEY_CHARS_MAX = 256


@dataclass(frozen=True, slots=True)
class Rules:
    """What the sites file says of Objectiv.

    Attributes:
        checker: The taxonomy.
        applications: Ids of applications by site; empty for any.
        reports_errors: Answers say what was wrong.
    """

    checker: Checker
    applications: Mapping[str, frozenset[str]]
    reports_errors: bool


def prepare(sites: Sites) -> Rules:
    """What the sites file says, made once for each content of it."""
    settings = sites.objectiv
    return Rules(
        Checker(extended(settings.extensions), takes_either=settings.rules == "either"),
        {site_id: frozenset(site.ids.objectiv) for site_id, site in sites.sites.items()},
        settings.error_reporting,
    )


@dataclass(slots=True)
class Reply:
    """What the answer tells.

    Attributes:
        events: Events received; -1 for a request that is refused as a whole.
        errors: What was wrong, by the position of the event; empty unless errors are reported.
        data_error: What was wrong with the request; likewise.
        reports_errors: Errors are reported.
    """

    events: int = -1
    errors: dict[int, list[Finding]] = field(default_factory=dict)
    data_error: str = ""
    reports_errors: bool = False


def read(request: Request, directory: SiteDirectory) -> Reading:
    """Read `POST /`."""
    return _read(request, directory, is_anonymous=False)


def read_anonymous(request: Request, directory: SiteDirectory) -> Reading:
    """Read `POST /anonymous`: the same without cookies, and with digests for address and browser."""
    return _read(request, directory, is_anonymous=True)


def _read(request: Request, directory: SiteDirectory, *, is_anonymous: bool) -> Reading:
    rules = directory.prepared(prepare)
    document: dict[str, Any] = {}
    problem: Refused | None = None
    warnings: tuple[str, ...] = ()
    try:
        document, warnings = _envelope(request)
    except Refused as refused:
        problem = refused
    application = _application(document)
    site = _site(request, directory, application, problem)
    visitor = find_visitor(request, document.get("client_session_id"), site, is_anonymous=is_anonymous)
    # Only where the site hashes its visitors by the day are address and browser of who is anonymous needed.
    keeps_traces = not is_anonymous or site.visitor == "cookieless"
    reading = Reading(
        site=site,
        version="2" if is_anonymous or visitor.client_session_id is not None else "1",
        tracking_key=application,
        shared={
            "visitor_id": visitor.visitor_id,
            "visitor_id_kind": visitor.kind,
            "client_session_id": visitor.client_session_id,
        },
        skew_tolerated_us=0,
        address=request.address if keeps_traces else None,
        user_agent=request.headers.get("user-agent") if keeps_traces else None,
        cookies=visitor.cookies,
        reply=Reply(reports_errors=rules.reports_errors),
        warnings=warnings,
    )
    if problem is None:
        sender = describe_sender(request, visitor, site, is_anonymous=is_anonymous)
        _read_events(reading, document, rules, sender, received_us=to_us(request.received_at))
    else:
        # Kept as a reject of the site rather than raised: also such an answer renews the cookie.
        reading.rejects.append(Reject(0, problem.reason, problem.detail, request.body))
        reading.reply.data_error = problem.detail if rules.reports_errors else ""
    return reading


def _envelope(request: Request) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The document of a request, and what had to be repaired in it.

    Raises:
        Refused: it is no batch of events.
    """
    if len(request.body) > BODY_BYTES_MAX:
        raise Refused(Reason.BODY_TOO_LARGE, 200, f"more than {BODY_BYTES_MAX} bytes")
    document, warnings = read_json(request.body)
    if not isinstance(document, dict):
        raise Refused(Reason.INVALID_BODY, 200, "the body is no JSON object")
    events = document.get("events")
    if not isinstance(events, list):
        raise Refused(Reason.INVALID_BODY, 200, "events is no array")
    if type(document.get("transport_time")) is not int:
        raise Refused(Reason.INVALID_BODY, 200, "transport_time is no integer")
    if not all(isinstance(event, dict) for event in events):
        raise Refused(Reason.INVALID_BODY, 200, "an event is no object")
    if len(events) > EVENTS_MAX:
        raise Refused(Reason.TOO_MANY_EVENTS, 200, f"{len(events)} events")
    return document, warnings


def _application(document: dict[str, Any]) -> str | None:
    """The application of the first event that names one: how the clients call the site."""
    for event in document.get("events", ()):
        found = _application_of(event)
        if found is not None:
            return found[:_KEY_CHARS_MAX]
    return None


def _application_of(event: dict[str, Any]) -> str | None:
    contexts = event.get("global_contexts")
    for context in contexts if isinstance(contexts, list) else ():
        if isinstance(context, dict) and context.get("_type") == "ApplicationContext":
            named = context.get("id")
            return named if isinstance(named, str) else None
    return None


def _site(request: Request, directory: SiteDirectory, application: str | None, problem: Refused | None) -> SitePlan:
    if request.site_id is not None or application is None:
        site = directory.by_id(request.site_id)
    else:
        site = directory.named(PROTOCOL, application)
    if site is None:
        if problem is not None:
            raise problem
        raise Refused(
            Reason.UNKNOWN_SITE,
            200,
            "neither the address nor the application names a site",
            tracking_key=application or request.site_id,
        )
    return site


def _read_events(reading: Reading, document: dict[str, Any], rules: Rules, sender: Sender, *, received_us: int) -> None:
    events, transport_ms = document["events"], document["transport_time"]
    reading.sent_us = parse_epoch_ms(transport_ms)
    reading.enclose = lambda event: {**document, "events": [event]}
    reply: Reply = reading.reply
    reply.events = len(events)
    checker = rules.checker
    sent_ms = received_us / 1_000 if reading.sent_us is None else transport_ms
    plain, with_marketing = checker.bits(_ADDED), checker.bits((*_ADDED, "MarketingContext"))
    site_id = "" if reading.site is None else reading.site.site_id
    applications = rules.applications.get(site_id, frozenset())
    for index, event in enumerate(events):
        marketing = find_marketing(event.get("global_contexts"))
        checked = checker.check(event, transport_ms=sent_ms, added=plain if marketing is None else with_marketing)
        withdraw_addresses(event)
        findings = checked.findings or _further(event, applications, checked.first.get("ApplicationContext"))
        if findings:
            detail = "; ".join(finding.info for finding in findings)
            reading.rejects.append(Reject(index, findings[0].reason, detail, event))
            if reply.reports_errors:
                reply.errors[index] = findings
            continue
        reading.candidates.append(
            map_event(
                index,
                event,
                types=checked.types,
                first=checked.first,
                sender=sender,
                marketing=marketing,
                warnings=checked.warnings,
            )
        )


def _further(event: dict[str, Any], applications: frozenset[str], application: dict[str, Any] | None) -> list[Finding]:
    """What is wrong with an event that the taxonomy takes."""
    if parse_epoch_ms(event["time"]) is None:
        return [Finding(ObjectivReason.INVALID_TIME, "time is no plausible number of milliseconds", event)]
    if applications and (application is None or application["id"] not in applications):
        return [Finding(ObjectivReason.UNKNOWN_APPLICATION, "the site has no such application", event)]
    return []
