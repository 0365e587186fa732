"""Charging profiles, as far as a simple charger minds them: each is one constant limit."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

_VOLTAGE_V: Final = 230.0
_PHASES: Final = 3
OURS: Final = "CSO"
"""The source of what the other side of the line set."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The most one profile allows; `evse_id` 0 is every EVSE."""

    profile_id: int
    evse_id: int
    purpose: str
    stack_level: int
    limit_w: float | None
    """None: it was taken, and limits nothing."""
    source: str = OURS
    profile: dict[str, Any] = field(default_factory=dict)
    """As it was written."""


class Limits:
    """The profiles a charger was given."""

    def __init__(self) -> None:
        self._limits: dict[int, Limit] = {}

    def put(self, limit: Limit) -> None:
        """Keep a profile; it replaces one of its id, or of its place in the stack."""
        place = (limit.evse_id, limit.purpose, limit.stack_level)
        self._limits = {
            key: old
            for key, old in self._limits.items()
            if (old.evse_id, old.purpose, old.stack_level) != place
        }
        self._limits[limit.profile_id] = limit

    def clear(
        self,
        *,
        profile_id: int | None = None,
        evse_id: int | None = None,
        purpose: str | None = None,
        stack_level: int | None = None,
        source: str | None = None,
    ) -> bool:
        """Forget the profiles that fit all that is given; whether there was one."""
        fitting = self.fitting(
            evse_id=evse_id,
            purpose=purpose,
            stack_level=stack_level,
            ids=None if profile_id is None else [profile_id],
            sources=None if source is None else [source],
        )
        for one in fitting:
            del self._limits[one.profile_id]
        return bool(fitting)

    def fitting(
        self,
        *,
        evse_id: int | None = None,
        purpose: str | None = None,
        stack_level: int | None = None,
        ids: Collection[int] | None = None,
        sources: Collection[str] | None = None,
    ) -> list[Limit]:
        """Return the profiles that fit all that is given."""
        return [
            one
            for one in self._limits.values()
            if (ids is None or one.profile_id in ids)
            and evse_id in (None, one.evse_id)
            and purpose in (None, one.purpose)
            and stack_level in (None, one.stack_level)
            and (sources is None or one.source in sources)
        ]

    def end_session(self, evse_id: int) -> bool:
        """Forget what was said for a session on this EVSE alone."""
        return self.clear(evse_id=evse_id, purpose="TxProfile")

    def limit_w(self, evse_id: int) -> float | None:
        """Return the most this EVSE may give now; None: nobody limits it."""
        limits = [one for one in self._limits.values() if one.evse_id in (0, evse_id)]
        told = [one.limit_w for one in _strongest(limits) if one.limit_w is not None]
        return min(told, default=None)


def _strongest(limits: list[Limit]) -> list[Limit]:
    """Of each purpose the highest in the stack (OCPP 1.6 section 3.13.2); a TxProfile overrules defaults."""
    best: dict[str, Limit] = {}
    for one in sorted(limits, key=lambda limit: (limit.stack_level, limit.evse_id)):
        best[one.purpose] = one
    if "TxProfile" in best:
        best.pop("TxDefaultProfile", None)
    return list(best.values())


def in_unit(limit_w: float, unit: str) -> float:
    """Return a limit in `W`, or in `A` of each of three phases."""
    return limit_w if unit == "W" else limit_w / (_VOLTAGE_V * _PHASES)


def first_limit_w(schedule: dict[str, Any]) -> float | None:
    """Return the first period's limit in W whatever its unit; None: it sets none (2.1 allows that)."""
    period = schedule["chargingSchedulePeriod"][0]
    if "limit" not in period:
        return None
    limit = float(period["limit"])
    if schedule["chargingRateUnit"] == "W":
        return limit
    return limit * _VOLTAGE_V * int(period.get("numberPhases", _PHASES))
