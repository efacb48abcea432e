"""Nothing is lost and nothing counts twice, whatever the network, the collector or the visitor does."""

import json

import pytest

from tests.tracker.site import REFUSE, html, script
from tests.tracker.stories import BIG, QUICK


@pytest.fixture
def quick(page):
    """Retries come at once: every wait of the tracker is shortened."""
    page.add_init_script(QUICK)
    return page


def test_what_a_collector_refused_is_sent_again_with_the_same_id(site, quick, wait, landed):
    site.behaviours += [REFUSE, REFUSE]
    quick.goto(site.put("/", html()))
    wait(lambda: len(site.bodies) == 3)
    ids = {event["id"] for event in site.named("page")}
    assert len(ids) == 1
    assert len(landed(list(ids))) == 1
    assert site.bodies[0]["sent_at"] <= site.bodies[2]["sent_at"]


def test_retries_wait_longer_each_time(site, page, wait):
    page.add_init_script(
        "{ const later = setTimeout; window.waits = [];"
        " window.setTimeout = (act, ms) => { waits.push(ms || 0); return later(act, Math.min(ms, 30)) } }"
    )
    site.behaviours += [REFUSE] * 6
    page.goto(site.put("/", html()))
    wait(lambda: len(site.bodies) == 7)
    # The first wait of 5 s is for company, not for a retry.
    waits = [ms for ms in page.evaluate("() => waits") if ms >= 1_000 and ms != 5_000]
    assert len(waits) >= 6
    assert all(1_000 * 2**n <= ms <= 3_000 * 2**n for n, ms in enumerate(waits)), waits


@pytest.mark.parametrize("answer", [(429, "77", 77_000), (408, "Wed, 21 Oct 2026 07:28:00 GMT", 0), (503, "", 0)])
def test_a_retry_waits_as_long_as_the_collector_asks_in_seconds_besides(site, page, wait, answer):
    status, asked, wait_ms = answer
    page.add_init_script(
        "{ const later = setTimeout; window.waits = [];"
        " window.setTimeout = (act, ms) => { waits.push(ms || 0); return later(act, Math.min(ms, 30)) } }"
    )
    page.route("**/e", lambda route: route.fulfill(status=status, headers={"Retry-After": asked}), times=1)
    page.goto(site.put("/", html()))
    wait(lambda: site.bodies)
    (told,) = {ms for ms in page.evaluate("() => waits") if ms >= 1_000 and ms != 5_000}
    assert 1_000 <= told - wait_ms <= 3_000


def test_a_request_that_can_never_be_right_is_not_repeated(site, quick, wait):
    quick.route("**/e", lambda route: route.fulfill(status=400), times=1)
    with quick.expect_response("**/e"):
        quick.goto(site.put("/", html()))
    quick.evaluate("() => { t('event', 'after'); t('flush') }")
    wait(lambda: site.named("after"))
    assert [event for event in site.events if event["n"] == "page"] == []


def test_seventy_kilobytes_on_leaving_stay_within_what_browsers_carry_and_arrive(site, page, wait, landed):
    page.goto(site.put("/", html(script=script(id="user"))))
    wait(lambda: site.named("page"))
    page.evaluate("() => { window.fetch = () => new Promise(() => {}) }")
    page.evaluate(BIG)
    page.goto(site.url("/"))
    wait(lambda: len(site.named("big")) == 14)
    landed([event["id"] for event in site.named("big")])
    assert all(len(json.dumps(body)) < 64_000 for body in site.bodies)


def test_too_much_is_cut_and_told(site, page, wait):
    page.goto(site.put("/", html()))
    page.evaluate(
        """() => { t('event', 'n'.repeat(99), {long: 'x'.repeat(2000), deep: {a: {b: {c: 1}}}});
        t('event', 'many', Object.fromEntries(Array.from({length: 60}, (_, i) => ['k' + i, i])));
        t('event', 'huge', Object.fromEntries(Array.from({length: 40}, (_, i) => ['k' + i, 'z'.repeat(1000)])));
        t('event', 'fits', {a: 1, list: [1, {b: 2}]}); t('flush') }"""
    )
    wait(lambda: site.named("fits"))
    by_name = {event["n"]: event["p"] for event in site.events if event["n"] != "page"}
    assert by_name["fits"] == {"a": 1, "list": [1, {"b": 2}]}
    long = by_name["n" * 64]
    assert (len(long["long"]), long["deep"], long["_cut"]) == (1_000, {"a": {"b": {}}}, True)
    assert (len(by_name["many"]), by_name["many"]["_cut"]) == (41, True)
    assert by_name["huge"]["_cut"] is True
    assert len(json.dumps(by_name["huge"])) < 16_000


def test_calls_before_the_script_are_made_in_order_with_their_times(site, page, wait):
    stub = (
        "<script>window.t=function(){var a=arguments;a.t=Date.now()-60000;t.q.push(a)};t.q=[];"
        "for(var i=0;i<9;i++)t('event','early',{n:i})</script>"
    )
    page.goto(site.put("/", html(script=stub + script())))
    wait(lambda: len(site.named("early")) == 9 and site.named("page"))
    early = sorted(site.named("early"), key=lambda event: event["seq"])
    assert [event["p"]["n"] for event in early] == list(range(9))
    view = site.named("page")[0]
    assert all(50_000 < view["ts"] - event["ts"] < 70_000 for event in early)
    assert view["seq"] == 10


def test_identifying_is_told_once(site, page, wait, landed):
    page.goto(site.put("/", html()))
    page.evaluate("() => { t('identify', 'u1', {plan: 'pro'}); t('identify', 'u1', {plan: 'pro'}); t('flush') }")
    wait(lambda: site.named("identify"))
    (row,) = landed([site.named("identify")[0]["id"]])
    assert (row["user_id"], json.loads(row["traits"])) == ("u1", {"plan": "pro"})


def test_a_hook_may_change_or_drop_events_and_leaves_no_gap(site, page, wait):
    hook = (
        "<script>window.censor = event => event.n == 'secret' ? null : Object.assign(event, {ti: 'redacted'})</script>"
    )
    page.goto(site.put("/", html(script=hook + script(before="censor", props='{"team":"a"}'))))
    page.evaluate("() => { t('event', 'secret'); t('event', 'public', {x: 1}); t('flush') }")
    wait(lambda: site.named("public") and site.named("page"))
    assert site.named("secret") == []
    assert site.named("page")[0]["ti"] == "redacted"
    assert site.named("public")[0]["p"] == {"team": "a", "x": 1}
    assert sorted(event["seq"] for event in site.events) == [1, 2]


def test_handlers_are_told_and_may_fail(site, page, wait):
    page.goto(site.put("/", html()))
    page.evaluate(
        "() => { window.told = []; t('on', 'event', () => { throw 1 }); t('on', 'event', e => told.push(e.n));"
        " t('on', 'error', e => { told.push('error'); throw 2 }); t('on', 'sent', batch => told.push('sent'));"
        " t('event', 'a'); t('flush'); t('event', {toJSON() { throw 3 }}) }"
    )
    wait(lambda: "sent" in page.evaluate("() => told"))
    assert page.evaluate("() => told")[:2] == ["a", "error"] or "error" in page.evaluate("() => told")


def test_an_unknown_verb_is_warned_of_once(site, page, wait):
    warnings = []
    page.on("console", lambda message: warnings.append(message.text))
    page.goto(site.put("/", html()))
    page.evaluate("() => { t('sing'); t('sing') }")
    wait(lambda: warnings)
    page.evaluate("() => t('sing')")
    assert warnings == ['t: there is no "sing"']


def test_much_does_not_wait_for_company(site, page, wait):
    page.add_init_script("{ const later = setTimeout; window.setTimeout = (act, ms) => ms ? 1 : later(act) }")
    page.goto(site.put("/", html()))
    wait(lambda: site.bodies)
    page.evaluate("() => { for (let i = 0; i < 25; i += 5) t('event', 'big', Array(5).fill('y'.repeat(999))) }")
    wait(lambda: len(site.named("big")) == 5)


def test_what_is_told_in_one_task_is_not_too_much(site, page, wait):
    page.goto(site.put("/", html()))
    wait(lambda: site.bodies)
    page.evaluate("() => { for (let i = 0; i < 98; i++) t('event', 'small') }")
    wait(lambda: len(site.named("small")) == 98)
    page.evaluate("() => { for (let i = 0; i < 25; i++) t('event', 'big', Array(5).fill('y'.repeat(999))) }")
    wait(lambda: len(site.named("big")) == 25)


def test_another_host_is_told_without_being_asked_for_leave(site, page, wait):
    posts = []
    page.on("request", lambda request: posts.append(request) if request.post_data else None)
    page.goto(site.put("/", html(script=script(api=site.url("/elsewhere", "other.example")))))
    wait(lambda: posts and "/elsewhere" in site.requests)
    assert {request.headers["content-type"] for request in posts} == {"text/plain;charset=UTF-8"}


@pytest.mark.parametrize("missing", ["fetch", "crypto", "URL TextEncoder Intl ResizeObserver requestAnimationFrame"])
def test_what_a_browser_lacks_is_no_error_of_the_page(site, page, missing):
    page.add_init_script(QUICK)
    page.add_init_script(
        f"for (const name of '{missing}'.split(' ')) Object.defineProperty(window, name, {{value: undefined}})"
    )
    page.goto(site.put("/", html()))
    page.evaluate(
        """() => { t('event', 'a'); t('flush'); history.pushState({}, '', '/next'); t('event', 'b');
        dispatchEvent(new Event('scroll')); dispatchEvent(new Event('click')) }"""
    )
    for _ in range(3):  # what the tracker's timers do is done by then
        page.evaluate("() => new Promise(done => { t('event', 'c'); setTimeout(done, 30) })")
    assert page.evaluate("() => [location.pathname, typeof t]") == ["/next", "function"]
