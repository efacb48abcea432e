"""A site as the sites file describes it."""

from typing import Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, model_validator

from landing.credentials import Secret
from landing.names import Host, Key, Origin, Section, TimeZone, Title, WebAddress
from landing.reporting import Dimension, Funnel, Goal

SignalPolicy = Literal["cookieless", "drop", "ignore"]
"""What a visitor's wish not to be tracked does: hashed identity only, no event at all, nothing."""


class Ga4Stream(Section):
    """A data stream of GA4 and the secret that its server-side senders present."""

    measurement_id: Key
    api_secret: Key = Field(repr=False)


class ClientIds(Section):
    """How clients of other families name the site."""

    measurement_protocol: tuple[Key, ...] = ()
    ga4: tuple[Ga4Stream, ...] = ()
    objectiv: tuple[Key, ...] = ()
    alcolytics: tuple[Key, ...] = ()
    segment: tuple[Key, ...] = ()
    snowplow: tuple[Key, ...] = ()
    plausible: tuple[Key, ...] = ()

    def pairs(self) -> list[tuple[str, str]]:
        """Every (family, id) that names the site."""
        plain = ("measurement_protocol", "objectiv", "alcolytics", "segment", "snowplow", "plausible")
        return [
            *((family, key) for family in plain for key in getattr(self, family)),
            *(("ga4", stream.measurement_id) for stream in self.ga4),
        ]


class Privacy(Section):
    """What is kept of a visitor.

    Attributes:
        ip: Keep the network of an address (truncate), nothing of it (drop), or all of it (full).
        visitor: Take a daily hash for the visitor's id (cookieless), the id that the client sends (client),
            or that id and one in a cookie of ours (cookie).
        gpc: What Global Privacy Control does.
        dnt: What Do Not Track does.
        keep_raw: Keep the original event beside the columns made of it.
    """

    ip: Literal["truncate", "drop", "full"] = "truncate"
    visitor: Literal["cookieless", "client", "cookie"] = "cookieless"
    gpc: SignalPolicy = "cookieless"
    dnt: SignalPolicy = "ignore"
    keep_raw: bool = True


class SessionRules(Section):
    """What ends a session.

    Attributes:
        timeout_s: Silence of this many seconds. At most a day, so that a session of a purged day is over.
        split_at_midnight: Midnight in the site's time zone does.
        split_on_campaign: A new campaign does.
        campaign_timeout_days: How long a campaign is remembered for a visitor who comes back directly.
    """

    timeout_s: int = Field(default=1_800, ge=1, le=86_400)
    split_at_midnight: bool = True
    split_on_campaign: bool = True
    campaign_timeout_days: int = Field(default=183, ge=1, le=3_650)


class Sources(Section):
    """How the traffic source of an event is found.

    Attributes:
        referral_exclusions: Hosts that are no referrers; empty stands for the host of the home page.
        ignored_search_terms: Keywords that mean a direct visit, in lower case.
        channel_rules: The default channel groups of Universal Analytics or of GA4.
        manual_tagging_override: utm parameters win over click ids.
    """

    referral_exclusions: tuple[Host, ...] = ()
    ignored_search_terms: tuple[Title, ...] = ()
    channel_rules: Literal["ua", "ga4"] = "ua"
    manual_tagging_override: bool = False


class Limits(Section):
    """Bounds of what a site takes.

    Attributes:
        events_per_minute: More are refused for the moment, answered 429 and not kept: their senders repeat them.
            None for no bound.
        max_event_age_days: Older events are refused and kept among the rejects.
        max_queue_time_ms: Likewise hits of the Measurement Protocol that were kept longer before they were sent.
    """

    events_per_minute: int | None = Field(default=None, ge=1)
    max_event_age_days: int = Field(default=30, ge=1, le=3_650)
    max_queue_time_ms: int = Field(default=14_400_000, ge=0, le=30 * 86_400_000)


class Site(Section):
    """What an owner registers.

    Attributes:
        name: For people.
        url: The home page; its host completes addresses without one.
        timezone: Whose midnight ends a day, as an IANA name.
        domains: Hosts whose pages count; empty for any.
        origins: Who may send from a browser: `*` or origins.
        secrets: Who may send from a server.
        ids: How clients of other families name the site.
    """

    name: Title
    url: WebAddress | None = None
    timezone: TimeZone = "UTC"
    domains: tuple[Host, ...] = ()
    origins: tuple[Origin, ...] = ("*",)
    secrets: tuple[Secret, ...] = ()
    ids: ClientIds = ClientIds()
    privacy: Privacy = Privacy()
    session: SessionRules = SessionRules()
    sources: Sources = Sources()
    limits: Limits = Limits()
    goals: tuple[Goal, ...] = ()
    funnels: tuple[Funnel, ...] = ()
    dimensions: tuple[Dimension, ...] = ()

    _site_id: str = PrivateAttr(default="")

    @property
    def site_id(self) -> str:
        """The site's key in the sites file."""
        return self._site_id

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def home_host(self) -> str | None:
        """Host of the home page in lower case, None when the file names no home page."""
        return urlsplit(self.url).hostname if self.url else None

    @property
    def excluded_referrers(self) -> tuple[str, ...]:
        """Hosts that are no referrers: those configured, else the home host without `www.`."""
        if self.sources.referral_exclusions or self.home_host is None:
            return self.sources.referral_exclusions
        return (self.home_host.removeprefix("www."),)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        for kind, names in (
            ("secrets", [secret.name for secret in self.secrets]),
            ("goals", [goal.id for goal in self.goals]),
            ("funnels", [funnel.id for funnel in self.funnels]),
            ("dimensions", [(each.type, each.index) for each in self.dimensions if each.index is not None]),
            ("dimensions", [(each.type, each.name) for each in self.dimensions if each.name is not None]),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"two {kind} have the same name, id or index")
        return self
