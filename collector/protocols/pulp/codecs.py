"""Messages of fleets as documents: objects of names and values, whatever they were encoded in."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qsl

from google.protobuf.message import DecodeError, Message

from collector.decode import read_json
from collector.protocols.pulp.pulp_checkin_pb2 import Checkin
from collector.refusal import Reason, Refused
from collector.request import Request

Document = dict[str, Any]
Codec = Callable[[Request], Document]
"""From a request to its document. Raises Refused."""

DESCRIPTORS: Final[dict[str, type[Message]]] = {"pulp_checkin": Checkin}
"""Messages that we ship, by the name of the sites file."""

_QUERY_FIELDS_MAX: Final = 1_000


def protobuf_codec(message_type: type[Message]) -> Codec:
    """The codec of a message: fields that are absent have no name in the document; the library bounds the nesting."""

    def decode(request: Request) -> Document:
        try:
            return _fields(message_type.FromString(request.body))
        except DecodeError as error:
            raise Refused(Reason.INVALID_BODY, 400, str(error)) from None
        except UnicodeDecodeError as error:
            raise Refused(Reason.INVALID_BODY, 400, f"a text is not UTF-8: {error.reason}") from None

    return decode


def _fields(message: Message) -> Document:
    document: Document = {}
    for field, value in message.ListFields():
        if isinstance(value, Message):
            document[field.name] = _fields(value)
        elif isinstance(value, bytes):
            document[field.name] = value.decode()
        elif isinstance(value, (int, float, str)):
            document[field.name] = value
        else:
            document[field.name] = [_fields(each) if isinstance(each, Message) else each for each in value]
    return document


def decode_json(request: Request) -> Document:
    """A JSON object."""
    document, _ = read_json(request.body)
    if not isinstance(document, dict):
        raise Refused(Reason.INVALID_BODY, 400, "the body is no JSON object")
    return document


def decode_query(request: Request) -> Document:
    """The parameters of the query; dots in their names make objects, of a repeated one the last counts.

    A list of components is written `core:3.21.0,rpm:3.18.0`.
    """
    try:
        pairs = parse_qsl(request.query, keep_blank_values=True, errors="strict", max_num_fields=_QUERY_FIELDS_MAX)
    except ValueError as error:  # not UTF-8, or too many
        raise Refused(Reason.INVALID_BODY, 400, f"the query cannot be read: {error}") from None
    document: Document = {}
    for name, value in pairs:
        *parents, last = name.split(".")
        node = document
        for parent in parents:
            child = node.setdefault(parent, {})
            if not isinstance(child, dict):
                raise Refused(Reason.INVALID_BODY, 400, f"{parent[:64]} is a value and an object")
            node = child
        node[last] = value
    return document
