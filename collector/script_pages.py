"""Serving the tracker: at a plain path that is fresh within the hour, and at one that never changes its content."""

from flask import Blueprint, Response, abort, request

from collector.scripts import TRACKER, Script, Scripts

_HOUR_S = 3_600
_YEAR_S = 31_536_000
_OTHERS_AGE_S = 7_200
"""What Webalytic's own server told caches of its scripts."""
_OTHERS = ("webalytic.js", "sdk.js")
"""Paths under which pages of other families load what takes over from their library."""


def script_pages(scripts: Scripts, path: str) -> Blueprint:
    """Pages that serve the scripts.

    Args:
        scripts: What was built.
        path: Of the tracker, such as /p/t.js; the other scripts are beside it under their own names, and all of them
            once more in a folder named after the release.
    """
    pages = Blueprint("scripts", __name__)
    folder, _, name = path.rpartition("/")

    def find(asked: str) -> Script:
        script = scripts.files.get(TRACKER if asked == name else asked)
        if script is None:
            abort(404)
        return script

    @pages.get(f"{folder}/<asked>")
    def plain(asked: str) -> Response:
        return _serve(find(asked), f"public, max-age={_HOUR_S}")

    @pages.get(f"{folder}/<release>/<asked>")
    def immutable(release: str, asked: str) -> Response:
        if release != scripts.release:
            abort(404)
        return _serve(find(asked), f"public, max-age={_YEAR_S}, immutable")

    for other in _OTHERS:

        def takeover(other: str = other) -> Response:
            return _serve(find(other), f"public, max-age={_OTHERS_AGE_S}")

        pages.add_url_rule(f"/{other}", endpoint=other.partition(".")[0], view_func=takeover)
    return pages


def _serve(script: Script, cache_control: str) -> Response:
    """The script in the smallest form that the client takes; 304 where it has it."""
    coding = request.accept_encodings.best_match(list(script.content), default="identity") or "identity"
    response = Response(script.content[coding], content_type="text/javascript; charset=utf-8")
    if coding != "identity":
        response.headers["Content-Encoding"] = coding
    response.headers["Cache-Control"] = cache_control
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.vary.add("Accept-Encoding")
    response.set_etag(f"{script.etag}-{coding}")
    response.make_conditional(request)
    return response
