"""An EVSE as a thing of electricity: outlets, a car, a meter that only grows; no OCPP."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from simulator.vehicles import Car, Standard

_VOLTAGE_V: Final = 230.0
_DC_EMPTY_V: Final = 350.0
_DC_SPAN_V: Final = 50.0


class State(StrEnum):
    """How an EVSE stands; each version has its own words for it."""

    FREE = "free"
    PREPARING = "preparing"
    CHARGING = "charging"
    SUSPENDED_BY_CAR = "suspended_by_car"
    SUSPENDED_BY_CHARGER = "suspended_by_charger"
    FINISHING = "finishing"
    RESERVED = "reserved"
    UNAVAILABLE = "unavailable"
    FAULTED = "faulted"


@dataclass(frozen=True, slots=True)
class Outlet:
    """A plug (OCPP 2.0.1: connector)."""

    connector_id: int
    standard: Standard
    max_power_w: int


@dataclass(frozen=True, slots=True)
class EvseSpec:
    """What an EVSE is built of; outlets share it, one car at a time."""

    evse_id: int
    outlets: tuple[Outlet, ...]

    @property
    def max_power_w(self) -> int:
        """Return the most any outlet gives."""
        return max(outlet.max_power_w for outlet in self.outlets)

    def outlet_for(self, car: Car) -> Outlet | None:
        """Return the strongest outlet the car takes; None: no plug fits."""
        fitting = [outlet for outlet in self.outlets if car.model.takes(outlet.standard)]
        return max(fitting, key=lambda outlet: outlet.max_power_w, default=None)


@dataclass(slots=True)
class Session:
    """A charging transaction as it truly is."""

    ref: str
    token: str
    connector_id: int
    meter_start_wh: int
    started_at: datetime
    transaction_id: str = ""
    """As both sides call it; in 1.6 empty until the other side has named it."""
    remote_start_id: int | None = None
    reservation_number: int | None = None
    seq_no: int = 0
    charging_s: float = 0
    is_refused: bool = False
    is_authorized: bool = True
    """Whether energy may flow."""
    was_stopped: bool = False
    """Its driver wants no more."""
    stop_token: str = ""
    """By whom it was stopped."""
    told_as: str = ""
    """How it was last told to charge, in the version's word."""
    samples: "list[tuple[datetime, Reading, bool]]" = field(default_factory=list)
    """Those to be repeated at the end: when, what, and whether by the clock."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """An EVSE kept for one token."""

    number: int
    token: str
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """What the meter and the car's electronics say at an instant."""

    at: datetime
    register_wh: int
    power_w: float
    current_a: float
    """Sum over phases."""
    voltage_v: float
    soc_pct: float | None
    """Only told over DC."""
    temperature_c: float


@dataclass(slots=True)
class Evse:
    """One EVSE at work."""

    spec: EvseSpec
    meter_wh: float
    """Lifetime energy; the register shown is its whole watt-hours."""
    is_available: bool = True
    """False: taken out of service."""
    fault: str = ""
    limit_w: float | None = None
    """The least of what charging profiles allow; None: no limit."""
    car: Car | None = None
    outlet: Outlet | None = None
    session: Session | None = None
    had_session: bool = False
    """Whether the car plugged in now has charged already."""
    awaited_token: str = ""
    """Authorised, waiting for a cable."""
    reservation: Reservation | None = None
    power_w: float = 0
    advanced_at: datetime | None = None
    told: State | None = field(default=None)
    """The state last reported."""

    @property
    def evse_id(self) -> int:
        """Return its number within the charger, from 1."""
        return self.spec.evse_id

    @property
    def register_wh(self) -> int:
        """Return the meter's reading: whole Wh, never falling."""
        return int(self.meter_wh)

    @property
    def is_dc(self) -> bool:
        """Whether direct current is plugged in."""
        return self.outlet is not None and self.outlet.standard.is_dc

    @property
    def state(self) -> State:
        """Return how it stands; follows from the rest, so that it is never wrong."""
        if self.fault:
            return State.FAULTED
        if self.session is not None:
            return self._charging_state(self.session)
        if not self.is_available:
            return State.UNAVAILABLE
        if self.car is not None:
            return State.FINISHING if self.had_session else State.PREPARING
        if self.awaited_token:
            return State.PREPARING
        return self._vacant()

    @property
    def is_full(self) -> bool:
        """Whether the car takes no more."""
        return self.car is not None and self.car.battery.soc_pct >= self.car.limit_pct - 1e-9

    def offered_w(self) -> float:
        """Return what the plugged outlet may give now."""
        if self.outlet is None or self.fault or self.session is None:
            return 0.0
        if not self.session.is_authorized:
            return 0.0
        most_w = float(self.outlet.max_power_w)
        return most_w if self.limit_w is None else min(most_w, self.limit_w)

    def advance(self, now: datetime) -> None:
        """Let electricity flow until `now`."""
        since, self.advanced_at = self.advanced_at, now
        if self.car is None or self.session is None:
            self.power_w = 0.0
            return
        offered_w, limit_pct = self.offered_w(), self.car.limit_pct
        battery = self.car.battery
        if since is not None and now > since:
            duration_s = (now - since).total_seconds()
            taken_wh = battery.charge(
                duration_s, offered_w=offered_w, is_dc=self.is_dc, limit_pct=limit_pct
            )
            self.meter_wh += taken_wh
            self.session.charging_s += duration_s if taken_wh > 0 else 0.0
        self.power_w = battery.power_w(offered_w=offered_w, is_dc=self.is_dc, limit_pct=limit_pct)

    def read(self, now: datetime) -> Reading:
        """Advance to `now` and read the meter."""
        self.advance(now)
        voltage_v = self._voltage_v()
        return Reading(
            at=now,
            register_wh=self.register_wh,
            power_w=round(self.power_w, 1),
            current_a=round(self.power_w / voltage_v, 2),
            voltage_v=round(voltage_v, 1),
            soc_pct=round(self.car.battery.soc_pct, 1) if self.car and self.is_dc else None,
            temperature_c=round(24.0 + 16.0 * self.power_w / self.spec.max_power_w, 1),
        )

    def _charging_state(self, session: Session) -> State:
        if session.was_stopped:
            return State.FINISHING if self.car is not None else self._vacant()
        if self.car is None or not session.is_authorized:
            return State.PREPARING if self.car is not None or self.awaited_token else self._vacant()
        if self.offered_w() <= 0:
            return State.SUSPENDED_BY_CHARGER
        return State.SUSPENDED_BY_CAR if self.is_full else State.CHARGING

    def _vacant(self) -> State:
        return State.RESERVED if self.reservation is not None else State.FREE

    def _voltage_v(self) -> float:
        if self.car is None or not self.is_dc:
            return _VOLTAGE_V
        return _DC_EMPTY_V + _DC_SPAN_V * self.car.battery.soc_pct / 100.0
