"""Limits a charger took, held against what it then gives: some say yes and charge as before."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from contracts.events import Event, InventoryEntry, InventoryKind, InventoryReported
from station_agent.domain.schedules import Span, bounded, watts
from station_agent.ocpp.instants import read_planned

_GRACE: Final = timedelta(seconds=30)
"""Cars take a moment to follow (IEC 61851-1 gives them 5 s, chargers theirs before)."""
_TOLERANCE: Final = 1.1
_LEAST_W: Final = 200.0
_IN_A_ROW: Final = 2
"""So many samples above the limit are no chance."""
_AGAIN_AFTER: Final = {"Daily": timedelta(days=1), "Weekly": timedelta(weeks=1)}
_LONGEST: Final = timedelta(days=3650)
_SESSIONS: Final = "TxProfile"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most a profile allows at any time."""

    evse_id: int
    purpose: str
    stack_level: int
    most_w: float
    agreed_at: datetime
    span: Span


class Ceilings:
    """What a charger agreed to on this connection."""

    def __init__(self) -> None:
        self._held: dict[str, Ceiling] = {}
        self._above: dict[int, int] = {}

    def learn(self, facts: Iterable[Event], now: datetime) -> None:
        """Take from what an answer told which profiles it has now."""
        for fact in facts:
            if isinstance(fact, InventoryReported):
                self._learn(fact, now)

    def _learn(self, fact: InventoryReported, now: datetime) -> None:
        if fact.inventory is not InventoryKind.CHARGING_PROFILE:
            return
        for key, one in list(self._held.items()):
            if key in fact.gone or any(_is_like(one, like) for like in fact.gone_like):
                del self._held[key]
        for entry in fact.entries:
            ceiling = _ceiling_of(entry, now)
            if ceiling is not None:
                self._held[entry.key] = ceiling
        self._above.clear()

    def is_broken(
        self, evse_id: int, power_w: float | None, session_began_at: datetime, now: datetime
    ) -> bool:
        """Whether a sample is the one that shows that the charger does not do what it agreed to."""
        if not self._held or power_w is None:
            return False
        since = self._on(evse_id, session_began_at, now)
        holding = _holding(since)
        if not holding or now - max(since[one] for one in holding) < _GRACE:
            self._above.pop(evse_id, None)
            return False
        most_w = min(one.most_w for one in holding)
        is_above = power_w > most_w * _TOLERANCE + _LEAST_W
        self._above[evse_id] = self._above.get(evse_id, 0) + 1 if is_above else 0
        return self._above[evse_id] == _IN_A_ROW

    def _on(
        self, evse_id: int, session_began_at: datetime, now: datetime
    ) -> dict[Ceiling, datetime]:
        """Return those in force on an EVSE, and since when; what was for a session before is over."""
        found = {}
        for one in self._held.values():
            since = one.span.since(session_began_at, now)
            is_over = one.purpose == _SESSIONS and one.agreed_at < session_began_at
            if one.evse_id in (0, evse_id) and since is not None and not is_over:
                found[one] = max(since, one.agreed_at)
        return found


def _holding(ceilings: Iterable[Ceiling]) -> list[Ceiling]:
    """Return of each purpose the highest; a session's own overrules the default (1.6 section 3.13.2)."""
    best: dict[str, Ceiling] = {}
    for one in sorted(ceilings, key=lambda ceiling: ceiling.stack_level):
        best[one.purpose] = one
    if _SESSIONS in best:
        best.pop("TxDefaultProfile", None)
    return list(best.values())


def _ceiling_of(entry: InventoryEntry, now: datetime) -> Ceiling | None:
    body = entry.body
    schedules = body["profile"]["chargingSchedule"]
    told = [schedules] if isinstance(schedules, dict) else schedules
    limits = [limit for one in told for limit in _limits_of(one)]
    if not limits:
        return None
    place = body["evse_id"], body["purpose"], body["stack_level"]
    return Ceiling(*place, max(limits), now, _span_of(body["profile"], told))


def _span_of(profile: Mapping[str, Any], schedules: Sequence[Mapping[str, Any]]) -> Span:
    """Return when a profile is in force; of several schedules, when all of them are."""
    begins = [read_planned(one.get("startSchedule")) for one in schedules]
    lasts = [
        min(timedelta(seconds=bounded(one["duration"])), _LONGEST)
        for one in schedules
        if "duration" in one
    ]
    return Span(
        valid_from=read_planned(profile.get("validFrom")),
        valid_until=read_planned(profile.get("validTo")),
        begins_at=max((one for one in begins if one is not None), default=None),
        lasts=min(lasts, default=None),
        again_after=_AGAIN_AFTER.get(profile.get("recurrencyKind", "")),
    )


def _limits_of(schedule: Mapping[str, Any]) -> list[float]:
    is_current = schedule["chargingRateUnit"] == "A"
    return [
        watts(one["limit"], one.get("numberPhases"), is_current=is_current)
        for one in schedule["chargingSchedulePeriod"]
        if "limit" in one
    ]


def _is_like(ceiling: Ceiling, like: Mapping[str, Any]) -> bool:
    fields = {
        "evse_id": ceiling.evse_id,
        "purpose": ceiling.purpose,
        "stack_level": ceiling.stack_level,
    }
    return all(fields.get(name, value) == value for name, value in like.items())
