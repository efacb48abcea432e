"""The dbt project on disk: its manifest, its connection, the folders that its runs leave behind."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

PROJECT = Path(__file__).resolve().parents[1] / "dbt_project"
MANIFEST = PROJECT / "target" / "manifest.json"

RUN_FOLDER_AGE_MAX_S = 3 * 24 * 3600
"""Logs and compiled SQL of a run are kept for three days: long enough to look into a failure."""

_VARIABLES = {
    "host": "DBT_HOST",
    "port": "DBT_PORT",
    "user": "DBT_USER",
    "password": "DBT_PASSWORD",
    "dbname": "DBT_DATABASE",
    "sslmode": "DBT_SSLMODE",
}
"""What `dbt_project/profiles.yml` reads, by the name that a Postgres URL gives it."""

_PARSE = "partial_parse.msgpack"
"""What dbt parsed, under the name by which dbt and dagster-dbt look for it."""

_NOT_SOURCE = {"target", "logs", "dbt_packages", ".user.yml"}


def dbt_program() -> str:
    """The dbt installed beside this interpreter, whatever is on the path."""
    return str(Path(sys.executable).parent / "dbt")


def dbt_environment(database_url: str) -> dict[str, str]:
    """The variables through which dbt reaches the warehouse at `database_url`."""
    parts = conninfo_to_dict(database_url)
    return {variable: str(parts[name]) for name, variable in _VARIABLES.items() if parts.get(name)}


def prepared_manifest(project: Path = PROJECT) -> Path:
    """The manifest of the project, after parsing it if it is missing or older than any file of the project.

    Several processes may ask at once: one parses, the others wait for it.

    Raises:
        RuntimeError: dbt cannot parse the project; the message holds what it says.
    """
    manifest = project / "target" / "manifest.json"
    if is_stale(project):
        manifest.parent.mkdir(exist_ok=True)
        with (project / "target" / ".parsing").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if is_stale(project):
                _parse(project, manifest)
    return manifest


def is_stale(project: Path = PROJECT) -> bool:
    """Whether the manifest is missing or older than a file that it was made from."""
    try:
        made_at = (project / "target" / "manifest.json").stat().st_mtime_ns
    except FileNotFoundError:
        return True
    return any(path.stat().st_mtime_ns > made_at for path in _sources(project))


def keep_parse(project: Path, run_folder: Path) -> None:
    """Let the next run begin with what this one parsed.

    dbt parses everything anew when the connection is another than that of the saved parse, and the manifest is made
    before the warehouse is known. dbt itself finds out which files changed since.

    Args:
        project: The dbt project.
        run_folder: Where the run wrote, within the project.
    """
    with suppress(FileNotFoundError):  # dbt did not get so far
        (run_folder / _PARSE).replace(project / "target" / _PARSE)


def sweep_run_folders(project: Path, *, now_s: float, age_max_s: float = RUN_FOLDER_AGE_MAX_S) -> int:
    """Delete the folders of runs that ended long ago; returns how many.

    Args:
        project: The dbt project.
        now_s: The present in epoch seconds.
        age_max_s: Age of the last change above which a folder goes.
    """
    old = [
        folder
        for folder in (project / "target").glob("dbt_models-*")
        if folder.is_dir() and now_s - folder.stat().st_mtime > age_max_s
    ]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return len(old)


def _sources(project: Path) -> Iterator[Path]:
    """Every file and folder of the project that parsing depends on; a folder changes when a file is deleted."""
    for entry in project.iterdir():
        if entry.name not in _NOT_SOURCE:
            yield entry
            if entry.is_dir():
                yield from entry.rglob("*")


def _parse(project: Path, manifest: Path) -> None:
    """Have dbt write the manifest, and date it no earlier than the sources it read."""
    started_ns = max((path.stat().st_mtime_ns for path in _sources(project)), default=0)
    done = subprocess.run(  # noqa: S603  (our own program)
        # Parsing only what changed, dbt 1.11 forgets what the YAML says of an edited test, such as whose check it is.
        [dbt_program(), "parse", "--no-partial-parse", "--project-dir", str(project), "--profiles-dir", str(project)],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"DBT_TARGET_PATH": str(manifest.parent), "DBT_LOG_PATH": str(manifest.parent)},
    )
    if done.returncode:
        raise RuntimeError(f"dbt cannot parse {project}:\n{done.stdout}{done.stderr}")
    os.utime(manifest, ns=(started_ns, started_ns))
