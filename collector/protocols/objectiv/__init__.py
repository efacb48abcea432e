"""Objectiv's trackers: `POST /` and, without cookies, `POST /anonymous`.

The body is {"events": […], "transport_time", "client_session_id"?}. Every event has a stack of locations and a list
of global contexts, checked against the open taxonomy; what breaks it is kept as a reject, the rest of the batch as
events. The address `/` belongs to Objectiv on its virtual host and below `/s/<site>/`.
"""

from collector.endpoint import Cors, Family, Page, Route
from collector.protocols.objectiv.answers import accept, refuse
from collector.protocols.objectiv.mapping import remap
from collector.protocols.objectiv.reading import PROTOCOL, read, read_anonymous
from collector.protocols.objectiv.schemas import show_json_schema, show_taxonomy
from collector.request import Request


def _is_ours(request: Request) -> bool:
    """The address alone says nothing: it is ours on a virtual host of ours, or below a site's prefix elsewhere."""
    if request.host is not None:
        return request.host.protocol == PROTOCOL
    return request.site_id is not None


_CORS = Cors(credentials=True, preflight_status=200, allowed_methods="DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")

FAMILY = Family(
    protocol=PROTOCOL,
    endpoints=(
        Route(
            protocol=PROTOCOL,
            method="POST",
            path="/",
            cors=_CORS,
            claims=_is_ours,
            read=read,
            accept=accept,
            refuse=refuse,
        ),
        Route(
            protocol=PROTOCOL,
            method="POST",
            path="/anonymous",
            cors=_CORS,
            read=read_anonymous,
            accept=accept,
            refuse=refuse,
        ),
        Page(protocol=PROTOCOL, method="GET", path="/schema", cors=_CORS, answer=show_taxonomy),
        Page(protocol=PROTOCOL, method="GET", path="/jsonschema", cors=_CORS, answer=show_json_schema),
    ),
    remap=remap,
)
"""Objectiv's trackers."""
