"""The demo shop: a visit by somebody who buys."""

from tests.tracker.site import SHOP

STRICT = "default-src 'self'"


def test_a_visit_to_the_shop_tells_its_story(site, page, wait, landed):
    for name in ("index", "stones", "checkout", "thanks", "app"):
        text = (SHOP / f"{name}.html").read_text()
        site.put(f"/{name}.html", text, Content_Security_Policy=STRICT)
    refused = []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    page.goto(site.url("/index.html"))
    wait(lambda: "/p/commerce.js" in site.requests)
    page.wait_for_load_state("networkidle")
    page.click("text=Wish for it >> nth=0")
    page.click("text=Millstones")
    page.wait_for_url("**/stones.html")
    page.wait_for_load_state("networkidle")
    page.click("text=Into the cart >> nth=1")
    page.click("text=Checkout")
    page.wait_for_url("**/checkout.html")
    page.wait_for_load_state("networkidle")
    page.fill("[name=name]", "Ada")
    page.fill("[name=address]", "Mill Lane")
    page.click("text=Order")
    page.wait_for_url("**/thanks.html**")
    page.wait_for_load_state("networkidle")
    page.evaluate("() => t('flush')")
    wait(lambda: site.named("purchase"))
    wait(lambda: site.named("form_submit") and len(site.named("page")) == 4)
    assert site.named("Wish")[0]["p"] == {"product": "stone-s"}
    assert site.named("cart_add")[0]["p"]["value"] == "90.00"
    assert "Ada" not in str(site.bodies)
    assert "Mill Lane" not in str(site.bodies)
    assert refused == []
    (row,) = landed([site.named("purchase")[0]["id"]])
    assert (str(row["revenue"]), row["currency"]) == ("102.500000", "EUR")
