"""The page is not kept waiting nor the device awake: no handler reads the layout, no hidden page has a timer."""

import pytest

from tests.tracker.site import PASS_ON, REFUSE, html, script
from tests.tracker.stories import ANSWERED, FRAMES, HIDDEN, RAN, has_run, see

MODULES = "marks,forms,clicks,vitals,errors,commerce"

LAYOUT = """{
let handled = '';
window.handlers = []; window.run = new Set(); window.reads = [];
const note = name => reads.push([name, handled]);
const spy = (owner, keys) => { for (const key of keys.split(' ')) {
  const { value, get, ...rest } = Object.getOwnPropertyDescriptor(owner, key);
  Object.defineProperty(owner, key, get
    ? { ...rest, get() { note(key); return get.call(this) } }
    : { ...rest, value(...given) { note(key); return value.apply(this, given) } });
} };
spy(window, 'innerWidth innerHeight scrollX scrollY pageXOffset pageYOffset getComputedStyle');
spy(VisualViewport.prototype, 'width height scale offsetTop offsetLeft pageTop pageLeft');
spy(Document.prototype, 'scrollingElement elementFromPoint elementsFromPoint');
spy(Element.prototype, 'scrollTop scrollLeft scrollHeight scrollWidth clientTop clientLeft clientHeight clientWidth');
spy(Element.prototype, 'getBoundingClientRect getClientRects checkVisibility');
spy(HTMLElement.prototype, 'offsetTop offsetLeft offsetHeight offsetWidth offsetParent innerText outerText');
spy(Range.prototype, 'getBoundingClientRect getClientRects');
spy(MouseEvent.prototype, 'offsetX offsetY layerX layerY');
window.cancelled = 0;
Event.prototype.preventDefault = () => { cancelled++ };
const add = EventTarget.prototype.addEventListener;
EventTarget.prototype.addEventListener = function (type, handle, settings) {
  handlers.push(type);
  add.call(this || window, type, function (event) {
    const outer = handled;
    handled = type;
    run.add(type);
    try { return handle.call(this, event) } finally { handled = outer }
  }, settings);
};
}"""
"""Notes every handler, and each read of what makes a browser lay out the page: what, and in a handler of what."""

CLOCK = "window.clock = 1000; performance.now = () => clock"

BODY = """<style>body{margin:0}</style><a href="http://other.example:9/x" onclick="return false">leave</a>
<b data-event="Marked">marked</b><form onsubmit="return false"><input name="a" required><button>go</button></form>
<div style="height:5000px" tabindex="0">tall</div>"""

TIMERS = """{
window.pending = new Map(); window.late = [];
for (const [set, clear] of [['setTimeout', 'clearTimeout'], ['setInterval', 'clearInterval'],
                            ['requestIdleCallback', 'cancelIdleCallback']]) {
  const [start, stop] = [window[set], window[clear]];
  window[set] = (act, wait) => {
    if (document.hidden) late.push([set, wait]);
    const id = window.isStill && wait >= 1000 ? -pending.size - 1 : start(() => {
      if (set != 'setInterval') pending.delete(set + id);
      act();
    }, wait);
    pending.set(set + id, [set, wait]);
    return id;
  };
  window[clear] = id => { pending.delete(set + id); stop(id) };
}
window.failed = 0;
}"""
"""Notes the timers that wait, and those that were set while the page was hidden.

On a still page those of a second and more never come: a slow machine shall not see what a quick one does not.
"""


def timers(page):
    """Waits of the timers that wait, and the timers that were set while the page was hidden."""
    return page.evaluate("() => [[...pending.values()].map(([, wait]) => wait), late]")


@pytest.fixture
def watched(page):
    """A page whose timers are noted, as are the failures that the tracker tells of."""
    page.add_init_script(TIMERS)
    page.add_init_script(RAN)
    return page


def arrive(watched, url, wait, *modules):
    """Open a page, wait until its start is over and its view was answered, and keep it still."""
    watched.goto(url)
    wait(lambda: has_run(watched, *modules))
    watched.evaluate(ANSWERED, 1)
    watched.evaluate(FRAMES)
    wait(lambda: timers(watched) == [[], []])
    watched.evaluate("() => { t('on', 'error', () => failed++); window.isStill = true }")


def test_no_layout_is_read_while_the_visitor_scrolls_points_types_or_clicks(site, page, wait):
    for each in (LAYOUT, CLOCK, RAN):
        page.add_init_script(each)
    page.goto(site.put("/", html(BODY, script=script("t-more", id="user", modules=MODULES))))
    wait(lambda: site.named("page"))
    wait(lambda: has_run(page, *MODULES.split(",")))
    page.evaluate(FRAMES)
    for _ in range(6):
        page.click("a")  # two events each, so that ten wait before the last
    page.click("b")
    page.click("button")
    page.keyboard.type("abc")
    page.mouse.wheel(0, 1500)
    wait(lambda: page.evaluate("() => run.has('scroll')"))
    for target in (100, 200):  # there is something to report, in a handler
        page.evaluate("() => { clock += 40000 }")
        page.mouse.move(target, target)
    page.evaluate(FRAMES)
    page.evaluate("() => history.pushState({}, '', '/next')")
    page.evaluate(FRAMES)
    page.evaluate("() => t('flush')")
    wait(lambda: site.named("engage"))

    assert {"scroll", "pointermove", "keydown", "click", "focusin", "invalid"} <= set(page.evaluate("() => [...run]"))
    reads = page.evaluate("() => reads")
    assert {"innerWidth", "scrollTop", "scrollHeight", "clientHeight"} <= {
        name for name, handled in reads if not handled
    }
    assert [read for read in reads if read[1]] == []
    assert page.evaluate("() => cancelled") == 0


def test_no_handler_is_one_that_browsers_wait_for_before_they_scroll(site, page, wait):
    page.add_init_script(LAYOUT)
    page.goto(site.put("/", html(script=script("t-more", id="user", modules=MODULES))))
    own = {"pageshow", "pointermove", "focusin", "unhandledrejection"}
    wait(lambda: own <= set(page.evaluate("() => handlers")))
    waited_for = {"touchstart", "touchmove", "touchend", "touchcancel", "wheel", "mousewheel"}

    assert waited_for & set(page.evaluate("() => handlers")) == set()


def test_a_hidden_page_keeps_no_timer_and_goes_on_when_it_is_seen_again(site, watched, wait):
    url = site.put("/", html(script=script("t-more", id="user", modules=MODULES)))
    arrive(watched, url, wait, *MODULES.split(","))
    watched.evaluate("() => { t('event', 'seen') }")
    assert timers(watched) == [[5_000], []]
    see(watched, hidden=True)
    wait(lambda: site.named("seen"))
    watched.evaluate("() => { for (let i = 0; i < 15; i++) t('event', 'away', {n: i}) }")
    wait(lambda: len(site.named("away")) == 15)
    assert timers(watched) == [[], []]
    see(watched, hidden=False)
    watched.evaluate("() => { t('event', 'back') }")
    assert timers(watched) == [[5_000], []]
    watched.evaluate("() => { for (let i = 0; i < 10; i++) t('event', 'many') }")
    wait(lambda: site.named("many") and site.named("back"))


def test_what_fails_while_the_page_is_hidden_waits_without_a_timer_for_the_network_or_for_a_look(site, watched, wait):
    arrive(watched, site.put("/", html()), wait)
    site.decide = lambda _: REFUSE
    watched.evaluate("() => { t('event', 'a'); t('flush') }")
    wait(lambda: watched.evaluate("() => failed") == 1)
    ((retry,), _) = timers(watched)
    assert 1_000 <= retry <= 3_000
    see(watched, hidden=True)  # tries at once
    wait(lambda: watched.evaluate("() => failed") == 2)
    watched.evaluate("() => { t('event', 'b') }")
    assert timers(watched) == [[], []]
    watched.evaluate("() => { dispatchEvent(new Event('online')) }")
    wait(lambda: watched.evaluate("() => failed") == 3)
    assert timers(watched) == [[], []]
    site.decide = lambda _: PASS_ON
    watched.evaluate("() => { window.setTimeout = () => 1 }")  # the look itself is the occasion
    see(watched, hidden=False)
    wait(lambda: {"a", "b"} <= {event["n"] for event in site.bodies[-1]["events"]})


def test_what_fails_while_the_page_is_hidden_goes_when_the_network_is_back(site, watched, wait):
    arrive(watched, site.put("/", html()), wait)
    site.decide = lambda _: REFUSE
    watched.evaluate("() => { t('event', 'a') }")
    see(watched, hidden=True)
    wait(lambda: watched.evaluate("() => failed") == 1)
    site.decide = lambda _: PASS_ON
    watched.evaluate("() => { dispatchEvent(new Event('online')) }")
    wait(lambda: len(site.bodies) == 3)
    assert "a" in [event["n"] for event in site.bodies[-1]["events"]]
    assert timers(watched) == [[], []]


def test_what_a_hidden_page_could_not_send_goes_with_the_next(site, watched, context, wait):
    arrive(watched, site.put("/", html(script=script("t-more", id="user"))), wait)
    site.decide = lambda _: REFUSE
    watched.evaluate("() => { t('event', 'a') }")
    see(watched, hidden=True)
    wait(lambda: watched.evaluate("() => failed") == 1)
    assert timers(watched) == [[], []]
    watched.close()
    site.decide = lambda _: PASS_ON
    site.bodies.clear()
    page = context.new_page()
    page.goto(site.url("/"))
    page.wait_for_function("() => !Object.keys(localStorage).some(key => key.startsWith('t:q:'))")
    assert len(site.named("a")) == 1


@pytest.mark.parametrize("element", [script(), script("t-more", id="user")], ids=["small", "ids"])
def test_a_page_that_is_loaded_in_the_background_sets_no_timer_before_it_is_seen(site, watched, wait, element):
    watched.add_init_script(HIDDEN)
    watched.goto(site.put("/", html(script=element)))
    watched.evaluate("() => { t('event', 'ran') }")
    wait(lambda: site.named("ran"))
    assert timers(watched) == [[], []]
    assert site.named("page") == []
    see(watched, hidden=False)
    wait(lambda: site.named("page"))
