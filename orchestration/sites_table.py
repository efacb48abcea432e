"""The settings of the sites file that the models obey, in `ops.sites`."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from psycopg import sql

from landing.site import Site
from landing.sites import load_sites
from orchestration.database import Connection

_MODEL_COLUMNS: Final = (
    "timezone",
    "home_host",
    "session_timeout_s",
    "splits_at_midnight",
    "splits_on_campaign",
    "campaign_timeout_days",
    "referral_exclusions",
    "ignored_search_terms",
    "has_manual_tagging_override",
)
"""What changes sessions when it changes; a site's name does not."""

_WRITTEN: Final = ("site_id", "name", *_MODEL_COLUMNS, "updated_at")


def sync_sites(connection: Connection, sites_file: Path, *, clock: Callable[[], datetime]) -> tuple[str, ...]:
    """Bring `ops.sites` in line with the sites file.

    A site that the file no longer names keeps its row: its events are still there, and rebuilding them by other rules
    because a site was closed would change its history.

    Returns:
        Ids of the sites that are new or whose rules changed; the next transform rebuilds all their visitors.

    Raises:
        SitesFileInvalid: the file cannot be used; nothing was changed.
    """
    wanted = {site_id: _row(site) for site_id, site in load_sites(sites_file).sites.items()}
    with connection.transaction():
        known = {site_id: (name, *rules) for site_id, name, *rules in connection.execute(_select()).fetchall()}
        changed = []
        for site_id, row in wanted.items():
            if known.get(site_id) == row:
                continue
            is_rule_change = site_id not in known or known[site_id][1:] != row[1:]
            if is_rule_change:
                changed.append(site_id)
            connection.execute(_upsert(), (site_id, *row, clock(), is_rule_change))
    return tuple(changed)


def _row(site: Site) -> tuple[Any, ...]:
    """The values of `name` and `_MODEL_COLUMNS`."""
    return (
        site.name,
        site.timezone,
        site.home_host,
        site.session.timeout_s,
        site.session.split_at_midnight,
        site.session.split_on_campaign,
        site.session.campaign_timeout_days,
        list(site.excluded_referrers),
        list(site.sources.ignored_search_terms),
        site.sources.manual_tagging_override,
    )


def _select() -> sql.Composed:
    return sql.SQL("select {columns} from ops.sites for update").format(columns=_names(_WRITTEN[:-1]))


def _upsert() -> sql.Composed:
    # A change that is still pending stays pending when only the name changes after it.
    return sql.SQL(
        "insert into ops.sites ({columns}, is_rebuild_pending) values ({values}, %s) on conflict (site_id) do update"
        " set ({columns}, is_rebuild_pending) ="
        " row({excluded}, sites.is_rebuild_pending or excluded.is_rebuild_pending)"
    ).format(
        columns=_names(_WRITTEN),
        values=sql.SQL(", ").join([sql.Placeholder()] * len(_WRITTEN)),
        excluded=sql.SQL(", ").join(sql.SQL("excluded.") + sql.Identifier(name) for name in _WRITTEN),
    )


def _names(columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in columns)
