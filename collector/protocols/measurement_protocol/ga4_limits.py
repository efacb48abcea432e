"""What GA4 allows: names, numbers of things, lengths."""

import re

BODY_BYTES_MAX = 129_999
EVENTS_MAX = 25
PARAMS_MAX = 25
ITEMS_MAX = 200
ITEM_CUSTOM_MAX = 10
USER_PROPERTIES_MAX = 25
USER_PROPERTY_NAME_CHARS_MAX = 24
USER_PROPERTY_CHARS_MAX = 36
USER_ID_CHARS_MAX = 256
TEXT_CHARS_MAX = 100
TEXT_CHARS_MAX_OF = {"page_title": 300, "page_referrer": 420, "page_location": 1_000}
"""Parameters whose text may be longer."""

BACKDATED_US_MAX = 72 * 3_600 * 1_000_000
AHEAD_US_MAX = 5 * 60 * 1_000_000

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
"""Of events and their parameters."""

RESERVED_EVENTS = frozenset(
    {
        "ad_activeview",
        "ad_click",
        "ad_exposure",
        "ad_query",
        "ad_reward",
        "adunit_exposure",
        "app_clear_data",
        "app_exception",
        "app_install",
        "app_remove",
        "app_store_refund",
        "app_update",
        "app_upgrade",
        "error",
        "first_open",
        "first_visit",
        "in_app_purchase",
        "notification_dismiss",
        "notification_foreground",
        "notification_open",
        "notification_receive",
        "os_update",
        "session_start",
        "user_engagement",
    }
)
"""Only Google's own clients may send them."""

_RESERVED_PREFIXES = ("_", "firebase_", "ga_", "google_")
RESERVED_PARAM_PREFIXES = (*_RESERVED_PREFIXES, "gtag.")
RESERVED_PROPERTY_PREFIXES = _RESERVED_PREFIXES
