"""The element that loads the tracker into the pages of a site, as the sites file wants it."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from collector.scripts import TRACKER, TRACKER_AND_MORE, Scripts
from landing.site import Site

_MORE = frozenset({"id", "consent", "dnt", "domains", "sample", "props", "before", "canonical", "modules"})
"""Settings for which the small script loads the rest: one file with both spares a request and has one hash."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """What goes into the head of a page.

    Attributes:
        src: Of the script, at a path whose content never changes.
        integrity: Of that content.
        settings: The `data-*` attributes, without `data-`, in their order.
    """

    src: str
    integrity: str
    settings: Mapping[str, str]

    @property
    def html(self) -> str:
        """The element."""
        settings = "".join(
            f' data-{name}="{escape(value)}"' if value else f" data-{name}" for name, value in self.settings.items()
        )
        return (
            f'<script defer src="{escape(self.src)}"{settings} integrity="{self.integrity}" crossorigin="anonymous">'
            "</script>"
        )


def settings_of(site: Site) -> dict[str, str]:
    """The settings without which the tracker would do less, or more, than the sites file says."""
    settings = {"site": site.site_id}
    if site.privacy.visitor != "cookieless":
        settings["id"] = "user"
    if site.privacy.gpc != "cookieless":
        settings["gpc"] = site.privacy.gpc
    if site.privacy.dnt != "ignore":
        settings["dnt"] = site.privacy.dnt
    return settings


def snippet_of(
    site: Site, scripts: Scripts, *, tracker_path: str, url: str = "", settings: Mapping[str, str] | None = None
) -> Snippet:
    """The snippet of a site.

    Args:
        site: Of the sites file.
        scripts: The build that the collector serves.
        tracker_path: Where the collector serves the small script.
        url: The collector's public address; without one, the page's own host serves the script.
        settings: Further ones; they win.
    """
    every = settings_of(site) | dict(settings or {})
    folder, _, name = tracker_path.rpartition("/")
    file, served = (TRACKER_AND_MORE, TRACKER_AND_MORE) if _MORE & every.keys() else (TRACKER, name)
    return Snippet(f"{url.rstrip('/')}{folder}/{scripts.release}/{served}", scripts.files[file].integrity, every)
