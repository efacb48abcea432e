"""What a row of the archive says twice, said once.

Parquet compresses each column alone, so it cannot see that `raw` spells the event's id, address and time again, or
that the client's id is the event's id. Before a batch is archived such repetitions are replaced by single control
characters, which valid JSON never holds; a reader of the archive puts them back. `raw` shrinks to a tenth.
"""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

_SAME: Final = "\x01"
"""Stands for the event's id as `client_event_id`."""

_FOLDED: Final = (
    "client_event_id",
    "page_url",
    "page_referrer",
    "page_title",
    "user_agent",
    "page_view_id",
    "visitor_id",
)
"""Columns whose values are looked for in `raw`, longest first: one may be a part of another."""

_NEEDED: Final = {*_FOLDED, "event_id", "client_time", "raw"}

_MARKS: Final = ("\x02", "\x03", "\x04", "\x05", "\x06", "\x07", "\x08", "\x0e", "\x0f")
"""Control characters, one for each text looked for: the columns above, the client's time in two spellings."""

_VERBATIM: Final = "\x10"
"""Begins a `raw` that was not folded because it holds control characters."""

_ISO_MILLISECONDS: Final = len("2026-03-10T12:00:00.123")

_FIRST_PRINTABLE: Final = 0x20
_CONTROL: Final = r"[\x00-\x1f]"
_LENGTH_MIN: Final = 5
"""Shorter values save nothing."""


def fold(rows: pa.Table) -> pa.Table:
    """Rows as the archive keeps them; `unfold` gives them back exactly. Datasets but events stay as they are."""
    if not _NEEDED.issubset(rows.schema.names):
        return rows
    originals = rows["raw"].combine_chunks()
    # Text that already holds marks is no valid JSON, so no collector writes it; it must come back all the same.
    is_marked = _has_controls(originals)
    foldable = pc.if_else(is_marked, pa.scalar(None, pa.string()), originals).to_pylist()
    folded = [raw if raw is None else _fold_text(raw, texts) for raw, texts in zip(foldable, _texts(rows), strict=True)]
    verbatim = pc.binary_join_element_wise(_VERBATIM, originals, "")
    raw = pc.if_else(is_marked, verbatim, pa.array(folded, pa.string()))
    sent, event_id = rows["client_event_id"], rows["event_id"]
    escaped = pc.if_else(pc.starts_with(sent, _SAME), pc.binary_join_element_wise(_SAME, sent, ""), sent)
    return _with(
        rows, raw=raw, client_event_id=pc.if_else(pc.fill_null(pc.equal(sent, event_id), False), _SAME, escaped)
    )


def unfold(rows: pa.Table) -> pa.Table:
    """Rows of an archive object as they were before `fold`."""
    if not _NEEDED.issubset(rows.schema.names):
        return rows
    kept, event_id = rows["client_event_id"], rows["event_id"]
    unescaped = pc.if_else(pc.starts_with(kept, _SAME), pc.utf8_slice_codeunits(kept, 1), kept)
    sent = pc.if_else(pc.fill_null(pc.equal(kept, _SAME), False), event_id, unescaped)
    rows = _with(rows, client_event_id=sent)
    raw = [
        raw if raw is None else _unfold_text(raw, texts)
        for raw, texts in zip(rows["raw"].to_pylist(), _texts(rows), strict=True)
    ]
    return _with(rows, raw=pa.array(raw, pa.string()))


def _texts(rows: pa.Table) -> Iterator[tuple[str | None, ...]]:
    """For each row, what each of `_MARKS` stands for."""
    time = rows["client_time"].cast(pa.timestamp("us"))  # UTC without saying so is spelled ten times as fast
    milliseconds = pc.cast(pc.divide(pc.cast(time, pa.int64()), 1_000), pa.string())
    instant = pc.utf8_slice_codeunits(pc.cast(time, pa.string()), 0, _ISO_MILLISECONDS)
    columns = (*(rows[name] for name in _FOLDED), milliseconds, pc.replace_substring(instant, " ", "T"))
    return zip(*(_replaceable(column.combine_chunks()) for column in columns), strict=True)


def _replaceable(column: pa.Array) -> list[str | None]:
    """The texts of a column; None in place of those that are short or hold a control character."""
    is_unfit = pc.or_(pc.less(pc.binary_length(column), _LENGTH_MIN), _has_controls(column))
    texts: list[str | None] = pc.if_else(is_unfit, pa.scalar(None, pa.string()), column).to_pylist()
    return texts


def _has_controls(column: pa.Array) -> pa.Array:
    """Which texts hold a control character. Usually none does, as the least byte of them all tells at once."""
    text = column.buffers()[-1]
    least = pc.min(pa.Array.from_buffers(pa.uint8(), text.size, [None, text])).as_py() if text else None
    if least is None or least >= _FIRST_PRINTABLE:
        return pa.repeat(False, len(column))
    return pc.match_substring_regex(column, _CONTROL)


def _fold_text(raw: str, texts: tuple[str | None, ...]) -> str:
    for mark, text in zip(_MARKS, texts, strict=True):
        if text is not None:
            raw = raw.replace(text, mark)
    return raw


def _unfold_text(raw: str, texts: tuple[str | None, ...]) -> str:
    if raw.startswith(_VERBATIM):
        return raw[1:]
    for mark, text in zip(_MARKS_REVERSED, reversed(texts), strict=True):
        if text is not None:
            raw = raw.replace(mark, text)
    return raw


_MARKS_REVERSED: Final = _MARKS[::-1]


def _with(rows: pa.Table, **columns: pa.Array) -> pa.Table:
    for name, values in columns.items():
        index = rows.schema.get_field_index(name)
        rows = rows.set_column(index, rows.schema.field(index), values)
    return rows
