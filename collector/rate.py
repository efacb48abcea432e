"""How many events a minute a site may send."""

import math
import threading
import time
from collections.abc import Callable

_MINUTE_S = 60.0


class TooManyEvents(Exception):
    """More events than the site takes; nothing of the request was kept.

    Attributes:
        retry_after_s: When the site takes some again, in whole seconds.
    """

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"more events in a minute than the site takes; again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class MinuteLimits:
    """A token bucket for each site: it holds a minute's events and fills evenly. Safe for many threads.

    A request passes while its site's bucket holds an event and may overdraw it, so that a batch larger than the
    limit is not refused for ever.

    Args:
        processes: How many share a site's limit: each lets through its part.
        clock: Seconds that never go back.
    """

    def __init__(self, processes: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._processes = processes
        self._clock = clock
        self._lock = threading.Lock()
        self._levels: dict[str, tuple[float, float]] = {}

    def check(self, site_id: str, events: int, per_minute: int) -> None:
        """Take `events` from the site's bucket.

        Raises:
            TooManyEvents: the bucket is empty.
        """
        size = max(1.0, per_minute / self._processes)
        now_s = self._clock()
        with self._lock:
            level, at_s = self._levels.get(site_id, (size, now_s))
            level = min(size, level + (now_s - at_s) * size / _MINUTE_S)
            if level < 1:
                self._levels[site_id] = (level, now_s)
                raise TooManyEvents(max(1, math.ceil((1 - level) * _MINUTE_S / size)))
            self._levels[site_id] = (level - events, now_s)
