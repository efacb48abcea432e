"""A mill of its own for a test: a home, a sites file, and the command line as a user runs it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class Mill:
    """Runs `tidemill` commands in a home of their own.

    Attributes:
        home: TIDEMILL_HOME; near the root, because the embedded Postgres' socket needs a short path.
        sites: TIDEMILL_SITES.
    """

    home: Path
    sites: Path

    def environment(self) -> dict[str, str]:
        """The variables of a user who set nothing but these two."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {**kept, "TIDEMILL_HOME": str(self.home), "TIDEMILL_SITES": str(self.sites)}

    def run(self, *arguments: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command; it must succeed, or fail when `fails`."""
        done = subprocess.run(
            [sys.executable, "-m", "tidemill", *arguments],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        assert (done.returncode != 0) == fails, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def report(self, *arguments: str) -> dict[str, Any]:
        """What a command reports as JSON."""
        found: dict[str, Any] = json.loads(self.run(*arguments, "--json").stdout)
        return found

    def database_url(self) -> str:
        """The warehouse, for as long as something keeps the embedded server up."""
        return self.run("database-url").stdout.strip()
