"""The page waits only for what must be done while the script is evaluated; nothing is missed until the rest is."""

import pytest

from tests.tracker.site import html, script
from tests.tracker.stories import FRAMES, see

WATCH = """{
window.used = [];
let callback = 0, isOpen = false;
const note = name => {
  if (!isOpen) { isOpen = true; callback++; Promise.resolve().then(() => { isOpen = false }) }
  used.push([name, !!document.currentScript, callback]);
};
const spy = (owner, key, name) => {
  const { value, get, ...rest } = Object.getOwnPropertyDescriptor(owner, key);
  Object.defineProperty(owner, key, get
    ? { ...rest, get() { note(name); return get.call(this) } }
    : { ...rest, value: new Proxy(value, {
        apply: (target, self, given) => { note(name); return Reflect.apply(target, self, given) },
        construct: (target, given) => { note(name); return Reflect.construct(target, given) } }) });
};
spy(window, 'localStorage', 'storage');
spy(window, 'sessionStorage', 'storage');
spy(Document.prototype, 'cookie', 'cookie');
spy(Crypto.prototype, 'getRandomValues', 'random numbers');
spy(Performance.prototype, 'getEntriesByType', 'entries');
spy(Document.prototype, 'querySelector', 'elements');
spy(Intl, 'DateTimeFormat', 'time zone');
for (const key of ['URL', 'ResizeObserver', 'TextEncoder', 'fetch', 'requestAnimationFrame']) spy(window, key, key);
}"""
"""Notes each use of what costs a browser time when it is first used: what, whether a script is evaluated, and which
callback does it."""

FROZEN = "window.setTimeout = () => 0"
"""No task that the tracker asks for comes: whatever it does now, it does at once."""

CLOCK = "window.clock = 1e12; Date.now = () => clock"


@pytest.fixture
def frozen(page):
    """A page whose tracker gets no task of its own, and whose clock the test moves."""
    page.add_init_script(FROZEN)
    page.add_init_script(CLOCK)
    return page


@pytest.mark.parametrize(
    ("element", "more"),
    [(script(), set()), (script("t-more", id="user"), {"cookie"})],
    ids=["small", "ids"],
)
def test_the_evaluation_touches_nothing_that_is_slow_at_first(site, page, wait, element, more):
    page.add_init_script(WATCH)
    page.goto(site.put("/", html(script=element)))
    wait(lambda: site.bodies)
    used = page.evaluate("() => used")
    assert [name for name, is_evaluated, _ in used if is_evaluated] == []
    slow = {"storage", "random numbers", "entries", "elements", "time zone", "URL", "ResizeObserver", "TextEncoder"}
    assert {name for name, _, _ in used} == slow | more | {"fetch", "requestAnimationFrame"}


def test_what_is_slow_is_done_in_tasks_of_its_own(site, page, wait):
    page.add_init_script(WATCH)
    page.goto(site.put("/", html()))
    wait(lambda: site.bodies)
    tasks = dict(reversed([(name, callback) for name, _, callback in page.evaluate("() => used")]))
    apart = [tasks[name] for name in ("URL", "storage", "random numbers", "ResizeObserver", "fetch")]
    assert len(set(apart)) == len(apart)


def test_a_page_that_is_left_at_once_is_counted_as_of_when_the_script_ran(site, frozen, wait):
    frozen.goto(site.put("/", html()))
    frozen.evaluate("() => { clock += 5000; t('event', 'then') }")
    frozen.evaluate("() => { clock += 5000 }")
    assert site.bodies == []
    frozen.goto("about:blank")
    wait(lambda: site.bodies)
    view, then = site.events[:2]
    assert [(each["n"], each["ts"], each["seq"]) for each in (view, then)] == [
        ("page", 1_000_000_000_000, 1),
        ("then", 1_000_000_005_000, 2),
    ]
    assert site.bodies[0]["sent_at"] == 1_000_000_010_000


def test_a_tab_that_is_hidden_at_once_was_seen(site, frozen, wait):
    frozen.goto(site.put("/", html()))
    see(frozen, hidden=True)
    wait(lambda: site.named("page"))


def test_a_router_that_navigates_at_once_makes_views_of_both_addresses(site, frozen, wait):
    router = "history.replaceState({}, '', '/start?utm_source=a'); document.title = 'Start'"
    site.put("/router.js", router, Content_Type="text/javascript")
    frozen.goto(site.put("/", html(script=script() + '<script defer src="/router.js"></script>', title="First")))
    frozen.evaluate(FRAMES)
    frozen.evaluate("() => t('flush')")
    wait(lambda: len(site.named("page")) == 2)
    first, second = site.named("page")
    assert (first["u"], first["ti"]) == (site.url("/"), "First")
    assert (second["u"], second["ti"], second["r"]) == (site.url("/start?utm_source=a"), "Start", site.url("/"))


def test_a_click_at_once_is_told_after_the_view(site, frozen, wait):
    frozen.goto(site.put("/", html('<a href="http://other.example:9/x" onclick="return false">x</a>')))
    frozen.click("a")
    frozen.evaluate("() => t('flush')")
    wait(lambda: site.named("outbound"))
    assert [each["n"] for each in site.events[:2]] == ["page", "outbound"]


def test_calls_that_only_the_second_file_knows_keep_their_times(site, page, wait):
    page.add_init_script(CLOCK)
    page.add_init_script(
        "{ const later = setTimeout; window.setTimeout = act => later(() => { clock += 5000; act() }) }"
    )
    stub = "<script>window.t=function(){var a=arguments;a.t=Date.now();t.q.push(a)};t.q=[];t('alias','new')</script>"
    page.goto(site.put("/", html(script=stub + script())))
    wait(lambda: "/p/more.js" in site.requests)
    page.evaluate("() => t('flush')")
    wait(lambda: site.named("alias"))
    assert site.named("alias")[0]["ts"] == 1_000_000_000_000


def test_no_listener_keeps_a_page_from_the_back_forward_cache(site, page, wait):
    page.add_init_script(
        "{ window.types = []; const add = addEventListener;"
        " window.addEventListener = (type, ...rest) => { types.push(type); add(type, ...rest) } }"
    )
    page.goto(site.put("/", html(script=script("t-more", id="user", modules="forms,clicks,vitals,errors"))))
    wait(lambda: {f"/p/{name}.js" for name in ("forms", "clicks", "vitals", "errors")} <= set(site.requests))
    wait(lambda: {"pagehide", "focusin", "unhandledrejection"} <= set(page.evaluate("() => types")))
    assert not {"unload", "beforeunload"} & set(page.evaluate("() => types"))


def test_a_page_in_a_frame_of_another_site_counts(site, page, wait):
    site.put("/framed", html())
    frame = f'<iframe src="{site.url("/framed", "other.example")}"></iframe>'
    page.goto(site.put("/", html(frame, script="")))
    wait(lambda: site.named("page"))
    assert site.named("page")[0]["u"] == site.url("/framed", "other.example")
