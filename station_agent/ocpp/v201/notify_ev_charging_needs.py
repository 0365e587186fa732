"""NotifyEVChargingNeeds (OCPP 2.0.1, K15 and K17): a car says what it needs; the cloud finds a profile."""

from collections.abc import Mapping
from typing import Any, Final

from contracts.events import ChargingNeeded
from station_agent.domain.schedules import bounded, watts
from station_agent.ocpp.fields import Index, Payload
from station_agent.ocpp.instants import read_planned
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route
from station_agent.ocpp.words.v201 import NotifyEVChargingNeedsStatusEnumType as Status

PHASES: Final[Mapping[str, int]] = {"AC_single_phase": 1, "AC_two_phase": 2, "AC_three_phase": 3}


class NotifyEVChargingNeeds(Payload, frozen=True, rename="camel"):
    """What we use of it."""

    evse_id: Index
    charging_needs: dict[str, Any]
    max_schedule_tuples: Index | None = None


def handle(request: NotifyEVChargingNeeds, context: Context) -> Outcome:
    """Promise a profile, which comes as a command; without a session there is nothing to plan for."""
    session = context.open_on(request.evse_id)
    if session is None:
        return Outcome({"status": Status.rejected})
    needs = request.charging_needs
    fact = ChargingNeeded(
        charger_id=context.charger.charger_id,
        evse_id=request.evse_id,
        session_id=session.session_id,
        energy_wh=energy_wh(needs),
        departs_at=read_planned(needs.get("departureTime")),
        max_power_w=max_power_w(needs),
        max_periods=request.max_schedule_tuples,
        observed_at=context.now,
    )
    context.charger.talk.needs[request.evse_id] = fact
    return Outcome({"status": Status.accepted}, (fact,))


def energy_wh(needs: Mapping[str, Any]) -> int | None:
    """Return how much the car wants: it says so, or how full it is and wants to be."""
    ac, dc = (needs.get(f"{kind}ChargingParameters") or {} for kind in ("ac", "dc"))
    said = ac.get("energyAmount", dc.get("energyAmount"))
    if said is not None:
        return int(bounded(said))
    capacity_wh, soc_pct = dc.get("evEnergyCapacity"), dc.get("stateOfCharge")
    if capacity_wh is None or soc_pct is None:
        return None
    missing_pct = bounded(dc.get("fullSoC", 100)) - bounded(soc_pct)
    return int(bounded(bounded(capacity_wh) * missing_pct / 100))


def max_power_w(needs: Mapping[str, Any]) -> float | None:
    """Return what the car can take."""
    dc = needs.get("dcChargingParameters")
    if dc is not None:
        said = dc.get("evMaxPower")
        return bounded(said if said is not None else dc["evMaxCurrent"] * dc["evMaxVoltage"])
    ac = needs.get("acChargingParameters")
    if ac is None:
        return None
    phases = PHASES.get(str(needs.get("requestedEnergyTransfer")))
    return watts(ac["evMaxCurrent"], phases, is_current=True)


ROUTE = Route(NotifyEVChargingNeeds, handle, answers=Answers.REMEMBERED)
