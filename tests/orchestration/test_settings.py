"""The settings of the orchestration."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from landing.settings import explain_settings_error
from orchestration.settings import OrchestrationSettings

URL = "postgresql://localhost/x"


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("DATABASE_URL", "RAW_RETENTION_DAYS", "ARCHIVE_RETENTION_DAYS", "GEOIP_CITY_DB", "HOME"):
        monkeypatch.delenv(f"TIDEMILL_{name}", raising=False)
    return monkeypatch


def test_defaults(variables: pytest.MonkeyPatch) -> None:
    variables.setenv("TIDEMILL_DATABASE_URL", URL)

    settings = OrchestrationSettings()

    assert (settings.raw_retention_days, settings.archive_retention_days, settings.geoip_city_db) == (30, 395, None)
    assert settings.dagster_home == Path.cwd() / ".tidemill" / "dagster"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("DATABASE_URL", "", "TIDEMILL_DATABASE_URL: Field required"),
        ("DATABASE_URL", "mysql://x", "TIDEMILL_DATABASE_URL: must begin with postgresql://"),
        ("RAW_RETENTION_DAYS", "0", "TIDEMILL_RAW_RETENTION_DAYS: Input should be greater than or equal to 1"),
        ("ARCHIVE_RETENTION_DAYS", "long", "TIDEMILL_ARCHIVE_RETENTION_DAYS: Input should be a valid integer"),
        ("GEOIP_CITY_DB", "/nowhere.mmdb", "TIDEMILL_GEOIP_CITY_DB: Path does not point to a file"),
    ],
)
def test_a_wrong_value_is_told_in_one_line(variables: pytest.MonkeyPatch, name: str, value: str, problem: str) -> None:
    variables.setenv("TIDEMILL_DATABASE_URL", URL)
    variables.setenv(f"TIDEMILL_{name}", value)

    with pytest.raises(ValidationError) as raised:
        OrchestrationSettings()

    assert explain_settings_error(raised.value).startswith(problem)
