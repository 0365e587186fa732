"""`python -m benchmarks.truth [seed]`: play the week and write docs/truth-benchmark.md."""

import sys
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks.row import show as show_rows
from benchmarks.truth.measure import played, show
from benchmarks.truth.outcome import document, rows
from benchmarks.truth.play import Size

PAGE: Final = Path("docs/truth-benchmark.md")


def main(arguments: list[str]) -> None:
    """Play, print, and write the page, unless another seed than its own was asked for."""
    console = Console()
    size = Size(seed=int(arguments[0])) if arguments else Size()
    outcome = played(size)
    show(outcome, console)
    show_rows(rows(outcome), console)
    if size == Size():
        PAGE.write_text(document(outcome))
        console.print(f"written to {PAGE}")


if __name__ == "__main__":
    main(sys.argv[1:])
