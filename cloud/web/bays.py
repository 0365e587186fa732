"""A bay as it is drawn: its status at this moment, and what stands in it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from cloud.services.bay_views import BayView, WitnessView
from cloud.services.station_views import StationView

UNKNOWN: Final = "UNKNOWN"
AVAILABLE: Final = "AVAILABLE"
_CABLE_STATES: Final = frozenset(
    {"plugged", "charging", "suspended_by_car", "suspended_by_charger", "finishing", "idle"}
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What the drawing of a bay shows, seen from above."""

    has_car: bool
    has_cable: bool
    is_flowing: bool


def fresh(bay: BayView, now: datetime) -> BayView:
    """Return the bay with status UNKNOWN once its word no longer holds."""
    if bay.valid_until is not None and now < bay.valid_until:
        return bay
    return replace(bay, status=UNKNOWN)


def fresh_station(station: StationView, now: datetime) -> StationView:
    """Return the station with every bay as it may be shown now, counted again."""
    bays = [fresh(bay, now) for bay in station.bays]
    statuses: dict[str, int] = {}
    for bay in bays:
        statuses[bay.status] = statuses.get(bay.status, 0) + 1
    return replace(
        station,
        bays=bays,
        statuses=statuses,
        bays_total=len(bays),
        bays_available=statuses.get(AVAILABLE, 0),
    )


def scene(bay: BayView) -> Scene:
    """Say what to draw; of an unknown bay nothing but the bay."""
    if bay.status == UNKNOWN:
        return Scene(has_car=False, has_cable=False, is_flowing=False)
    trusted = [witness for witness in bay.witnesses if witness.is_trusted]
    has_cable = any(map(_sees_cable, trusted))
    is_flowing = bay.status == "CHARGING" and any(w.says == "charging" for w in trusted)
    is_occupied = any(w.says == "occupied" for w in trusted)
    return Scene(
        has_car=has_cable or is_occupied or is_flowing,
        has_cable=has_cable or is_flowing,
        is_flowing=is_flowing,
    )


def _sees_cable(witness: WitnessView) -> bool:
    return witness.witness in {"connector", "session"} and witness.says in _CABLE_STATES
