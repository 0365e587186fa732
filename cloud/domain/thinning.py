"""Which samples of an ended session are enough: what a page can show, and the same energy."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cloud.domain.sessions import BY_INTERVALS, Reading, Session

ENOUGH: Final = 300


def kept(session: Session, readings: Sequence[Reading]) -> set[datetime] | None:
    """Return the instants to keep, evenly spread with first and last; None: leave all.

    Where the meter was odd every sample is evidence, and stays; where intervals are added up every one
    is a part of the sum.
    """
    is_whole = any(flag == BY_INTERVALS or flag.startswith("meter_") for flag in session.flags)
    if session.is_open or is_whole or len(readings) <= ENOUGH:
        return None
    last = len(readings) - 1
    return {readings[round(number * last / (ENOUGH - 1))].observed_at for number in range(ENOUGH)}
