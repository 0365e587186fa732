"""What may be thrown away when the disk is short: telemetry first, what is owed to nobody next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

TELEMETRY: Final = frozenset({"meter_sampled"})

CHATTER: Final = frozenset(
    {
        "component_event_reported",
        "data_transferred",
        "stream_sampled",
        "sensor_unreadable",
        "sensor_battery_reported",
        "oddity_observed",
    }
)
"""Diagnostics: missed, but no session, bay or bill is wrong without them."""

DROP_ORDER: Final = (TELEMETRY, CHATTER)
"""All of the first goes before any of the second; what is in neither is never dropped."""


@dataclass(frozen=True, slots=True)
class Head:
    """What of a fact decides whether it may go."""

    kind: str
    session_id: str | None = None
    interval_wh: int | None = None


def expendable(facts: Sequence[Head], kinds: frozenset[str]) -> set[int]:
    """Return which of these facts, given in order by their index, may go.

    The first and the last sample of each session stay: they may be its start and its end register.
    So does every one that is a part of a sum, for want of a register.
    """
    going = {
        index
        for index, fact in enumerate(facts)
        if fact.kind in kinds and (fact.session_id is None or fact.interval_wh is None)
    }
    samples: dict[str, list[int]] = {}
    for index in sorted(going):
        session_id = facts[index].session_id
        if session_id is not None and facts[index].kind in TELEMETRY:
            samples.setdefault(session_id, []).append(index)
    for indexes in samples.values():
        going -= {indexes[0], indexes[-1]}
    return going
