"""Which page views count, and what they say."""

from urllib.parse import urlsplit

import pytest

from tests.tracker.site import html, script
from tests.tracker.stories import FRAMES, HIDDEN, see


def test_the_first_view_takes_one_request_for_the_script_and_one_for_the_event(site, page, wait, landed):
    url = site.put("/", html())
    hosts = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(url)
    wait(lambda: site.bodies)
    assert hosts == {urlsplit(url).netloc}
    assert site.requests == ["/", "/p/t.js", "/e"]
    (view,) = site.events
    assert (view["n"], view["u"], view["ti"], view["seq"]) == ("page", url, "Shop", 1)
    (row,) = landed([view["id"]])
    assert (row["event_type"], row["page_url"], row["page_title"]) == ("page_view", url, "Shop")
    assert (row["viewport_width"], row["viewport_height"]) == (1000, 600)
    assert (row["automation"], row["event_id"]) == (None, view["id"])


def test_an_address_loses_secrets_and_everything_but_marketing(site, page, wait):
    site.put("/", html())
    page.goto(site.url("/?utm_source=news&gclid=1&q=shoes&token=t&email=a@b#part"))
    wait(lambda: site.bodies)
    assert site.events[0]["u"] == site.url("/?utm_source=news&gclid=1")


def test_a_referrer_of_the_same_site_loses_what_a_form_put_into_its_address(site, page, wait):
    site.put("/", html())
    page.goto(site.url("/"), referer=site.url("/thanks?name=Ada&utm_source=news"))
    wait(lambda: site.bodies)
    page.goto(site.url("/"), referer="http://search.example/?q=shoes")
    wait(lambda: len(site.named("page")) == 2)
    assert [event["r"] for event in site.named("page")] == [
        site.url("/thanks?utm_source=news"),
        "http://search.example/?q=shoes",
    ]


def test_a_first_view_that_the_page_tells_itself_goes_at_once_with_the_referrer(site, page, wait):
    site.put("/", html(script=script(auto="links")))
    page.goto(site.url("/"), referer="http://search.example/")
    page.evaluate("() => { t('page', {ti: 'Mine'}); t('page', {u: '/next'}) }")
    wait(lambda: site.named("page"))
    page.evaluate("() => t('flush')")
    wait(lambda: len(site.named("page")) == 2)
    first, second = site.named("page")
    assert (first["ti"], first["r"]) == ("Mine", "http://search.example/")
    assert (second["u"], second["r"]) == (site.url("/next"), site.url("/"))


def test_a_page_that_tells_its_views_itself_is_not_counted_when_it_navigates_or_comes_back(site, page, wait):
    site.put("/two", html(title="Two", script=script(auto="links")))
    page.goto(site.put("/one", html('<a href="/two">two</a>', script=script(auto="links,engage"))))
    page.evaluate("() => t('page')")
    wait(lambda: site.named("page"))
    page.evaluate("() => { history.pushState({}, '', '/pushed'); window.kept = true }")
    page.evaluate(FRAMES)
    page.click("a")
    page.wait_for_url("**/two")
    page.go_back(wait_until="commit")
    wait(lambda: page.url == site.url("/pushed"))
    assert page.evaluate("() => window.kept"), "the page did not come from the cache"
    page.evaluate("() => { t('event', 'end'); t('flush') }")
    wait(lambda: site.named("end"))
    assert [event["u"] for event in site.named("page")] == [site.url("/one")]


@pytest.mark.parametrize(
    ("query", "kept"), [("all", "?utm_source=news&q=1"), ("none", ""), ("marketing", "?utm_source=news")]
)
def test_which_parameters_are_kept_is_a_setting(site, page, wait, query, kept):
    site.put("/", html(script=script(query=query)))
    page.goto(site.url("/?utm_source=news&q=1&access_token=x"))
    wait(lambda: site.bodies)
    assert site.events[0]["u"] == site.url("/" + kept)


def test_a_hidden_tab_counts_when_it_is_first_seen(site, page, wait):
    page.add_init_script(HIDDEN)
    page.goto(site.put("/", html()))
    page.evaluate("() => t('event', 'ran')")
    wait(lambda: site.bodies)
    assert site.named("page") == []
    see(page, hidden=False)
    wait(lambda: site.named("page"))


def test_a_prerendered_page_counts_when_it_is_activated(site, page, wait):
    rules = '<script type="speculationrules">{"prerender": [{"source": "list", "urls": ["/next"]}]}</script>'
    site.put("/next", html(title="Next"))
    page.goto(site.put("/", html(rules + '<a href="/next">next</a>')))
    wait(lambda: "/next" in site.requests)
    wait(lambda: site.bodies)
    assert [event["u"] for event in site.named("page")] == [site.url("/")]
    page.click("a")
    page.wait_for_url("**/next")
    wait(lambda: len(site.named("page")) == 2)
    assert site.requests.count("/next") == 1 or "prerender" not in page.evaluate("navigator.userAgent")


def test_a_return_from_the_back_forward_cache_is_a_view_of_its_own(site, page, wait):
    site.put("/two", html(title="Two"))
    page.goto(site.put("/one", html('<a href="/two">two</a>', title="One")))
    page.evaluate("() => { window.kept = true }")
    page.click("a")
    page.wait_for_url("**/two")
    wait(lambda: len(site.named("page")) == 2)
    page.go_back(wait_until="commit")
    wait(lambda: page.url == site.url("/one"))
    assert page.evaluate("() => window.kept"), "the page did not come from the cache"
    page.evaluate("() => t('flush')")
    wait(lambda: len(site.named("page")) == 3)
    again = site.named("page")[2]
    assert (again["bf"], again["u"]) == (1, site.url("/one"))
    assert len({event["pv"] for event in site.named("page")}) == 3


def test_pushes_replacements_and_steps_back_count_when_the_path_changes(site, page, wait):
    page.goto(site.put("/", html()))
    for step in (
        "history.pushState({}, '', '/a'); document.title = 'A'",
        "history.replaceState({}, '', '/a')",
        "history.replaceState({}, '', '/b')",
        "history.pushState({}, '', '/b#part')",
        "history.pushState({}, '', '/b?page=2')",
        "history.back()",
    ):
        page.evaluate(f"() => new Promise(done => {{ {step}; requestAnimationFrame(() => setTimeout(done, 20)) }})")
    page.evaluate("() => new Promise(done => { addEventListener('popstate', done); history.go(-2) })")
    page.evaluate("() => t('flush')")
    wait(lambda: len(site.named("page")) >= 4)
    views = sorted(site.named("page"), key=lambda event: event["id"][:13])
    assert [event["u"] for event in views] == [site.url(path) for path in ("/", "/a", "/b", "/")]
    assert views[1]["ti"] == "A"
    assert [event["r"] for event in views[1:]] == [event["u"] for event in views[:-1]]


def test_fragments_count_where_they_are_routes(site, page, wait):
    page.goto(site.put("/", html(script=script(spa="hash"))))
    wait(lambda: site.bodies)
    page.evaluate("() => { location.hash = '#/cart' }")
    page.wait_for_function("() => location.hash == '#/cart'")
    page.evaluate(FRAMES)
    page.evaluate("() => t('flush')")
    wait(lambda: len(site.named("page")) == 2)
    assert site.named("page")[1]["u"] == site.url("/#/cart")


def test_a_page_that_is_missing_says_so(site, page, wait, landed):
    page.goto(site.put("/gone", html(), status=404))
    wait(lambda: site.bodies)
    (row,) = landed([site.events[0]["id"]])
    assert row["http_status"] == 404


def test_a_page_may_say_that_it_is_missing(site, page, wait):
    page.goto(site.put("/", html(script='<meta name="t:status" content="410">' + script())))
    wait(lambda: site.bodies)
    assert site.events[0]["st"] == 410


def test_the_canonical_address_is_taken_when_asked_for(site, page, wait):
    canonical = '<link rel="canonical" href="/shoes">'
    page.goto(site.put("/shoes-red", html(script=canonical + script(canonical=""))))
    wait(lambda: site.bodies)
    assert site.events[0]["u"] == site.url("/shoes")


def test_two_copies_count_once(site, page, wait):
    page.goto(site.put("/", html(script=script() + script(), body="<h1>Two</h1>")))
    page.evaluate("() => { t('event', 'one'); t('flush') }")
    wait(lambda: site.named("one") and site.named("page"))
    assert len(site.named("page")) == 1


def test_a_machine_without_a_public_name_is_not_counted(site, page):
    site.is_local = True
    site.put("/", html())
    page.goto(f"http://127.0.0.1:{site.port}/")
    page.evaluate("() => { t('event', 'here'); t('flush') }")
    page.goto("about:blank")
    assert "/e" not in site.requests


def test_a_machine_without_a_public_name_counts_when_asked_to(site, page, wait):
    site.is_local = True
    site.put("/", html(script=script(local="")))
    page.goto(f"http://127.0.0.1:{site.port}/")
    wait(lambda: site.bodies)


def test_hosts_outside_the_list_are_not_counted(site, page, wait):
    site.put("/", html(script=script(domains="shop.example,else.example")))
    page.goto(site.url("/", "other.example"))
    page.evaluate("() => t('flush')")
    page.goto(site.url("/", "www.shop.example"))
    wait(lambda: site.bodies)
    assert [event["u"] for event in site.events] == [site.url("/", "www.shop.example")]
