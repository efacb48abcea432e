"""The collector's settings, read once from the environment."""

from pathlib import Path

from pydantic import Field

from landing.settings import LandingSettings

_MEBIBYTE = 1024 * 1024
_BUILT_TRACKER = Path(__file__).parent.parent / "tracker" / "dist"


class CollectorSettings(LandingSettings):
    """How the collector listens and how it spools.

    Attributes:
        collector_host: Address to listen on.
        collector_port: Port to listen on.
        collector_workers: Worker processes; each has its own spool segments.
        spool_limit_bytes: Bytes of unshipped segments above which requests are answered 503.
        segment_max_seconds: Age at which a segment is sealed and shipped.
        segment_max_bytes: Size at which a segment is sealed and shipped. It bounds the memory of the conversion.
        tracker_path: Where pages load the tracker from; its modules stand beside it.
        tracker_folder: The tracker's build; None for the one of this checkout.
    """

    collector_host: str = "127.0.0.1"
    collector_port: int = Field(default=8080, ge=1, le=65_535)
    collector_workers: int = Field(default=2, ge=1, le=64)
    spool_limit_bytes: int = Field(default=1024 * _MEBIBYTE, ge=_MEBIBYTE)
    segment_max_seconds: float = Field(default=5.0, gt=0, le=3_600)
    segment_max_bytes: int = Field(default=2 * _MEBIBYTE, ge=65_536, le=64 * _MEBIBYTE)

    tracker_path: str = Field(default="/p/t.js", pattern=r"^(/[A-Za-z0-9._~-]+){1,5}$")
    tracker_folder: Path | None = None

    @property
    def scripts_folder(self) -> Path:
        """Where the tracker's build is."""
        return self.tracker_folder or _BUILT_TRACKER

    @property
    def spool_folder(self) -> Path:
        """Where segments wait to be shipped."""
        return self.home / "spool"

    @property
    def metrics_folder(self) -> Path:
        """Where worker processes share their counters; emptied at each start."""
        return self.home / "metrics"
