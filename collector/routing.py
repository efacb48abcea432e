"""Which endpoints may answer a path: exact ones first, then those with names in braces, fewer names first."""

from collections.abc import Iterable, Iterator, Mapping

from collector.endpoint import Page, Route

Match = tuple[Route | Page, Mapping[str, str]]
"""An endpoint and what it captured of the path."""

_NOTHING: Mapping[str, str] = {}


class Router:
    """Finds endpoints by path.

    Args:
        endpoints: Of all families; where several match, the order decides who is asked first.
    """

    def __init__(self, endpoints: Iterable[Route | Page]) -> None:
        self._exact: dict[str, list[Match]] = {}
        self._named: dict[int, list[tuple[tuple[str, ...], Route | Page]]] = {}
        for endpoint in endpoints:
            if "{" in endpoint.path:
                segments = _segments(endpoint.path)
                self._named.setdefault(len(segments), []).append((segments, endpoint))
            else:
                self._exact.setdefault(endpoint.path, []).append((endpoint, _NOTHING))
        for patterns in self._named.values():
            patterns.sort(key=lambda pattern: sum(_is_name(segment) for segment in pattern[0]))
        for path in self._exact:  # known before anybody asks
            self._exact[path] += self._matches(path)

    def find(self, path: str) -> list[Match]:
        """Every endpoint that the path leads to, whatever its method, in the order in which they are asked."""
        exact = self._exact.get(path)
        return list(self._matches(path)) if exact is None else exact

    def _matches(self, path: str) -> Iterator[Match]:
        segments = _segments(path)
        for pattern, endpoint in self._named.get(len(segments), ()):
            pairs = list(zip(pattern, segments, strict=True))
            if all(_is_name(wanted) or wanted == given for wanted, given in pairs):
                yield endpoint, {wanted[1:-1]: given for wanted, given in pairs if _is_name(wanted)}


def _segments(path: str) -> tuple[str, ...]:
    """The parts of a path; empty ones do not count."""
    return tuple(segment for segment in path.split("/") if segment)


def _is_name(segment: str) -> bool:
    return segment.startswith("{")
