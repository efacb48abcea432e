"""Declared tables, and the apps that post rows into them: the schema file of attolytics as part of the sites file."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from landing.credentials import Secret
from landing.names import Identifier, Origin, Section

ColumnName = Annotated[str, StringConstraints(pattern=r"^[^_\x00][^\x00]*$", max_length=63)]
"""Any name that Postgres takes in quotes; a leading underscore is kept for our lineage columns."""


class DeclaredColumn(Section):
    """A column of a declared table.

    Attributes:
        name: Name of the event's field and of the column.
        type: As attolytics names types.
        header: Name of the request header that fills the column.
        indexed: Whether the column has an index.
        required: Whether an event without it is refused.
    """

    name: ColumnName
    type: Literal["bool", "i32", "i64", "f32", "f64", "string", "timestamp"] = "string"
    header: str | None = Field(default=None, pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
    indexed: bool = False
    required: bool = False

    @model_validator(mode="after")
    def _header_is_text(self) -> Self:
        if self.header is not None and self.type != "string":
            raise ValueError("a column filled from a header has the type string")
        return self


class DeclaredTable(Section):
    """A table of the owner's design: its columns in order."""

    columns: tuple[DeclaredColumn, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [column.name for column in self.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"columns named twice: {', '.join(twice)}")
        return self


class App(Section):
    """Who may post into which tables.

    Attributes:
        secret_key: The key in clear text, as in attolytics' own file; reported as a warning.
        secret_key_sha256: Its SHA-256 in hex.
        secrets: Any number of hashed keys, so that one can replace another.
        access_control_allow_origin: `*` or one origin.
        tables: Names of declared tables.
        on_type_error: What a value of the wrong type does: becomes null, or refuses its batch.
        strict_http: Answer 405, 413 and 415 where attolytics answers 404 and 400.
    """

    secret_key: str | None = Field(default=None, min_length=1, repr=False)
    secret_key_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$", repr=False)
    secrets: tuple[Secret, ...] = ()
    access_control_allow_origin: Origin = "*"
    tables: tuple[Identifier, ...]
    on_type_error: Literal["null", "reject"] = "null"
    strict_http: bool = False

    @model_validator(mode="after")
    def _has_a_key(self) -> Self:
        if self.secret_key is None and self.secret_key_sha256 is None and not self.secrets:
            raise ValueError("needs secret_key, secret_key_sha256 or secrets")
        return self
