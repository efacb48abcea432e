"""What was refused: found, shown, and marked once it was sent again with success.

Most was refused at receipt and is in `raw.rejects`. An event whose id another one had first was accepted, and is
refused by the models: it is among the repeated deliveries that they list.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.rows import class_row

from orchestration.database import Connection, statement

ID_CONFLICT: Final = "id_conflict"
"""Reason of an event under an id that another one had first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectFilter:
    """Which rejects are meant; None leaves a thing open.

    Attributes:
        reject_ids: Only these.
        site_id: Of this site; empty for what belongs to none.
        protocol: In this dialect.
        reason: For this reason.
        since: Received at or after.
        includes_replayed: Also those that were sent again with success.
    """

    reject_ids: Sequence[UUID] | None = None
    site_id: str | None = None
    protocol: str | None = None
    reason: str | None = None
    since: datetime | None = None
    includes_replayed: bool = False


@dataclass(frozen=True, slots=True)
class KeptReject:
    """One reject.

    Attributes:
        reject_id: Names it.
        received_at: When it arrived.
        protocol: Dialect.
        site_id: None when unknown.
        tracking_key: The id by which the client named the site.
        reason: Reason code.
        detail: What exactly was wrong.
        method: HTTP method; None, as everything below, when a visitor's wish left nothing to keep. An id conflict has
            no request, but the original event as its body where the site keeps it.
        path: Path of the request.
        query: Its query.
        headers: The headers that were kept, by lower-case name.
        body: What was kept of the refused part, base64.
        body_bytes: Full size of that part.
        ip: Truncated address.
        replayed_at: When it was sent again with success.
    """

    reject_id: UUID
    received_at: datetime
    protocol: str
    site_id: str | None
    tracking_key: str | None
    reason: str
    detail: str | None
    method: str | None
    path: str | None
    query: str | None
    headers: dict[str, str] | None
    body: str | None
    body_bytes: int | None
    ip: str | None
    replayed_at: datetime | None

    def content(self) -> bytes:
        """The body, as far as it was kept."""
        return base64.b64decode(self.body or "")

    def obstacle(self) -> str | None:
        """Why it cannot be sent again; None when it can."""
        if self.reason == ID_CONFLICT:
            return "it was accepted, under the id of another event: only its client can send it under an id of its own"
        if self.method is None or self.path is None:
            return "nothing of the request was kept, by the visitor's wish"
        if len(self.content()) != (self.body_bytes or 0):
            return f"only the first {len(self.content())} of {self.body_bytes} bytes were kept"
        return None


def find_rejects(connection: Connection, wanted: RejectFilter, *, limit: int) -> list[KeptReject]:
    """The newest rejects that fit, newest first; id conflicts as of the last transform."""
    parameters: dict[str, Any] = {
        "reject_ids": None if wanted.reject_ids is None else list(wanted.reject_ids),
        "site_id": wanted.site_id,
        "protocol": wanted.protocol,
        "reason": wanted.reason,
        "since": wanted.since,
        "includes_replayed": wanted.includes_replayed,
        "row_limit": limit,
    }
    with connection.cursor(row_factory=class_row(KeptReject)) as cursor:
        found = cursor.execute(statement("find_rejects"), parameters).fetchall()
        if _are_conflicts_known(connection):
            found += cursor.execute(statement("find_id_conflicts"), parameters).fetchall()
    return sorted(found, key=lambda each: each.received_at, reverse=True)[:limit]


def _are_conflicts_known(connection: Connection) -> bool:
    """Whether a transform has made the models that tell them."""
    row = connection.execute(
        "select to_regclass('intermediate.int_repeats') is not null"
        " and to_regclass('intermediate.int_events') is not null"
    ).fetchone()
    return bool(row and row[0])


def mark_replayed(connection: Connection, reject_ids: Sequence[UUID], *, at: datetime) -> None:
    """Remember that what these rejects hold was accepted."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.replayed_rejects (reject_id, replayed_at) values (%s, %s) on conflict do nothing",
            [(reject_id, at) for reject_id in reject_ids],
        )
