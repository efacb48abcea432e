"""A visit to the demo's shop, as the demo serves it."""

from typing import Any

from collector.scripts import read_scripts
from landing.site import Site as SiteSettings
from tests.tracker.site import DIST
from tests.tracker.stories import FRAMES, RAN, Visit, has_run, until
from tidemill.demo.shop import Shop, serve_shop

MODULES = ("marks", "forms", "vitals", "errors", "commerce")


def go_shopping(visit: Visit, settings: SiteSettings) -> int:
    """Wish, put into the cart, order, look at the application; gives the number of events that the pages told."""
    site = visit.site
    site.is_local = True
    page = visit.context.new_page()
    page.add_init_script(RAN)
    with serve_shop(Shop(settings, read_scripts(DIST), "/p/t.js", ("127.0.0.1", site.port))) as address:
        page.goto(address)
        arrive(visit, page, 1)
        page.click("text=Wish for it >> nth=0")
        page.click("text=Millstones")
        arrive(visit, page, 2)
        page.click("text=Into the cart >> nth=1")
        page.click("text=Checkout")
        arrive(visit, page, 3)
        page.fill("[name=name]", "Ada")
        page.fill("[name=address]", "Mill Lane")
        page.click("button")
        arrive(visit, page, 4)
        page.click("text=App")
        arrive(visit, page, 5)
        for place in ("River", "Sea"):
            page.click(f"text={place}")
            page.evaluate(FRAMES)
        page.goto("about:blank")
        until(page, lambda: len(site.named("page")) == 7 and len(site.named("vitals")) == 5)
    assert site.named("Wish")[0]["p"] == {"product": "stone-s"}
    assert site.named("cart_add")[0]["p"]["value"] == "90.00"
    assert len(site.named("form_submit")) == 1
    assert "Ada" not in str(site.bodies)
    assert "Mill Lane" not in str(site.bodies)
    return len({event["id"] for event in site.events})


def arrive(visit: Visit, page: Any, views: int) -> None:
    """Wait until the page's view is told and its modules are there."""
    until(page, lambda: len(visit.site.named("page")) == views)
    until(page, lambda: has_run(page, *MODULES))
