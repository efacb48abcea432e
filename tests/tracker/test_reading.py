"""Engaged time and scroll depth."""

import pytest

from tests.tracker.site import html
from tests.tracker.stories import FRAMES, see

TALL = '<div style="height:3000px"></div>'
NO_MARGIN = "<style>body{margin:0}</style>"


@pytest.fixture
def reader(page):
    """A page whose clock and focus the test moves."""
    page.add_init_script(
        "window.clock = 1000; performance.now = () => window.clock; window.focused = true;"
        "document.hasFocus = () => window.focused;"
    )
    return page


def advance(page, seconds, *, moves):
    """Let time pass, with a movement of the pointer each second or none."""
    page.evaluate(
        "([n, moves]) => { for (let i = 0; i < n; i++) { clock += 1000;"
        " if (moves) dispatchEvent(new Event('pointermove')) } }",
        [seconds, moves],
    )


def focus(page, *, has):
    page.evaluate(f"() => {{ focused = {str(has).lower()}; dispatchEvent(new Event('{'focus' if has else 'blur'}')) }}")


def test_without_input_attention_ends_after_thirty_seconds(site, reader, wait):
    reader.goto(site.put("/", html()))
    wait(lambda: site.bodies)
    advance(reader, 300, moves=False)
    see(reader, hidden=True)
    wait(lambda: site.named("engage"))
    assert site.named("engage")[-1]["e"] == 30_000


def test_playing_media_holds_attention(site, reader, wait):
    reader.goto(site.put("/", html("<video></video>")))
    wait(lambda: site.bodies)
    for _ in range(60):
        reader.evaluate(
            "() => { clock += 1000; document.querySelector('video').dispatchEvent(new Event('timeupdate')) }"
        )
    see(reader, hidden=True)
    wait(lambda: site.named("engage"))
    assert max(event["e"] for event in site.named("engage")) == 60_000


def test_what_is_read_is_told_ever_more_rarely(site, reader, wait):
    reader.goto(site.put("/", html()))
    wait(lambda: site.bodies)
    advance(reader, 600, moves=True)
    reader.evaluate("() => t('flush')")
    wait(lambda: len(site.named("engage")) == 11)
    seconds = [event["e"] // 1_000 for event in site.named("engage")]
    assert seconds == [16, 33, 67, *range(128, 600, 61)]


def test_a_scroll_of_pixels_gives_the_exact_percentage(site, page, wait):
    page.goto(site.put("/", html(f'{NO_MARGIN}<div style="height:6000px"></div>')))
    wait(lambda: site.bodies)
    page.evaluate("() => scrollTo(0, 3000)")
    page.evaluate("() => new Promise(done => setTimeout(done))")
    page.evaluate(FRAMES)
    page.evaluate(FRAMES)
    page.evaluate("() => scrollTo(0, 0)")
    page.evaluate(FRAMES)
    see(page, hidden=True)
    wait(lambda: site.named("engage"))
    last = site.named("engage")[-1]
    assert (last["sd"], last["sy"], last["dh"]) == (60, 3000, 6000)


def test_a_page_that_fits_is_seen_as_a_whole(site, page, wait):
    page.goto(site.put("/", html("<p>short</p>")))
    wait(lambda: site.bodies)
    page.evaluate(FRAMES)
    see(page, hidden=True)
    wait(lambda: site.named("engage"))
    assert site.named("engage")[-1]["sd"] == 100


def test_a_document_that_grows_is_measured_again(site, page, wait):
    page.goto(site.put("/", html(f"{NO_MARGIN}<p>short</p>")))
    wait(lambda: site.bodies)
    page.evaluate(FRAMES)
    page.evaluate("() => { document.querySelector('p').outerHTML = '<div style=height:1200px></div>' }")
    page.evaluate(FRAMES)
    page.evaluate(FRAMES)
    see(page, hidden=True)
    wait(lambda: site.named("engage"))
    assert site.named("engage")[-1]["sd"] == 50


def test_an_element_may_scroll_instead_of_the_window(site, page, wait):
    box = f'{NO_MARGIN}<div id="box" style="height:500px;overflow:auto"><div style="height:2000px"></div></div>'
    page.goto(
        site.put(
            "/", html(box, script='<script defer src="/p/t.js" data-site="shop" data-scroll-root="#box"></script>')
        )
    )
    wait(lambda: site.bodies)
    page.evaluate("() => { document.querySelector('#box').scrollTop = 500 }")
    page.evaluate("() => new Promise(done => setTimeout(done, 50))")
    page.evaluate(FRAMES)
    see(page, hidden=True)
    wait(lambda: site.named("engage"))
    assert site.named("engage")[-1]["sd"] == 50


def test_a_navigation_ends_the_reading_of_the_page_before(site, reader, wait):
    reader.goto(site.put("/", html()))
    wait(lambda: site.bodies)
    first = site.events[0]["pv"]
    advance(reader, 5, moves=True)
    reader.evaluate("() => history.pushState({}, '', '/next')")
    reader.evaluate(FRAMES)
    advance(reader, 3, moves=True)
    see(reader, hidden=True)
    wait(lambda: len({event["pv"] for event in site.named("engage")}) == 2)
    by_view = {event["pv"]: event for event in site.named("engage")}
    assert by_view.pop(first)["e"] == 5_000
    (second,) = by_view.values()
    assert (second["e"], second["u"]) == (3_000, site.url("/next"))


def test_events_of_a_view_are_numbered_without_gaps(site, reader, wait):
    reader.goto(site.put("/", html()))
    reader.evaluate("() => { t('event', 'a'); t('event', 'b') }")
    advance(reader, 20, moves=True)
    see(reader, hidden=True)
    wait(lambda: site.named("engage"))
    numbers = sorted(event["seq"] for event in {event["id"]: event for event in site.events}.values())
    assert numbers == list(range(1, len(numbers) + 1))
