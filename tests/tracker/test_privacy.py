"""Nothing is stored unless allowed, and nothing is told against a visitor's will."""

import pytest

from tests.tracker.site import html, script
from tests.tracker.stories import RAN, has_run, see

WATCH = """(() => { window.writes = []; const set = Storage.prototype.setItem;
Storage.prototype.setItem = function (...given) { writes.push(given[0]); return set.apply(this, given) } })()"""
LEFT = "() => [document.cookie, ...Object.keys(localStorage), ...Object.keys(sessionStorage), ...(window.writes || [])]"
GPC = "Object.defineProperty(navigator, 'globalPrivacyControl', {get: () => true})"


def act(page, text):
    page.evaluate(f"() => {{ {text} }}")


def test_by_default_nothing_is_left_on_the_device(site, page, wait):
    page.add_init_script(WATCH)
    page.goto(site.put("/", html()))
    act(page, "t('event', 'a'); t('identify', 'u'); t('flush')")
    wait(lambda: site.named("identify"))
    assert page.evaluate(LEFT) == [""]
    assert not any("vid" in event or "sid" in event for event in site.events)


def test_global_privacy_control_leaves_nothing_and_names_nobody(site, page, wait, landed):
    page.add_init_script(GPC)
    page.add_init_script(WATCH)
    page.goto(site.put("/", html(script=script(id="user"))))
    act(page, "t('identify', 'u'); t('event', 'a'); t('flush')")
    wait(lambda: site.named("a"))
    assert page.evaluate(LEFT) == [""]
    assert site.bodies[0]["gpc"] is True
    assert site.named("identify") == []
    (row,) = landed([site.named("a")[0]["id"]])
    assert (row["gpc"], row["visitor_id_kind"]) == (True, "hashed")


@pytest.mark.parametrize(("policy", "counts"), [("drop", False), ("ignore", True)])
def test_what_the_signal_does_is_a_setting(site, page, wait, policy, counts):
    page.add_init_script(GPC)
    page.goto(site.put("/", html(script=script(id="user", gpc=policy))))
    act(page, "t('event', 'a'); t('flush')")
    if counts:
        wait(lambda: site.named("a"))
        assert "vid" in site.named("a")[0]
    else:
        page.wait_for_load_state("networkidle")
        assert site.bodies == []


@pytest.mark.parametrize(("policy", "counts"), [("drop", False), ("cookieless", True)])
def test_do_not_track_is_honoured_on_request(site, page, wait, policy, counts):
    page.add_init_script("Object.defineProperty(navigator, 'doNotTrack', {get: () => '1'})")
    page.goto(site.put("/", html(script=script(id="user", dnt=policy))))
    if counts:
        wait(lambda: site.bodies)
        assert "vid" not in site.events[0]
    else:
        page.wait_for_load_state("networkidle")
        assert site.bodies == []
    assert page.evaluate(LEFT) == [""]


def test_events_wait_for_consent_and_go_with_ids_when_it_is_granted(site, page, wait, landed):
    page.goto(site.put("/", html(script=script(id="user", consent="required"))))
    act(page, "for (let i = 0; i < 30; i++) t('event', 'a', {n: i}); t('flush')")
    wait(lambda: "/p/more.js" in site.requests)
    page.wait_for_load_state("networkidle")
    assert site.bodies == []
    assert page.evaluate(LEFT) == [""]
    act(page, "t('consent', 'grant')")
    wait(lambda: site.named("consent"))
    assert 18 <= len(site.named("a")) <= 20
    assert len({event["vid"] for event in site.events}) == 1
    (row,) = landed([site.named("consent")[0]["id"]])
    assert row["event_type"] == "consent"
    page.goto(site.url("/"))
    wait(lambda: len(site.named("page")) >= 1 and site.named("page")[-1]["id"] not in site.bodies[0])


def test_denied_consent_destroys_what_waited_and_leaves_nothing(site, page, wait):
    page.add_init_script(WATCH)
    page.goto(site.put("/", html(script=script(id="user", consent="required"))))
    act(page, "t('event', 'a'); t('consent', 'deny'); t('event', 'b'); t('flush')")
    wait(lambda: "/p/more.js" in site.requests)
    page.wait_for_load_state("networkidle")
    act(page, "t('event', 'c'); t('flush')")
    page.wait_for_load_state("networkidle")
    assert site.bodies == []
    assert page.evaluate(LEFT) == [""]


def test_consent_to_counting_alone_names_nobody(site, page, wait):
    page.goto(site.put("/", html(script=script(id="user", consent="required"))))
    act(page, "t('identify', 'u'); t('consent', 'grant', 'storage'); t('identify', 'v'); t('flush')")
    wait(lambda: site.named("consent"))
    assert site.named("identify") == []
    assert "vid" in site.named("page")[0]


def test_an_opt_out_is_remembered_and_can_be_taken_back(site, page, wait):
    page.goto(site.put("/", html(script=script(id="user"))))
    wait(lambda: site.bodies)
    act(page, "t('optout'); t('event', 'a'); t('flush')")
    wait(lambda: page.evaluate("() => localStorage['t:off']") == "1")
    page.goto(site.url("/"))
    act(page, "t('event', 'b'); t('flush')")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("() => Object.keys(localStorage)") == ["t:off"]
    assert (site.named("a"), site.named("b")) == ([], [])
    act(page, "t('optin')")
    wait(lambda: page.evaluate("() => !localStorage['t:off']"))
    page.goto(site.url("/"))
    wait(lambda: len(site.named("page")) == 2)


def test_forgetting_erases_the_device_and_tells_the_collector(site, page, wait):
    page.goto(site.put("/", html(script=script(id="user"))))
    wait(lambda: site.bodies)
    visitor = site.events[0]["vid"]
    act(page, "t('forget')")
    wait(lambda: site.named("forget"))
    assert site.named("forget")[0]["vid"] == visitor
    assert not page.evaluate("() => localStorage['t:v']")


def test_forgetting_erases_what_modules_stored_too(site, page, wait):
    page.add_init_script(RAN)
    page.goto(site.put("/", html(script=script("t-more", id="user", modules="commerce"))))
    wait(lambda: has_run(page, "commerce"))
    act(page, "t('event', 'purchase', {order_id: 'A1'}); t('flush')")
    wait(lambda: site.named("purchase"))
    assert page.evaluate("() => Object.keys(sessionStorage)") == ["t:o:A1"]
    act(page, "t('forget')")
    wait(lambda: site.named("forget"))
    assert page.evaluate(LEFT) == [""]


def test_a_user_who_is_named_on_every_page_is_told_once(site, page, wait):
    site.put("/", html(script=script("t-more", id="user")))
    for number, plan in enumerate(["free", "free", "pro"]):
        page.goto(site.url("/"))
        act(page, f"t('identify', 'u', {{plan: '{plan}'}}); t('event', 'end'); t('flush')")
        wait(lambda number=number: len(site.named("end")) == number + 1)
    wait(lambda: len(site.named("identify")) >= 2)
    assert [event["p"]["traits"]["plan"] for event in site.named("identify")] == ["free", "pro"]


def test_what_is_told_on_leaving_neither_prolongs_a_session_nor_starts_one(site, page, wait):
    page.add_init_script("window.clock = 1e12; Date.now = () => clock; performance.now = () => clock - 1e12")
    page.add_init_script("document.hasFocus = () => true")
    page.goto(site.put("/", html(script=script("t-more", id="user"))))
    wait(lambda: site.named("page"))
    for minutes in (20, 20):
        act(page, f"clock += {minutes} * 60000")
        see(page, hidden=True)
        see(page, hidden=False)
    act(page, "t('event', 'later'); t('flush')")
    wait(lambda: site.named("later") and len(site.named("engage")) >= 2)
    assert len(site.named("engage")) == 2
    assert {event["sid"] for event in site.named("engage")} == {site.named("page")[0]["sid"]}
    assert site.named("later")[0]["sid"] != site.named("page")[0]["sid"]


def test_a_visitor_keeps_an_id_until_reset_and_a_tab_a_session(site, page, wait):
    page.goto(site.put("/", html(script=script(id="user"))))
    wait(lambda: site.bodies)
    page.goto(site.url("/"))
    wait(lambda: len(site.named("page")) == 2)
    first, second = site.named("page")
    assert (first["vid"], first["sid"]) == (second["vid"], second["sid"])
    act(page, "t('reset'); t('event', 'a'); t('flush')")
    wait(lambda: site.named("a"))
    assert site.named("a")[0]["vid"] != first["vid"]
    assert site.named("a")[0]["sid"] != first["sid"]


def test_a_new_campaign_starts_a_session_and_the_same_one_does_not(site, page, wait):
    site.put("/", html(script=script(id="session")))
    for number, query in enumerate(["", "?utm_source=a", "?utm_source=a", "?utm_source=b"]):
        page.goto(site.url("/" + query))
        wait(lambda number=number: len(site.named("page")) == number + 1)
    sessions = [event["sid"] for event in site.named("page")]
    assert sessions[1] == sessions[2]
    assert len(set(sessions)) == 3
    assert page.evaluate("() => Object.keys(localStorage)") == []


def test_an_id_of_another_tracker_is_told_once(site, context, page, wait):
    site.put("/", html(script=script(id="user")))
    context.add_cookies([{"name": "alc-uid", "value": "1234567890123", "url": site.url("/")}])
    page.goto(site.url("/"))
    wait(lambda: site.bodies)
    page.goto(site.url("/"))
    wait(lambda: len(site.named("page")) == 2)
    assert [event.get("legacy") for event in site.named("page")] == [["alc-uid=1234567890123"], None]


def test_the_id_that_the_collector_repeats_in_a_cookie_is_taken_up_until_reset(site, context, page, wait):
    site.put("/", html(script=script(id="user")))
    context.add_cookies([{"name": "tm_vid", "value": "0123abcd", "url": site.url("/")}])
    page.goto(site.url("/"))
    wait(lambda: site.bodies)
    assert site.events[0]["vid"] == "0123abcd"
    act(page, "t('reset'); t('event', 'a'); t('flush')")
    wait(lambda: site.named("a"))
    assert site.named("a")[0]["vid"] != "0123abcd"
    assert page.evaluate("() => document.cookie") == ""


def test_storage_that_throws_changes_nothing_else(site, page, wait):
    page.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage'])"
        " Object.defineProperty(window, name, {get() { throw new DOMException('denied', 'SecurityError') }})"
    )
    page.goto(site.put("/", html(script=script(id="user"))))
    act(page, "t('event', 'a'); t('flush')")
    wait(lambda: site.named("a"))
    assert "vid" not in site.named("a")[0]


def test_a_visitor_outside_the_sample_is_not_told_of(site, page):
    page.goto(site.put("/", html(script=script(sample="0"))))
    act(page, "t('event', 'a'); t('flush')")
    page.wait_for_load_state("networkidle")
    assert site.bodies == []


def test_a_driven_browser_says_so(site, page, wait):
    page.add_init_script("Object.defineProperty(navigator, 'webdriver', {get: () => true})")
    page.goto(site.put("/", html()))
    wait(lambda: site.bodies)
    assert site.bodies[0]["b"] == "webdriver"
