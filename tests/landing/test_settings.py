from pathlib import Path

import pytest
from pydantic import ValidationError

from landing.s3 import S3Store
from landing.settings import LandingSettings, explain_settings_error
from landing.store import DirectoryStore


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "LANDING_URL", "S3_ENDPOINT_URL", "SITES"):
        monkeypatch.delenv(f"TIDEMILL_{name}", raising=False)


def test_with_nothing_set_everything_is_below_the_working_folder(tmp_path: Path) -> None:
    settings = LandingSettings()

    assert settings.home == tmp_path / ".tidemill"
    assert settings.sites == tmp_path / "sites.yml"
    assert settings.landing_url == f"file://{tmp_path}/.tidemill/landing"
    store = settings.open_store()
    assert isinstance(store, DirectoryStore)
    assert store.root == tmp_path / ".tidemill" / "landing"


def test_the_landing_folder_follows_home_even_with_odd_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMILL_HOME", "/srv/tide mill/100%")

    store = LandingSettings().open_store()

    assert isinstance(store, DirectoryStore)
    assert store.root == Path("/srv/tide mill/100%/landing")


def test_an_s3_url_opens_the_bucket_at_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMILL_LANDING_URL", "s3://bucket/a/b")
    monkeypatch.setenv("TIDEMILL_S3_ENDPOINT_URL", "http://127.0.0.1:8333")

    store = LandingSettings().open_store()

    assert isinstance(store, S3Store)
    assert (store.bucket, store.prefix) == ("bucket", "a/b/")


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TIDEMILL_SITES", "")
    monkeypatch.setenv("TIDEMILL_S3_ENDPOINT_URL", "")

    assert LandingSettings().sites == tmp_path / "sites.yml"
    assert LandingSettings().s3_endpoint_url is None


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        LandingSettings().home = Path("/elsewhere")  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIDEMILL_LANDING_URL", "ftp://host/folder"),
        ("TIDEMILL_LANDING_URL", "s3://"),
        ("TIDEMILL_LANDING_URL", "landing"),
        ("TIDEMILL_S3_ENDPOINT_URL", "localhost:8333"),
    ],
)
def test_a_wrong_value_gives_one_line_naming_variable_and_value(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ValidationError) as caught:
        LandingSettings()

    line = explain_settings_error(caught.value)
    assert line.startswith(f"{name}: ")
    assert line.endswith(f"(is {value!r})")
    assert "\n" not in line


def test_every_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMILL_LANDING_URL", "nowhere")
    monkeypatch.setenv("TIDEMILL_S3_ENDPOINT_URL", "nowhere")

    with pytest.raises(ValidationError) as caught:
        LandingSettings()

    assert "TIDEMILL_LANDING_URL: " in explain_settings_error(caught.value)
    assert "; TIDEMILL_S3_ENDPOINT_URL: " in explain_settings_error(caught.value)


def test_a_password_is_not_repeated_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMILL_LANDING_URL", "postgresql://tide:s3c@ret@host/db")

    with pytest.raises(ValidationError) as caught:
        LandingSettings()

    assert "(is 'postgresql://tide:***@host/db')" in explain_settings_error(caught.value)
