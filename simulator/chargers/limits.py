"""Charging profiles, as far as a simple charger minds them: each is one constant limit."""

from dataclasses import dataclass
from typing import Any, Final

_VOLTAGE_V: Final = 230.0
_PHASES: Final = 3


@dataclass(frozen=True, slots=True)
class Limit:
    """The most one profile allows; `evse_id` 0 is every EVSE."""

    profile_id: int
    evse_id: int
    purpose: str
    stack_level: int
    limit_w: float | None
    """None: it was taken, and limits nothing."""


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
    ) -> bool:
        """Forget the profiles that fit all that is given; whether there was one."""
        fitting = [
            key
            for key, one in self._limits.items()
            if profile_id in (None, one.profile_id)
            and evse_id in (None, one.evse_id)
            and purpose in (None, one.purpose)
            and stack_level in (None, one.stack_level)
        ]
        for key in fitting:
            del self._limits[key]
        return bool(fitting)

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


def first_limit_w(schedule: dict[str, Any]) -> float | None:
    """Return the first period's limit in W whatever its unit; None: it sets none (2.1 allows that)."""
    period = schedule["chargingSchedulePeriod"][0]
    if "limit" not in period:
        return None
    limit = float(period["limit"])
    if schedule["chargingRateUnit"] == "W":
        return limit
    return limit * _VOLTAGE_V * int(period.get("numberPhases", _PHASES))
