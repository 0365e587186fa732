"""One line of the outcome, and how it is kept and shown."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A figure of ours, the same work with nothing of ours in the way, and what is promised.

    `ratio` is ours / baseline; `target` bounds it: `at_most` for costs, `at_least` for speeds.
    """

    id: str
    what: str
    unit: str
    ours: float
    baseline: float
    bound: Literal["at_most", "at_least"]
    target: float

    @property
    def ratio(self) -> float:
        """Return ours / baseline."""
        return self.ours / self.baseline

    @property
    def holds(self) -> bool:
        """Whether the promise is kept."""
        if self.bound == "at_most":
            return self.ratio <= self.target
        return self.ratio >= self.target


def write(rows: list[Row], path: Path) -> None:
    """Write the rows as JSON: id, what, ours, baseline, ratio, target, holds and how to read them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = [asdict(row) | {"ratio": round(row.ratio, 4), "holds": row.holds} for row in rows]
    path.write_text(json.dumps(told, indent=1) + "\n")


def show(rows: list[Row], console: Console) -> None:
    """Print the rows as a table."""
    table = Table(title="Baywatt against the same work without it")
    for column in ("id", "what", "ours", "baseline", "ratio", "target", "holds"):
        table.add_column(column, justify="left" if column in {"id", "what"} else "right")
    for row in rows:
        sign = "<=" if row.bound == "at_most" else ">="
        table.add_row(
            row.id,
            row.what,
            f"{row.ours:,.1f} {row.unit}",
            f"{row.baseline:,.1f} {row.unit}",
            f"{row.ratio:.3f}",
            f"{sign} {row.target:g}",
            "[green]yes" if row.holds else "[red]NO",
        )
    console.print(table)
