"""Pages that forbid almost everything, and pages written for other trackers."""

import json

import pytest

from tests.tracker.site import DIST, html, script

STRICT = {"Content_Security_Policy": "default-src 'self'; require-trusted-types-for 'script'; report-uri /csp"}


def integrity(name):
    return json.loads((DIST / "manifest.json").read_text())["files"][name]["integrity"]


def with_integrity(name, **attributes):
    return script(name.removesuffix(".js"), **attributes).replace(
        "<script ", f'<script integrity="{integrity(name)}" crossorigin="anonymous" '
    )


def test_a_strict_policy_with_an_integrity_is_enough(site, page, wait):
    violations = []
    page.on("console", lambda message: violations.append(message.text))
    page.goto(site.put("/", html("<h1>Strict</h1>", script=with_integrity("t.js")), **STRICT))
    wait(lambda: site.bodies)
    assert violations == []


def test_the_rest_and_modules_work_under_a_strict_policy(site, page, wait):
    violations = []
    page.on("console", lambda message: violations.append(message.text))
    page.goto(site.put("/", html(script=with_integrity("t-more.js", id="user", modules="errors,forms")), **STRICT))
    wait(lambda: {"/p/errors.js", "/p/forms.js"} <= set(site.requests))
    wait(lambda: site.bodies)
    assert site.requests[:2] == ["/", "/p/t-more.js"]
    assert "vid" in site.events[0]
    assert violations == []


def test_a_wrong_integrity_loads_nothing(site, page):
    wrong = with_integrity("t.js").replace(integrity("t.js"), integrity("more.js"))
    page.goto(site.put("/", html(script=wrong)))
    page.wait_for_load_state("networkidle")
    assert site.bodies == []


def test_a_module_in_an_element_of_its_own_needs_no_global(site, page, wait):
    page.goto(site.put("/", html(script='<script defer src="/p/marks.js"></script>' + script())))
    wait(lambda: site.bodies)
    page.evaluate("() => { document.body.innerHTML = '<b data-event=Hit>x</b>'; document.querySelector('b').click() }")
    page.evaluate("() => t('flush')")
    wait(lambda: site.named("Hit"))


def test_a_global_of_the_page_is_left_alone(site, page, wait):
    own = "<script>window.t = text => 'mine ' + text</script>"
    page.goto(site.put("/", html(script=own + script(name="count"))))
    wait(lambda: site.bodies)
    assert page.evaluate("() => t('word')") == "mine word"
    page.evaluate("() => { count('event', 'a'); count('flush') }")
    wait(lambda: site.named("a"))


ALCO = """<script>(function(w){var a=w.alco=function(){a.doCall(arguments)};a.queue=[];a.snippet=3;
a.doCall=function(args){a.queue.push(args)};a.server='';})(window);
alco('configure',{projectId:7});alco('page',{section:'news'});alco('event','Order made',{sum:5});</script>"""


def test_a_page_of_alcojs_works_unchanged(site, page, wait):
    page.goto(site.put("/", html(script=ALCO + '<script async src="/p/lib.js"></script>')))
    page.wait_for_function("() => alco.loaded")
    page.evaluate("() => { alco('identify', 'u7', {vip: true}); alco('event', 'Later'); alco.event('Direct') }")
    page.goto("about:blank")
    wait(lambda: all(map(site.named, ("page", "Order made", "identify", "Direct"))))
    assert {body["site"] for body in site.bodies} == {"alcolytics:7"}
    assert site.named("page")[0]["p"] == {"section": "news"}
    assert site.named("Order made")[0]["p"] == {"sum": 5}
    assert site.named("identify")[0]["p"] == {"id": "u7", "traits": {"vip": True}}


GA = """<script>window.ga=window.ga||function(){(ga.q=ga.q||[]).push(arguments)};ga.l=+new Date;
ga('create','UA-1-1','auto');ga('set','dimension1','red');ga('send','pageview');
ga('send','event','Video','play','Intro',42);</script>"""


def test_a_page_of_analytics_js_works_unchanged(site, page, wait):
    page.goto(site.put("/", html(script=GA + '<script async src="/p/sdk.js"></script>')))
    page.wait_for_function("() => ga.loaded")
    page.evaluate(
        """() => { ga('ecommerce:addTransaction', {id: 'T1', revenue: '9.50'});
        ga('ecommerce:addItem', {id: 'T1', sku: 'S', price: '9.50'}); ga('ecommerce:send') }"""
    )
    page.goto("about:blank")
    wait(lambda: all(map(site.named, ("page", "play", "purchase"))))
    assert {body["site"] for body in site.bodies} == {"measurement_protocol:UA-1-1"}
    assert site.named("page")[0]["p"] == {"dimension1": "red"}
    assert site.named("play")[0]["p"] == {
        "dimension1": "red",
        "category": "Video",
        "action": "play",
        "label": "Intro",
        "value": 42,
    }
    assert site.named("purchase")[0]["p"]["order_id"] == "T1"


@pytest.mark.parametrize("name", ["WebAlyticSDK", "hits"])
def test_a_page_of_webalytic_works_unchanged(site, page, wait, name):
    stub = f"""<script>window.WebAlyticObject='{name}';
    window.{name}=function(){{({name}.q={name}.q||[]).push(arguments)}};
    {name}('create',{{apiUrl:'//x',resourceId:'0b1e'}});{name}('send',{{hitType:'pageview'}});
    {name}('send',{{hitType:'event',category:'c',action:'a',metric1:3}});</script>"""
    page.goto(site.put("/", html(script=stub + '<script async src="/p/sdk.js"></script>')))
    page.wait_for_function("name => window[name].loaded", arg=name)
    page.goto("about:blank")
    wait(lambda: site.named("a"))
    assert {body["site"] for body in site.bodies} == {"measurement_protocol:0b1e"}
    assert site.named("a")[0]["p"] == {"category": "c", "action": "a", "metric1": 3}


OBJECTIV = """<section data-objectiv-context='{"_type":"ContentContext","id":"hero"}'>
<button data-objectiv-context='{"_type":"PressableContext","id":"buy"}'
data-objectiv-track-clicks="true"><i>Buy</i></button>
<div id="box" data-objectiv-context='{"_type":"OverlayContext","id":"dialog"}'
data-objectiv-track-visibility='{"mode":"auto"}'>
</div></section>"""


def test_a_page_tagged_for_objectiv_works_unchanged(site, page, wait):
    page.goto(site.put("/", html(OBJECTIV, script=script() + '<script defer src="/p/objectiv.js"></script>')))
    wait(lambda: site.bodies)
    page.click("i")
    page.evaluate("() => document.querySelector('#box').remove()")
    page.evaluate("() => new Promise(done => setTimeout(done))")
    page.evaluate("() => t('flush')")
    wait(lambda: all(map(site.named, ("ApplicationLoadedEvent", "PressEvent", "VisibleEvent", "HiddenEvent"))))
    root, hero = {"_type": "RootLocationContext", "id": "home"}, {"_type": "ContentContext", "id": "hero"}
    assert site.named("PressEvent")[0]["p"]["location_stack"] == [
        root,
        hero,
        {"_type": "PressableContext", "id": "buy"},
    ]
    assert site.named("VisibleEvent")[0]["p"]["location_stack"][-1]["id"] == "dialog"
    assert [each["id"] for each in site.named("HiddenEvent")[0]["p"]["location_stack"]] == ["home", "hero", "dialog"]
    assert len(site.named("ApplicationLoadedEvent")) == 1


@pytest.mark.parametrize(
    ("attributes", "contexts"),
    [
        ("""type="text" data-objectiv-track-blurs="true" """, None),
        (
            """type="text" data-objectiv-track-blurs='{"trackValue":true}'""",
            [{"_type": "InputValueContext", "id": "size", "value": "42"}],
        ),
        ("""type="password" data-objectiv-track-blurs='{"trackValue":true}'""", None),
    ],
)
def test_an_input_tagged_for_objectiv_tells_its_value_where_the_page_says_so(site, page, wait, attributes, contexts):
    context = '{"_type":"InputContext","id":"size"}'
    tagged = f"<input {attributes} data-objectiv-context='{context}'><button>x</button>"
    page.goto(site.put("/", html(tagged, script=script() + '<script defer src="/p/objectiv.js"></script>')))
    wait(lambda: site.bodies)
    page.fill("input", "42")
    page.focus("button")
    page.evaluate("() => t('flush')")
    wait(lambda: site.named("InputChangeEvent"))
    assert site.named("InputChangeEvent")[0]["p"].get("global_contexts") == contexts
    assert site.named("InputChangeEvent")[0]["p"]["location_stack"][-1] == {"_type": "InputContext", "id": "size"}


def test_a_nonce_is_enough_for_everything_that_the_script_loads(site, page, wait):
    page.add_init_script(
        "window.refused = []; addEventListener('securitypolicyviolation', event => refused.push(event.blockedURI))"
    )
    policy = "default-src 'none'; script-src 'nonce-cmFuZG9t'; connect-src 'self'"
    element = script(id="user", modules="errors,forms").replace("<script ", '<script nonce="cmFuZG9t" ')
    page.goto(site.put("/", html(script=element), Content_Security_Policy=policy))
    wait(lambda: {"/p/t.js", "/p/more.js", "/p/errors.js", "/p/forms.js"} <= set(site.requests))
    wait(lambda: site.bodies)
    assert page.evaluate("() => refused") == []
    page.evaluate("() => document.head.append(Object.assign(document.createElement('script'), {src: '/p/clicks.js'}))")
    wait(lambda: page.evaluate("() => refused.length") == 1)
