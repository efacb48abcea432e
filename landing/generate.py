"""The files that are derived from the contract. Committed, and stale as soon as the contract says otherwise."""

from pathlib import Path

from landing.contract import DATASETS
from landing.rendering.arrow import arrow_schemas
from landing.rendering.dbt import dbt_sources
from landing.rendering.docs import contract_page
from landing.rendering.json_schema import event_json_schema
from landing.rendering.postgres import raw_ddl
from landing.rendering.typescript import tracker_types


def generated_files() -> dict[str, str]:
    """Content of every generated file, by its path below the checkout."""
    return {
        "orchestration/sql/raw.sql": raw_ddl(DATASETS),
        "dbt_project/models/staging/_sources.yml": dbt_sources(DATASETS),
        "landing/generated/events.schema.json": event_json_schema(),
        "landing/generated/arrow_schema.txt": arrow_schemas(DATASETS),
        "tracker/src/contract.ts": tracker_types(),
        "docs/event-contract.md": contract_page(DATASETS),
    }


def stale_files(root: Path) -> list[str]:
    """Paths below `root` whose content is missing or is not what the contract gives, in order."""
    return sorted(path for path, content in generated_files().items() if _content(root / path) != content)


def write_files(root: Path) -> list[str]:
    """Bring every stale file below `root` up to date; returns their paths."""
    stale = stale_files(root)
    files = generated_files()
    for path in stale:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(files[path], encoding="utf-8")
    return stale


def _content(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return None
