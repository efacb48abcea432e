"""One request of attolytics' protocol: checked in the original's order, all or nothing."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from collector.columns import FITTERS, json_text
from collector.decode import depth
from collector.identity import derived_id, event_id
from collector.plans import SiteDirectory
from collector.protocols.attolytics.origins import Headers, OriginInvalid, OriginRefused
from collector.protocols.attolytics.plans import AppPlan, TablePlan, plan_apps
from collector.protocols.attolytics.refusals import AppRefused, Cause, document_without_key, without_key
from collector.protocols.attolytics.values import InvalidValue, Value
from collector.reading import Reading, Record
from collector.refusal import Reason
from collector.request import Request
from landing.contract import APP_ROWS
from landing.credentials import digest_of, is_one_of

PROTOCOL: Final = "attolytics"

_BODY_BYTES_MAX: Final = 32_768
"""Of an app that does not exist."""

_DEPTH_MAX: Final = 125
_JSON_SPACE: Final = b" \t\r\n"
_TABLE: Final = "_t"
_ID: Final = "_id"
_NOBODY: Final = (digest_of("no app has this key"),)
_KEYS: Final = re.compile(rb'"(secret_key|events)"')


class _Check:
    """One request on its way through the checks.

    Args:
        request: The request.
        directory: The sites file.
    """

    def __init__(self, request: Request, directory: SiteDirectory) -> None:
        self.request = request
        self.directory = directory
        self.app_id = request.captured["app"][:256]
        self.app = directory.prepared(plan_apps).get(self.app_id)
        self.kept = b""
        self.headers: Headers = ()

    def refusal(self, reason: Any, status: int, detail: str = "", *, strict_status: int = 0) -> AppRefused:  # noqa: ANN401
        """The refusal, with what is kept of the request so far."""
        is_strict = strict_status and self.app is not None and self.app.is_strict
        status = strict_status if is_strict else status
        return AppRefused(reason, status, detail, app_id=self.app_id, body=self.kept, headers=self.headers)

    def document(self) -> tuple[str, list[Any]]:
        """Key and events of the body (checks 1 to 4)."""
        request = self.request
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        self.kept = without_key(request.body)
        if content_type != "application/json":
            raise self.refusal(Cause.WRONG_CONTENT_TYPE, 404, "only application/json is taken", strict_status=415)
        limit = _BODY_BYTES_MAX if self.app is None else self.app.body_bytes_max
        body = request.body
        if len(body) > limit:
            if body[limit:].strip(_JSON_SPACE):
                raise self.refusal(Reason.BODY_TOO_LARGE, 400, f"more than {limit} bytes", strict_status=413)
            body = body[:limit]
        document = self._parse(body)
        self.kept = document_without_key(document)
        if isinstance(document, list) and len(document) == 2:  # noqa: PLR2004  (key and events: an accident, relied on)
            key, events = document
        elif isinstance(document, dict) and not _is_said_twice(body):
            key, events = document.get("secret_key"), document.get("events")
        else:
            raise self.refusal(Reason.INVALID_BODY, 422, "the body is no object of secret_key and events, each once")
        if self.request.is_replayed:
            key = ""
        if not isinstance(key, str) or not isinstance(events, list):
            raise self.refusal(Reason.INVALID_BODY, 422, "secret_key is a text and events a list")
        return key, events

    def _parse(self, body: bytes) -> Any:  # noqa: ANN401  (any JSON value)
        if body.count(b"{") + body.count(b"[") > _DEPTH_MAX and depth(body) > _DEPTH_MAX:
            raise self.refusal(Reason.TOO_DEEP, 400, f"more than {_DEPTH_MAX} levels of arrays and objects")
        try:
            return msgspec.json.decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise self.refusal(Reason.INVALID_JSON, 400, str(error)) from None

    def authorised(self, key: str) -> AppPlan:
        """The app (checks 5 to 7). An unknown one costs as much time as a wrong key."""
        app = self.app
        opens = is_one_of(key, _NOBODY if app is None else app.digests)
        if app is None:
            raise self.refusal(Cause.UNKNOWN_APP, 404, "there is no such app")
        if not self.request.is_replayed:
            try:
                self.headers = app.origins.headers(self.request)
            except OriginInvalid:
                raise self.refusal(Cause.INVALID_ORIGIN, 400, "the origin is no URL") from None
            except OriginRefused:
                raise self.refusal(Cause.ORIGIN_NOT_ALLOWED, 403, "this origin may not post") from None
            if not opens and not self.directory.is_known(key, app.secrets):
                raise self.refusal(Reason.WRONG_SECRET, 403, "the key is not the app's")
        return app

    def rows(self, app: AppPlan, events: list[Any]) -> Iterator[Record]:
        """A row of each event (checks 8 to 10); those of kind 8 come before any of kind 10."""
        if len(events) > app.events_max:
            raise self.refusal(Reason.TOO_MANY_EVENTS, 400, f"more than {app.events_max} events", strict_status=413)
        tables = [self._table(app, index, event) for index, event in enumerate(events)]
        headers = {table.name: self._header_values(table) for table in tables if table.header_columns}
        for index, (event, table) in enumerate(zip(events, tables, strict=True)):
            yield self._row(app, index, event, table, headers.get(table.name, {}))

    def _table(self, app: AppPlan, index: int, event: object) -> TablePlan:
        name = event.get(_TABLE) if isinstance(event, dict) else None
        if not isinstance(name, str):
            raise self.refusal(Reason.INVALID_EVENT, 400, f"event {index} is no object with a text _t")
        table = app.tables.get(name)
        if table is None:
            raise self.refusal(Cause.UNKNOWN_TABLE, 404, f"event {index}: table {name[:64]!r} is not the app's")
        return table

    def _header_values(self, table: TablePlan) -> dict[str, Value]:
        found = {name: self.request.headers.get(header) for name, header, _ in table.header_columns}
        for name, header, is_required in table.header_columns:
            if is_required and found[name] is None:
                raise self.refusal(Cause.MISSING_VALUE, 400, f"{table.name}.{name}: there is no header {header}")
        return {name: value for name, value in found.items() if value is not None}

    def _row(
        self, app: AppPlan, index: int, event: dict[str, Any], table: TablePlan, headers: dict[str, Value]
    ) -> Record:
        fields: dict[str, Value] = dict(headers)
        misfits = []
        for name, fit, is_required in table.columns:
            sent = event.get(name)
            value = None
            if sent is not None:
                try:
                    value = fit(sent)
                except InvalidValue as error:
                    where = f"event {index}: {table.name}.{name}"
                    raise self.refusal(Cause.INVALID_VALUE, 400, f"{where}: {error}") from None
            if value is not None:
                fields[name] = value
                continue
            if sent is not None:
                misfits.append(name)
                if app.refuses_type_errors:
                    raise self.refusal(Cause.WRONG_TYPE, 400, f"event {index}: {table.name}.{name}")
            if is_required:
                raise self.refusal(Cause.MISSING_VALUE, 400, f"event {index}: {table.name}.{name} is required")
        others = {key: value for key, value in event.items() if key not in table.names and key not in {_TABLE, _ID}}
        others |= {name: event[name] for name in misfits}
        return Record(
            index,
            APP_ROWS.name,
            {
                "row_id": self._row_id(app, table, index, event.get(_ID)),
                "app": app.app_id,
                "table_name": table.name,
                "fields": json_text(fields),
                "other_fields": FITTERS["props"](others, []) if others else None,
            },
        )

    def _row_id(self, app: AppPlan, table: TablePlan, index: int, client_id: object) -> str:
        if isinstance(client_id, str) or type(client_id) is int:
            return derived_id(PROTOCOL, app.app_id, table.name, str(client_id))
        if self.request.replay_of is not None:  # sending a reject twice must give one row
            return derived_id("replay", self.request.replay_of, str(index))
        return event_id("", "", None)


def _is_said_twice(body: bytes) -> bool:
    """Whether the document's own `secret_key` or `events` stands there twice; the original refuses that."""
    if len(_KEYS.findall(body)) <= 2:  # noqa: PLR2004  (once each)
        return False
    twice = False

    def see(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        # Inner objects are seen before the outermost one, whose answer stays.
        nonlocal twice
        names = [name for name, _ in pairs if name in {"secret_key", "events"}]
        twice = len(names) != len(set(names))
        return dict(pairs)

    json.loads(body, object_pairs_hook=see)
    return twice


def read(request: Request, directory: SiteDirectory) -> Reading:
    """Read `POST /apps/<app>/events`."""
    check = _Check(request, directory)
    key, events = check.document()
    app = check.authorised(key)
    return Reading(
        site=None,
        tracking_key=app.app_id,
        records=list(check.rows(app, events)),
        quota=app.quota,
        reply=check.headers,
    )
