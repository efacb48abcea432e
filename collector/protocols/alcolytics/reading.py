"""Reading messages of Alcolytics: from posts, images, webhooks and redirects to candidates."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collector.identity import kept_address
from collector.plans import SiteDirectory, SitePlan
from collector.protocols.alcolytics.mapping import (
    FOREIGN_IDS,
    PIXEL,
    PROTOCOL,
    REDIRECT,
    WEBHOOK,
    map_message,
    message_id,
)
from collector.protocols.alcolytics.reasons import AlcolyticsReason
from collector.protocols.alcolytics.targets import Target, find_target
from collector.protocols.alcolytics.visitor import find_visitor
from collector.protocols.alcolytics.wire import Message, read_body, read_brackets, read_form, read_pixel, read_query
from collector.reading import Reading
from collector.redirect import may_lead_to
from collector.refusal import Reason, Refused
from collector.request import Request

_KEY_CHARS_MAX = 256
_REPORT_CHARS_MAX = 500
_ENVELOPE = {"uid", "name", "service", "projectId", "channel", "id__"}
_FIRST_OF_R4 = 3_014_000
"""The version 3.14.0 as the SDK packs it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the answer tells.

    Attributes:
        target: Where the message went.
        name: Of the event.
        event_id: Of the event.
        leads_to: Where a redirect leads.
    """

    target: Target
    name: str
    event_id: str
    leads_to: str = ""


def read_track(request: Request, directory: SiteDirectory) -> Reading:
    """Read `POST /track`."""
    message, warnings = read_body(request.body)
    parameters = read_query(request.query)
    name = message.get("name") or parameters.get("name")
    target = Target(name=name if isinstance(name, str) else None, channel="alcojs", is_early=True)
    return _read(request, directory, target, message, uid=parameters.get("uid"), warnings=warnings)


def read_image(request: Request, directory: SiteDirectory) -> Reading:
    """Read `GET /img`."""
    parameters = read_query(request.query)
    message, warnings = read_pixel(parameters)
    name = message.get("name") or parameters.get("name")
    target = Target(name=name if isinstance(name, str) else None, channel=PIXEL, is_early=True)
    return _read(request, directory, target, message, uid=parameters.get("uid"), warnings=warnings)


def read_target(request: Request, directory: SiteDirectory) -> Reading:
    """Read a post or an image at an address that names service, event and project."""
    parameters = read_query(request.query)
    target = find_target(request.path, parameters)
    message: Message
    warnings: tuple[str, ...] = ()
    if request.body:
        message, warnings = read_body(request.body)
    elif "j" in parameters or "b64" in parameters:
        message, warnings = read_pixel(parameters)
    else:
        message = read_brackets({key: value for key, value in parameters.items() if key not in _ENVELOPE})
    return _read(request, directory, target, message, uid=parameters.get("uid"), warnings=warnings)


def read_webhook(request: Request, directory: SiteDirectory) -> Reading:
    """Read `/webhook/<project>/<service>/<action>`: another server speaks of itself, so there is no visitor."""
    captured = request.captured
    site, key = _site(request, directory, captured["project"])
    data = {**read_form(request.body), **read_query(request.query)}
    message = {"name": f"{captured['service']}/{captured['action']}", "projectId": captured["project"], "data": data}
    candidate = map_message(message, name=captured["action"], service=captured["service"], channel=WEBHOOK)
    address = kept_address(request.address, site.ip)
    if address is not None:
        candidate.columns["contexts"]["remote_ip"] = address
    reading = Reading(site=site, tracking_key=key, candidates=[candidate])
    reading.enclose = _data_of
    return reading


def read_redirect(request: Request, directory: SiteDirectory) -> Reading:
    """Read `/redir/<project>/<category>/<name>?to=` and `/away/<name>[/<project>]?to=`: a click that leaves."""
    parameters = read_query(request.query)
    leads_to = parameters.get("to", "")
    if not leads_to:
        raise Refused(AlcolyticsReason.REDIRECT_WITHOUT_TARGET, 400, "the parameter to is missing")
    if not may_lead_to(leads_to, directory.sites.redirects):
        detail = "redirects of the sites file does not name this host"
        raise Refused(AlcolyticsReason.REDIRECT_NOT_ALLOWED, 400, detail)
    captured = request.captured
    target = Target(
        service=captured.get("category", "away"),
        name=captured["name"],
        project=captured.get("project") or parameters.get("projectId"),
        channel=REDIRECT,
    )
    message = {"data": {key: value for key, value in parameters.items() if key not in _ENVELOPE}}
    reading = _read(request, directory, target, message, uid=parameters.get("uid"), warnings=())
    reading.reply = Reply(target, captured["name"], reading.reply.event_id, leads_to)
    return reading


def _data_of(message: object) -> object:
    """What a webhook sent: the rest of the message is in the address."""
    return message["data"] if isinstance(message, dict) else message


def _read(  # noqa: PLR0913  (what every message comes with)
    request: Request,
    directory: SiteDirectory,
    target: Target,
    message: Message,
    *,
    uid: str | None,
    warnings: tuple[str, ...],
) -> Reading:
    name = target.name or message.get("name")
    _refuse_report(request, target, message, name)
    named = target.project if target.project is not None else message.get("projectId")
    site, key = _site(request, directory, named)
    if not isinstance(name, str) or not name:
        raise Refused(AlcolyticsReason.MISSING_NAME, 200, "name is missing", site_id=site.site_id, tracking_key=key)
    visitor = find_visitor(request, uid, message.get("uid"), site=site)
    event_id = message_id(message, visitor.uid, name=name, site_id=site.site_id) or str(uuid.uuid4())
    if site.visitor == "cookieless":
        message = _without_ids(message)
    candidate = map_message(message, name=name, service=target.service, channel=target.channel)
    candidate.event_id = event_id
    if site.visitor != "cookieless":
        candidate.columns["visitor_id"] = visitor.uid
        candidate.columns["visitor_id_kind"] = visitor.kind if visitor.uid is not None else None
    referer = request.headers.get("referer")
    if target.channel in {PIXEL, REDIRECT} and referer and "page_url" not in candidate.columns:
        candidate.columns["page_url"] = referer
    return Reading(
        site=site,
        version=_generation(target, message),
        tracking_key=key,
        candidates=[candidate],
        address=request.address,
        user_agent=request.headers.get("user-agent"),
        cookies=visitor.cookies,
        reply=Reply(target, name, event_id),
        warnings=warnings,
    )


def _refuse_report(request: Request, target: Target, message: Mapping[str, Any], name: object) -> None:
    """Refuse what the library says of its own troubles: sent like an event, but of no visitor and no site."""
    is_log = name == "log" and target.service == "track"
    if is_log or (target.channel == PIXEL and "error" in message):
        told = message.get("error") if target.channel == PIXEL and "error" in message else message.get("args")
        detail = f"{message.get('lvl', 'error')}: {told}"[:_REPORT_CHARS_MAX]
        raise Refused(AlcolyticsReason.LIBRARY_REPORT, 200, detail, site_id=request.site_id)


def _site(request: Request, directory: SiteDirectory, project: object) -> tuple[SitePlan, str]:
    """The site, and the id of the project that names it; 0 where none is named."""
    key = "0" if project in (None, "") else str(project)[:_KEY_CHARS_MAX]
    if request.site_id is not None:
        site = directory.by_id(request.site_id)
    else:
        site = directory.named(PROTOCOL, key)
        if site is None and key == "0":
            site = directory.by_id(None)
    if site is None:
        raise Refused(Reason.UNKNOWN_SITE, 200, "no site has this project", tracking_key=key)
    return site, key


def _without_ids(message: Message) -> Message:
    """The message of a visitor who is counted by the day: without ids that outlast it."""
    kept = {key: value for key, value in message.items() if key != "uid"}
    user = kept.get("user")
    if isinstance(user, dict):
        kept["user"] = {key: value for key, value in user.items() if key not in FOREIGN_IDS}
    return kept


def _generation(target: Target, message: Mapping[str, Any]) -> str:
    """A1 and A2 are AlcoJS's, R3 and R4 Rockstat's; a cropped message tells it by its address alone."""
    if "library" in message:
        return "A1"
    library = message.get("lib")
    if target.is_early or (isinstance(library, dict) and "libver" in library):
        return "A2"
    version = library.get("v") if isinstance(library, dict) else None
    is_packed = isinstance(version, (int, float)) and version >= _FIRST_OF_R4
    return "R4" if target.is_enveloped or is_packed else "R3"
