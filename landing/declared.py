"""Declared tables, and the apps that post rows into them: the schema file of attolytics as part of the sites file."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from landing.credentials import Secret
from landing.names import Section, allowed_origin

LINEAGE_COLUMNS = ("_row_id", "_app", "_received_at", "_request_id", "_batch_id", "_other_fields")
"""Columns that every declared table has besides its own."""

_NAME_BYTES_MAX = 63
"""What Postgres keeps of an identifier."""

_BODY_BYTES = 32_768
"""The original's limit."""


def _identifier(text: str) -> str:
    if not text or "\0" in text or len(text.encode()) > _NAME_BYTES_MAX:
        raise ValueError(f"a name has 1 to {_NAME_BYTES_MAX} bytes of UTF-8")
    return text


def _column(text: str) -> str:
    if text in LINEAGE_COLUMNS:
        raise ValueError("this name is taken by a column that every declared table has")
    return _identifier(text)


def _as_list(origins: object) -> object:
    return (origins,) if isinstance(origins, str) else origins


TableName = Annotated[str, AfterValidator(_identifier)]
"""Any name that Postgres takes in quotes."""

ColumnName = Annotated[str, AfterValidator(_column)]


class DeclaredColumn(Section):
    """A column of a declared table.

    Attributes:
        name: Name of the event's field and of the column.
        type: As attolytics names types.
        header: Name of the request header that fills the column.
        unit: What a number means in a timestamp column: seconds or milliseconds since 1970.
        indexed: Whether the column has an index.
        required: Whether an event without it is refused.
    """

    name: ColumnName
    type: Literal["bool", "i32", "i64", "f32", "f64", "string", "timestamp"] = "string"
    header: str | None = Field(default=None, pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
    unit: Literal["s", "ms"] = "s"
    indexed: bool = False
    required: bool = False

    @model_validator(mode="after")
    def _header_is_text(self) -> Self:
        if self.header is not None and self.type != "string":
            raise ValueError("a column filled from a header has the type string")
        return self


class DeclaredTable(Section):
    """A table of the owner's design: its columns in order."""

    columns: tuple[DeclaredColumn, ...]

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
        access_control_allow_origin: `*`, one origin or several; `null` stands for pages without one, [] for none.
        tables: Names of declared tables.
        on_type_error: What a value of the wrong type does: becomes null, or refuses its batch.
        strict_http: Answer 405, 413 and 415 where attolytics answers 404 and 400.
        body_bytes_max: Longest body.
        events_max: Most events of a request.
        events_per_minute: Most events of a minute; more are answered 429. None: any number.
    """

    secret_key: str | None = Field(default=None, min_length=1, repr=False)
    secret_key_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$", repr=False)
    secrets: tuple[Secret, ...] = ()
    access_control_allow_origin: Annotated[
        tuple[Annotated[str, AfterValidator(allowed_origin)], ...], BeforeValidator(_as_list)
    ] = ("*",)
    tables: tuple[TableName, ...]
    on_type_error: Literal["null", "reject"] = "null"
    strict_http: bool = False
    body_bytes_max: int = Field(default=_BODY_BYTES, ge=1, le=2**20)
    events_max: int = Field(default=2_500, ge=1, le=2_500)
    events_per_minute: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _has_a_key(self) -> Self:
        if self.secret_key is None and self.secret_key_sha256 is None and not self.secrets:
            raise ValueError("needs secret_key, secret_key_sha256 or secrets")
        return self
