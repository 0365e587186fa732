"""Charging profiles of a charger that speaks OCPP 2.0.1: taken, told, cleared, and what they come to."""

from functools import partial
from typing import Any

from simulator.chargers.charger import Charger
from simulator.chargers.evse import Evse
from simulator.chargers.limits import OURS, Limit, first_limit_w, in_unit
from simulator.chargers.line import Payload
from simulator.chargers.spec import stamp


def put_profile(charger: Charger, evse_id: int, profile: dict[str, Any]) -> None:
    """Keep a profile, and let it take effect."""
    limit = Limit(
        profile_id=profile["id"],
        evse_id=evse_id,
        purpose=profile["chargingProfilePurpose"],
        stack_level=profile["stackLevel"],
        limit_w=first_limit_w(profile["chargingSchedule"][0]),
        profile=profile,
    )
    charger.limits.put(limit)
    charger.world.after(0, charger.apply_limits)


def set_profile(charger: Charger, payload: Payload) -> Payload:
    """Answer SetChargingProfile (K01)."""
    evse_id, profile = payload["evseId"], payload["chargingProfile"]
    evse: Evse | None = charger.evses.get(evse_id)
    if evse_id != 0 and evse is None:
        return {"status": "Rejected"}
    is_for_session = profile["chargingProfilePurpose"] == "TxProfile"
    if is_for_session and (evse is None or evse.session is None):
        return {"status": "Rejected"}
    units = {one["chargingRateUnit"] for one in profile["chargingSchedule"]}
    if not charger.behaviour.takes_profile(profile["stackLevel"], units):
        return {"status": "Rejected"}
    put_profile(charger, evse_id, profile)
    return {"status": "Accepted"}


def clear_profile(charger: Charger, payload: Payload) -> Payload:
    """Answer ClearChargingProfile (K10): what others set stays."""
    criteria = payload.get("chargingProfileCriteria", {})
    is_any = charger.limits.clear(
        profile_id=payload.get("chargingProfileId"),
        evse_id=criteria.get("evseId"),
        purpose=criteria.get("chargingProfilePurpose"),
        stack_level=criteria.get("stackLevel"),
        source=OURS,
    )
    charger.world.after(0, charger.apply_limits)
    return {"status": "Accepted" if is_any else "Unknown"}


def composite_schedule(charger: Charger, payload: Payload) -> Payload:
    """Answer GetCompositeSchedule (K08); EVSE 0 is the grid connection."""
    evse_id = payload["evseId"]
    evse = charger.evses.get(evse_id)
    if evse is None and evse_id != 0:
        return {"status": "Rejected"}
    evses = list(charger.evses.values()) if evse is None else [evse]
    limit_w = charger.limits.limit_w(evse_id)
    most_w = float(sum(one.spec.max_power_w for one in evses) if limit_w is None else limit_w)
    unit = payload.get("chargingRateUnit", "W")
    period = {"startPeriod": 0, "limit": round(in_unit(most_w, unit), 1)}
    return {
        "status": "Accepted",
        "schedule": {
            "evseId": evse_id,
            "duration": payload["duration"],
            "scheduleStart": stamp(charger.now()),
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": [period],
        },
    }


def get_profiles(charger: Any, payload: Payload) -> Payload:
    """Answer GetChargingProfiles (K09); the reports follow, one an EVSE and source."""
    wanted = payload["chargingProfile"]
    fitting = charger.limits.fitting(
        evse_id=payload.get("evseId"),
        purpose=wanted.get("chargingProfilePurpose"),
        stack_level=wanted.get("stackLevel"),
        ids=wanted.get("chargingProfileId"),
        sources=wanted.get("chargingLimitSource"),
    )
    if not fitting:
        return {"status": "NoProfiles"}
    parts: dict[tuple[int, str], list[Payload]] = {}
    for one in fitting:
        parts.setdefault((one.evse_id, one.source), []).append(one.profile)
    for number, ((evse_id, source), profiles) in enumerate(sorted(parts.items()), 1):
        report = {
            "requestId": payload["requestId"],
            "chargingLimitSource": source,
            "evseId": evse_id,
            "chargingProfile": profiles,
            "tbc": number < len(parts),
        }
        charger.world.after(0, partial(charger.send, "ReportChargingProfiles", report))
    return {"status": "Accepted"}
