"""`python -m benchmarks [--out FILE] [--only NAME]`: every benchmark, in one run, on this machine."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import collecting, dialects, loading, transforming
from benchmarks.report import Result, show, write

BENCHMARKS: dict[str, Callable[[], list[Result]]] = {
    "collector": collecting.measure,
    "dialects": dialects.measure,
    "load": loading.measure,
    "transform": transforming.measure,
}


def main() -> int:
    """Run what was asked for, print the table."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--out", type=Path, help="also write the results as JSON")
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="run only this group; may be repeated")
    arguments = parser.parse_args()
    results: list[Result] = []
    for name, measure in BENCHMARKS.items():
        if arguments.only is None or name in arguments.only:
            print(f"measuring {name} …", file=sys.stderr, flush=True)
            results += measure()
    show(results)
    if arguments.out is not None:
        write(results, arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
