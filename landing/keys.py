"""Object keys of the landing zone: typed values on one side, their one spelling on the other.

    inbox/<dataset>/<YYYY-MM-DD>/<HH>/<segment id>.parquet
    archive/<dataset>/<YYYY-MM-DD>/<batch id>.parquet
    archive/<dataset>/<YYYY-MM-DD>/<first batch id>..<last batch id>.parquet
    salts/<YYYY-MM-DD>

Every row of an object was received within the UTC hour (inbox) or UTC day (archive) of its key.
No caller joins strings to a key.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Self

INBOX_PREFIX = "inbox/"
ARCHIVE_PREFIX = "archive/"
SALTS_PREFIX = "salts/"

_INBOX = re.compile(r"inbox/([a-z0-9_]+)/(\d{4}-\d\d-\d\d)/(\d\d)/([0-9A-Za-z-]{1,100})\.parquet", re.ASCII)
_ARCHIVE = re.compile(
    r"archive/([a-z0-9_]+)/(\d{4}-\d\d-\d\d)/([0-9A-Za-z-]{1,100})(?:\.\.([0-9A-Za-z-]{1,100}))?\.parquet", re.ASCII
)


@dataclass(frozen=True, slots=True, order=True)
class InboxKey:
    """Names the object made from one dataset of one spool segment.

    Attributes:
        dataset: Name of the dataset.
        hour: Start of the UTC hour in which every row was received.
        segment_id: Segment that the object was made from.
    """

    dataset: str
    hour: datetime
    segment_id: str

    def __str__(self) -> str:
        hour = self.hour.astimezone(UTC)
        return f"{INBOX_PREFIX}{self.dataset}/{hour.date().isoformat()}/{hour:%H}/{self.segment_id}.parquet"

    @classmethod
    def parse(cls, key: str) -> Self | None:
        """The typed key, or None when `key` is not the spelling of an inbox object."""
        match = _INBOX.fullmatch(key)
        if match is None:
            return None
        dataset, day, hour, segment_id = match.groups()
        try:
            return cls(dataset, datetime.strptime(f"{day}T{hour}", "%Y-%m-%dT%H").replace(tzinfo=UTC), segment_id)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True, order=True)
class ArchiveKey:
    """Names the object that keeps one loaded batch, or those of a day that were compacted into one.

    Attributes:
        dataset: Name of the dataset.
        day: UTC day on which every row was received.
        batch_id: Batch that the object keeps; the first of them when it was compacted.
        last_batch_id: The last of them when it was compacted, else empty. The object itself names those between.
    """

    dataset: str
    day: date
    batch_id: str
    last_batch_id: str = ""

    @property
    def is_compacted(self) -> bool:
        """Whether the object keeps several batches."""
        return bool(self.last_batch_id)

    def __str__(self) -> str:
        batches = f"{self.batch_id}..{self.last_batch_id}" if self.is_compacted else self.batch_id
        return f"{ARCHIVE_PREFIX}{self.dataset}/{self.day.isoformat()}/{batches}.parquet"

    @classmethod
    def parse(cls, key: str) -> Self | None:
        """The typed key, or None when `key` is not the spelling of an archive object."""
        match = _ARCHIVE.fullmatch(key)
        if match is None:
            return None
        dataset, day, batch_id, last_batch_id = match.groups()
        try:
            return cls(dataset, date.fromisoformat(day), batch_id, last_batch_id or "")
        except ValueError:
            return None


def salt_key(name: str) -> str:
    """Key of the visitor salt called `name`: a local date, or the name of a lasting key."""
    return f"{SALTS_PREFIX}{name}"
