"""Loads a folder in a process of its own: `python -m tests.orchestration.measured_load FOLDER DATABASE_URL`.

Answers on its last line with JSON: the process's peak memory in MiB each time a batch was planned or prepared, and at
the end.
"""

import json
import re
import sys
from datetime import datetime
from pathlib import Path

from landing.store import DirectoryStore
from orchestration.load import load_inbox
from tests.orchestration.traffic import NOON


def main() -> None:
    """Load and answer."""
    folder, database_url = sys.argv[1:]
    peaks: list[int] = []

    def clock() -> datetime:
        peaks.append(peak_mib())
        return NOON

    report = load_inbox(store=DirectoryStore(Path(folder)), database_url=database_url, clock=clock)
    answer = {"peaks": [*peaks, peak_mib()], "batches": len(report.batch_ids), "rows": report.loaded_rows["events"]}
    sys.stdout.write(json.dumps(answer) + "\n")


def peak_mib() -> int:
    """Peak resident memory of this program so far; what getrusage says may be that of the one that started it."""
    (kib,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(kib) // 1024


if __name__ == "__main__":
    main()
