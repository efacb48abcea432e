"""Links, marked elements, forms, clicks, vitals, errors, orders."""

from urllib.parse import urlsplit

import pytest

from tests.tracker.site import html, script
from tests.tracker.stories import FRAMES, RAN, has_run, see

STOP = "<script>addEventListener('click', event => event.preventDefault())</script>"


def open_page(page, site, wait, body, *, modules=""):
    page.add_init_script(RAN)
    page.goto(site.put("/", html(body, script=script(modules=modules) if modules else script())))
    wait(lambda: site.bodies)
    wait(lambda: has_run(page, *filter(None, modules.split(","))))


def flush(page):
    page.evaluate("() => t('flush')")


def test_a_link_that_leaves_is_told_with_its_text(site, page, wait, landed):
    site.put("/there", html())
    link = f'<a href="{site.url("/there?token=x&a=1", "other.example")}"> <b>To the</b> other </a>'
    open_page(page, site, wait, link)
    page.click("b")
    page.wait_for_url("**/there**")
    wait(lambda: site.named("outbound"))
    (event,) = site.named("outbound")
    there = site.url("/there?a=1", "other.example")
    assert event["p"] == {"url": there, "host": urlsplit(there).hostname, "text": "To the other"}
    (row,) = landed([event["id"]])
    assert row["event_type"] == "link_click"


def test_links_on_the_same_host_and_to_own_hosts_are_not_told(site, page, wait):
    body = STOP + '<a id="a" href="/x">a</a><a id="b" href="http://sub.own.example/">b</a>'
    page.goto(site.put("/", html(body, script=script(own="own.example"))))
    wait(lambda: site.bodies)
    page.click("#a")
    page.click("#b")
    page.evaluate("() => t('event', 'end')")
    flush(page)
    wait(lambda: site.named("end"))
    assert site.named("outbound") == []


@pytest.mark.parametrize(
    ("link", "extension"),
    [
        ('href="/a/Price%20list.PDF?x=1"', "PDF"),
        ('href="/report" download', None),
        ('href="//cdn.example/t.zip"', "zip"),
    ],
)
def test_files_are_downloads(site, page, wait, link, extension):
    open_page(page, site, wait, f"{STOP}<a {link}>file</a>")
    page.click("a")
    flush(page)
    wait(lambda: site.named("download"))
    assert site.named("download")[0]["p"]["ext"] == extension
    assert site.named("outbound") == []


def test_a_middle_click_counts_and_a_handler_that_cancels_does_not_matter(site, page, wait):
    body = '<a href="http://other.example:9/x">x</a><script>document.querySelector("a").onclick = () => false</script>'
    open_page(page, site, wait, body)
    page.click("a")
    page.evaluate(
        "() => document.querySelector('a').dispatchEvent("
        "new MouseEvent('auxclick', {button: 1, bubbles: true, composed: true}))"
    )
    page.evaluate(
        "() => document.querySelector('a').dispatchEvent("
        "new MouseEvent('auxclick', {button: 2, bubbles: true, composed: true}))"
    )
    flush(page)
    wait(lambda: len(site.named("outbound")) == 2)


def test_a_link_in_a_shadow_root_is_found(site, page, wait):
    open_page(page, site, wait, STOP + '<div id="host"></div>')
    page.evaluate(
        "() => { const root = document.querySelector('#host').attachShadow({mode: 'open'});"
        " root.innerHTML = '<a href=\"http://other.example/\"><i>go</i></a>'; root.querySelector('i').click() }"
    )
    flush(page)
    wait(lambda: site.named("outbound"))


NOT_LEFT = "<script>for (const type of ['click', 'auxclick']) addEventListener(type, e => e.preventDefault())</script>"
AREAS = """<img usemap="#map" width="200" height="100" alt="map"
src="data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==">
<map name="map"><area shape="rect" coords="0,0,100,100" href="http://other.example/there" alt="there">
<area shape="rect" coords="100,0,200,100" href="/map.pdf" alt="file"></map>"""


@pytest.mark.parametrize("button", ["left", "middle"])
def test_areas_of_an_image_are_links(site, page, wait, button):
    open_page(page, site, wait, NOT_LEFT + AREAS)
    page.click("img", position={"x": 50, "y": 50}, button=button)
    page.click("img", position={"x": 150, "y": 50}, button=button)
    flush(page)
    wait(lambda: site.named("download") and site.named("outbound"))
    assert [event["p"] for event in site.named("outbound")] == [
        {"url": "http://other.example/there", "host": "other.example", "text": ""}
    ]
    assert [event["p"] for event in site.named("download")] == [{"url": site.url("/map.pdf"), "ext": "pdf"}]


NESTED = """() => {
const open = (element, text) => { element.attachShadow({mode: 'open'}).innerHTML = text; return element.shadowRoot };
const outer = open(document.querySelector('#outer'), '<p id="inner"></p>');
open(outer.querySelector('#inner'), '<a href="http://deep.example/"><i>deep</i></a>');
open(document.querySelector('#shell'), '<a href="http://shell.example/"><slot></slot></a>');
open(document.querySelector('#part'), '<s>part</s>') }"""


@pytest.mark.parametrize("button", ["left", "middle"])
def test_links_are_found_through_open_shadow_roots(site, page, wait, button):
    body = '<p id="outer"></p><p id="shell"><u>shell</u></p><a href="http://light.example/"><p id="part"></p></a>'
    open_page(page, site, wait, NOT_LEFT + body)
    page.evaluate(NESTED)
    for element in ("i", "u", "s"):
        page.click(element, button=button)
    flush(page)
    wait(lambda: len(site.named("outbound")) == 3)
    assert [event["p"]["host"] for event in site.named("outbound")] == [
        "deep.example",
        "shell.example",
        "light.example",
    ]


def test_marked_elements_tell_events(site, page, wait):
    body = (
        STOP
        + '<button data-event="Sign up" data-event-plan="pro"><i>go</i></button>'
        + '<form data-event="Ask" onsubmit="return false"><button id="ask">ask</button></form>'
        + '<a id="old" href="#" class="plausible-event-name=Old+Style plausible-event-size=L">old</a>'
        + '<a id="mail" href="mailto:me@shop.example?subject=x">mail</a>'
    )
    open_page(page, site, wait, body, modules="marks")
    page.click("i")
    page.evaluate("() => document.querySelector('form').requestSubmit()")
    page.click("#old")
    page.click("#mail")
    flush(page)
    wait(lambda: all(map(site.named, ("Sign up", "Ask", "Old Style", "contact"))))
    assert site.named("Sign up")[0]["p"] == {"plan": "pro"}
    assert len(site.named("Ask")) == 1
    assert site.named("Old Style")[0]["p"] == {"size": "L"}
    assert site.named("contact")[0]["p"] == {"url": "mailto:me@shop.example"}


FORM = """<form id="login" name="f" action="/submit?x=1" method="post">
<input name="user"><input name="secret" type="password"><input name="card" autocomplete="cc-number">
<input name="mail" type="email" required><div data-private><input name="hush"></div><button>go</button></form>"""


def test_a_form_is_followed_without_its_values(site, page, wait, landed):
    open_page(page, site, wait, FORM, modules="forms")
    page.fill("[name=user]", "Alice")
    page.fill("[name=secret]", "hunter2")
    page.focus("[name=hush]")
    page.click("button")
    see(page, hidden=True)
    wait(lambda: all(map(site.named, ("form_start", "form_invalid", "form_abandon"))))
    start, abandon = site.named("form_start")[0]["p"], site.named("form_abandon")[0]["p"]
    assert start == {"id": "login", "name": "f", "action": "/submit"}
    assert [event["p"]["field"] for event in site.named("form_invalid")] == ["mail"]
    assert abandon["fields"] >= 2
    text = str(site.bodies)
    assert not [each for each in ("Alice", "hunter2", "secret", "card", "hush") if each in text]
    assert {row["event_type"] for row in landed([site.named("form_start")[0]["id"]])} == {"form"}


def test_a_submitted_form_is_not_abandoned(site, page, wait):
    open_page(page, site, wait, FORM, modules="forms")
    page.fill("[name=mail]", "a@b.example")
    page.click("button")
    page.wait_for_url("**/submit**")
    wait(lambda: site.named("form_submit"))
    assert site.named("form_abandon") == []


def test_clicks_tell_where_and_anger_once(site, page, wait):
    body = (
        '<div class="nav c1x2"><button id="b" class="big" name="n">Buy <i>now</i></button></div>'
        "<p data-text><b>Hi</b></p>"
    )
    open_page(page, site, wait, body, modules="clicks")
    for _ in range(4):
        page.click("i")
    page.click("b")
    flush(page)
    wait(lambda: len(site.named("click")) == 5 and site.named("rage_click"))
    first, *_, last = (click["p"] for click in sorted(site.named("click"), key=lambda click: click["seq"]))
    assert first == {"tag": "button", "id": "b", "name": "n", "path": "button.big"}
    assert last["text"] == "Hi"
    assert len(site.named("rage_click")) == 1


def test_vitals_are_told_once_when_the_page_is_hidden(site, page, wait, landed):
    open_page(page, site, wait, "<h1>Large</h1>", modules="vitals")
    page.click("h1")
    see(page, hidden=True)
    wait(lambda: site.named("vitals"))
    (event,) = site.named("vitals")
    assert {"lcp", "fcp", "ttfb"} <= set(event["p"])
    (row,) = landed([event["id"]])
    assert (row["event_type"], row["is_interaction"]) == ("vitals", False)


def test_vitals_tell_of_shifts_and_of_the_slowest_answer(site, page, wait):
    slow = "<script>function slow() { const end = performance.now() + 60; while (performance.now() < end); }</script>"
    open_page(page, site, wait, f'{slow}<h1>Large</h1><button onclick="slow()">slow</button>', modules="vitals")
    page.evaluate("() => { document.body.prepend(Object.assign(document.createElement('p'), {style: 'height:99px'})) }")
    page.evaluate(FRAMES)
    page.click("button")
    page.evaluate(FRAMES)
    see(page, hidden=True)
    wait(lambda: site.named("vitals"))
    (event,) = site.named("vitals")
    assert event["p"]["cls"] > 0
    assert event["p"]["inp"] >= 56  # eight ms are the grain of what browsers tell


def test_errors_are_told_by_kind_and_counted(site, context, wait):
    page = context.new_page()
    open_page(page, site, wait, "", modules="errors")
    page.evaluate("() => { for (let i = 0; i < 3; i++) setTimeout(() => { throw Error('broken') }) }")
    page.evaluate("() => { for (let i = 0; i < 9; i++) Promise.reject(Error('rejected ' + i)) }")
    page.evaluate("() => new Promise(done => setTimeout(done, 50))")
    see(page, hidden=True)
    wait(lambda: len(site.named("error")) >= 5)
    told = [event["p"] for event in site.named("error")]
    assert len(told) == 5
    assert any("broken" in each["message"] for each in told)


def test_orders_have_decimal_amounts_and_purchases_count_once(site, page, wait, landed):
    open_page(page, site, wait, "", modules="commerce")
    page.evaluate(
        """() => { for (let i = 0; i < 2; i++) t('event', 'purchase', {order_id: 'A1', value: '1,234.50',
        currency: 'eur', items: [{sku: 'S', price: 12.5, quantity: 2}]}) }"""
    )
    flush(page)
    wait(lambda: site.named("purchase"))
    (event,) = site.named("purchase")
    (row,) = landed([event["id"]])
    assert (row["order_action"], str(row["revenue"]), row["currency"], row["order_id"]) == (
        "purchase",
        "1234.500000",
        "EUR",
        "A1",
    )
