"""`python -m benchmarks.hosted [STATIONS CHARGERS SECONDS PROCESSES]`: the hosted agent alone, of any size."""

import sys

from rich.console import Console

from benchmarks.hosted.home import Size
from benchmarks.hosted.measure import measure
from benchmarks.row import show


def main(arguments: list[str]) -> None:
    """Measure, and print; exit 1 where a promise does not hold."""
    size = Size()
    if arguments:
        stations, chargers, seconds, processes = arguments
        size = Size(int(stations), int(chargers), float(seconds), int(processes))
    console = Console(width=160)
    rows = measure(console, size)
    show(rows, console)
    if not all(row.holds for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
