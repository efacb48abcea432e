"""Snowplow's tracker protocol: batches by POST, single events by GET, and click redirects."""

from collector.endpoint import Cors, Family, Page, Route
from collector.protocols.snowplow import requests
from collector.protocols.snowplow.events import remap

PROTOCOL = "snowplow"

_CORS = Cors(
    credentials=True, allowed_methods="POST, GET, OPTIONS", preflight_status=200, exposed_headers="Tidemill-Reason"
)


def _post(path: str, *, is_own_path: bool = False) -> Route:
    return Route(
        protocol=PROTOCOL,
        method="POST",
        path=path,
        cors=_CORS,
        claims=requests.claims_body if is_own_path else None,
        is_below_site=is_own_path,
        read=requests.read_post,
        accept=requests.accept_post,
        refuse=requests.refuse_post,
    )


def _get(path: str, *, is_shared: bool = False) -> Route:
    return Route(
        protocol=PROTOCOL,
        method="GET",
        path=path,
        cors=_CORS,
        claims=requests.claims_query if is_shared else None,
        read=requests.read_get,
        accept=requests.accept_get,
        refuse=requests.refuse_get,
    )


FAMILY = Family(
    protocol=PROTOCOL,
    endpoints=(
        _post("/com.snowplowanalytics.snowplow/tp2"),
        _post("/{vendor}/{version}", is_own_path=True),
        _get("/i", is_shared=True),
        _get("/ice.png"),
        Route(
            protocol=PROTOCOL,
            method="GET",
            path="/r/tp2",
            cors=None,
            read=requests.read_redirect,
            accept=requests.accept_redirect,
            refuse=requests.refuse_redirect,
        ),
        Page(protocol=PROTOCOL, method="GET", path="/health", cors=None, answer=requests.health),
    ),
    remap=remap,
)
"""Snowplow."""
