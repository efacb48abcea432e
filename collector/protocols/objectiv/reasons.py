"""Why an event of Objectiv is refused, beyond what all families share."""

from enum import StrEnum


class ObjectivReason(StrEnum):
    """Reason codes of the family; where several fit, the first found stands and `detail` tells all."""

    MISSING_PROPERTY = "missing_property"
    """An event or a context lacks a property that its type needs."""
    WRONG_PROPERTY = "wrong_property"
    """A property is of another JSON type than its type says, or out of its bounds."""
    INVALID_ID = "invalid_id"
    """The event's id is no UUID of version 4 in lower case."""
    INVALID_TIME = "invalid_time"
    """The event's time is no number of milliseconds since 1970."""
    TIME_IN_FUTURE = "time_in_future"
    """The event is more than five minutes ahead of its transport time."""
    UNKNOWN_EVENT_TYPE = "unknown_event_type"
    """The taxonomy has no such event."""
    UNKNOWN_CONTEXT_TYPE = "unknown_context_type"
    """The taxonomy has no such context."""
    MISPLACED_CONTEXT = "misplaced_context"
    """A global context is in the location stack, or a location context among the global ones."""
    MISSING_CONTEXT = "missing_context"
    """A context is missing that the event, or a context in it, needs."""
    UNKNOWN_APPLICATION = "unknown_application"
    """The event's application is not among those of the site."""
