"""What the parts find in the environment when `tidemill` runs them: the warehouse, Dagster's home and storage.

Production sets TIDEMILL_DATABASE_URL and nothing here starts. Without it the embedded Postgres is started
for as long as the command, or the children it supervises, need it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from landing.settings import LandingSettings
from tidemill import embedded
from tidemill.checkout import DAGSTER_YAML
from tidemill.errors import CommandFailed
from tidemill.settings import read_settings

WAREHOUSE_VARIABLE = "TIDEMILL_DATABASE_URL"
STORAGE_VARIABLE = "DAGSTER_PG_URL"
DAGSTER_HOME_VARIABLE = "DAGSTER_HOME"

_SQLALCHEMY_SCHEME = "postgresql+psycopg2"
"""SQLAlchemy 2.1 takes another driver for a bare `postgresql`, one that dagster-postgres does not use."""


@contextmanager
def prepared_environment() -> Iterator[dict[str, str]]:
    """The environment of Dagster, dbt and the orchestration; also put into `os.environ` of this process.

    Raises:
        CommandFailed: a setting is wrong, or a database cannot be reached.
    """
    settings = read_settings(LandingSettings)
    before = dict(os.environ)
    try:
        url = os.environ.get(WAREHOUSE_VARIABLE)
        if url:
            os.environ.update(_served(url) | _folders(settings))
            yield dict(os.environ)
        else:
            with embedded.embedded_postgres(settings.home) as urls:
                os.environ[WAREHOUSE_VARIABLE] = urls["tidemill"]
                os.environ[STORAGE_VARIABLE] = storage_url(urls["dagster"])
                os.environ.update(_folders(settings))
                yield dict(os.environ)
    finally:
        os.environ.clear()
        os.environ.update(before)


def storage_url(url: str) -> str:
    """A database URL in the spelling that Dagster's storage needs."""
    return urlunsplit(urlsplit(url)._replace(scheme=_SQLALCHEMY_SCHEME))


def _folders(settings: LandingSettings) -> dict[str, str]:
    """Absolute folders, and a Dagster home that holds our `dagster.yaml` unless the caller has one of their own."""
    folders = {"TIDEMILL_HOME": str(settings.home), "TIDEMILL_SITES": str(settings.sites)}
    if not os.environ.get(DAGSTER_HOME_VARIABLE):
        home = settings.home / "dagster"
        home.mkdir(parents=True, exist_ok=True)
        _copy_when_different(DAGSTER_YAML, home / "dagster.yaml")
        folders[DAGSTER_HOME_VARIABLE] = str(home)
    return folders


def _copy_when_different(source: Path, target: Path) -> None:
    """Replace `target` in one step: other processes may be reading it."""
    if not target.exists() or target.read_bytes() != source.read_bytes():
        temporary = target.with_suffix(f".{os.getpid()}")
        shutil.copyfile(source, temporary)
        temporary.replace(target)


def _served(url: str) -> dict[str, str]:
    """Dagster's storage beside a warehouse of the user's own: database `dagster` on the same server unless set."""
    if os.environ.get(STORAGE_VARIABLE):
        return {}
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise CommandFailed(f"{WAREHOUSE_VARIABLE}: must begin with postgresql://")
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            found = connection.execute("select from pg_database where datname = 'dagster'").fetchone()
            if found is None:
                connection.execute(sql.SQL("create database dagster"))
    except psycopg.errors.InsufficientPrivilege:
        raise CommandFailed(
            f"{STORAGE_VARIABLE}: the server has no database `dagster` and {WAREHOUSE_VARIABLE} may not create it; "
            f"create it or set {STORAGE_VARIABLE}"
        ) from None
    except psycopg.OperationalError as error:
        raise CommandFailed(f"{WAREHOUSE_VARIABLE}: {str(error).strip().splitlines()[-1]}") from None
    return {STORAGE_VARIABLE: storage_url(urlunsplit(parts._replace(path="/dagster")))}
