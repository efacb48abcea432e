"""What the parts of a sites file say of each other, and what should not stay as it is."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from landing.positions import Path
from landing.taxonomy import broken_extensions

if TYPE_CHECKING:
    from landing.sites import Sites

_FLEET_PROTOCOLS = {"pulp"}
_APP_PROTOCOLS = {"attolytics"}


def broken_references(sites: "Sites") -> Iterator[tuple[Path, str]]:
    """Where a name leads nowhere, or one name stands for two things."""
    if not (sites.sites or sites.fleets or sites.apps):
        yield ("sites",), "there is nobody to receive from: no site, no fleet and no app"
    if sites.default_site is not None and sites.default_site not in sites.sites:
        yield ("default_site",), f"there is no site {sites.default_site!r}"
    yield from _hosts(sites)
    yield from _fleets(sites)
    yield from _ids(sites)
    for place, problem in broken_extensions(sites.objectiv.extensions):
        yield ("objectiv", "extensions", *place), problem
    for app_id, app in sites.apps.items():
        for index, table in enumerate(app.tables):
            if table not in sites.tables:
                yield ("apps", app_id, "tables", index), f"there is no table {table!r}"


def doubts(sites: "Sites") -> Iterator[tuple[Path, str]]:
    """What is allowed but should not stay: secrets in clear text."""
    message = "a secret in clear text: replace it with a hash from `tidemill sites hash-secret`"
    for site_id, site in sites.sites.items():
        for index, secret in enumerate(site.secrets):
            if secret.plain is not None:
                yield ("sites", site_id, "secrets", index, "plain"), message
    for app_id, app in sites.apps.items():
        if app.secret_key is not None:
            yield ("apps", app_id, "secret_key"), message
        for index, secret in enumerate(app.secrets):
            if secret.plain is not None:
                yield ("apps", app_id, "secrets", index, "plain"), message


def _hosts(sites: "Sites") -> Iterator[tuple[Path, str]]:
    for name, host in sites.hosts.items():
        path: Path = ("hosts", name)
        if host.site is not None and host.site not in sites.sites:
            yield (*path, "site"), f"there is no site {host.site!r}"
        if host.fleet is not None and host.fleet not in sites.fleets:
            yield (*path, "fleet"), f"there is no fleet {host.fleet!r}"
        needs_fleet = host.protocol in _FLEET_PROTOCOLS
        needs_site = not needs_fleet and host.protocol not in _APP_PROTOCOLS
        if (host.site is not None) != needs_site or (host.fleet is not None) != needs_fleet:
            needed = "a fleet and no site" if needs_fleet else "a site and no fleet" if needs_site else "neither"
            yield path, f"protocol {host.protocol} goes with {needed}"


def _fleets(sites: "Sites") -> Iterator[tuple[Path, str]]:
    """`/` of every host would be taken from everybody else."""
    named = {host.fleet for host in sites.hosts.values()}
    for fleet_id, fleet in sites.fleets.items():
        if fleet.receive.path == "/" and fleet.receive.host is None and fleet_id not in named:
            yield ("fleets", fleet_id, "receive"), "needs a host, an entry of hosts, or a path of its own"


def _ids(sites: "Sites") -> Iterator[tuple[Path, str]]:
    owners: dict[tuple[str, str], str] = {}
    for site_id, site in sites.sites.items():
        for family, key in site.ids.pairs():
            owner = owners.setdefault((family, key), site_id)
            if owner != site_id:
                yield ("sites", site_id, "ids", family), f"{key!r} names the site {owner!r} already"
