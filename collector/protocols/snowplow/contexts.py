"""Contexts whose fields have columns, and what of contexts tells one visitor from another."""

from collections.abc import Mapping, Sequence
from typing import Any

from collector.protocols.snowplow import commerce
from collector.protocols.snowplow.selfdescribing import SelfDescribing

_OWN = "com.snowplowanalytics.snowplow/"
_SESSION = f"{_OWN}client_session"

_COLUMNS_OF: dict[str, dict[str, str]] = {
    f"{_OWN}web_page": {"id": "page_view_id"},
    _SESSION: {"userId": "visitor_id", "sessionId": "client_session_id", "sessionIndex": "client_session_number"},
    "com.snowplowanalytics.mobile/screen": {"name": "screen_name"},
    "com.snowplowanalytics.mobile/application": {"version": "app_version"},
}
"""By schema, the column of each field; the event's own fields win."""

_WHOLE: dict[str, str] = {
    f"{_OWN}gdpr": "consent",
    f"{_OWN}consent_document": "consent",
    "org.ietf/http_client_hints": "client_hints",
}
"""Contexts that fill a column as they are."""

HELD = frozenset(
    {
        *_COLUMNS_OF,
        *_WHOLE,
        *commerce.ENTITIES,
        commerce.ACTION,
        f"{_OWN}add_to_cart",
        f"{_OWN}application_error",
        f"{_OWN}change_form",
        f"{_OWN}consent_granted",
        f"{_OWN}consent_preferences",
        f"{_OWN}consent_withdrawn",
        f"{_OWN}focus_form",
        f"{_OWN}link_click",
        f"{_OWN}remove_from_cart",
        f"{_OWN}screen_view",
        f"{_OWN}social_interaction",
        f"{_OWN}submit_form",
        f"{_OWN}timing",
        f"{_OWN}ua_parser_context",
        f"{_OWN}web_vitals",
        "com.snowplowanalytics.mobile/screen_view",
        "org.w3/PerformanceTiming",
    }
)
"""Schemas that the collector knows: what it reads of them is checked by its column."""

_IDS_OF = {
    _SESSION: {"userId", "previousSessionId", "firstEventId"},
    "com.snowplowanalytics.mobile/mobile_context": {
        "androidIdfa", "appleIdfa", "appleIdfv", "openIdfa", "appSetId",
    },
}  # fmt: skip
_PERSONAL = {
    "com.google.analytics/cookies",
    "com.google.analytics/private",
    "com.google.ga4/cookies",
    "dev.amp.snowplow/amp_id",
    "com.snowplowanalytics.snowplow.ecommerce/user",
    "com.optimizely.optimizelyx/summary",
}
"""Contexts that are nothing but ids."""

_READ = {"schema", "data"}
"""What there is of a context that could be read."""


def read_entities(columns: dict[str, Any], entities: Sequence[SelfDescribing]) -> None:
    """Fill columns from contexts where the event's own fields do not."""
    for entity in entities:
        if not isinstance(entity.data, dict):
            continue
        if entity.name in _WHOLE:
            columns.setdefault(_WHOLE[entity.name], entity.data)
        for key, column in _COLUMNS_OF.get(entity.name, {}).items():
            if not columns.get(column):
                columns[column] = entity.data.get(key)


def without_ids(rest: Mapping[str, Any]) -> dict[str, Any]:
    """The column contexts without what tells one browser or device from another.

    Contexts that could not be read are there as they were sent and may hold anything, so they go as a whole.
    """
    kept = {key: value for key, value in rest.items() if key not in {"nuid", "co"}}
    contexts = rest.get("co")
    if isinstance(contexts, list) and all(isinstance(each, dict) and each.keys() == _READ for each in contexts):
        kept["co"] = [_without_ids(each) for each in contexts if _name(each) not in _PERSONAL]
    return kept


def _without_ids(context: Mapping[str, Any]) -> Mapping[str, Any]:
    ids = _IDS_OF.get(_name(context))
    data = context["data"]
    if ids is None or not isinstance(data, dict):
        return context
    return {**context, "data": {key: value for key, value in data.items() if key not in ids}}


def _name(context: Mapping[str, Any]) -> str:
    return str(context["schema"]).removeprefix("iglu:").rpartition("/jsonschema/")[0]
