"""The event contract: every column of every dataset, defined once.

Everything that names a column is derived from the tables below by `landing.generate`: the Arrow
schemas, the DDL of `raw.*`, the dbt sources, the JSON Schema of the native API, the TypeScript
types of the tracker and `docs/event-contract.md`. Add a column here first, nullable, at the end of
its group; a column never changes its meaning.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

CONTRACT_VERSION = 1
"""Version written into every Parquet object. Readers accept this version and every older one."""

TEXT_LENGTH_MAX = 2_048
"""Characters a text column holds unless it says otherwise; longer text is cut and a warning kept."""


class Kind(StrEnum):
    """Logical type of a column; `landing.schema` and `landing.generate` map it to each dialect."""

    TEXT = "text"
    BOOLEAN = "boolean"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT64 = "float64"
    DECIMAL = "decimal"
    """decimal128(18, 6): money."""
    TIMESTAMP = "timestamp"
    """An instant in UTC with microseconds."""
    JSON = "json"
    """A JSON document as text; jsonb in Postgres."""
    TEXT_LIST = "text_list"


class Origin(StrEnum):
    """Who fills a column."""

    COLLECTOR = "collector"
    """The protocol's mapping, before the event is acknowledged."""
    SPOOL = "spool"
    """The conversion of a spool segment to a Parquet object."""
    LOAD = "load"
    """Enrichment and lineage added by the load."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a dataset.

    Attributes:
        name: Snake case; the same word in Arrow, Postgres, dbt and the docs.
        kind: Logical type.
        meaning: One sentence for the docs and for database comments.
        origin: Who fills it.
        required: Never null in an accepted row.
        values: The closed list of allowed texts; empty when any text is allowed.
        length_max: Longest text in characters, for `Kind.TEXT` only.
        group: Heading under which the docs list the column.
    """

    name: str
    kind: Kind
    meaning: str
    origin: Origin = Origin.COLLECTOR
    required: bool = False
    values: tuple[str, ...] = ()
    length_max: int = TEXT_LENGTH_MAX
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A named table of the landing zone and of Postgres schema `raw`.

    Attributes:
        name: Folder below `inbox/` and `archive/`, and table name in `raw`.
        grain: What one row is.
        key: Column that identifies a row.
        columns: In storage order; the columns of origin LOAD come last.
        owner: Column that says whose a row is; the ledger counts by it.
        reason: Column of reason codes, by which the ledger counts too; None where rows have none.
        happened: Column that says when a row happened.
        can_be_late: A row that happened before the purge horizon is archived and counted, but not loaded.
    """

    name: str
    grain: str
    key: str
    columns: tuple[Column, ...]
    owner: str = "site_id"
    reason: str | None = None
    happened: str = "received_at"
    can_be_late: bool = False

    def landed_columns(self) -> tuple[Column, ...]:
        """The columns of an inbox object: all but those that the load adds."""
        return tuple(column for column in self.columns if column.origin is not Origin.LOAD)


EVENT_TYPES = (
    "page_view",
    "screen_view",
    "event",
    "engagement",
    "link_click",
    "form",
    "identify",
    "alias",
    "group",
    "transaction",
    "item",
    "timing",
    "exception",
    "social",
    "vitals",
    "consent",
    "heartbeat",
)
TIME_FLAGS = ("ok", "corrected", "clamped_future", "late", "queued", "imported", "no_client_time")
VISITOR_ID_KINDS = ("cookie", "client", "session", "hashed", "install", "none")
ORDER_ACTIONS = ("detail", "click", "add", "remove", "checkout", "checkout_option", "purchase", "refund")
DEVICE_KINDS = ("desktop", "mobile", "tablet", "tv", "bot", "other")
CLICK_ID_KINDS = (
    "gclid",
    "gbraid",
    "wbraid",
    "gclsrc",
    "dclid",
    "yclid",
    "msclkid",
    "fbclid",
    "ttclid",
    "twclid",
    "li_fat_id",
)
"""Parameters that carry an ad click, of a hit or of a page's address; the first that is present counts. Those that
decide a source come first."""


def _group(group: str, *columns: Column) -> tuple[Column, ...]:
    """The columns, each under the heading `group`."""
    return tuple(replace(column, group=group) for column in columns)


_LINEAGE = _group(
    "lineage",
    Column("request_id", Kind.TEXT, "Id of the HTTP request, made at receipt.", required=True),
    Column("request_index", Kind.INT32, "Position within the request, from 0.", required=True),
    Column("collector_id", Kind.TEXT, "Collector process that accepted the row.", required=True),
    Column("segment_id", Kind.TEXT, "Spool segment that held the row.", Origin.SPOOL, required=True),
    Column("segment_row", Kind.INT64, "Position within the segment, from 0.", Origin.SPOOL, required=True),
)

_LOADED = _group(
    "load",
    Column("batch_id", Kind.TEXT, "Batch that loaded the row; ids sort in load order.", Origin.LOAD, required=True),
    Column("loaded_at", Kind.TIMESTAMP, "When that batch was planned.", Origin.LOAD, required=True),
)

EVENTS = Dataset(
    name="events",
    grain="one row per thing that happened, as often as it was delivered",
    key="event_id",
    happened="occurred_at",
    can_be_late=True,
    columns=(
        *_group(
            "identity of the row",
            Column(
                "event_id",
                Kind.TEXT,
                "UUID of the event: the client's own id where it is one, else derived from site, protocol and the "
                "client's id, else made at receipt. Delivering an event twice repeats it.",
                required=True,
                length_max=36,
            ),
            Column("client_event_id", Kind.TEXT, "The client's id as sent."),
            Column("site_id", Kind.TEXT, "Site that owns the event.", required=True, length_max=64),
            Column("protocol", Kind.TEXT, "Dialect in which it arrived.", required=True, length_max=32),
            Column("protocol_version", Kind.TEXT, "Version of that dialect."),
            Column("tracking_key", Kind.TEXT, "The id the client used for the site."),
        ),
        *_group(
            "kind",
            Column("event_type", Kind.TEXT, "What kind of thing happened.", required=True, values=EVENT_TYPES),
            Column("event_name", Kind.TEXT, "The sender's name for it.", length_max=256),
            Column("is_interaction", Kind.BOOLEAN, "A person did it: it counts against a bounce.", required=True),
        ),
        *_group(
            "time",
            Column("occurred_at", Kind.TIMESTAMP, "When it happened, by our clock.", required=True),
            Column("received_at", Kind.TIMESTAMP, "When the collector received it.", required=True),
            Column("client_time", Kind.TIMESTAMP, "When it happened, by the client's clock, as sent."),
            Column("sent_at", Kind.TIMESTAMP, "When it was sent, by the client's clock, as sent."),
            Column("time_flag", Kind.TEXT, "How occurred_at was found.", required=True, values=TIME_FLAGS),
        ),
        *_group(
            "who",
            Column("visitor_id", Kind.TEXT, "Pseudonymous browser or installation within the site.", length_max=256),
            Column(
                "visitor_id_kind", Kind.TEXT, "Where visitor_id comes from.", required=True, values=VISITOR_ID_KINDS
            ),
            Column("user_id", Kind.TEXT, "A person, when the site says so.", length_max=256),
            Column("previous_id", Kind.TEXT, "The id that an alias replaces.", length_max=256),
            Column("group_id", Kind.TEXT, "Account or organisation of the user.", length_max=256),
            Column("client_session_id", Kind.TEXT, "Session id made by the client.", length_max=256),
            Column("client_session_number", Kind.INT64, "The client's count of its sessions, from 1."),
            Column(
                "session_control",
                Kind.TEXT,
                "The client asks to start or end a session.",
                values=("start", "end"),
            ),
        ),
        *_group(
            "page",
            Column("page_view_id", Kind.TEXT, "Id that joins the events of one page view.", length_max=256),
            Column("page_url", Kind.TEXT, "Address of the page."),
            Column("page_title", Kind.TEXT, "Title of the page."),
            Column("page_referrer", Kind.TEXT, "Address of the page that led here."),
            Column("screen_name", Kind.TEXT, "Screen of an app."),
            Column("content_group", Kind.TEXT_LIST, "Content groups of the page."),
            Column("http_status", Kind.INT32, "Status with which the page was served."),
        ),
        *_group(
            "campaign told by parameters other than the URL",
            Column("campaign_id", Kind.TEXT, "Campaign id."),
            Column("campaign_name", Kind.TEXT, "Campaign name."),
            Column("campaign_source", Kind.TEXT, "Campaign source."),
            Column("campaign_medium", Kind.TEXT, "Campaign medium."),
            Column("campaign_term", Kind.TEXT, "Campaign keyword."),
            Column("campaign_content", Kind.TEXT, "Campaign content."),
            Column("click_id", Kind.TEXT, "Ad click id, from a parameter or else from the URL."),
            Column("click_id_kind", Kind.TEXT, "Parameter that carried click_id, such as gclid."),
        ),
        *_group(
            "event detail",
            Column("category", Kind.TEXT, "Event category."),
            Column("action", Kind.TEXT, "Event action."),
            Column("label", Kind.TEXT, "Event label."),
            Column("value", Kind.FLOAT64, "Event value."),
        ),
        *_group(
            "order",
            Column("order_id", Kind.TEXT, "Order id."),
            Column("order_action", Kind.TEXT, "Step of the order.", values=ORDER_ACTIONS),
            Column("revenue", Kind.DECIMAL, "Total in currency, with tax and shipping."),
            Column("tax", Kind.DECIMAL, "Tax in currency."),
            Column("shipping", Kind.DECIMAL, "Shipping in currency."),
            Column("currency", Kind.TEXT, "ISO 4217 code.", length_max=10),
            Column("coupon", Kind.TEXT, "Coupon of the order."),
            Column("affiliation", Kind.TEXT, "Shop or partner."),
            Column("items", Kind.JSON, "List of {sku, name, brand, category, variant, price, quantity, …}."),
        ),
        *_group(
            "engagement",
            Column("engaged_ms", Kind.INT64, "Milliseconds of attention so far, cumulative per page view."),
            Column("scroll_percent", Kind.INT16, "Deepest scroll position so far, 0 to 100."),
            Column(
                "engaged_delta_ms",
                Kind.INT64,
                "Milliseconds of attention since the client last told, of clients that keep no total.",
            ),
        ),
        *_group(
            "client",
            Column("user_agent", Kind.TEXT, "User agent text."),
            Column("client_hints", Kind.JSON, "User agent client hints."),
            Column("language", Kind.TEXT, "Language of the client.", length_max=64),
            Column("screen_width", Kind.INT32, "Screen width in pixels."),
            Column("screen_height", Kind.INT32, "Screen height in pixels."),
            Column("viewport_width", Kind.INT32, "Viewport width in pixels."),
            Column("viewport_height", Kind.INT32, "Viewport height in pixels."),
            Column("time_zone", Kind.TEXT, "IANA time zone of the client.", length_max=64),
            Column("app_name", Kind.TEXT, "Name of the app."),
            Column("app_version", Kind.TEXT, "Version of the app."),
            Column("app_id", Kind.TEXT, "Id of the app."),
            Column("library", Kind.TEXT, "Client library.", length_max=256),
            Column("library_version", Kind.TEXT, "Version of the client library.", length_max=256),
            Column("automation", Kind.TEXT, "Why the client looks automated; null for a person.", length_max=256),
        ),
        *_group(
            "network",
            Column("ip", Kind.TEXT, "Address, truncated unless the site says otherwise.", length_max=45),
            Column("consent", Kind.JSON, "Consent as told by the client."),
            Column("gpc", Kind.BOOLEAN, "Global Privacy Control was set."),
        ),
        *_group(
            "the rest",
            Column("props", Kind.JSON, "What the sender attached."),
            Column("contexts", Kind.JSON, "Typed contexts, location stacks, global contexts."),
            Column("dimensions", Kind.JSON, "Custom dimensions by index or name."),
            Column("metrics", Kind.JSON, "Custom metrics by index or name."),
            Column("traits", Kind.JSON, "What the site says of the user or group."),
            Column("warnings", Kind.TEXT_LIST, "What was repaired, as code:field."),
        ),
        *_LINEAGE,
        *_group(
            "lineage",
            Column("raw", Kind.JSON, "The original event, while the site keeps it."),
            Column(
                "content_hash",
                Kind.INT32,
                "CRC32 of what every delivery of the event repeats. Two events with one id and different hashes are "
                "two events.",
            ),
        ),
        *_group(
            "enrichment: place",
            Column("geo_country", Kind.TEXT, "ISO 3166 code of the country.", Origin.LOAD),
            Column("geo_region", Kind.TEXT, "English name of the first subdivision.", Origin.LOAD),
            Column("geo_city", Kind.TEXT, "English name of the city.", Origin.LOAD),
            Column("geo_continent", Kind.TEXT, "Two-letter code of the continent.", Origin.LOAD),
            Column("geo_time_zone", Kind.TEXT, "IANA time zone of the place.", Origin.LOAD),
        ),
        *_group(
            "enrichment: device",
            Column("device_kind", Kind.TEXT, "Kind of device.", Origin.LOAD, values=DEVICE_KINDS),
            Column("browser", Kind.TEXT, "Browser family.", Origin.LOAD),
            Column("browser_version", Kind.TEXT, "Browser version, major.minor.", Origin.LOAD),
            Column("os", Kind.TEXT, "Operating system family.", Origin.LOAD),
            Column("os_version", Kind.TEXT, "Operating system version, major.minor.", Origin.LOAD),
            Column("is_bot", Kind.BOOLEAN, "A crawler or an automated client; kept, not counted.", Origin.LOAD, True),
            Column("bot_name", Kind.TEXT, "Name of the crawler or the reason of the flag.", Origin.LOAD),
        ),
        *_group(
            "enrichment: page and campaign",
            Column("page_host", Kind.TEXT, "Host of page_url, lower case, without port.", Origin.LOAD),
            Column("page_path", Kind.TEXT, "Path of page_url, / when empty.", Origin.LOAD),
            Column("page_query", Kind.TEXT, "Query of page_url without the question mark.", Origin.LOAD),
            Column("utm_source", Kind.TEXT, "utm_source of page_url.", Origin.LOAD),
            Column("utm_medium", Kind.TEXT, "utm_medium of page_url.", Origin.LOAD),
            Column("utm_campaign", Kind.TEXT, "utm_campaign of page_url.", Origin.LOAD),
            Column("utm_term", Kind.TEXT, "utm_term, else utm_keyword, of page_url.", Origin.LOAD),
            Column("utm_content", Kind.TEXT, "utm_content of page_url.", Origin.LOAD),
            Column("utm_id", Kind.TEXT, "utm_id of page_url.", Origin.LOAD),
            Column("referrer_host", Kind.TEXT, "Host of page_referrer, lower case, without port.", Origin.LOAD),
        ),
        *_LOADED,
    ),
)

REJECTS = Dataset(
    name="rejects",
    grain="one row per event or request that was refused",
    key="reject_id",
    reason="reason",
    can_be_late=True,
    columns=(
        *_group(
            "identity of the row",
            Column("reject_id", Kind.TEXT, "UUID made at receipt.", required=True, length_max=36),
            Column("received_at", Kind.TIMESTAMP, "When the collector received it.", required=True),
            Column("protocol", Kind.TEXT, "Dialect in which it arrived.", required=True, length_max=32),
            Column("site_id", Kind.TEXT, "Site, null when unknown.", length_max=64),
            Column("tracking_key", Kind.TEXT, "The id the client used for the site."),
        ),
        *_group(
            "why",
            Column("reason", Kind.TEXT, "Reason code.", required=True, length_max=64),
            Column("detail", Kind.TEXT, "What exactly was wrong."),
        ),
        *_group(
            "the request",
            Column("method", Kind.TEXT, "HTTP method.", length_max=16),
            Column("path", Kind.TEXT, "Path of the request."),
            Column("query", Kind.TEXT, "Query of the request.", length_max=16_384),
            Column("headers", Kind.JSON, "The headers that matter; no cookies, no secrets."),
            Column("body", Kind.TEXT, "First 64 KiB of the refused part, base64.", length_max=87_384),
            Column("body_bytes", Kind.INT64, "Full size of that part in bytes."),
            Column("ip", Kind.TEXT, "Address, truncated.", length_max=45),
        ),
        *_LINEAGE,
        *_LOADED,
    ),
)

CHECKINS = Dataset(
    name="checkins",
    grain="one row per message of an installed program, as often as it was delivered",
    key="checkin_id",
    owner="fleet",
    columns=(
        *_group(
            "identity of the row",
            Column("checkin_id", Kind.TEXT, "UUID made at receipt.", required=True, length_max=36),
            Column("fleet", Kind.TEXT, "Fleet of the sites file.", required=True, length_max=64),
            Column("received_at", Kind.TIMESTAMP, "When the collector received it.", required=True),
            Column("protocol", Kind.TEXT, "Dialect in which it arrived.", required=True, length_max=32),
        ),
        *_group(
            "the message",
            Column(
                "install_id",
                Kind.TEXT,
                "Installation; a UUID in its canonical spelling where the fleet says that it is one.",
                required=True,
                length_max=256,
            ),
            Column("components", Kind.JSON, "What is installed: list of {name, version}, in the order sent."),
            Column("gauges", Kind.JSON, "Numbers to be averaged, by the fleet's names; absent ones are 0."),
            Column("numbers", Kind.JSON, "Numbers to be counted by value, by name; null: unknown."),
            Column("codes", Kind.JSON, "Codes to be counted by value, by name."),
            Column("raw", Kind.TEXT, "The message as received, base64.", length_max=1_398_104),
        ),
        *_LINEAGE,
        *_LOADED,
    ),
)

APP_ROWS = Dataset(
    name="app_rows",
    grain="one row per event that an app posted into a declared table, as often as it was delivered",
    key="row_id",
    owner="app",
    columns=(
        *_group(
            "identity of the row",
            Column(
                "row_id",
                Kind.TEXT,
                "UUID: derived from app, table and the client's `_id` where it sends one, else made at receipt. "
                "Delivering a row twice repeats it.",
                required=True,
                length_max=36,
            ),
            Column("app", Kind.TEXT, "App of the sites file.", required=True, length_max=256),
            Column("table_name", Kind.TEXT, "Declared table, a table of schema apps.", required=True, length_max=63),
            Column("received_at", Kind.TIMESTAMP, "When the collector received it.", required=True),
            Column("protocol", Kind.TEXT, "Dialect in which it arrived.", required=True, length_max=32),
        ),
        *_group(
            "the row",
            Column("fields", Kind.JSON, "Values by declared column, as Postgres reads them; absent ones are NULL."),
            Column("other_fields", Kind.JSON, "What no column took: undeclared fields and values of another type."),
        ),
        *_LINEAGE,
        *_LOADED,
    ),
)

DATASETS = (EVENTS, REJECTS, CHECKINS, APP_ROWS)
"""Every dataset, in the order in which docs and DDL list them."""


def dataset(name: str) -> Dataset:
    """The dataset called `name`. Raises KeyError for any other name."""
    return {each.name: each for each in DATASETS}[name]
