"""The sites file, prepared for speed: what each request needs of a site, worked out once per change of the file."""

import functools
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from collector.scripts import Scripts
from collector.time import DAY_US, MILLISECOND_US
from landing.credentials import Secret, SecretVerifier
from landing.site import Site
from landing.sites import Sites

_ADDRESSES_KEPT = 8_192
_NO_SCRIPTS = Scripts()
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Prepared = TypeVar("_Prepared")


@dataclass(frozen=True, slots=True)
class SitePlan:
    """One site as the collector needs it.

    Attributes:
        site_id: The site's key in the sites file.
        visitor: Where a visitor's id comes from: cookieless, client or cookie.
        gpc: What Global Privacy Control does: cookieless, drop or ignore.
        dnt: What Do Not Track does, likewise.
        ip: What is kept of an address: truncate, drop or full.
        keeps_raw: The original event is kept.
        hosts: Counted hosts in lower case; empty for any.
        origins: Origins that browsers may send from; empty for any.
        zone: Whose midnight ends a day.
        age_us_max: Events older than this are refused, in microseconds.
        events_per_minute_max: More are refused for the moment; None for no bound.
        secrets: What opens the server-side API.
        home_url: The site's home page; None without one.
        currency_metrics: Indices of custom metrics that are amounts of money: their decimals count.
        queue_us_max: Events that a client kept longer before sending are refused, in microseconds.
    """

    site_id: str
    visitor: str
    gpc: str
    dnt: str
    ip: str
    keeps_raw: bool
    hosts: frozenset[str]
    origins: frozenset[str]
    zone: ZoneInfo
    age_us_max: int
    events_per_minute_max: int | None
    secrets: tuple[Secret, ...]
    home_url: str | None
    currency_metrics: frozenset[int]
    queue_us_max: int

    def allows_origin(self, origin: str) -> bool:
        """A browser may send from `origin`."""
        return not self.origins or origin.lower() in self.origins


def plan_site(site: Site) -> SitePlan:
    """The plan of one site."""
    return SitePlan(
        site_id=site.site_id,
        visitor=site.privacy.visitor,
        gpc=site.privacy.gpc,
        dnt=site.privacy.dnt,
        ip=site.privacy.ip,
        keeps_raw=site.privacy.keep_raw,
        hosts=frozenset(site.domains),
        origins=frozenset() if "*" in site.origins else frozenset(site.origins),
        zone=site.zone,
        age_us_max=site.limits.max_event_age_days * DAY_US,
        events_per_minute_max=site.limits.events_per_minute,
        secrets=site.secrets,
        home_url=site.url,
        currency_metrics=frozenset(
            each.index for each in site.dimensions if each.unit == "currency" and each.index is not None
        ),
        queue_us_max=site.limits.max_queue_time_ms * MILLISECOND_US,
    )


@dataclass(frozen=True, slots=True)
class HostPlan:
    """A virtual host: whose `/` it is.

    Attributes:
        protocol: The family that owns it.
        site_id: The site it sends to; None for a family without sites.
        fleet_id: The fleet it sends to; None for other families.
    """

    protocol: str
    site_id: str | None
    fleet_id: str | None


class SiteDirectory:
    """Finds sites for protocols, and visitors' addresses behind trusted proxies.

    Args:
        sites: A valid sites file.
        verifier: Remembers which secrets were right; kept when the file changes.
        scripts: The tracker, which some families serve under other names.
    """

    def __init__(self, sites: Sites, verifier: SecretVerifier, scripts: Scripts = _NO_SCRIPTS) -> None:
        self.sites = sites
        self.scripts = scripts
        self._verifier = verifier
        self._plans = {site_id: plan_site(site) for site_id, site in sites.sites.items()}
        self._default = None if sites.default_site is None else self._plans[sites.default_site]
        self._named = {pair: self._plans[site_id] for site_id, site in sites.sites.items() for pair in site.ids.pairs()}
        self._hosts = {name: HostPlan(host.protocol, host.site, host.fleet) for name, host in sites.hosts.items()}
        self._prepared: dict[Callable[[Sites], Any], Any] = {}
        self._proxies: tuple[_Network, ...] = tuple(sites.trusted_proxies)
        # Addresses repeat, and parsing one costs as much as mapping an event.
        self.client_address = functools.lru_cache(maxsize=_ADDRESSES_KEPT)(self._client_address)

    def by_id(self, site_id: str | None) -> SitePlan | None:
        """The site called `site_id`; the default site when none is named; None when there is no such site."""
        return self._default if site_id is None else self._plans.get(site_id)

    def named(self, family: str, key: str) -> SitePlan | None:
        """The site that clients of `family` call `key`; None when there is none."""
        return self._named.get((family, key))

    def prepared(self, prepare: Callable[[Sites], _Prepared]) -> _Prepared:
        """What a family makes of the sites file, made once for each content of it."""
        if prepare not in self._prepared:  # threads that ask at once make the same
            self._prepared[prepare] = prepare(self.sites)
        made: _Prepared = self._prepared[prepare]
        return made

    def host(self, name: str | None) -> HostPlan | None:
        """The virtual host that a header `Host` names, with or without a port; None when there is no such host."""
        if not self._hosts or not name:
            return None
        return self._hosts.get(name.partition(":")[0].rstrip(".").lower())

    def opens(self, secret: str, site: SitePlan) -> bool:
        """The secret is one of the site's."""
        return self.is_known(secret, site.secrets)

    def is_known(self, secret: str, secrets: tuple[Secret, ...]) -> bool:
        """The secret is one of these."""
        return bool(secret) and self._verifier.verify(secret, secrets)

    def opened_by(self, secret: str) -> SitePlan | None:
        """The site whose secret this is; None when it opens none."""
        return next((plan for plan in self._plans.values() if self.opens(secret, plan)), None)

    def zones(self) -> set[ZoneInfo]:
        """The time zones of all sites."""
        return {plan.zone for plan in self._plans.values()}

    def allows_origin(self, origin: str) -> bool:
        """Some site allows browsers to send from `origin`: all that a preflight can know."""
        return any(plan.allows_origin(origin) for plan in self._plans.values())

    def is_https(self, peer: str, scheme: str, forwarded_scheme: str | None) -> bool:
        """The visitor's connection was encrypted: ours, or the one that a trusted proxy tells of."""
        return scheme == "https" or (
            forwarded_scheme is not None
            and forwarded_scheme.partition(",")[0].strip().lower() == "https"
            and self._is_trusted(peer)
        )

    def sets_cookies(self, site_id: str | None) -> bool:
        """The site keeps its visitors' ids in cookies; while it is not known, some site does."""
        plans = (
            self._plans.values() if site_id is None else [plan for plan in [self.by_id(site_id)] if plan is not None]
        )
        return any(plan.visitor == "cookie" for plan in plans)

    def _client_address(self, peer: str, forwarded_for: str | None) -> str | None:
        """The last address that no trusted proxy vouches against: the peer, or one of X-Forwarded-For behind it."""
        chain = [peer]
        if forwarded_for and self._is_trusted(peer):
            chain = [*(part.strip() for part in forwarded_for.split(",")), peer]
        address: str | None = None
        for hop in reversed(chain):
            parsed = parse_address(hop)
            if parsed is None:  # a proxy wrote something else, such as "unknown": what it hides stays unknown
                break
            address = str(parsed)
            if not self._is_trusted(address):
                break
        return address

    def _is_trusted(self, address: str) -> bool:
        parsed = parse_address(address)
        return parsed is not None and any(parsed in network for network in self._proxies)


def parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address in `text`, which may carry a port or brackets; an IPv4 address mapped to IPv6 becomes itself."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed
