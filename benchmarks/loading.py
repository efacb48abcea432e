"""The load beside a plain COPY of the same rows, the whole way of a million events, and the size of the archive."""

import gc
import time
from datetime import UTC, datetime, timedelta
from statistics import median

import adbc_driver_postgresql.dbapi

from benchmarks.mill import Mill, open_mill
from benchmarks.report import Result, at_least, at_most
from benchmarks.segments import event_lines, others
from landing.codec import decode_batch
from landing.contract import EVENTS
from landing.keys import ARCHIVE_PREFIX
from landing.schema import loaded_schema
from orchestration.database import connect
from orchestration.raw_copy import for_postgres

DISTINCT_EVENTS = 100_000
COPIES = 10
"""A million events: so many times the distinct ones, each time with other visitors and other ids."""

COPY_REPETITIONS = 3


def measure() -> list[Result]:
    """Land, load and transform a million events once; copy the same rows plainly three times."""
    received_at = datetime.now(UTC) - timedelta(minutes=1)
    with open_mill() as mill:
        lines = event_lines(DISTINCT_EVENTS, received_at=received_at, scratch=mill.home)
        for copy in range(COPIES):
            mill.fill_spool(list(others(lines, copy)), received_at=received_at, writer_id=f"writer{copy}")
        del lines
        gc.collect()

        started_s = time.monotonic()
        mill.land()
        landed_s = time.monotonic()
        report = mill.load()
        loaded_s = time.monotonic()
        transform_s = mill.transform()
        total_s = time.monotonic() - started_s

        rows = sum(report.loaded_rows.values())
        copy_rate = median(_plain_copy_rate(mill) for _ in range(COPY_REPETITIONS))
    load_rate = rows / (loaded_s - landed_s)
    return [
        at_least(
            "load of 1 M events : plain binary COPY of the same rows, rows/s",
            load_rate / copy_rate,
            0.5,
            f"{load_rate:.0f} : {copy_rate:.0f} rows/s; "
            "limited by both cores: Postgres takes a third, folding and encoding the archive another",
        ),
        at_most(
            "land + load + transform of 1 M events, s",
            total_s,
            60,
            f"land {landed_s - started_s:.1f}, load {loaded_s - landed_s:.1f}, transform {transform_s:.1f}",
        ),
        at_most(
            "archive bytes per event",
            report.archive_bytes / rows,
            60,
            "limited by what does not repeat: event id, page view id, time, visitor",
        ),
    ]


def _plain_copy_rate(mill: Mill) -> float:
    """Rows a second of COPY alone, into a table without index or partitions, from rows ready in memory."""
    tables = [
        for_postgres(decode_batch(mill.store.get(info.key), loaded_schema(EVENTS))[0], EVENTS)
        for info in mill.store.list(f"{ARCHIVE_PREFIX}{EVENTS.name}/")
    ]
    with connect(mill.database_url) as connection:
        connection.execute("drop table if exists plain_copy")
        connection.execute("create table plain_copy as select * from raw.events with no data")
        connection.commit()
    with adbc_driver_postgresql.dbapi.connect(mill.database_url) as session, session.cursor() as cursor:
        started_s = time.monotonic()
        for table in tables:
            cursor.adbc_ingest("plain_copy", table, mode="append")
        session.commit()
        return sum(table.num_rows for table in tables) / (time.monotonic() - started_s)
