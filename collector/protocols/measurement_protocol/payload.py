"""Requests of the Measurement Protocol taken apart: lines, and each line's parameters."""

import re
from dataclasses import dataclass
from urllib.parse import unquote_plus

from collector.columns import warn
from collector.limits import REJECT_BODY_BYTES_MAX
from collector.redaction import kept_form
from collector.request import Request

_HIGH_OR_NUL = re.compile(rb"%(?:00|[89A-Fa-f][0-9A-Fa-f])")
_TID = re.compile(rb"(?:^|&)tid=([^&]{1,256})")
_ASCII_OF = {form % code: chr(code) for code in range(128) for form in ("%02x", "%02X")}
_UNDECODABLE = "\N{REPLACEMENT CHARACTER}"
_ENCODED_UNDECODABLE = "%ef%bf%bd"
_MAY_BE_EMPTY = "aip"


@dataclass(frozen=True, slots=True)
class Payloads:
    """The payloads of one request.

    Attributes:
        lines: Each as sent, with the query where both carry parameters; none is blank.
        query: What of them came from the query and stands there still; empty where the body is everything.
        is_body: They came from the body, each with a limit of its own.
        body_bytes: Size of the body.
    """

    lines: list[bytes]
    query: bytes
    is_body: bool
    body_bytes: int

    def part(self, line: bytes) -> bytes:
        """What a reject of the line keeps as its body: sent again with the query, it is the line once more."""
        if not self.is_body:
            return b""
        return redacted(line).removesuffix(b"&" + redacted(self.query)) if self.query else redacted(line)


def read_payloads(request: Request) -> Payloads:
    """The payloads: of GET the query; of POST the body's lines, or the query if the body is empty or begins with `{`.

    Where both carry parameters they are merged; of a parameter in both the body's value comes first.
    """
    query = _wire_bytes(request.query)
    if request.method != "POST":
        return Payloads([query] if query else [], query, is_body=False, body_bytes=0)
    body = request.body.strip()
    if not body or body.startswith(b"{"):
        return Payloads([query] if query else [], query, is_body=False, body_bytes=len(request.body))
    lines = [line for line in map(bytes.strip, body.split(b"\n")) if line]
    if query:
        lines = [line + b"&" + query for line in lines]
    return Payloads(lines, query, is_body=True, body_bytes=len(request.body))


def read_parameters(line: bytes) -> tuple[dict[str, str], list[str]]:
    """The parameters of a form, and warnings of what had to be repaired.

    Of a repeated name the first value counts; an empty value is absent, except of `aip`, which needs none.
    """
    text = line.decode("utf-8", "surrogateescape")
    is_dirty = not text.isprintable() or (b"%" in line and _may_be_dirty(line))
    warnings: list[str] = []
    parameters: dict[str, str] = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if "%" in pair or "+" in pair:
            name, value = unquote(name), unquote(value)
        if is_dirty:
            name = _clean(name, name, [])
            value = _clean(value, name, warnings, pair)
        if name not in parameters:
            parameters[name] = value
    if "" in parameters or "" in parameters.values():
        parameters = {name: value for name, value in parameters.items() if name and (value or name == _MAY_BE_EMPTY)}
    return parameters, warnings


def unquote(text: str) -> str:
    """As `unquote_plus` of the standard library, which takes five times as long where only ASCII is encoded."""
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    first, *rest = text.split("%")
    try:
        return first + "".join([_ASCII_OF[part[:2]] + part[2:] for part in rest])
    except KeyError:
        return unquote_plus(text)


def find_tid(line: bytes) -> str | None:
    """The site that a line names, without reading the rest of it."""
    match = _TID.search(line)
    return None if match is None else unquote_plus(match[1].decode("utf-8", "replace"))


def kept_text(line: bytes, parameters: dict[str, str]) -> str:
    """The line as it is kept: valid text, and no full address in it."""
    text = line.decode("utf-8", "replace")
    return kept_form(text) if "uip" in parameters else text


def redacted(line: bytes) -> bytes:
    """A line that was not read, without the full address that it may hold."""
    head, rest = line[:REJECT_BODY_BYTES_MAX], line[REJECT_BODY_BYTES_MAX:]  # of the rest only the size is kept
    if b"uip" not in head and b"%" not in head:
        return line
    return kept_form(head.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape") + rest


def _may_be_dirty(line: bytes) -> bool:
    """It may decode to what is no UTF-8 or to NUL: only whoever sends more than ASCII percent-encoded is looked at."""
    return _HIGH_OR_NUL.search(line) is not None


def _clean(text: str, name: str, warnings: list[str], source: str = "") -> str:
    """Text without NUL and without what is no UTF-8."""
    if not text.isascii():
        repaired = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        is_decoding_fault = _UNDECODABLE in text and not (
            _UNDECODABLE in source or _ENCODED_UNDECODABLE in source.lower()
        )
        if repaired != text or is_decoding_fault:
            warn(warnings, "bad_utf8", name)
        text = repaired
    if "\0" in text:
        warn(warnings, "nul_removed", name)
        text = text.replace("\0", "")
    return text


def _wire_bytes(query: str) -> bytes:
    """The query as it was on the wire: WSGI hands bytes over as Latin-1."""
    try:
        return query.encode("latin-1")
    except UnicodeEncodeError:
        return query.encode("utf-8", "replace")
