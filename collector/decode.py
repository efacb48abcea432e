"""Bodies: undoing gzip within bounds, and reading JSON as tolerantly as is safe. Pure functions of bytes."""

import json
import math
import re
import zlib

import msgspec

from collector.limits import INFLATED_BYTES_MAX, JSON_DEPTH_MAX, NUMBER_DIGITS_MAX
from collector.refusal import Reason, Refused

_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_BRACKET = re.compile(rb"[{}\[\]]")
_KIND_OF_BRACKET = bytes.maketrans(b"[]", b"{}")
_NO_STRUCTURE = bytes(set(range(256)) - set(b'{}[]"'))
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW_BITS = 31  # zlib's way to ask for a gzip header


def inflate(body: bytes) -> bytes:
    """The body without gzip. Content decides, not the header: clients send gzip with and without naming it.

    Raises:
        Refused: it inflates to more than the limit, or is damaged.
    """
    if not body.startswith(_GZIP_MAGIC):
        return body
    inflated = bytearray()
    while body:  # a gzip file may have several members
        member = zlib.decompressobj(_GZIP_WINDOW_BITS)
        try:
            inflated += member.decompress(body, INFLATED_BYTES_MAX + 1 - len(inflated))
        except zlib.error as error:
            raise Refused(Reason.INVALID_GZIP, 400, str(error)) from error
        if len(inflated) > INFLATED_BYTES_MAX:
            raise Refused(Reason.BODY_TOO_LARGE, 413, f"inflates to more than {INFLATED_BYTES_MAX} bytes")
        if not member.eof:
            raise Refused(Reason.INVALID_GZIP, 400, "the gzip stream is cut short")
        body = member.unused_data
    return bytes(inflated)


def read_json(body: bytes) -> tuple[object, tuple[str, ...]]:
    """The document in `body`, and warnings of what had to be repaired.

    Repaired are bytes that are no UTF-8, lone surrogates, NaN, and numbers beyond a double or of absurd length.
    No text in the result holds a lone surrogate, no number is infinite.

    Raises:
        Refused: it is no JSON, or nested too deeply.
    """
    structure = _structure(body)
    # The count of openings bounds the depth, and counting bytes is much cheaper than walking.
    if structure.count(b"{") > JSON_DEPTH_MAX and _depth(body, structure) > JSON_DEPTH_MAX:
        raise Refused(Reason.TOO_DEEP, 400, f"more than {JSON_DEPTH_MAX} levels of arrays and objects")
    try:
        return msgspec.json.decode(body), ()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _read_tolerantly(body)


def depth(body: bytes) -> int:
    """Deepest nesting of brackets outside strings."""
    return _depth(body, _structure(body))


def _structure(body: bytes) -> bytes:
    """Brackets, all written as braces, and quotes."""
    return body.translate(_KIND_OF_BRACKET, _NO_STRUCTURE)


def _depth(body: bytes, structure: bytes) -> int:
    # Without escapes every other part between quotes is outside of strings; then the innermost level of brackets is
    # taken away until none is left: all of it at the speed of C. Quotes with nothing in between go first: they enclose
    # a string without brackets, or part two strings with nothing but commas in between.
    if b"\\" not in body:
        left = structure.replace(b'""', b"")
        if b'"' in left:
            left = b"".join(left.split(b'"')[::2])
        for level in range(JSON_DEPTH_MAX + 1):
            if not left:
                return level
            left = left.replace(b"{}", b"")
    return _depth_by_walking(body)


def _depth_by_walking(body: bytes) -> int:
    level = deepest = 0
    for bracket in _BRACKET.findall(_TEXT.sub(b"", body)):
        level += 1 if bracket in b"{[" else -1
        deepest = max(deepest, level)
    return deepest


def _read_tolerantly(body: bytes) -> tuple[object, tuple[str, ...]]:
    warnings = set()
    text = body.decode("utf-8", "replace")
    if "\ufffd" in text and "\ufffd".encode() not in body:
        warnings.add("invalid_utf8:body")

    def number(digits: str) -> float | int | None:
        value = None
        if len(digits) <= NUMBER_DIGITS_MAX:
            value = float(digits) if set(digits) & set(".eE") else int(digits)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            warnings.add("number_out_of_range:body")
            return None
        return value

    def constant(_: str) -> None:
        warnings.add("number_out_of_range:body")

    try:
        document = json.loads(text, parse_float=number, parse_int=number, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise Refused(Reason.INVALID_JSON, 400, str(error)) from error
    whole = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if b"\xed" in whole:  # the first byte of every encoded surrogate
        repaired = whole.decode("utf-8", "replace")
        if repaired.encode() != whole:
            warnings.add("invalid_unicode:body")
            document = json.loads(repaired)
    return document, tuple(sorted(warnings))
