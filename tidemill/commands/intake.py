"""`tidemill replay` and `import-log`: events from files, through the collector's own code."""

from pathlib import Path
from typing import Annotated

import typer

from tidemill.commands.options import AsJson

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The file; - is not taken.")]


def replay(file: File, *, as_json: AsJson = False) -> None:
    """Send recorded requests, one JSON object a line, as if each arrived at the time and address it names."""
    from collector.replay import replay_file

    from collector.settings import CollectorSettings
    from tidemill.settings import read_settings

    _report(f"replay of {file}", replay_file(file, read_settings(CollectorSettings)), as_json=as_json)


def import_log(
    file: File,
    *,
    site: Annotated[str, typer.Option("--site", help="Site that the log belongs to.")],
    as_json: AsJson = False,
) -> None:
    """Read an Apache or nginx log in combined format, plain or gzip, as page views."""
    from collector.access_log import import_file

    from collector.settings import CollectorSettings
    from tidemill.settings import read_settings

    _report(f"import of {file}", import_file(file, site, read_settings(CollectorSettings)), as_json=as_json)
