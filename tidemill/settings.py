"""Reads the settings classes of the parts; has no setting of its own."""

from typing import TypeVar

from pydantic import ValidationError

from landing.settings import LandingSettings, explain_settings_error
from tidemill.errors import CommandFailed

Settings = TypeVar("Settings", bound=LandingSettings)


def read_settings(kind: type[Settings]) -> Settings:
    """Settings of class `kind` from the environment.

    Raises:
        CommandFailed: a variable is wrong or missing; the message names it.
    """
    try:
        return kind()
    except ValidationError as error:
        raise CommandFailed(explain_settings_error(error)) from None
