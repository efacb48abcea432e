"""Whether a transform's cost follows what is new, not how much history there is."""

from datetime import UTC, datetime, timedelta
from statistics import median

from benchmarks.mill import Mill, open_mill
from benchmarks.report import Result, at_most
from benchmarks.segments import SEED, event_lines

NEW_EVENTS = 100_000
EVENTS_A_DAY = 5_000
SHORT_DAYS, LONG_DAYS = 30, 180
REPETITIONS = 3


def measure() -> list[Result]:
    """Two mills that differ in the length of their history alone; the same new events go to each."""
    with open_mill() as short, open_mill() as long:
        _give_history(short, SHORT_DAYS)
        _give_history(long, LONG_DAYS)
        ratios, seconds = [], []
        for repetition in range(REPETITIONS):
            times = [_transform_new(mill, SEED + 1_000 + repetition) for mill in (short, long)]
            ratios.append(times[1] / times[0])
            seconds.append(times)
    return [
        at_most(
            f"transform after 100 k new events: {LONG_DAYS} days of history : {SHORT_DAYS} days",
            median(ratios),
            1.2,
            " ".join(f"{long_s:.1f}:{short_s:.1f} s" for short_s, long_s in seconds)
            + f", {EVENTS_A_DAY} events a day; limited by dbt's own work per model and by replacing touched visitors",
        )
    ]


def _give_history(mill: Mill, days: int) -> None:
    """Events of each of the last `days` days, received on the day on which they happened."""
    today = datetime.now(UTC).replace(hour=23, minute=0, second=0, microsecond=0) - timedelta(days=1)
    for age in range(days):
        received_at = today - timedelta(days=age)
        lines = event_lines(EVENTS_A_DAY, received_at=received_at, scratch=mill.home, days=1, seed=SEED + age)
        mill.fill_spool(lines, received_at=received_at, writer_id=f"day{age}")
    mill.land()
    mill.load()
    mill.transform()


def _transform_new(mill: Mill, seed: int) -> float:
    received_at = datetime.now(UTC) - timedelta(minutes=1)
    lines = event_lines(NEW_EVENTS, received_at=received_at, scratch=mill.home, days=2, seed=seed)
    mill.fill_spool(lines, received_at=received_at, writer_id=f"new{seed}")
    mill.land()
    mill.load()
    return mill.transform()
