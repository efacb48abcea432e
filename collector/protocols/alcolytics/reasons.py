"""Why a message of Alcolytics is no event, beyond what all families share."""

from enum import StrEnum


class AlcolyticsReason(StrEnum):
    """Reason codes of the family."""

    MISSING_NAME = "missing_name"
    """The message has no name."""
    LIBRARY_REPORT = "library_report"
    """The client library reports trouble of its own (`log`, or an `error` in a pixel): counted, no event."""
    REDIRECT_WITHOUT_TARGET = "redirect_without_target"
    """A redirect has no parameter `to`."""
    REDIRECT_NOT_ALLOWED = "redirect_not_allowed"
    """A redirect leads to a host that `redirects` of the sites file does not name; the click is kept as this."""
