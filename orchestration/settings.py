"""The settings of the orchestration, read once from the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, FilePath, field_validator

from landing.settings import LandingSettings

_Days = Annotated[int, Field(ge=1, le=36_500)]


class OrchestrationSettings(LandingSettings):
    """Where the warehouse is and how long things are kept.

    Attributes:
        database_url: The warehouse, `postgresql://…`; required, since only the command line knows an embedded server.
        raw_retention_days: Days that raw events and rejects stay in the warehouse after the day of their receipt.
        archive_retention_days: Days that archive objects stay in the landing zone.
        geoip_city_db: A City database in MaxMind's format; None leaves places unknown.
    """

    database_url: str
    raw_retention_days: _Days = 30
    archive_retention_days: _Days = 395
    geoip_city_db: FilePath | None = None

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, url: str) -> str:
        if not url.startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        return url

    @property
    def dagster_home(self) -> Path:
        """Folder of Dagster's own state on this machine."""
        return self.home / "dagster"
