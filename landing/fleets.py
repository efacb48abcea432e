"""Fleets of installed programs that report once in a while: what to receive and what the models make of it."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from landing.names import Host, Identifier, Pattern, Section

_BODY_MAX_BYTES = 2_621_440
"""2.5 MiB, what the original Pulp server takes."""

FieldPath = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$")]
"""Names from the top of a message, joined by dots."""

UrlPath = Annotated[str, StringConstraints(pattern=r"^/[^?#\s]*$")]


class Receive(Section):
    """Where and how messages arrive.

    Attributes:
        host: The virtual host; None for any, by path alone.
        path: Path of the endpoint.
        codec: Encoding of a message.
        descriptor: Name of a message descriptor that we ship, for protobuf.
        max_body: Longest body in bytes.
        ok_status: Status of a good answer.
    """

    host: Host | None = None
    path: UrlPath = "/"
    codec: Literal["protobuf", "json", "query"] = "json"
    descriptor: Literal["pulp_checkin"] | None = None
    max_body: int = Field(default=_BODY_MAX_BYTES, ge=1, le=64 * 2**20)
    ok_status: int = Field(default=200, ge=200, le=299)

    @model_validator(mode="after")
    def _descriptor_goes_with_protobuf(self) -> Self:
        if (self.codec == "protobuf") != (self.descriptor is not None):
            raise ValueError("descriptor goes with codec protobuf, and codec protobuf needs one")
        return self


class InstallId(Section):
    """Where a message names its installation."""

    from_: FieldPath = Field(alias="from")
    type: Literal["uuid", "text"] = "uuid"


class DropIf(Section):
    """Messages that are kept as rejects although they are well formed."""

    any_component_version_not: Pattern | None = None
    duplicate_component: bool = False


class Components(Section):
    """The list of what is installed.

    Attributes:
        from_: Where the list is.
        name: Field of an item that names it.
        version: Field of an item with its version.
        levels: How many parts of a version make each level of the summary.
        order: How versions are sorted.
    """

    from_: FieldPath = Field(alias="from")
    name: FieldPath = "name"
    version: FieldPath = "version"
    levels: tuple[Annotated[int, Field(ge=1, le=9)], ...] = (2, 3)
    order: Literal["pep440", "semver", "text"] = "pep440"


class Code(Section):
    """A dimension whose values are codes; `label` names the function that spells one."""

    from_: FieldPath = Field(alias="from")
    label: Literal["postgres_number"] | None = None


class Fleet(Section):
    """One kind of installed program.

    Attributes:
        receive: Where messages arrive.
        install_id: Where a message names its installation.
        one_per: The first message of an installation in this period counts.
        drop_if: What is refused although well formed.
        components: The list of what is installed.
        gauges: Numbers that are averaged, by name; absent means 0.
        numbers: Numbers that are counted by value, by name; an absent parent means unknown.
        codes: Codes that are counted by value, by name.
        persistent_min_age_days: Age from which an installation counts as persistent.
        forget_after_days: Silence after which an installation starts a new life.
        raw_retention_days: How long raw messages are kept.
    """

    receive: Receive = Receive()
    install_id: InstallId
    one_per: Literal["utc_day"] = "utc_day"
    drop_if: DropIf = DropIf()
    components: Components | None = None
    gauges: dict[Identifier, FieldPath] = Field(default_factory=dict)
    numbers: dict[Identifier, FieldPath] = Field(default_factory=dict)
    codes: dict[Identifier, Code] = Field(default_factory=dict)
    persistent_min_age_days: int = Field(default=0, ge=0, le=3_650)
    forget_after_days: int = Field(default=14, ge=1, le=3_650)
    raw_retention_days: int = Field(default=14, ge=1, le=3_650)
