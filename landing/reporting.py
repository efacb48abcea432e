"""Goals, funnels and custom definitions of a site: parsed and checked here, computed by the models."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from landing.names import Pattern, Section, Slug, Title


class Match(Section):
    """A condition on a text: exactly one of the three.

    Attributes:
        equals: The text is this.
        begins_with: The text begins with this.
        regex: The expression is found somewhere in the text.
        case_sensitive: Whether letter case counts.
    """

    equals: str | None = None
    begins_with: str | None = None
    regex: Pattern | None = None
    case_sensitive: bool = False

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(each is not None for each in (self.equals, self.begins_with, self.regex)) != 1:
            raise ValueError("needs exactly one of equals, begins_with, regex")
        return self


class Comparison(Section):
    """A condition on a number: exactly one of the three."""

    greater_than: float | None = None
    equals: float | None = None
    less_than: float | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(each is not None for each in (self.greater_than, self.equals, self.less_than)) != 1:
            raise ValueError("needs exactly one of greater_than, equals, less_than")
        return self


class EventMatch(Section):
    """Conditions that one event must all fulfil; at least one."""

    name: Match | None = None
    category: Match | None = None
    action: Match | None = None
    label: Match | None = None
    value: Comparison | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("needs at least one of name, category, action, label, value")
        return self


class _Goal(Section):
    """What all goals have.

    Attributes:
        id: Stays when the name changes.
        name: For people.
        active: Whether it is computed.
        value: Worth of one completion in the site's currency.
    """

    id: Slug
    name: Title
    active: bool = True
    value: float = Field(default=0, ge=0)


class DestinationGoal(_Goal):
    """A page with such a path was viewed."""

    type: Literal["destination"]
    path: Match


class DurationGoal(_Goal):
    """The session lasted longer than this."""

    type: Literal["duration"]
    longer_than_s: int = Field(ge=0)


class PagesGoal(_Goal):
    """The session had more page views and screen views than this."""

    type: Literal["pages"]
    more_than: int = Field(ge=0)


class EventGoal(_Goal):
    """Such an event happened; `uses_event_value` takes the event's own value for the goal's."""

    type: Literal["event"]
    event: EventMatch
    uses_event_value: bool = False


Goal = Annotated[DestinationGoal | DurationGoal | PagesGoal | EventGoal, Field(discriminator="type")]


class FunnelStep(Section):
    """A page or an event: exactly one."""

    name: Title
    page: Match | None = None
    event: EventMatch | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.page is None) == (self.event is None):
            raise ValueError("needs either page or event")
        return self


class Funnel(Section):
    """Steps to be taken in order.

    Attributes:
        id: Stays when the name changes.
        name: For people.
        scope: Whose events one walk is made of.
        window_s: Longest time from the entry to a step that counts; only where a walk is not a session.
        mode: Enter at the first step only (closed) or at any (open).
        steps: At least two.
    """

    id: Slug
    name: Title
    scope: Literal["session", "user"] = "session"
    window_s: int | None = Field(default=None, ge=1)
    mode: Literal["closed", "open"] = "closed"
    steps: tuple[FunnelStep, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _window_fits_scope(self) -> Self:
        if self.scope == "session" and self.window_s is not None:
            raise ValueError("window_s has no meaning at session scope: the session's end is the window")
        return self


class Dimension(Section):
    """A custom dimension or metric, known to clients by index or by name.

    Attributes:
        index: As in cd1 and cm1.
        name: As in named dimensions, and for people.
        scope: What a value applies to.
        type: A dimension labels, a metric is summed.
        unit: What a metric counts.
        active: Whether models show it.
    """

    index: int | None = Field(default=None, ge=1, le=200)
    name: str | None = Field(default=None, min_length=1, max_length=64)
    scope: Literal["hit", "session", "user", "product"] = "hit"
    type: Literal["dimension", "metric"] = "dimension"
    unit: Literal["integer", "currency", "time"] | None = None
    active: bool = True

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.index is None and self.name is None:
            raise ValueError("needs index or name")
        if self.unit is not None and self.type == "dimension":
            raise ValueError("only a metric has a unit")
        return self
