"""Charging profiles of OCPP 1.6 (section 3.13): how we write them, and what answers say of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contracts import commands
from contracts.commands import ChargingProfile, ProfilePurpose
from contracts.events import Event
from station_agent.ocpp.charging_profiles import (
    CLEARED,
    UNIT,
    checked,
    entry_of,
    head_of,
    profiles_told,
    schedule_of,
)
from station_agent.ocpp.versions import AnswerContext, CommandContext, Outbound
from station_agent.ocpp.words.v16 import Action, ChargingProfilePurposeType

PURPOSE: Final[Mapping[ProfilePurpose, ChargingProfilePurposeType]] = {
    ProfilePurpose.CHARGER: ChargingProfilePurposeType.charge_point_max_profile,
    ProfilePurpose.DEFAULT: ChargingProfilePurposeType.tx_default_profile,
    ProfilePurpose.SESSION: ChargingProfilePurposeType.tx_profile,
}


def written(profile: ChargingProfile) -> dict[str, Any]:
    """Return a profile as a ChargingProfile (section 7.8).

    Raises:
        Untranslatable: no charger could follow it.
    """
    profile = checked(profile)
    return {
        "chargingProfileId": profile.profile_id,
        "chargingProfilePurpose": PURPOSE[profile.purpose],
        **head_of(profile),
        "chargingSchedule": schedule_of(profile),
    }


def set_profile(request: commands.SetChargingProfile, context: CommandContext) -> Outbound:
    """See contracts.commands.SetChargingProfile (section 5.16)."""
    profile = written(request.profile)
    if request.profile.purpose is ProfilePurpose.SESSION:
        session = context.sessions.open_on(context.charger_id, request.evse_id)
        if session is not None and session.transaction_id.isdecimal():
            profile["transactionId"] = int(session.transaction_id)
    payload = {"connectorId": request.evse_id, "csChargingProfiles": profile}
    return Outbound(Action.set_charging_profile, payload)


def clear_profile(request: commands.ClearChargingProfile, _context: CommandContext) -> Outbound:
    """See contracts.commands.ClearChargingProfile (section 5.5)."""
    asked = {
        "id": request.profile_id,
        "connectorId": request.evse_id,
        "chargingProfilePurpose": None if request.purpose is None else PURPOSE[request.purpose],
        "stackLevel": request.stack_level,
    }
    payload = {name: value for name, value in asked.items() if value is not None}
    return Outbound(Action.clear_charging_profile, payload)


def get_composite_schedule(
    request: commands.GetCompositeSchedule, _context: CommandContext
) -> Outbound:
    """See contracts.commands.GetCompositeSchedule (section 5.7)."""
    payload: dict[str, Any] = {"connectorId": request.evse_id, "duration": request.duration_s}
    if request.unit is not None:
        payload["chargingRateUnit"] = UNIT[request.unit]
    return Outbound(Action.get_composite_schedule, payload)


def learn_set(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the profile it has now, in the place of one of its id or its place (section 3.13.2)."""
    if answer["status"] != "Accepted":
        return ()
    profile, evse_id = context.asked["csChargingProfiles"], context.asked["connectorId"]
    place = {
        "evse_id": evse_id,
        "purpose": profile["chargingProfilePurpose"],
        "stack_level": profile["stackLevel"],
    }
    entry = entry_of(profile, profile["chargingProfileId"], evse_id)
    return (profiles_told(context, [entry], gone_like=[place]),)


def learn_cleared(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return which it has no more (section 5.5): the one of the id, else all that fit."""
    if answer["status"] not in CLEARED:
        return ()
    profile_id = context.asked.get("id")
    if profile_id is not None:
        return (profiles_told(context, gone=[str(profile_id)]),)
    names = {
        "evse_id": context.asked.get("connectorId"),
        "purpose": context.asked.get("chargingProfilePurpose"),
        "stack_level": context.asked.get("stackLevel"),
    }
    like = {name: value for name, value in names.items() if value is not None}
    return (profiles_told(context, gone_like=[like]),)
