"""ReportChargingProfiles (OCPP 2.0.1, K09): which profiles a charger has, from us and from others."""

from collections.abc import Sequence
from typing import Any

from contracts.events import InventoryKind, InventoryReported, JobKind
from station_agent.ocpp.charging_profiles import entry_of
from station_agent.ocpp.fields import Index, Int32, Payload
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route
from station_agent.ocpp.v201.reports import part_told


class ReportChargingProfiles(Payload, frozen=True, rename="camel"):
    """Profiles of one EVSE, from one source."""

    request_id: Int32
    charging_limit_source: str
    evse_id: Index
    charging_profile: Sequence[dict[str, Any]]
    tbc: bool = False


def handle(request: ReportChargingProfiles, context: Context) -> Outcome:
    """Keep what it has; only who was asked for all of them told of all of them."""
    asked = context.charger.talk.asked("GetChargingProfiles", request.request_id)
    is_all = asked is not None and "evseId" not in asked and not asked.get("chargingProfile")
    told = InventoryReported(
        charger_id=context.charger.charger_id,
        inventory=InventoryKind.CHARGING_PROFILE,
        entries=[
            entry_of(one, one["id"], request.evse_id, request.charging_limit_source)
            for one in request.charging_profile
        ],
        request_id=request.request_id,
        is_whole=is_all and not request.tbc,
        observed_at=context.now,
    )
    is_last = not request.tbc
    progress = part_told(context, JobKind.CHARGING_PROFILES, request.request_id, is_last=is_last)
    return Outcome({}, (told, progress))


ROUTE = Route(ReportChargingProfiles, handle, answers=Answers.REMEMBERED)
