"""How messages of Alcolytics travel: JSON whatever the header says, JSON in a parameter, base64 of it, brackets."""

import base64
import binascii
import re
from typing import Any
from urllib.parse import parse_qsl

from collector.decode import read_json
from collector.refusal import Reason, Refused

BODY_BYTES_MAX = 102_400
"""Bytes of a body."""

_BRACKETS = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\]){1,3})", re.ASCII)
_TO_STANDARD = str.maketrans("-_ ", "+/+")

Message = dict[str, Any]


def read_body(body: bytes) -> tuple[Message, tuple[str, ...]]:
    """The message of a body, and what had to be repaired in it.

    Raises:
        Refused: too long, or no message.
    """
    if len(body) > BODY_BYTES_MAX:
        raise Refused(Reason.BODY_TOO_LARGE, 413, f"more than {BODY_BYTES_MAX} bytes")
    document, warnings = read_json(body)
    if not isinstance(document, dict) or not document:
        raise Refused(Reason.INVALID_BODY, 400, "the body is no JSON object, or an empty one")
    return document, warnings


def read_query(query: str) -> dict[str, str]:
    """The parameters of a query; of repeated ones the first."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, errors="replace"):
        found.setdefault(name, value)
    return found


def read_pixel(parameters: dict[str, str]) -> tuple[Message, tuple[str, ...]]:
    """The message that an image's address carries, and what had to be repaired in it.

    Raises:
        Refused: it carries none, or a broken one.
    """
    if "j" in parameters:
        text = parameters["j"].encode()
    elif "b64" in parameters:
        text = _from_base64(parameters["b64"])
    else:
        return read_brackets(parameters), ()
    document, warnings = read_json(text)
    if not isinstance(document, dict):
        raise Refused(Reason.INVALID_BODY, 400, "the payload is no JSON object")
    return document, warnings


def read_brackets(parameters: dict[str, str]) -> Message:
    """`data[a]=1` as {"data": {"a": "1"}}; parameters without brackets are themselves."""
    message: Message = {}
    for name, value in parameters.items():
        match = _BRACKETS.fullmatch(name)
        keys = [name] if match is None else [match[1], *match[2][1:-1].split("][")]
        inner = message
        for key in keys[:-1]:
            inner = inner.setdefault(key, {})
            if not isinstance(inner, dict):  # `a=1&a[b]=2`: what came first stands
                break
        else:
            inner.setdefault(keys[-1], value)
    return message


def read_form(body: bytes) -> Message:
    """What a webhook sends, JSON or a form; nothing is invalid."""
    if len(body) > BODY_BYTES_MAX:
        raise Refused(Reason.BODY_TOO_LARGE, 413, f"more than {BODY_BYTES_MAX} bytes")
    if body.lstrip()[:1] in {b"{", b"["}:
        try:
            document, _ = read_json(body)
        except Refused:
            pass
        else:
            return document if isinstance(document, dict) else {"body": document}
    return dict(read_query(body.decode("utf-8", "replace")))


def _from_base64(text: str) -> bytes:
    """Base64 of either alphabet, with or without padding, a plus sign read as a space; of UTF-8 or of Latin-1."""
    plain = text.translate(_TO_STANDARD).rstrip("=")
    try:
        decoded = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(Reason.INVALID_BODY, 400, f"b64 is no base64: {error}") from error
    try:
        decoded.decode()
    except UnicodeDecodeError:
        return decoded.decode("latin-1").encode()
    return decoded
