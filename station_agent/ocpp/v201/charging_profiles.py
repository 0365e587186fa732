"""Charging profiles of OCPP 2.0.1 (K01, K05, K08, K09, K10): how we write them, and what answers say."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contracts import commands
from contracts.commands import ChargingProfile, ProfilePurpose
from contracts.events import Event, JobKind
from station_agent.ocpp.charging_profiles import (
    CLEARED,
    OURS,
    UNIT,
    checked,
    entry_of,
    head_of,
    profiles_told,
    schedule_of,
)
from station_agent.ocpp.v201.reports import begun
from station_agent.ocpp.versions import AnswerContext, CommandContext, Outbound
from station_agent.ocpp.words.v201 import Action, ChargingProfilePurposeEnumType

PURPOSE: Final[Mapping[ProfilePurpose, ChargingProfilePurposeEnumType]] = {
    ProfilePurpose.CHARGER: ChargingProfilePurposeEnumType.charging_station_max_profile,
    ProfilePurpose.DEFAULT: ChargingProfilePurposeEnumType.tx_default_profile,
    ProfilePurpose.SESSION: ChargingProfilePurposeEnumType.tx_profile,
}


def written(profile: ChargingProfile, transaction_id: str = "") -> dict[str, Any]:
    """Return a profile as a ChargingProfileType (part 2, section 2.9).

    Raises:
        Untranslatable: no charger could follow it.
    """
    profile = checked(profile)
    schedule = {"id": profile.profile_id} | schedule_of(profile)
    body = {
        "id": profile.profile_id,
        "chargingProfilePurpose": PURPOSE[profile.purpose],
        **head_of(profile),
        "chargingSchedule": [schedule],
    }
    return body | ({"transactionId": transaction_id} if transaction_id else {})


def set_profile(request: commands.SetChargingProfile, context: CommandContext) -> Outbound:
    """See contracts.commands.SetChargingProfile (K01); K01.FR.03: one of a session names it."""
    transaction_id = ""
    if request.profile.purpose is ProfilePurpose.SESSION:
        session = context.sessions.open_on(context.charger_id, request.evse_id)
        transaction_id = session.transaction_id if session else ""
    payload = {
        "evseId": request.evse_id,
        "chargingProfile": written(request.profile, transaction_id),
    }
    return Outbound(Action.set_charging_profile, payload)


def clear_profile(request: commands.ClearChargingProfile, _context: CommandContext) -> Outbound:
    """See contracts.commands.ClearChargingProfile (K10)."""
    criteria: dict[str, Any] = {}
    if request.evse_id is not None:
        criteria["evseId"] = request.evse_id
    if request.purpose is not None:
        criteria["chargingProfilePurpose"] = PURPOSE[request.purpose]
    if request.stack_level is not None:
        criteria["stackLevel"] = request.stack_level
    payload: dict[str, Any] = {"chargingProfileCriteria": criteria} if criteria else {}
    if request.profile_id is not None:
        payload["chargingProfileId"] = request.profile_id
    return Outbound(Action.clear_charging_profile, payload)


def get_composite_schedule(
    request: commands.GetCompositeSchedule, _context: CommandContext
) -> Outbound:
    """See contracts.commands.GetCompositeSchedule (K08)."""
    payload: dict[str, Any] = {"evseId": request.evse_id, "duration": request.duration_s}
    if request.unit is not None:
        payload["chargingRateUnit"] = UNIT[request.unit]
    return Outbound(Action.get_composite_schedule, payload)


def learn_set(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the profile it has now (K01.FR.05: it replaces one of its id)."""
    if answer["status"] != "Accepted":
        return ()
    profile = context.asked["chargingProfile"]
    return (profiles_told(context, [entry_of(profile, profile["id"], context.asked["evseId"])]),)


def learn_cleared(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return which it has no more (K10.FR.03, K10.FR.04); of those set by others it keeps all."""
    if answer["status"] not in CLEARED:
        return ()
    profile_id = context.asked.get("chargingProfileId")
    if profile_id is not None:
        return (profiles_told(context, gone=[str(profile_id)]),)
    criteria = context.asked.get("chargingProfileCriteria") or {}
    names = {
        "evse_id": criteria.get("evseId"),
        "purpose": criteria.get("chargingProfilePurpose"),
        "stack_level": criteria.get("stackLevel"),
    }
    like = {name: value for name, value in names.items() if value is not None}
    return (profiles_told(context, gone_like=[{"source": OURS} | like]),)


learn_reported = begun(JobKind.CHARGING_PROFILES, "evseId", "chargingProfile")
"""How to read the answer to GetChargingProfiles (K09)."""
