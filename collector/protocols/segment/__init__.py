"""Segment's HTTP API, and the same messages at the paths of RudderStack and Jitsu."""

from collector.endpoint import Cors, Family, Page, Route
from collector.protocols.segment import pixel, requests
from collector.protocols.segment.messages import remap

PROTOCOL = "segment"

_CORS = Cors(credentials=True, allowed_methods="GET, POST", exposed_headers="Tidemill-Reason, Retry-After")

_LETTERS = {"track": "t", "page": "p", "screen": "s", "identify": "i", "group": "g", "alias": "a"}
"""What analytics.js calls the types in its paths."""


def _post(path: str, kind: str | None) -> Route:
    return Route(
        protocol=PROTOCOL,
        method="POST",
        path=path,
        cors=_CORS,
        read=requests.batch_reader() if kind is None else requests.message_reader(kind),
        accept=requests.accept,
        refuse=requests.refuse,
    )


def _pixel(kind: str) -> Route:
    return Route(
        protocol=PROTOCOL,
        method="GET",
        path=f"/pixel/v1/{kind}",
        cors=_CORS,
        read=pixel.reader(kind),
        accept=pixel.accept,
        refuse=pixel.refuse,
    )


FAMILY = Family(
    protocol=PROTOCOL,
    endpoints=(
        *(_post(f"/v1/{kind}", kind) for kind in (*_LETTERS, "merge")),
        *(_post(f"/v1/{letter}", kind) for kind, letter in _LETTERS.items()),
        *(_post(path, None) for path in ("/v1/batch", "/v1/import", "/v1/b", "/beacon/v1/batch")),
        *(_pixel(kind) for kind in ("track", "page")),
        _post("/api/s/{type}", requests.TYPE_IN_PATH),
        Page(
            protocol=PROTOCOL,
            method="GET",
            path="/v1/projects/{write_key}/settings",
            cors=_CORS,
            answer=requests.settings,
        ),
    ),
    remap=remap,
)
"""Segment, RudderStack and Jitsu."""
