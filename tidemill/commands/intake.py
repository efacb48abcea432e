"""`tidemill replay` and `import-log`: events from files, through the collector's own code."""

import logging
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidemill.commands.options import AsJson, parse_day
from tidemill.console import emit_json, print_table, say
from tidemill.errors import CommandFailed

if TYPE_CHECKING:
    from collector.access_log import ImportReport
    from collector.replay import ReplayReport

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The file; - is not taken.")]


def replay(  # noqa: PLR0913  (each is an option)
    file: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, readable=True, help="The file; - is not taken.")
    ] = None,
    *,
    from_archive: Annotated[
        bool, typer.Option("--from-archive", help="Map the archived events of a protocol anew, in their place.")
    ] = False,
    protocol: Annotated[str | None, typer.Option("--protocol", help="With --from-archive: of this dialect.")] = None,
    first: Annotated[
        date | None, typer.Option("--from", parser=parse_day, metavar="D", help="With --from-archive: first UTC day.")
    ] = None,
    last: Annotated[
        date | None, typer.Option("--to", parser=parse_day, metavar="D", help="With --from-archive: last UTC day.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send recorded requests, one JSON object a line, as if each arrived at the time and address it names.

    With --from-archive instead of a file: what was accepted already is mapped anew from what its client sent.
    """
    if from_archive:
        if file is not None or protocol is None or first is None or last is None:
            raise CommandFailed("--from-archive takes --protocol, --from and --to, and no file")
        if last < first:
            raise CommandFailed("--to is before --from")
        _replay_from_archive(protocol, first, last, as_json=as_json)
        return
    if file is None or protocol is not None or first is not None or last is not None:
        raise CommandFailed("name a file of recorded requests, or --from-archive with --protocol, --from and --to")
    from collector.log import configure_logs
    from collector.replay import replay_file
    from collector.settings import CollectorSettings
    from tidemill.settings import read_settings

    configure_logs(level=logging.WARNING)
    _report(f"replay of {file}", replay_file(file, read_settings(CollectorSettings)), as_json=as_json)


def _replay_from_archive(protocol: str, first: date, last: date, *, as_json: bool) -> None:
    """Map anew and say what came of it; exit with 1 when an object could not be."""
    from tidemill.remap import replay_from_archive

    report = replay_from_archive(protocol, first, last)
    facts = asdict(report) | {"days_not_in_raw": sorted(report.days_not_in_raw)}
    if as_json:
        emit_json(facts)
    else:
        rows = [(name.replace("_", " "), _flat(value)) for name, value in facts.items()]
        print_table(f"replay of {protocol} from the archive", ("what", "value"), rows)
        if report.changed:
            say("the next `tidemill transform` brings it into the marts")
        if report.days_not_in_raw:
            say("the raw rows of some days are purged: their archive has the new mapping, their marts keep the old")
    if report.kept:
        raise CommandFailed(f"{len(report.kept)} archive objects stay what they were: {report.kept[0]}")


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
