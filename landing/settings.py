"""The settings that both sides of the landing zone share, read once from the environment."""

import re
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from landing.store import Store, open_store

ENV_PREFIX = "TIDEMILL_"
"""Every variable of ours begins with this; the rest is the field's name in capitals."""

_PASSWORD = re.compile(r"(://[^:/@]*:)[^/]*@")
"""A password within a URL: a message ends in logs, so it must not be repeated there."""


class LandingSettings(BaseSettings):
    """Where things are kept. The collector's and the orchestration's settings extend this class.

    Attributes:
        home: Folder of everything kept on this machine; always absolute.
        landing_url: `file:///folder` or `s3://bucket/prefix`; the folder `landing` in `home` unless set.
        s3_endpoint_url: Address of an S3-like server; None for Amazon's own. Keys, secrets and the region
            come from the usual AWS variables.
        sites: The sites file; always absolute.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    home: Path = Path(".tidemill")
    landing_url: str = ""
    s3_endpoint_url: str | None = Field(default=None, pattern=r"^https?://[^/\s]+")
    sites: Path = Path("sites.yml")

    @field_validator("home", "sites", mode="after")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        """A child process started in another folder must mean the same place."""
        return path.expanduser().absolute()

    @field_validator("landing_url", mode="after")
    @classmethod
    def _known_scheme(cls, url: str) -> str:
        if url:
            open_store(url)
        return url

    @model_validator(mode="after")
    def _default_landing_url(self) -> Self:
        if not self.landing_url:
            object.__setattr__(self, "landing_url", (self.home / "landing").as_uri())  # the model is frozen by now
        return self

    def open_store(self) -> Store:
        """The landing zone. Opening touches neither disk nor network."""
        return open_store(self.landing_url, endpoint_url=self.s3_endpoint_url)


def explain_settings_error(error: ValidationError) -> str:
    """One line that names each wrong variable and what is wrong with it.

    Args:
        error: Raised while a settings class was made from the environment.

    Returns:
        Such as `TIDEMILL_COLLECTOR_PORT: Input should be less than or equal to 65535 (is '70000')`.
    """
    return "; ".join(
        f"{_variable(problem['loc'])}: {problem['msg'].removeprefix('Value error, ')}"
        + ("" if problem["type"] == "missing" else f" (is {_shown(problem['input'])!r})")
        for problem in error.errors(include_url=False, include_context=False)
    )


def _shown(value: object) -> str:
    return _PASSWORD.sub(r"\1***@", str(value))


def _variable(location: tuple[int | str, ...]) -> str:
    """The environment variable at a field's location; without a field, the settings as a whole."""
    return f"{ENV_PREFIX}{location[0]}".upper() if location else f"{ENV_PREFIX}*"
