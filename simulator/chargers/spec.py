"""What chargers are and what happens to their sessions, in words of no OCPP version."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from simulator.chargers.evse import EvseSpec


class Cause(StrEnum):
    """Why a session begins (each version has its own word, or none)."""

    TOKEN_SHOWN = "token_shown"  # noqa: S105 - a word, no secret
    REMOTE_START = "remote_start"
    PLUGGED_IN = "plugged_in"
    PARKED = "parked"
    DATA_SIGNED = "data_signed"
    ENERGY_FLOWS = "energy_flows"


class Change(StrEnum):
    """What happens to a session between its ends, for versions that tell of it (2.0.1)."""

    PLUGGED_IN = "plugged_in"
    UNPLUGGED = "unplugged"
    """The session goes on, should the car come back (OCPP 2.0.1 E10)."""
    AUTHORIZED = "authorized"
    STARTED_AFAR = "started_afar"
    STOPPED = "stopped"
    """The driver wants no more energy; the session lasts until its stop point."""
    STOPPED_AFAR = "stopped_afar"
    TIMED_OUT = "timed_out"
    """No cable came in time; the session lasts until its stop point (OCPP 2.0.1 E03.FR.05)."""


class Point(StrEnum):
    """Where a session can begin and end (OCPP 2.0.1 TxStartPoint, TxStopPoint), as it spells them."""

    PARKING_BAY = "ParkingBayOccupancy"
    EV_CONNECTED = "EVConnected"
    AUTHORIZED = "Authorized"
    DATA_SIGNED = "DataSigned"
    POWER_PATH_CLOSED = "PowerPathClosed"
    ENERGY_TRANSFER = "EnergyTransfer"


class EndCause(StrEnum):
    """Why a session ends."""

    LOCAL = "local"
    """The driver showed the token again."""
    REMOTE = "remote"
    UNPLUGGED = "unplugged"
    REFUSED = "refused"
    """The token was found invalid after the start."""
    FAULT = "fault"
    POWER_LOSS = "power_loss"
    SOFT_RESET = "soft_reset"
    HARD_RESET = "hard_reset"
    UNLOCKED = "unlocked"
    TIMEOUT = "timeout"
    """No cable came in time."""
    LEFT = "left"
    """The car left the bay."""
    ENERGY_ENDED = "energy_ended"
    """The flow was stopped, which is where this charger's sessions end."""
    CAR_STOPPED = "car_stopped"
    """The car takes no more, which is where this charger's sessions end."""
    MASTER_PASS = "master_pass"  # noqa: S105 - a word, no secret


@dataclass(frozen=True, slots=True)
class ChargerSpec:
    """What a charger is; `version` is its OCPP version's short name."""

    charger_id: str
    version: str
    evses: tuple[EvseSpec, ...]
    vendor: str = "Baywatt Labs"
    model: str = "Virtual 1"
    firmware_version: str = "1.0.0"

    @property
    def serial(self) -> str:
        """Return a serial number, short enough for 1.6."""
        return f"SN-{self.charger_id}"[:25]


@dataclass(slots=True)
class Behaviour:
    """What configuration keys and variables change."""

    heartbeat_s: float = 300
    sample_s: float = 30
    connection_timeout_s: float = 60
    """How long an authorised driver may take to plug in."""
    trusts_offline: bool = True
    """Whether tokens are taken while nobody can be asked."""
    stops_refused: bool = True
    asks_for_remote_start: bool = False
    reboot_s: float = 8
    """How long a reset takes."""
    aligned_s: float = 0
    """How often all meters are told of by the clock, session or not; 0: never."""
    repeats_samples: bool = False
    """Whether a session's end repeats its samples (TxEndedInterval; 1.6 StopTxnSampledData)."""
    signs: bool = False
    """Whether meter values carry a signature."""
    tells_states_by_event: bool = False
    """Whether connectors' states are told by NotifyEvent, and by nothing else (2.0.1 G01.FR.08)."""
    knows_evse_at_start: bool = True
    """False: a session that begins with a token alone does not say where (2.0.1)."""
    starts_at: frozenset[Point] = frozenset({Point.POWER_PATH_CLOSED})
    stops_at: frozenset[Point] = frozenset({Point.AUTHORIZED, Point.EV_CONNECTED})
    step_s: float = 5
    """How often the flow of energy is worked out; how a charge ends is noticed so late."""
    most_stack_level: int = 10
    rate_units: str = "A,W"
    """In which units it takes charging profiles; others it refuses."""
    obeys_profiles: bool = True
    """False: takes charging profiles, and charges as before."""
    shows_costs: bool = False
    """Whether its display tells drivers what a session has cost."""
    shows_tariffs: bool = False
    """Whether its display tells drivers beforehand what charging costs."""
    list_items: int = 1_000
    """How many tokens of a list it takes at once."""

    def takes_profile(self, stack_level: int, units: Collection[str]) -> bool:
        """Whether a charging profile is one it can have."""
        return stack_level <= self.most_stack_level and set(units) <= set(
            self.rate_units.split(",")
        )


def stamp(at: datetime) -> str:
    """Return an instant as chargers write it: UTC, milliseconds, Z."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
