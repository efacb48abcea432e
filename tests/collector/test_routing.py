"""Which endpoint answers a path."""

from collector.endpoint import Page
from collector.request import Answer
from collector.routing import Router


def page(path: str, protocol: str = "a", method: str = "GET") -> Page:
    return Page(protocol=protocol, method=method, path=path, answer=lambda _request, _directory: Answer(200))


def paths_found(router: Router, path: str) -> list[tuple[str, dict[str, str]]]:
    return [(endpoint.path, dict(captured)) for endpoint, captured in router.find(path)]


def test_an_exact_path_comes_before_names_and_fewer_names_before_more() -> None:
    router = Router([page("/{service}/{name}"), page("/track/{name}"), page("/track/now")])

    assert paths_found(router, "/track/now") == [
        ("/track/now", {}),
        ("/track/{name}", {"name": "now"}),
        ("/{service}/{name}", {"service": "track", "name": "now"}),
    ]
    assert paths_found(router, "/x/y") == [("/{service}/{name}", {"service": "x", "name": "y"})]


def test_empty_segments_do_not_count_where_a_path_has_names() -> None:
    router = Router([page("/apps/{app}/events")])

    assert paths_found(router, "//apps/shop//events/") == [("/apps/{app}/events", {"app": "shop"})]
    assert not router.find("/apps/shop")
    assert not router.find("/apps/shop/events/more")


def test_families_are_asked_in_the_order_in_which_they_are_listed() -> None:
    router = Router([page("/batch", "first"), page("/batch", "second")])

    assert [endpoint.protocol for endpoint, _ in router.find("/batch")] == ["first", "second"]
