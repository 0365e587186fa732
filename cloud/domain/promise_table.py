"""What follows for reservations, as a document: `python -m cloud.domain.promise_table > docs/promises.md`."""

import sys
from collections.abc import Sequence
from typing import Final

from cloud.domain.evidence import InBay
from cloud.domain.promise_steps import LEADS_TO, TABLE, TROUBLES, Phase, Step
from cloud.domain.reservations import NEXT, Status

_HEAD: Final = """# What follows for a reservation

Written by `python -m cloud.domain.promise_table` from `cloud/domain/promise_steps.py`; a test compares.

Who is in the bay is said for one reservation's sake: the same car is *the driver, with a session* for
one and *somebody else* for the next. A slot is *far* until the bay is protected, *open* from its start,
*late* after the grace, *past* at its end. When a step has to have lasted before it does anything, and
how long, says `cloud/domain/promises.py`.
"""


def document() -> str:
    """Return the whole document."""
    parts = [_HEAD, *(_table(status) for status in TABLE), _steps()]
    return "\n".join(parts)


def _table(status: Status) -> str:
    rows = TABLE[status]
    head = ("who is in the bay", *Phase)
    lines = [f"## {status}", "", _line(head), _line(["---"] * len(head))]
    lines += [_line([who, *rows[who]]) for who in InBay]
    return "\n".join(lines) + "\n"


def _steps() -> str:
    head = ["step", "trouble", "happening", "leads to"]
    lines = ["## The steps", "", _line(head), _line(["---"] * len(head))]
    lines += [_line([step, TROUBLES.get(step, ""), *_effect(step)]) for step in Step]
    return "\n".join(lines) + "\n"


def _effect(step: Step) -> tuple[str, str]:
    happening = LEADS_TO.get(step)
    if happening is None:
        return "", ""
    statuses = dict.fromkeys(after for (_, what), after in NEXT.items() if what is happening)
    return str(happening), ", ".join(statuses)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(document())
