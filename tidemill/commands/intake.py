"""`tidemill replay` and `import-log`: events from files, through the collector's own code."""

import logging
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidemill.commands.options import AsJson
from tidemill.console import emit_json, print_table
from tidemill.errors import CommandFailed

if TYPE_CHECKING:
    from collector.access_log import ImportReport
    from collector.replay import ReplayReport

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The file; - is not taken.")]


def replay(file: File, *, as_json: AsJson = False) -> None:
    """Send recorded requests, one JSON object a line, as if each arrived at the time and address it names."""
    from collector.log import configure_logs
    from collector.replay import replay_file
    from collector.settings import CollectorSettings
    from tidemill.settings import read_settings

    configure_logs(level=logging.WARNING)
    _report(f"replay of {file}", replay_file(file, read_settings(CollectorSettings)), as_json=as_json)


def import_log(
    file: File,
    *,
    site: Annotated[str, typer.Option("--site", help="Site that the log belongs to.")],
    as_json: AsJson = False,
) -> None:
    """Read an Apache or nginx log in combined format, plain or gzip, as page views."""
    from collector.access_log import import_file
    from collector.log import configure_logs
    from collector.settings import CollectorSettings
    from tidemill.settings import read_settings

    configure_logs(level=logging.WARNING)
    _report(f"import of {file}", import_file(file, site, read_settings(CollectorSettings)), as_json=as_json)


def _report(what: str, report: "ReplayReport | ImportReport", *, as_json: bool) -> None:
    """Say what became of the file; exit with 1 when a part of it is not in the landing zone."""
    facts = asdict(report)
    if as_json:
        emit_json(facts)
    else:
        print_table(what, ("what", "value"), [(name.replace("_", " "), _flat(value)) for name, value in facts.items()])
    if facts.get("invalid_lines"):
        raise CommandFailed(f"{len(facts['invalid_lines'])} lines are no recorded requests")
    if not report.is_shipped:
        raise CommandFailed("a part is still in the spool, because the store did not take it; a collector will ship it")


def _flat(value: object) -> object:
    """Lists and maps as text; the rest as it is."""
    if isinstance(value, dict):
        return ", ".join(f"{count} x {name}" for name, count in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else value
