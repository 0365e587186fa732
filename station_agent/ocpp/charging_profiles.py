"""Charging profiles, as far as they are the same in all versions: checked, spelled, kept."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from contracts.commands import (
    ChargingProfile,
    LimitPeriod,
    LimitUnit,
    ProfileKind,
    Recurrency,
)
from contracts.events import Event, InventoryEntry, InventoryKind, InventoryReported
from station_agent.ocpp.instants import write
from station_agent.ocpp.versions import AnswerContext, Untranslatable

KIND: Final[Mapping[ProfileKind, str]] = {
    ProfileKind.ABSOLUTE: "Absolute",
    ProfileKind.RECURRING: "Recurring",
    ProfileKind.RELATIVE: "Relative",
}
RECURRENCY: Final[Mapping[Recurrency, str]] = {
    Recurrency.DAILY: "Daily",
    Recurrency.WEEKLY: "Weekly",
}
UNIT: Final[Mapping[LimitUnit, str]] = {LimitUnit.WATT: "W", LimitUnit.AMPERE: "A"}
OURS: Final = "CSO"
"""The source of a limit that we set (OCPP 2.0.1 ChargingLimitSourceEnumType)."""


def checked(profile: ChargingProfile) -> ChargingProfile:
    """Return a profile chargers can follow.

    Raises:
        Untranslatable: they could not (OCPP 2.0.1 K01.FR.31, K01.FR.40; 1.6 section 7.12).
    """
    starts = [one.start_s for one in profile.periods]
    if starts[0] != 0 or any(first >= second for first, second in pairwise(starts)):
        raise Untranslatable("periods begin at 0, and each after the one before")
    if (profile.profile_kind is ProfileKind.RELATIVE) != (profile.starts_at is None):
        raise Untranslatable("starts_at says when a profile begins, unless it is relative")
    if (profile.profile_kind is ProfileKind.RECURRING) != (profile.recurrency is not None):
        raise Untranslatable(
            "recurrency says how often a recurring profile recurs, and of no other"
        )
    return profile


def head_of(profile: ChargingProfile) -> dict[str, Any]:
    """Return what a profile says besides its id, purpose and schedule, as all versions spell it."""
    head: dict[str, Any] = {
        "stackLevel": profile.stack_level,
        "chargingProfileKind": KIND[profile.profile_kind],
    }
    if profile.recurrency is not None:
        head["recurrencyKind"] = RECURRENCY[profile.recurrency]
    if profile.valid_from is not None:
        head["validFrom"] = write(profile.valid_from)
    if profile.valid_until is not None:
        head["validTo"] = write(profile.valid_until)
    return head


def schedule_of(profile: ChargingProfile) -> dict[str, Any]:
    """Return a profile's schedule as all versions spell it; limits have one decimal (1.6, 7.14)."""
    schedule: dict[str, Any] = {
        "chargingRateUnit": UNIT[profile.unit],
        "chargingSchedulePeriod": [_period(one) for one in profile.periods],
    }
    if profile.starts_at is not None:
        schedule["startSchedule"] = write(profile.starts_at)
    if profile.duration_s is not None:
        schedule["duration"] = profile.duration_s
    if profile.least is not None:
        schedule["minChargingRate"] = round(profile.least, 1)
    return schedule


def _period(period: LimitPeriod) -> dict[str, Any]:
    written: dict[str, Any] = {"startPeriod": period.start_s, "limit": round(period.limit, 1)}
    return written if period.phases is None else written | {"numberPhases": period.phases}


def entry_of(
    profile: Mapping[str, Any], profile_id: object, evse_id: int, source: str = OURS
) -> InventoryEntry:
    """Return a profile as the inventory has it: where it is in the stack, and as it was written."""
    body = {
        "evse_id": evse_id,
        "source": source,
        "purpose": profile["chargingProfilePurpose"],
        "stack_level": profile["stackLevel"],
        "profile": dict(profile),
    }
    return InventoryEntry(key=str(profile_id), body=body)


def profiles_told(
    context: AnswerContext,
    entries: Sequence[InventoryEntry] = (),
    *,
    gone: Sequence[str] = (),
    gone_like: Sequence[Mapping[str, Any]] = (),
) -> Event:
    """Return what a charger's answer says of its profiles."""
    return InventoryReported(
        charger_id=context.charger_id,
        inventory=InventoryKind.CHARGING_PROFILE,
        entries=list(entries),
        gone=list(gone),
        gone_like=[dict(one) for one in gone_like],
        observed_at=context.now,
    )


CLEARED: Final = frozenset({"Accepted", "Unknown"})
"""Answers after which no profile is left that was asked to be cleared."""
