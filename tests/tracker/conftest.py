"""A real browser on a site that is served from here, in front of a real collector."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from landing.store import DirectoryStore
from tests.fixtures.collector import CollectorProcess, read_inbox, wait_until
from tests.tracker.site import DIST, Site
from tests.tracker.stories import until

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"


def _chromium() -> str:
    named = os.environ.get("TIDEMILL_TEST_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("no Chromium: `apt-get install chromium`, or name one in TIDEMILL_TEST_CHROMIUM")
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A module's tests stay together, so that its Chromium starts on one worker only."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()) and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def built() -> Path:
    """Folder of the built tracker."""
    if not (DIST / "manifest.json").exists():
        pytest.skip("the tracker is not built: make tracker")
    return DIST


@pytest.fixture(scope="session")
def served(
    built: Path,  # noqa: ARG001  (the collector serves it)
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Site, CollectorProcess]]:
    """A site and its collector, for all tests of a worker."""
    collector = CollectorProcess(tmp_path_factory.mktemp("tracker") / "home")
    site = Site(0)
    try:
        collector.start()
        site.collector_port = collector.port
        yield site, collector
    finally:
        site.close()
        collector.stop()


@pytest.fixture
def site(served: tuple[Site, CollectorProcess]) -> Site:
    """The site without pages, without a past."""
    served[0].reset()
    return served[0]


@pytest.fixture
def landed(served: tuple[Site, CollectorProcess]) -> Callable[[list[str]], list[dict[str, Any]]]:
    """Rows that the collector landed for ids of events, once all of them are there."""
    store = DirectoryStore(served[1].home / "landing")

    def rows(ids: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []

        def are_there() -> bool:
            found[:] = [row for row in read_inbox(store).events if row["client_event_id"] in ids]
            return {row["client_event_id"] for row in found} == set(ids)

        wait_until(are_there)
        return found

    return rows


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, for which every host named *.example is this machine and as good as https.

    Not for longer than a module: while playwright runs, its thread has a running event loop, and other tests of the
    same worker need their own.
    """
    sync_api = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright: make install")
    executable = _chromium()
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=executable,
            args=[
                "--no-sandbox",
                # Nobody looks: what is drawn needs neither a graphics card made of software nor a process of its own.
                "--disable-gpu",
                "--in-process-gpu",
                "--host-resolver-rules=MAP *.example 127.0.0.1",
                "--unsafely-treat-insecure-origin-as-secure=*.shop.example,*.other.example",
                "--disable-blink-features=AutomationControlled",
                f"--user-agent={_AGENT}",
            ],
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def visitor(browser: Any) -> Callable[[], AbstractContextManager[Any]]:
    """Makes visitors, each with a browser that nobody has used."""

    @contextmanager
    def visit() -> Iterator[Any]:
        made = browser.new_context(user_agent=_AGENT, viewport={"width": 1000, "height": 600})
        made.set_default_timeout(60_000)
        try:
            yield made
        finally:
            made.close()

    return visit


@pytest.fixture
def context(visitor: Callable[[], AbstractContextManager[Any]]) -> Iterator[Any]:
    """A visitor."""
    with visitor() as made:
        yield made


@pytest.fixture
def page(context: Any) -> Iterator[Any]:
    """A tab; the tracker must not throw in it."""
    made = context.new_page()
    errors: list[str] = []
    made.on("pageerror", lambda error: errors.append(str(error)))
    yield made
    assert errors == []


@pytest.fixture
def wait(page: Any) -> Callable[[Callable[[], object]], None]:
    """Wait for a condition outside while the browser goes on."""
    return lambda condition: until(page, condition)
