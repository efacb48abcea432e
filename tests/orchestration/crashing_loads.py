"""Work that kills itself: `python -m tests.orchestration.crashing_loads`, cases on stdin.

A case is a line of JSON {step, moment, call, database_url, store, sites}: the process forked for it loads `store` into
`database_url`, compacts it or maps it anew, and sends itself SIGKILL before or after the given call of the given step.
Production code knows nothing of this.
"""

import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from landing.store import DirectoryStore
from orchestration.compaction import compact_archive
from orchestration.database import connect
from orchestration.load import load_inbox
from orchestration.plan import LoadLimits
from orchestration.remapping import remap_archive
from tests.orchestration.remappable import mapping, renamed
from tests.orchestration.traffic import NOON

STEPS = {
    "plan": "orchestration.ledger:write_plan",
    "planned": "orchestration.ledger:plan_batch",
    "enrich": "orchestration.load:enrich",
    "archive": "orchestration.archive:put_batch",
    "partition": "orchestration.load:ensure_partition",
    "ledger": "orchestration.raw_copy:RawSession.write_commit",
    "copy": "orchestration.raw_copy:RawSession.copy",
    "file": "orchestration.load:file_rows",
    "commit": "orchestration.raw_copy:RawSession.commit",
}

COMPACTION_STEPS = {
    "put": "landing.store:DirectoryStore.put",
    "read back": "orchestration.compaction:put_compacted",
    "note": "orchestration.compaction:note_compacted",
    "delete": "landing.store:DirectoryStore.delete",
}

REMAP_STEPS = {
    "begin remap": "orchestration.remapping:begin_remap",
    "replace raw": "orchestration.raw_copy:RawSession.replace_events",
    "put remapped": "landing.store:DirectoryStore.put",
    "note remap": "orchestration.raw_copy:RawSession.note_remap",
    "commit remap": "orchestration.raw_copy:RawSession.commit",
}


def main() -> None:
    """Fork one process a case; answers the signal that ended each, or 0."""
    for line in sys.stdin:
        case = json.loads(line)
        process = os.fork()
        if process == 0:
            os.dup2(2, 1)  # what the load logs is no answer
            _crash(case)
            os._exit(0)
        _, status = os.waitpid(process, 0)
        sys.stdout.write(f"{os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0}\n")
        sys.stdout.flush()


def _crash(case: dict[str, Any]) -> None:
    step = case["step"]
    module_name, _, path = (STEPS | COMPACTION_STEPS | REMAP_STEPS)[step].partition(":")
    owner: Any = importlib.import_module(module_name)
    *outer, name = path.split(".")
    for each in outer:
        owner = getattr(owner, each)
    setattr(owner, name, _killing(getattr(owner, name), case["moment"], case["call"]))
    store = DirectoryStore(Path(case["store"]))
    if step in STEPS:
        load_inbox(
            store=store,
            database_url=case["database_url"],
            clock=lambda: NOON,
            sites_file=Path(case["sites"]) if "sites" in case else None,
            limits=LoadLimits(batch_objects_max=2),
        )
    elif step in REMAP_STEPS:
        remap_archive(
            store=store,
            database_url=case["database_url"],
            remap=mapping(renamed),
            first=NOON.date(),
            last=NOON.date() + timedelta(days=1),
        )
    else:
        with connect(case["database_url"]) as connection:
            compact_archive(store=store, connection=connection)


def _killing(function: Callable[..., Any], moment: str, fatal_call: int) -> Callable[..., Any]:
    calls = 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == fatal_call and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        if calls == fatal_call and moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped


if __name__ == "__main__":
    main()
