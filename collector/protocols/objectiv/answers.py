"""What Objectiv's clients are told: status 200 whatever was refused, since anything else makes them send it again."""

from typing import Any

from collector.columns import json_text
from collector.protocols.objectiv.reading import Reply
from collector.reading import Outcome
from collector.refusal import Refused, Reject
from collector.request import Answer, Request

_JSON = ("Content-Type", "application/json")


def accept(_request: Request, outcome: Outcome) -> Answer:
    """How many events were received, and how many of them are invalid."""
    reply: Reply = outcome.reading.reply
    return _answer(
        errors=len(outcome.rejects) if reply.events >= 0 else 1,
        events=reply.events,
        event_errors=[_error(reject, reply) for reject in outcome.rejects]
        if reply.reports_errors and reply.events >= 0
        else [],
        data_error=reply.data_error,
        reason=outcome.rejects[0].reason if outcome.rejects else None,
    )


def refuse(_request: Request, refused: Refused) -> Answer:
    """One error and -1 events: the request is refused as a whole."""
    return _answer(errors=1, events=-1, event_errors=[], data_error="", reason=refused.reason)


def _answer(
    *, errors: int, events: int, event_errors: list[dict[str, Any]], data_error: str, reason: str | None
) -> Answer:
    document = {
        "status": "400" if errors else "200",
        "error_count": errors,
        "event_count": events,
        "event_errors": event_errors,
        "data_error": data_error,
    }
    headers = (_JSON,) if reason is None else (_JSON, ("Tidemill-Reason", str(reason)))
    return Answer(200, json_text(document).encode(), headers)


def _error(reject: Reject, reply: Reply) -> dict[str, Any]:
    event_id = reject.part.get("id") if isinstance(reject.part, dict) else None
    findings = reply.errors.get(reject.index, [])
    told = [{"data": finding.data, "info": finding.info} for finding in findings]
    return {"event_id": event_id, "error_info": told or [{"data": reject.part, "info": reject.detail}]}
