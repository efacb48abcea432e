"""One module per family of clients. A family is a tuple of routes; adding one is a module and an entry below."""

from collector.protocols import api, tracker
from collector.reading import Route

ROUTES: tuple[Route, ...] = (*tracker.ROUTES, *api.ROUTES)
"""Every endpoint that takes events."""
