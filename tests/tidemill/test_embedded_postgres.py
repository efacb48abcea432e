"""The embedded Postgres starts by itself, is shared, and outlives whoever started it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tidemill.embedded import data_folder, embedded_postgres, is_running
from tidemill.errors import CommandFailed

HOLD = """
import sys
from pathlib import Path
from tidemill.embedded import embedded_postgres
with embedded_postgres(Path(sys.argv[1])) as urls:
    print(urls["tidemill"], flush=True)
    sys.stdin.read()
"""


def hold(home: Path) -> subprocess.Popen[str]:
    """Another process that uses the server until its stdin ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://")
    return process


def let_go(process: subprocess.Popen[str]) -> None:
    process.communicate("", timeout=60)


def test_it_has_both_databases_safe_durability_and_no_port(home: Path) -> None:
    with embedded_postgres(home) as urls:
        with psycopg.connect(urls["tidemill"]) as connection:
            settings = dict(connection.execute("select name, setting from pg_settings").fetchall())
        with psycopg.connect(urls["dagster"]) as connection:
            assert connection.execute("select current_database()").fetchone() == ("dagster",)

    assert (settings["fsync"], settings["synchronous_commit"], settings["listen_addresses"]) == ("on", "on", "")
    assert settings["TimeZone"] == "UTC"
    assert not is_running(home)


def test_what_was_written_is_there_at_the_next_start(home: Path) -> None:
    with embedded_postgres(home) as urls, psycopg.connect(urls["tidemill"]) as connection:
        connection.execute("create table kept as select 7 as seven")

    with embedded_postgres(home) as urls, psycopg.connect(urls["tidemill"]) as connection:
        assert connection.execute("select seven from kept").fetchone() == (7,)


def test_the_last_user_stops_it_and_not_an_earlier_one(home: Path) -> None:
    other = hold(home)
    try:
        with embedded_postgres(home):
            pass
        assert is_running(home)
    finally:
        let_go(other)

    assert not is_running(home)


def test_it_survives_the_kill_of_its_starter_and_stops_with_the_next_user(home: Path) -> None:
    starter = hold(home)
    os.kill(starter.pid, signal.SIGKILL)
    starter.communicate()

    assert is_running(home)
    with embedded_postgres(home) as urls, psycopg.connect(urls["tidemill"]) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert not is_running(home)


def test_a_path_too_long_for_a_socket_names_the_variable_and_the_remedy() -> None:
    with pytest.raises(CommandFailed, match=r"TIDEMILL_HOME.*shorter folder or set TIDEMILL_DATABASE_URL"):
        data_folder(Path("/" + "a" * 100))


def test_a_server_that_does_not_start_says_why(home: Path) -> None:
    with embedded_postgres(home):
        pass
    (home / "postgres" / "PG_VERSION").write_text("9.6\n")

    with pytest.raises(CommandFailed, match=r"does not start: .*FATAL.*incompatible"), embedded_postgres(home):
        pass
