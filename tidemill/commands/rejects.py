"""`tidemill rejects`: what was refused, why, and sending it again once the cause is removed."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from tidemill.commands.options import AsJson, parse_instant
from tidemill.console import emit_json, print_table, say
from tidemill.errors import CommandFailed

if TYPE_CHECKING:
    from collector.intake import Delivery
    from orchestration.rejects import KeptReject, RejectFilter

app = typer.Typer(no_args_is_help=True, help="What was refused.")

_ALL = 1_000_000

Ids = Annotated[list[UUID] | None, typer.Argument(help="Ids of rejects; none means all that fit the options.")]
Site = Annotated[str | None, typer.Option("--site", help="Of this site; '' for what belongs to none.")]
Protocol = Annotated[str | None, typer.Option("--protocol", help="In this dialect.")]
Reason = Annotated[str | None, typer.Option("--reason", help="For this reason.")]
Since = Annotated[
    datetime | None,
    typer.Option("--since", parser=parse_instant, metavar="ISO-TIME", help="Received at or after this time."),
]


@app.command("list")
def list_rejects(  # noqa: PLR0913  (each is an option)
    *,
    site: Site = None,
    protocol: Protocol = None,
    reason: Reason = None,
    since: Since = None,
    replayed: Annotated[bool, typer.Option("--replayed", help="Also those that were sent again.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List what was refused and loaded, newest first."""
    from orchestration.rejects import RejectFilter

    wanted = RejectFilter(site_id=site, protocol=protocol, reason=reason, since=since, includes_replayed=replayed)
    rows = [_summary(each) for each in _find(wanted, limit)]
    if as_json:
        emit_json(rows)
        return
    if not rows:
        say("nothing was refused that fits")
        return
    print_table("rejects", list(rows[0]), [list(row.values()) for row in rows])


@app.command()
def show(reject_id: Annotated[UUID, typer.Argument(help="Id of a reject.")], *, as_json: AsJson = False) -> None:
    """Show one reject whole; with --json as a line that `tidemill replay` takes."""
    reject = _one(reject_id)
    if as_json:
        emit_json(_as_recorded(reject) if reject.method else _as_kept(reject))
        return
    request = f"{reject.method} {reject.path}{f'?{reject.query}' if reject.query else ''}" if reject.method else None
    facts = _summary(reject) | {
        "tracking key": reject.tracking_key,
        "request": request,
        "headers": json.dumps(reject.headers),
        "bytes": reject.body_bytes,
        "can be sent again": reject.obstacle() or "yes",
    }
    print_table("reject", ("what", "value"), list(facts.items()))
    typer.echo(reject.content().decode("utf-8", "replace"))


@app.command()
def replay(  # noqa: PLR0913  (each is an option)
    reject_ids: Ids = None,
    *,
    site: Site = None,
    protocol: Protocol = None,
    reason: Reason = None,
    since: Since = None,
    as_json: AsJson = False,
) -> None:
    """Send rejects again, by the sites file as it is now; what is accepted comes into the marts with the next load."""
    from orchestration.rejects import RejectFilter

    if not reject_ids and all(option is None for option in (site, protocol, reason, since)):
        raise CommandFailed("name the rejects to send again: ids, or --site, --protocol, --reason, --since")
    wanted = RejectFilter(reject_ids=reject_ids or None, site_id=site, protocol=protocol, reason=reason, since=since)
    found = _find(wanted, _ALL)
    report = _replay(found)
    obstacles = Counter(obstacle for each in found if (obstacle := each.obstacle()))
    if as_json:
        emit_json(report | {"obstacles": obstacles})
    else:
        for obstacle, count in obstacles.items():
            say(f"{count} cannot be sent: {obstacle}")
        print_table("replay of rejects", ("what", "value"), list(report.items()))
    if report["rejects"] == 0:
        raise CommandFailed("no reject fits, or all that fit were sent again already")


def _replay(rejects: Sequence["KeptReject"]) -> dict[str, int]:
    """Send each that can be sent; mark those whose content was accepted, each as soon as it is durable."""
    import logging

    from collector.log import configure_logs
    from collector.replay import replay_rejects
    from collector.settings import CollectorSettings
    from orchestration.database import connect
    from orchestration.rejects import mark_replayed
    from tidemill.environment import WAREHOUSE_VARIABLE, prepared_environment
    from tidemill.settings import read_settings

    configure_logs(level=logging.WARNING)
    sendable = [each for each in rejects if each.obstacle() is None]
    report = {"rejects": len(rejects), "accepted": 0, "events": 0, "refused again": 0}
    report["cannot be sent"] = len(rejects) - len(sendable)
    with prepared_environment() as environment, connect(environment[WAREHOUSE_VARIABLE]) as connection:
        responses = replay_rejects(map(_delivery, sendable), read_settings(CollectorSettings))
        for reject, response in zip(sendable, responses, strict=True):
            if response is None or response.rejected or response.answer.status >= 400:  # noqa: PLR2004  (refusals)
                report["refused again"] += 1
                continue
            report["accepted"] += 1
            report["events"] += response.accepted
            mark_replayed(connection, [reject.reject_id], at=datetime.now(UTC))
    return report


def _find(wanted: "RejectFilter", limit: int) -> list["KeptReject"]:
    from orchestration.database import connect, migrate
    from orchestration.rejects import find_rejects
    from tidemill.environment import WAREHOUSE_VARIABLE, prepared_environment

    with prepared_environment() as environment:
        url = environment[WAREHOUSE_VARIABLE]
        migrate(url)
        with connect(url) as connection:
            return find_rejects(connection, wanted, limit=limit)


def _one(reject_id: UUID) -> "KeptReject":
    from orchestration.rejects import RejectFilter

    found = _find(RejectFilter(reject_ids=[reject_id], includes_replayed=True), 1)
    if not found:
        raise CommandFailed(f"there is no reject {reject_id}; `tidemill rejects list` shows those that were loaded")
    return found[0]


def _summary(reject: "KeptReject") -> dict[str, Any]:
    return {
        "reject": str(reject.reject_id),
        "received": reject.received_at,
        "protocol": reject.protocol,
        "site": reject.site_id,
        "reason": reject.reason,
        "detail": reject.detail,
        "replayed": reject.replayed_at,
    }


def _as_recorded(reject: "KeptReject") -> dict[str, Any]:
    """The line of a file of recorded requests."""
    return {
        "received_at": reject.received_at,
        "method": reject.method,
        "path": _path(reject),
        "query": reject.query or "",
        "headers": reject.headers or {},
        "body_base64": reject.body or "",
        "remote_addr": reject.ip or "",
    }


def _as_kept(reject: "KeptReject") -> dict[str, Any]:
    """What there is of a reject without a request."""
    return _summary(reject) | {"raw": reject.content().decode() or None, "cannot_be_sent": reject.obstacle()}


def _path(reject: "KeptReject") -> str:
    """With the site, which the client may have named by a secret that was not kept."""
    return f"/s/{reject.site_id}{reject.path}" if reject.site_id else reject.path or ""


def _delivery(reject: "KeptReject") -> "Delivery":
    from collector.intake import Delivery

    return Delivery(
        method=reject.method or "",
        path=_path(reject),
        query=reject.query or "",
        headers=reject.headers or {},
        body=reject.content(),
        received_at=reject.received_at,
        peer=reject.ip or "",
        replay_of=str(reject.reject_id),
    )
