"""The demo shop under its policy, with the tracker that the collector serves, pinned by its integrity."""

from collections.abc import Iterator

import pytest

from collector.scripts import read_scripts
from landing.sites import load_sites
from landing.store import DirectoryStore
from tests.fixtures.collector import CollectorProcess, read_inbox
from tests.tracker.site import DIST
from tidemill.checkout import EXAMPLE_SITES
from tidemill.demo.shop import POLICY, Shop, serve_shop

WATCH = """window.refused = []; addEventListener('securitypolicyviolation',
event => refused.push(event.effectiveDirective + ' ' + event.blockedURI))"""


@pytest.fixture
def shop(served) -> Shop:
    site = load_sites(EXAMPLE_SITES).sites["shop"]
    return Shop(site, read_scripts(DIST), "/p/t.js", ("127.0.0.1", served[1].port))


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    with serve_shop(shop) as address:
        yield address


def landed_paths(collector: CollectorProcess, address: str) -> set[str]:
    """Paths of the views that the collector landed of a shop."""
    rows = read_inbox(DirectoryStore(collector.home / "landing")).events
    urls = {row["page_url"] for row in rows if row["event_type"] == "page_view"}
    return {"/" + url.removeprefix(address) for url in urls if url.startswith(address)}


def test_the_shop_counts_under_a_strict_policy_with_a_script_that_is_pinned(address, served, page, wait):
    page.add_init_script(WATCH)
    response = page.goto(address)
    assert response.headers["content-security-policy"] == POLICY == "default-src 'self'"
    source, integrity = page.evaluate(
        "() => { const e = document.querySelector('[data-site]'); return [e.src, e.integrity] }"
    )
    release = read_scripts(DIST).release
    assert source == f"{address}p/{release}/t-more.js"
    assert integrity == read_scripts(DIST).files["t-more.js"].integrity
    wait(lambda: landed_paths(served[1], address) == {"/"})
    page.goto(f"{address}app/river")
    wait(lambda: landed_paths(served[1], address) == {"/", "/app/river"})
    assert page.evaluate("() => refused") == []
    page.evaluate(
        "() => document.head.append(Object.assign(document.createElement('script'), {text: 'window.own = 1'}))"
    )
    wait(lambda: page.evaluate("() => refused") == ["script-src-elem inline"])
    assert page.evaluate("() => window.own") is None


def test_a_script_that_is_not_the_pinned_one_does_not_run(address, page, wait):
    seen = []
    page.on("console", lambda message: seen.append(message.text))
    page.route("**/t-more.js", lambda route: route.fulfill(body="window.changed = 1", content_type="text/javascript"))
    page.goto(address)
    wait(lambda: any("integrity" in text for text in seen))
    assert page.evaluate("() => [window.changed, typeof t.q]") == [None, "object"]
