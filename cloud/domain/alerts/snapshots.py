"""What alert rules look at, beside the Scene of a bay (`cloud.domain.witnesses`)."""

from dataclasses import dataclass
from datetime import datetime

from cloud.domain.bays import Bay, Charger, Connector, Sensor
from cloud.domain.payments import Step
from cloud.domain.stations import Station, StationLink


@dataclass(frozen=True, slots=True)
class StationSnapshot:
    """A station and its link."""

    station: Station
    link: StationLink


@dataclass(frozen=True, slots=True)
class ChargerSnapshot:
    """A charger with all its connectors."""

    charger: Charger
    connectors: tuple[Connector, ...]


@dataclass(frozen=True, slots=True)
class SensorSnapshot:
    """A sensor, its bay, and whether the agent's last beat lists it as silent."""

    sensor: Sensor
    bay: Bay | None
    is_silent: bool


@dataclass(frozen=True, slots=True)
class ComponentSnapshot:
    """What a 2.0.1 component last said of one of its variables (NotifyEvent)."""

    station_id: str
    charger_id: str
    evse_id: int
    component: str
    variable: str
    value: str
    trigger: str
    severity: int | None
    is_cleared: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class QuarantineSnapshot:
    """A message of a station that could not be used."""

    station_id: str
    kind: str
    error: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SecuritySnapshot:
    """A security event of a charger, told by itself or by its agent (OCPP 2.0.1 A04)."""

    station_id: str
    charger_id: str
    event: str
    info: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PaymentSnapshot:
    """What the gateway was last asked for a reservation, and what became of it."""

    station_id: str
    reservation_id: str
    step: Step
