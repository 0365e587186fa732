"""Run all benchmarks, or those named: `python -m benchmarks [ocpp] [ingest] [live] [hosted] [truth]`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks import ingest, live, ocpp_message
from benchmarks.hosted import measure as hosted
from benchmarks.row import Row, show, write
from benchmarks.truth import measure as truth

BENCHMARKS: Final[dict[str, Callable[[Console], list[Row]]]] = {
    "ocpp": ocpp_message.measure,
    "ingest": ingest.measure,
    "live": live.measure,
    "hosted": hosted.measure,
    "truth": truth.measure,
}


def main(names: list[str]) -> None:
    """Measure, print, and write build/bench.json; exit 1 where a promise does not hold."""
    console = Console()
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    rows = [row for name in names or BENCHMARKS for row in BENCHMARKS[name](console)]
    show(rows, console)
    write(rows, Path("build/bench.json"))
    console.print("written to build/bench.json")
    if not all(row.holds for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
