"""What the compose file asks of SeaweedFS, asked of the real one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def shell(master: str, command: str) -> str:
    done = subprocess.run(
        [BIN / "weed", "shell", f"-master={master}"], input=f"{command}\n", capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_bucket_is_created_once_and_synced(s3_server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{BIN}:{os.environ['PATH']}")
    script = [ROOT / "deploy" / "seaweedfs" / "create-bucket", s3_server.master, "made-by-compose"]

    for _ in range(2):
        done = subprocess.run(script, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    assert "made-by-compose" in shell(s3_server.master, "s3.bucket.list")
    rules = json.loads(shell(s3_server.master, "fs.configure").partition("{")[2].join(["{", ""]))
    (rule,) = [each for each in rules["locations"] if each["locationPrefix"] == "/buckets/made-by-compose/"]
    assert rule["fsync"] is True
