"""Self-describing JSON of Snowplow's: a schema's name and the data that claims to fit it."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from collector.decode import read_json
from collector.refusal import Refused

_IGLU = re.compile(r"iglu:([\w.\-]{1,128}/[\w.\-]{1,128})/jsonschema/(\d{1,9}-\d{1,9}-\d{1,9})", re.ASCII)
_TO_STANDARD = str.maketrans("-_ ", "+/+")
"""From the alphabet for URLs to the standard one; a plus that was not escaped in a query has become a blank."""


@dataclass(frozen=True, slots=True)
class SelfDescribing:
    """Data and what it says it is.

    Attributes:
        name: `vendor/name` of the schema.
        schema: The schema's address, with its version.
        data: Not validated: schemas of others are not held here.
    """

    name: str
    schema: str
    data: Any


class Undecodable(Exception):
    """The text is no base64, no JSON or no self-describing JSON; the message says what."""


def decode(encoded: object, plain: object) -> Any:  # noqa: ANN401  (any JSON value)
    """The document in a base64 field, of either alphabet and with or without padding, else in a plain one.

    Raises:
        Undecodable: there is no document.
    """
    if isinstance(encoded, str):
        text = encoded.rstrip("=").translate(_TO_STANDARD)
        try:
            body = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except (binascii.Error, ValueError) as error:
            raise Undecodable(f"no base64: {error}") from error
    elif isinstance(plain, str):
        body = plain.encode("utf-8", "surrogatepass")
    else:
        raise Undecodable("no text")
    try:
        return read_json(body)[0]
    except Refused as refused:
        raise Undecodable(f"{refused.reason}: {refused.detail}") from refused


def read(document: object) -> SelfDescribing:
    """The document with its schema.

    Raises:
        Undecodable: it names no schema, or holds no data.
    """
    if not isinstance(document, dict) or "data" not in document:
        raise Undecodable("no object with schema and data")
    schema = document.get("schema")
    match = _IGLU.fullmatch(schema) if isinstance(schema, str) else None
    if match is None or not isinstance(schema, str):
        raise Undecodable("schema is no iglu:vendor/name/jsonschema/1-0-0")
    return SelfDescribing(match[1], schema, document["data"])


def read_event(encoded: object, plain: object) -> SelfDescribing:
    """The event in `ue_px` or `ue_pr`, out of its envelope.

    Raises:
        Undecodable: there is none.
    """
    envelope = read(decode(encoded, plain))
    if envelope.name != "com.snowplowanalytics.snowplow/unstruct_event":
        raise Undecodable(f"the envelope is no unstruct_event but {envelope.name}")
    return read(envelope.data)


def read_contexts(encoded: object, plain: object) -> list[SelfDescribing]:
    """The contexts in `cx` or `co`, out of their envelope.

    Raises:
        Undecodable: one of them is none.
    """
    envelope = read(decode(encoded, plain))
    if envelope.name != "com.snowplowanalytics.snowplow/contexts" or not isinstance(envelope.data, list):
        raise Undecodable("the envelope is no list of contexts")
    return [read(each) for each in envelope.data]
