"""Plays the week and says how true each feed was."""

import logging
import tempfile
from pathlib import Path

import structlog
from rich.console import Console
from rich.table import Table

from benchmarks.row import Row
from benchmarks.truth.outcome import Outcome, outcome_of, rows
from benchmarks.truth.play import Play, Size


def measure(console: Console) -> list[Row]:
    """Return T1 to T3; prints what the other feeds would have said, too."""
    with console.status("A week of twenty stations, in some minutes"):
        outcome = played(Size())
    show(outcome, console)
    return rows(outcome)


def played(size: Size) -> Outcome:
    """Play a week of this size in a temporary folder."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory(prefix="baywatt-truth-") as folder:
        play = Play(size, Path(folder))
        try:
            return outcome_of(play.run())
        finally:
            play.cloud.engine.dispose()
            structlog.reset_defaults()


def show(outcome: Outcome, console: Console) -> None:
    """Print the feeds side by side."""
    table = Table(title="What each feed said, in minutes of bays")
    for column in ("feed", "said free, was not", "said not free, was", "unknown"):
        table.add_column(column, justify="left" if column == "feed" else "right")
    for name, tally in outcome.tallies.items():
        wrong = (tally.said_free_was_not, tally.said_not_free_was, tally.unknown)
        table.add_row(name, *(f"{minutes:,}" for minutes in wrong))
    console.print(table)
    console.print(f"{outcome.minutes:,} minutes of bays took {outcome.took_s:.0f} s")
