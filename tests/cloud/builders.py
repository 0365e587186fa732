"""Valid objects with every field defaulted; tests name what matters."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cloud.domain.bays import Bay, Charger, Connector, Sensor
from cloud.domain.payments import Method, Payment, Purpose, Step, StepKind
from cloud.domain.reservations import Reservation
from cloud.domain.sessions import Session
from cloud.domain.stations import Station, StationLink
from cloud.domain.witnesses import Scene

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATION, CHARGER, BAY, SENSOR = "greenmarket", "DD-GREEN-01", "greenmarket-1", "gm-1"


def after(seconds: float) -> datetime:
    """Return so many seconds after noon; before it, where negative."""
    return NOON + timedelta(seconds=seconds)


@dataclass(frozen=True)
class Sampled:
    """A reading, as the fold sees one."""

    observed_at: datetime
    energy_wh: int | None = None
    power_w: float | None = None
    soc_pct: float | None = None
    interval_wh: int | None = None
    export_wh: int | None = None


def a_station(**more: Any) -> Station:
    return Station(**({"id": STATION, "name": "Green Market", "price_per_kwh_minor": 50} | more))


def a_link(**more: Any) -> StationLink:
    return StationLink(**({"station_id": STATION, "heard_at": NOON, "is_silent": False} | more))


def a_bay(**more: Any) -> Bay:
    known = {
        "id": BAY,
        "station_id": STATION,
        "name": "1",
        "charger_id": CHARGER,
        "evse_id": 1,
        "max_power_w": 150_000,
        "has_sensor": True,
        "is_occupied": False,
        "occupancy_at": after(-600),
        "since": after(-600),
    }
    return Bay(**(known | more))


def a_charger(**more: Any) -> Charger:
    known = {
        "id": CHARGER,
        "station_id": STATION,
        "is_connected": True,
        "connection_changed_at": after(-3600),
    }
    return Charger(**(known | more))


def a_connector(state: str = "free", **more: Any) -> Connector:
    known = {
        "charger_id": CHARGER,
        "evse_id": 1,
        "connector_id": 1,
        "state": state,
        "state_at": after(-300),
        "state_since": after(-300),
    }
    return Connector(**(known | more))


def a_sensor(**more: Any) -> Sensor:
    return Sensor(**({"station_id": STATION, "id": SENSOR, "bay_id": BAY} | more))


def a_session(**more: Any) -> Session:
    known = {
        "id": "s-1",
        "station_id": STATION,
        "charger_id": CHARGER,
        "evse_id": 1,
        "bay_id": BAY,
        "state": "charging",
        "started_at": after(-300),
        "meter_start_wh": 1_000,
        "power_limit_w": 150_000,
        "currency": "GBP",
        "price_per_kwh_minor": 50,
    }
    return Session(**(known | more))


def a_scene(**more: Any) -> Scene:
    known = {
        "bay": a_bay(),
        "link": a_link(),
        "charger": a_charger(),
        "connectors": (a_connector(),),
        "sensors": (a_sensor(),),
    }
    return Scene(**(known | more))


def a_reservation(**more: Any) -> Reservation:
    """Held at noon, for a quarter past one to a quarter past two; `start_s` moves it as a whole."""
    starts_at = after(more.pop("start_s", 4_500))
    known = {
        "id": "r-1",
        "number": 1,
        "station_id": STATION,
        "bay_id": BAY,
        "user_id": "u-ada",
        "token": "ADA",
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=1),
        "status_at": NOON,
        "held_until": after(600),
        "tariff_id": "t-1",
        "currency": "GBP",
        "created_at": NOON,
    }
    return Reservation(**(known | more))


def a_payment(**more: Any) -> Payment:
    """Ten pounds by card for a reservation; the gateway has not been asked."""
    known = {
        "id": "p-1",
        "purpose": Purpose.RESERVATION,
        "subject": "r-1",
        "book": "station/greenmarket",
        "user_id": "u-1",
        "method": Method.CARD,
        "provider": "sandbox",
        "currency": "GBP",
        "amount_minor": 1_000,
        "created_at": NOON,
    }
    return Payment(**(known | more))


def a_step(**more: Any) -> Step:
    """What a payment begins with."""
    known = {
        "id": "s-1",
        "cause": "first/reservation/r-1/000",
        "payment_id": "p-1",
        "kind": StepKind.AUTHORISE,
        "amount_minor": 1_000,
        "created_at": NOON,
    }
    return Step(**(known | more))
