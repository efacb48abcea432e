"""What visitors do and what happens to them: each story on a site of its own, which the marts can be asked of."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.tracker.site import BLOCK, LOSE_ANSWER, PASS_ON, REFUSE, REFUSE_FOR_EVER, Site, html, script

FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
ANSWERED = """async count => { while (performance.getEntriesByType("resource")
.filter(each => each.initiatorType === "fetch").length < count) await new Promise(requestAnimationFrame) }"""
"""Waits until so many of the page's posts were answered, or failed."""
KEPT = "() => Object.keys(localStorage).filter(key => key.startsWith('t:q:')).length"
BIG = """() => { for (let i = 0; i < 14; i++) { const props = {n: i};
for (let k = 0; k < 6; k++) props['k' + k] = 'y'.repeat(900); t('event', 'big', props) } }"""
RAN = "document.addEventListener('load', ({target: {src}}) => src && (window.ran = window.ran || []).push(src), true)"
"""Notes the scripts that have run, by address."""
QUICK = "{ const later = setTimeout; window.setTimeout = (act, ms) => later(act, Math.min(ms, 30)) }"
"""Retries come at once: every wait of the tracker is shortened."""


HIDDEN = "Object.defineProperty(document, 'hidden', {get: () => true, configurable: true})"
"""Nobody sees the page from its beginning."""


def see(page: Any, *, hidden: bool) -> None:
    """Let the page be seen, or no longer be."""
    page.evaluate(
        """isHidden => { Object.defineProperty(document, 'hidden', {get: () => isHidden, configurable: true});
        document.dispatchEvent(new Event('visibilitychange')) }""",
        hidden,
    )


def until(page: Any, condition: Callable[[], object]) -> None:
    """Return once `condition` holds, while the browser goes on."""
    for _ in range(6_000):
        if condition():
            return
        page.wait_for_timeout(10)
    raise AssertionError("the condition was not met in time")


@dataclass
class Visit:
    """A visitor of one story.

    Attributes:
        name: Of the story, and the id of its site.
        site: Serves the pages.
        context: The visitor's browser.
    """

    name: str
    site: Site
    context: Any

    def put(self, path: str = "/", *, body: str = "", **settings: str) -> str:
        """Serve a page with the tracker; without other settings, it tells page views and what it is asked to tell."""
        return self.site.put(path, html(body, script=script(site=self.name, **({"auto": "page"} | settings))))

    def open(self, url: str, *init: str) -> Any:
        """A new tab on a page, once the post of its view was answered."""
        page = self.context.new_page()
        for each in init:
            page.add_init_script(each)
        views = len(self.site.named("page"))
        page.goto(url)
        until(page, lambda: len(self.site.named("page")) > views)
        # An answer is the occasion to send what was told meanwhile.
        page.evaluate(ANSWERED, 1)
        page.evaluate(FRAMES)
        return page

    def await_events(self, page: Any, count: int) -> None:
        """Wait until so many different events have been posted; more are none."""
        until(page, lambda: len({event["id"] for event in self.site.events}) >= count)


def has_run(page: Any, *names: str) -> bool:
    """Whether scripts of these names have run, in a page that notes it."""
    ran = page.evaluate("() => window.ran || []")
    return all(any(url.endswith(f"/{name}.js") for url in ran) for name in names)


def tell(page: Any, *names: str) -> None:
    """Have the page tell events."""
    page.evaluate("names => names.forEach(name => t('event', name))", list(names))


def kill(page: Any) -> None:
    """End the tab's process, as a phone does that needs its memory: no handler runs."""
    with page.expect_event("crash"), contextlib.suppress(Exception):  # who dies does not answer
        page.goto("chrome://crash", timeout=5_000)
    page.close()


def offline_views(visit: Visit) -> int:
    """Three views without a network, told once it is back."""
    page = visit.open(visit.put(id="user"))
    until(page, lambda: page.evaluate(KEPT) == 0)
    visit.context.set_offline(True)
    for number in range(3):
        page.evaluate(f"() => history.pushState({{}}, '', '/view{number}')")
        page.evaluate(FRAMES)
    page.evaluate("() => t('flush')")
    until(page, lambda: page.evaluate(KEPT) == 3)
    assert len(visit.site.named("page")) == 1
    visit.context.set_offline(False)
    visit.await_events(page, 4)
    until(page, lambda: page.evaluate(KEPT) == 0)
    return 4


def refused_twice(visit: Visit) -> int:
    """The collector fails twice, then takes it."""
    visit.site.behaviours += [REFUSE, REFUSE]
    page = visit.open(visit.put(), QUICK)
    until(page, lambda: len(visit.site.bodies) == 3)
    return 1


def answer_lost(visit: Visit) -> int:
    """The collector keeps an event, and its answer is lost."""
    visit.site.behaviours.append(LOSE_ANSWER)
    page = visit.open(visit.put(), QUICK)
    until(page, lambda: len(visit.site.bodies) == 2)
    return 1


def killed_with_much_unsent(visit: Visit) -> int:
    """A tab's process ends with 70 kB that no request has carried."""
    visit.put(id="user")
    page = visit.open(visit.site.url())
    until(page, lambda: page.evaluate(KEPT) == 0)
    visit.context.set_offline(True)
    page.evaluate(BIG)
    until(page, lambda: page.evaluate(KEPT) == 14)
    kill(page)
    visit.context.set_offline(False)
    assert visit.site.named("big") == []
    page = visit.open(visit.site.url())
    visit.await_events(page, 16)
    assert sorted(event["p"]["n"] for event in visit.site.named("big")) == list(range(14))
    return 16


def clock_a_day_behind(visit: Visit) -> int:
    """A device whose clock is a day late."""
    visit.open(visit.put(), "{ const now = Date.now; Date.now = () => now() - 86400000 }")
    return 1


def hundred_navigations(visit: Visit) -> int:
    """A hundred navigations within one document, faster than anybody can read."""
    page = visit.open(visit.put())
    page.evaluate("() => { for (let i = 1; i < 101; i++) history.pushState({}, '', '/p' + i) }")
    page.evaluate(FRAMES)
    page.evaluate("() => t('flush')")
    visit.await_events(page, 101)
    return 101


def privacy_control(visit: Visit) -> int:
    """Global Privacy Control on a site that would keep ids."""
    signal = "Object.defineProperty(navigator, 'globalPrivacyControl', {get: () => true})"
    page = visit.open(visit.put(id="user"), signal)
    page.evaluate("() => { t('identify', 'somebody'); t('event', 'a'); t('flush') }")
    visit.await_events(page, 2)
    return 2


def thirty_seconds_of_reading(visit: Visit) -> int:
    """Thirty seconds, ten of them in another window, down to three quarters of a page; the test moves the clock."""
    clock = (
        "window.clock = 1000; performance.now = () => clock; window.focused = true; document.hasFocus = () => focused;"
    )
    tall = "<style>body{margin:0}</style><div style='height:2400px'></div>"
    page = visit.open(visit.put(body=tall, auto="page,scroll,engage"), clock)
    for focus in ("focus", "blur", "focus"):
        page.evaluate(
            "type => { focused = type == 'focus'; dispatchEvent(new Event(type));"
            " for (let i = 0; i < 10; i++) { clock += 1000; dispatchEvent(new Event('pointermove')) } }",
            focus,
        )
    page.evaluate("() => scrollTo(0, 1200)")
    page.evaluate(FRAMES)
    page.goto("about:blank")
    until(page, lambda: any(event["sd"] == 75 for event in visit.site.named("engage")))
    return len({event["id"] for event in visit.site.events})


STORIES: dict[str, Callable[[Visit], int]] = {
    story.__name__.replace("_", "-"): story
    for story in (
        offline_views,
        refused_twice,
        answer_lost,
        killed_with_much_unsent,
        clock_a_day_behind,
        hundred_navigations,
        privacy_control,
        thirty_seconds_of_reading,
    )
}
"""Stories in which nothing is lost, by the id of their site; each gives the number of events that its pages told."""


@dataclass(frozen=True)
class Condition:
    """What happens to a site's visitors.

    Attributes:
        live: The visits.
        settings: Of the tracker.
        told: Events that the pages tell.
        arriving: Those of them that are to arrive.
        gaps: Those that do not, and leave a gap in the numbers of their page view.
    """

    live: Callable[[Visit, "Condition"], None]
    settings: dict[str, str]
    told: int
    arriving: int
    gaps: int = 0


VIEWS = 10
EVENTS = 4
"""Events of a page view beside itself."""


def loads(visit: Visit, condition: Condition) -> None:
    """Ten pages one after the other; what a page told leaves with it."""
    for number in range(VIEWS):
        visit.put(f"/{number}", **condition.settings)
    page = visit.open(visit.site.url("/0"))
    for number in range(1, VIEWS + 1):
        page.evaluate(ANSWERED, 1)
        tell(page, *"abcd")
        views = len(visit.site.named("page"))
        page.goto(visit.site.url(f"/{number}") if number < VIEWS else "about:blank")
        until(page, lambda views=views, number=number: number == VIEWS or len(visit.site.named("page")) > views)
    visit.await_events(page, VIEWS * (EVENTS + 1))
    if condition.settings.get("id"):  # what was left of the last page comes with another visit
        visit.put("/again", auto="off", **condition.settings)
        page.goto(visit.site.url("/again"))
        until(page, lambda: page.evaluate(KEPT) == 0)


def in_ten(behaviour: str) -> Callable[[Visit, "Condition"], None]:
    """The same, with one request in ten treated otherwise: a page's first, and another page's last."""

    def live(visit: Visit, condition: Condition) -> None:
        chosen = {("/3", "page"), ("/6", "a")}

        def decide(posted: dict[str, Any]) -> str:
            first = posted["events"][0]
            key = ("/" + first["u"].rpartition("/")[2], first["n"])
            if key not in chosen:
                return PASS_ON
            chosen.discard(key)
            return behaviour

        visit.site.decide = decide
        loads(visit, condition)
        assert not chosen

    return live


def offline_for_a_while(visit: Visit, condition: Condition) -> None:
    """Ten views within one document, half of them without a network."""
    page = visit.open(visit.put(**condition.settings))
    for number in range(1, VIEWS):
        visit.context.set_offline(number % 10 > 4)
        page.evaluate(f"() => history.pushState({{}}, '', '/{number}')")
        page.evaluate(FRAMES)
        tell(page, *"ab")
    visit.context.set_offline(False)
    visit.await_events(page, condition.arriving)


def too_much_offline(visit: Visit, condition: Condition) -> None:
    """Sixty events without a network are more than is kept."""
    page = visit.open(visit.put(**condition.settings))
    visit.context.set_offline(True)
    tell(page, *"a" * 10)
    page.evaluate(ANSWERED, 2)  # until that has failed, each ten more would be tried too
    tell(page, *"a" * 50)
    visit.context.set_offline(False)
    visit.await_events(page, condition.arriving)


def tabs(end: Callable[[Visit, Any], None]) -> Callable[[Visit, "Condition"], None]:
    """Five tabs one after the other, each of which ends with events unsent; and a last visit."""

    def live(visit: Visit, condition: Condition) -> None:
        visit.put(**condition.settings)
        for _ in range(5):
            page = visit.open(visit.site.url())
            if condition.settings.get("id"):
                until(page, lambda page=page: page.evaluate(KEPT) == 0)
            end(visit, page)
            visit.context.set_offline(False)
        page = visit.open(visit.site.url())
        visit.await_events(page, condition.arriving)

    return live


def closed(_: Visit, page: Any) -> None:
    tell(page, *"abcd")
    with page.expect_event("close"):
        page.close(run_before_unload=True)


def closed_offline(visit: Visit, page: Any) -> None:
    visit.context.set_offline(True)
    closed(visit, page)


def killed(_: Visit, page: Any) -> None:
    page.evaluate("() => { window.setTimeout = () => 1 }")  # however long the killing takes
    tell(page, *"abcd")
    kill(page)


def never_right(visit: Visit, condition: Condition) -> None:
    """One page, one batch of which is refused for ever."""
    page = visit.open(visit.put(**condition.settings))
    visit.site.decide = lambda posted: REFUSE_FOR_EVER if posted["events"][0]["n"] == "a" else PASS_ON
    tell(page, *"abcd")
    page.evaluate("() => t('flush')")
    until(page, lambda: visit.site.named("a"))
    tell(page, "late")
    page.evaluate("() => t('flush')")
    visit.await_events(page, condition.arriving)


def blocked_half(visit: Visit, condition: Condition) -> None:
    """Ten visits, half of them behind something that lets no event through."""
    visit.site.decide = lambda posted: BLOCK if posted["events"][0]["u"].endswith("/blocked") else PASS_ON
    for path in ("/", "/blocked") * 5:
        page = visit.open(visit.put(path, **condition.settings))
        tell(page, *"abcd")
        page.goto("about:blank")
    visit.await_events(page, condition.told)


NONE: dict[str, str] = {}
USER = {"id": "user"}

CONDITIONS = {
    "calm": Condition(loads, NONE, 50, 50),
    "answers-lost": Condition(in_ten(LOSE_ANSWER), NONE, 50, 50),
    "refused": Condition(in_ten(REFUSE), NONE, 50, 46),
    "refused-ids": Condition(in_ten(REFUSE), USER, 50, 50),
    "offline": Condition(offline_for_a_while, NONE, 28, 28),
    "too-much-offline": Condition(too_much_offline, NONE, 61, 51, gaps=10),
    "closed": Condition(tabs(closed), NONE, 26, 26),
    "closed-offline": Condition(tabs(closed_offline), NONE, 26, 6),
    "closed-offline-ids": Condition(tabs(closed_offline), USER, 26, 26),
    "killed": Condition(tabs(killed), NONE, 26, 6),
    "killed-ids": Condition(tabs(killed), USER, 26, 26),
    "never-right": Condition(never_right, NONE, 6, 2, gaps=4),
    "blocked": Condition(blocked_half, NONE, 50, 25),
}
"""Conditions by the id of their site, and what the marts are to say of each."""
