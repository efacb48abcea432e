"""Browser, system, kind of device and bots."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landing.contract import DEVICE_KINDS
from orchestration.enrich.devices import DEVICE_COLUMNS, describe_agent, devices

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
ANDROID = "Mozilla/5.0 (Linux; Android 13; {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0"


def described(user_agent: str | None, *, automation: str | None = None, protocol: str = "tracker") -> dict:
    columns = devices(*(pa.chunked_array([[value]], pa.string()) for value in (user_agent, automation, protocol)))
    return {name: column[0].as_py() for name, column in columns.items()}


@pytest.mark.parametrize(
    ("user_agent", "kind", "browser", "system"),
    [
        (f"{WINDOWS} Chrome/120.0.0.0 Safari/537.36", "desktop", "Chrome 120.0", "Windows 10"),
        (f"{WINDOWS} Chrome/120.0.0.0 Safari/537.36 Edg/120.0", "desktop", "Edge 120.0", "Windows 10"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15",
            "desktop",
            "Safari 17.4",
            "Mac OS X 10.15",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0", "desktop", "Firefox 115.0", "Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1 Version/17.1 Mobile/1 Safari/604",
            "mobile",
            "Mobile Safari 17.1",
            "iOS 17.1",
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 16_1 like Mac OS X) AppleWebKit/605.1.15 Version/16.1 Mobile/1 Safari/604.1",
            "tablet",
            "Mobile Safari 16.1",
            "iOS 16.1",
        ),
        (f"{ANDROID.format('K')} Mobile Safari/537.36", "mobile", "Chrome Mobile 124.0", "Android 13"),
        (f"{ANDROID.format('SM-X900')} Safari/537.36", "tablet", "Chrome 124.0", "Android 13"),
        (f"{ANDROID.format('CUBOT X30')} Mobile Safari/537.36", "mobile", "Chrome Mobile 124.0", "Android 13"),
        (
            "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 SamsungBrowser/2.2 Chrome/63 TV Safari/537.36",
            "tv",
            "Samsung Internet 2.2",
            "Tizen 6.0",
        ),
        ("MyApp", "other", None, None),
    ],
)
def test_a_persons_device(user_agent: str, kind: str, browser: str | None, system: str | None) -> None:
    found = described(user_agent)

    names = [" ".join(filter(None, (found[name], found[f"{name}_version"]))) or None for name in ("browser", "os")]
    assert (found["device_kind"], *names, found["is_bot"], found["bot_name"]) == (kind, browser, system, False, None)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot"),
        ("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "AhrefsBot"),
        ("GPTBot/1.0", "GPTBot"),
        (f"{WINDOWS} HeadlessChrome/119.0.0.0 Safari/537.36", "Headless Chrome"),
        ("SomethingNew/1.0 (+https://new.example/about)", "Unnamed crawler"),
        ("UptimeRobot/2.0", "UptimeRobot"),
    ],
)
@pytest.mark.parametrize("protocol", ["tracker", "api"])
def test_a_crawler_is_flagged_by_name_on_every_protocol(user_agent: str, name: str, protocol: str) -> None:
    found = described(user_agent, protocol=protocol)

    assert (found["device_kind"], found["is_bot"], found["bot_name"]) == ("bot", True, name)


@pytest.mark.parametrize(
    ("user_agent", "reason"),
    [
        ("curl/8.4.0", "curl"),
        ("python-requests/2.31", "Python"),
        ("Go-http-client/2.0", "Go"),
        ("", "no user agent"),
        ("  ", "no user agent"),
        (None, "no user agent"),
    ],
)
def test_a_library_or_nothing_is_a_bot_where_browsers_speak_and_nowhere_else(
    user_agent: str | None, reason: str
) -> None:
    in_browser, on_server = described(user_agent, protocol="tracker"), described(user_agent, protocol="api")

    assert (in_browser["is_bot"], in_browser["bot_name"], in_browser["device_kind"]) == (True, reason, "bot")
    assert (on_server["is_bot"], on_server["bot_name"]) == (False, None)


def test_automation_that_the_client_reports_is_a_bot() -> None:
    found = described(f"{WINDOWS} Chrome/120.0.0.0 Safari/537.36", automation="webdriver")

    assert (found["is_bot"], found["bot_name"], found["browser"]) == (True, "automation: webdriver", "Chrome")


def test_no_user_agent_says_nothing_of_the_device() -> None:
    assert described(None, protocol="api") == dict.fromkeys(DEVICE_COLUMNS) | {"is_bot": False}


@given(st.text(max_size=100))
def test_every_text_gets_a_kind_of_the_contract(user_agent: str) -> None:
    assert describe_agent(user_agent).device_kind in DEVICE_KINDS
