"""What assets, checks and schedules reach the outside through: the warehouse, the landing zone, the clock."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache

import dagster as dg
from pydantic import ValidationError

from landing.settings import explain_settings_error
from landing.store import Store
from orchestration import database
from orchestration.clock import Clock, clock_of
from orchestration.settings import OrchestrationSettings


class Mill(dg.ConfigurableResource[None]):
    """The mill's settings, warehouse and landing zone.

    Nothing is read when definitions are loaded: they must load where there is neither a database nor a variable.
    """

    @property
    def settings(self) -> OrchestrationSettings:
        """The settings in the environment.

        Raises:
            dagster.Failure: a variable is wrong or missing; not tried again.
        """
        try:
            return OrchestrationSettings()
        except ValidationError as error:
            raise dg.Failure(explain_settings_error(error), allow_retries=False) from None

    @property
    def database_url(self) -> str:
        """URL of the warehouse, whose schemas `ops` and `raw` are up to date."""
        url = self.settings.database_url
        _migrate_once(url)
        return url

    @contextmanager
    def connect(self) -> Iterator[database.Connection]:
        """A session on the warehouse."""
        with database.connect(self.database_url) as connection:
            yield connection

    def open_store(self) -> Store:
        """The landing zone."""
        return self.settings.open_store()

    def clock(self, tags: Mapping[str, str]) -> Clock:
        """The clock of the run that has these tags."""
        return clock_of(tags)


@cache
def _migrate_once(database_url: str) -> None:
    """Once in a process: a schedule asks every minute, and migrating takes locks."""
    database.migrate(database_url)
