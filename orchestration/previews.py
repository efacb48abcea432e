"""Small tables in markdown for the metadata of a run."""

from collections.abc import Iterable, Sequence

PREVIEW_ROWS = 10


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A markdown table of at most `PREVIEW_ROWS` rows; a last line tells how many are left out."""
    shown = [list(row) for row in rows]
    lines = ["| " + " | ".join(columns) + " |", "| " + " | ".join("---" for _ in columns) + " |"]
    lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in shown[:PREVIEW_ROWS]]
    if len(shown) > PREVIEW_ROWS:
        lines.append(f"\n… and {len(shown) - PREVIEW_ROWS} more")
    return "\n".join(lines)


def _cell(value: object) -> str:
    """Text that cannot end its cell: what it holds came from strangers."""
    text = "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
