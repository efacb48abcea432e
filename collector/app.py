"""The WSGI application: the intake in front, and the pages for operators behind it."""

from collections.abc import Callable
from datetime import datetime

from flask import Flask, Response, jsonify, request

from collector.front import Front
from collector.intake import Intake
from collector.metrics import CONTENT_TYPE, Metrics
from collector.protocols.alcolytics import statistics
from collector.script_pages import script_pages
from collector.scripts import Scripts
from collector.spool import SpoolUnavailable
from landing.version import VERSION


def create_app(  # noqa: PLR0913  (everything it needs is given)
    *,
    intake: Intake,
    probe: Callable[[], None],
    metrics: Metrics,
    clock: Callable[[], datetime],
    scripts: Scripts,
    tracker_path: str,
) -> Flask:
    """The collector's application; nothing happens at import, everything it needs is given.

    Args:
        intake: Takes what carries events.
        probe: Raises SpoolUnavailable when nothing could be kept; asked by /readyz.
        metrics: Shown by /metrics.
        clock: Now, UTC; `received_at` of what arrives.
        scripts: The tracker.
        tracker_path: Where it is served.
    """
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(script_pages(scripts, tracker_path))

    @app.get("/healthz")
    def healthz() -> Response:
        """The process answers."""
        return jsonify(status="ok")

    @app.get("/readyz")
    def readyz() -> tuple[Response, int]:
        """Events would be kept."""
        try:
            probe()
        except SpoolUnavailable as error:
            return jsonify(status="unavailable", reason=error.reason, detail=str(error)), 503
        return jsonify(status="ok"), 200

    @app.get("/metrics")
    def expose() -> Response:
        """Prometheus' text format."""
        return Response(metrics.expose(), content_type=CONTENT_TYPE)

    @app.get("/stat")
    def show_statistics() -> tuple[Response, int]:
        """Alcolytics' counters, to whoever has a site's secret."""
        if intake.directory().opened_by(request.args.get("key", "")) is None:
            return jsonify(error="wrong secret"), 403
        return jsonify(statistics.report(metrics.expose())), 200

    @app.get("/version")
    def show_version() -> Response:
        """The release."""
        return jsonify(version=VERSION)

    app.wsgi_app = Front(intake, app.wsgi_app, clock=clock)  # type: ignore[method-assign,assignment]
    return app
