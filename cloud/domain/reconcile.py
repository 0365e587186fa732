"""What is true of a bay: each witness says one word, and a table says what the words mean together.

The table is read from the top, the first row that fits counts. Time has done its part before: see
`witnesses.py`, which turns instants into words. `docs/truth-table.md` is written from here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from itertools import product
from typing import Final


class AgentSays(StrEnum):
    """The station's agent, by its heartbeats."""

    NEVER_HEARD = "never heard"
    SILENT = "silent"
    HEARD = "heard"


class ChargerSays(StrEnum):
    """The charger's connection, by the agent's word."""

    ABSENT = "no charger"
    NEVER_HEARD = "never heard"
    SILENT = "silent"
    HEARD = "heard"


class ConnectorSays(StrEnum):
    """The connector, or where it is idle the charger as a whole."""

    NOTHING = "nothing yet"
    FREE = "free"
    PREPARING = "preparing"
    PLUGGED = "plugged"
    CHARGING = "charging"
    SUSPENDED_BY_CAR = "suspended by car"
    SUSPENDED_BY_CHARGER = "suspended by charger"
    FINISHING = "finishing"
    RESERVED = "reserved"
    UNAVAILABLE = "unavailable"
    FAULTED = "faulted"


class SessionSays(StrEnum):
    """The newest session of the EVSE."""

    NONE = "none"
    ENDED = "ended, car not seen leaving"
    PLUGGED = "plugged"
    CHARGING = "charging"
    SUSPENDED_BY_CAR = "suspended by car"
    SUSPENDED_BY_CHARGER = "suspended by charger"
    IDLE = "idle"


class SensorSays(StrEnum):
    """The bay's sensors together."""

    ABSENT = "no sensor"
    NEVER_HEARD = "never heard"
    SILENT = "silent"
    SUSPECT = "suspect"
    EMPTY = "empty"
    OCCUPIED = "occupied"


class ReservationSays(StrEnum):
    """The reservation that counts now, held against who stands there."""

    NONE = "none"
    AWAITED = "awaited"
    """Promised and protected, and nobody is there."""
    ARRIVING = "arriving"
    """Somebody has come who may be the driver, and has not said a word yet."""
    TAKEN = "taken"
    """Somebody else is there."""
    MET = "met"
    """The driver is there."""


class Status(StrEnum):
    """What is published: OCPI's words for an EVSE."""

    AVAILABLE = "AVAILABLE"
    RESERVED = "RESERVED"
    CHARGING = "CHARGING"
    BLOCKED = "BLOCKED"
    OUTOFORDER = "OUTOFORDER"
    INOPERATIVE = "INOPERATIVE"
    UNKNOWN = "UNKNOWN"


class Situation(StrEnum):
    """What is found in a bay."""

    NEVER_HEARD = "never_heard"
    SILENT = "silent"
    NO_CHARGER = "no_charger"
    CHARGER_NEVER_HEARD = "charger_never_heard"
    CHARGER_SILENT = "charger_silent"
    CONNECTOR_NEVER_HEARD = "connector_never_heard"
    SENSOR_NEVER_HEARD = "sensor_never_heard"
    FAULTED = "faulted"
    SET_UNAVAILABLE = "set_unavailable"
    CHARGING = "charging"
    CHARGING_UNSEEN = "charging_unseen"
    SUSPENDED_BY_CAR = "suspended_by_car"
    SUSPENDED_BY_CHARGER = "suspended_by_charger"
    PLUGGED = "plugged"
    PLUGGED_UNSEEN = "plugged_unseen"
    FINISHED_STILL_THERE = "finished_still_there"
    FINISHED_UNSEEN = "finished_unseen"
    SESSION_LINGERS = "session_lingers"
    HELD_BY_CHARGER = "held_by_charger"
    DRIVER_THERE = "driver_there"
    ARRIVING = "arriving"
    TAKEN = "taken"
    AWAITED = "awaited"
    AWAITED_UNSEEN = "awaited_unseen"
    OCCUPIED_UNPLUGGED = "occupied_unplugged"
    FREE = "free"
    FREE_BY_CHARGER = "free_by_charger"
    FREE_SENSOR_SILENT = "free_sensor_silent"
    FREE_SENSOR_SUSPECT = "free_sensor_suspect"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a situation is published as, and how it is told to a person."""

    status: Status
    sentence: str


MEANING: Final[dict[Situation, Meaning]] = {
    Situation.NEVER_HEARD: Meaning(Status.UNKNOWN, "The station has not reported yet."),
    Situation.SILENT: Meaning(Status.UNKNOWN, "The station has not been heard from lately."),
    Situation.NO_CHARGER: Meaning(Status.INOPERATIVE, "This bay has no charger yet."),
    Situation.CHARGER_NEVER_HEARD: Meaning(
        Status.UNKNOWN, "The charger has never connected to its station."
    ),
    Situation.CHARGER_SILENT: Meaning(
        Status.UNKNOWN, "The charger does not answer its station at the moment."
    ),
    Situation.CONNECTOR_NEVER_HEARD: Meaning(
        Status.UNKNOWN, "The charger is connected, but has not said how this connector is."
    ),
    Situation.SENSOR_NEVER_HEARD: Meaning(
        Status.UNKNOWN, "The charger is free, but the bay's sensor has not reported yet."
    ),
    Situation.FAULTED: Meaning(Status.OUTOFORDER, "The charger reports a fault."),
    Situation.SET_UNAVAILABLE: Meaning(Status.OUTOFORDER, "The charger was taken out of service."),
    Situation.CHARGING: Meaning(Status.CHARGING, "A car is charging."),
    Situation.CHARGING_UNSEEN: Meaning(
        Status.CHARGING, "A car is charging, though the bay's sensor sees none."
    ),
    Situation.SUSPENDED_BY_CAR: Meaning(
        Status.CHARGING, "A car is plugged in; it takes no energy at the moment."
    ),
    Situation.SUSPENDED_BY_CHARGER: Meaning(
        Status.CHARGING, "A car is plugged in; the charger gives no energy at the moment."
    ),
    Situation.PLUGGED: Meaning(Status.CHARGING, "A car is plugged in and not charging yet."),
    Situation.PLUGGED_UNSEEN: Meaning(
        Status.CHARGING, "The cable is plugged in, though the bay's sensor sees no car."
    ),
    Situation.FINISHED_STILL_THERE: Meaning(
        Status.BLOCKED, "Charging has finished; the car is still there."
    ),
    Situation.FINISHED_UNSEEN: Meaning(
        Status.BLOCKED, "Charging has finished; the cable is still in, the sensor sees no car."
    ),
    Situation.SESSION_LINGERS: Meaning(
        Status.CHARGING, "The connector says it is free, but its session has not ended yet."
    ),
    Situation.HELD_BY_CHARGER: Meaning(
        Status.RESERVED, "The charger keeps this connector for somebody."
    ),
    Situation.DRIVER_THERE: Meaning(
        Status.RESERVED, "Reserved; the driver it is reserved for has come."
    ),
    Situation.ARRIVING: Meaning(Status.RESERVED, "Reserved; somebody has just arrived."),
    Situation.TAKEN: Meaning(Status.BLOCKED, "Reserved, but somebody else stands there."),
    Situation.AWAITED: Meaning(Status.RESERVED, "Reserved; nobody is there yet."),
    Situation.AWAITED_UNSEEN: Meaning(
        Status.RESERVED, "Reserved; nobody is plugged in, and no sensor sees who stands there."
    ),
    Situation.OCCUPIED_UNPLUGGED: Meaning(
        Status.BLOCKED, "A vehicle stands in the bay and is not plugged in."
    ),
    Situation.FREE: Meaning(Status.AVAILABLE, "Free: the charger and the bay's sensor agree."),
    Situation.FREE_BY_CHARGER: Meaning(
        Status.AVAILABLE, "Free by the charger's word; this bay has no sensor."
    ),
    Situation.FREE_SENSOR_SILENT: Meaning(
        Status.AVAILABLE, "Free by the charger's word; the bay's sensor is silent."
    ),
    Situation.FREE_SENSOR_SUSPECT: Meaning(
        Status.AVAILABLE, "Free by the charger's word; the bay's sensor is not believed."
    ),
}

UNSEEN: Final = frozenset(
    {Situation.CHARGING_UNSEEN, Situation.PLUGGED_UNSEEN, Situation.FINISHED_UNSEEN}
)
"""The charger wins, the sensor is wrong or its bay is another one's."""

ENGAGED: Final = UNSEEN | {
    Situation.CHARGING,
    Situation.SUSPENDED_BY_CAR,
    Situation.SUSPENDED_BY_CHARGER,
    Situation.PLUGGED,
    Situation.FINISHED_STILL_THERE,
}
"""By the charger's word a car is at the cable, or was until now."""


@dataclass(frozen=True, slots=True)
class Words:
    """One word of each witness."""

    agent: AgentSays
    charger: ChargerSays
    connector: ConnectorSays
    session: SessionSays
    sensor: SensorSays
    reservation: ReservationSays = ReservationSays.NONE


@dataclass(frozen=True, slots=True)
class Finding:
    """The situation, what it is published as, and why, in one sentence."""

    situation: Situation
    status: Status
    reason: str
    recheck_at: datetime | None = None
    """When time alone may change it; null: only news can."""
    reserved_until: datetime | None = None
    next_reservation_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the truth table; an empty set stands for any word."""

    situation: Situation
    agent: frozenset[AgentSays] = frozenset()
    charger: frozenset[ChargerSays] = frozenset()
    connector: frozenset[ConnectorSays] = frozenset()
    session: frozenset[SessionSays] = frozenset()
    sensor: frozenset[SensorSays] = frozenset()
    reservation: frozenset[ReservationSays] = frozenset()

    def fits(self, said: Words) -> bool:
        """Whether the row speaks of these words."""
        return (
            (not self.agent or said.agent in self.agent)
            and (not self.charger or said.charger in self.charger)
            and (not self.connector or said.connector in self.connector)
            and (not self.session or said.session in self.session)
            and (not self.sensor or said.sensor in self.sensor)
            and (not self.reservation or said.reservation in self.reservation)
        )


_A, _C, _P, _S, _O = AgentSays, ChargerSays, ConnectorSays, SessionSays, SensorSays
_R = ReservationSays

_EMPTY: Final = frozenset({_O.EMPTY})
_OCCUPIED: Final = frozenset({_O.OCCUPIED})
_OPEN: Final = frozenset(_S) - {_S.NONE, _S.ENDED}
_OVER: Final = frozenset({_S.NONE, _S.ENDED})
_MUTE: Final = frozenset({_P.NOTHING, _P.PREPARING, _P.PLUGGED})
"""Connector words that leave it to the session whether energy flows (2.0.1 knows no others)."""
_AT_CABLE: Final = frozenset({_P.PREPARING, _P.PLUGGED})
_UNMET: Final = frozenset({_R.AWAITED, _R.ARRIVING, _R.TAKEN})


def _either(
    situation: Situation,
    unseen: Situation,
    connector: Iterable[ConnectorSays],
    session: Iterable[SessionSays] = (),
) -> tuple[Row, Row]:
    """Return the rows of a car at the cable: first where the sensor contradicts, then the rest."""
    plugs, sessions = frozenset(connector), frozenset(session)
    return (
        Row(situation=unseen, connector=plugs, session=sessions, sensor=_EMPTY),
        Row(situation=situation, connector=plugs, session=sessions),
    )


ROWS: Final[tuple[Row, ...]] = (
    # whoever is not heard is no witness, and who speaks through them neither
    Row(situation=Situation.NEVER_HEARD, agent=frozenset({_A.NEVER_HEARD})),
    Row(situation=Situation.SILENT, agent=frozenset({_A.SILENT})),
    Row(situation=Situation.NO_CHARGER, charger=frozenset({_C.ABSENT})),
    Row(situation=Situation.CHARGER_NEVER_HEARD, charger=frozenset({_C.NEVER_HEARD})),
    Row(situation=Situation.CHARGER_SILENT, charger=frozenset({_C.SILENT})),
    # out of order, whatever else is said
    Row(situation=Situation.FAULTED, connector=frozenset({_P.FAULTED})),
    Row(situation=Situation.SET_UNAVAILABLE, connector=frozenset({_P.UNAVAILABLE})),
    # the connector speaks of energy itself (1.6)
    *_either(Situation.CHARGING, Situation.CHARGING_UNSEEN, [_P.CHARGING]),
    *_either(Situation.SUSPENDED_BY_CAR, Situation.PLUGGED_UNSEEN, [_P.SUSPENDED_BY_CAR]),
    *_either(Situation.SUSPENDED_BY_CHARGER, Situation.PLUGGED_UNSEEN, [_P.SUSPENDED_BY_CHARGER]),
    *_either(Situation.FINISHED_STILL_THERE, Situation.FINISHED_UNSEEN, [_P.FINISHING]),
    # it leaves that to the session (2.0.1)
    *_either(Situation.CHARGING, Situation.CHARGING_UNSEEN, _MUTE, [_S.CHARGING]),
    *_either(Situation.SUSPENDED_BY_CAR, Situation.PLUGGED_UNSEEN, _MUTE, [_S.SUSPENDED_BY_CAR]),
    *_either(
        Situation.SUSPENDED_BY_CHARGER, Situation.PLUGGED_UNSEEN, _MUTE, [_S.SUSPENDED_BY_CHARGER]
    ),
    *_either(Situation.PLUGGED, Situation.PLUGGED_UNSEEN, _MUTE, [_S.PLUGGED, _S.IDLE]),
    # a cable without a session: before one, or after
    *_either(Situation.FINISHED_STILL_THERE, Situation.FINISHED_UNSEEN, [_P.PLUGGED], [_S.ENDED]),
    *_either(Situation.PLUGGED, Situation.PLUGGED_UNSEEN, _AT_CABLE),
    Row(situation=Situation.CONNECTOR_NEVER_HEARD, connector=frozenset({_P.NOTHING})),
    # the connector is idle, its session is not: not free until one of them gives way
    Row(situation=Situation.SESSION_LINGERS, session=_OPEN),
    # nobody at the cable: the sensor has the word, if it has one
    Row(
        situation=Situation.FINISHED_STILL_THERE,
        session=frozenset({_S.ENDED}),
        sensor=_OCCUPIED,
    ),
    # promised: whoever stands there is the driver, or takes the driver's place
    Row(situation=Situation.DRIVER_THERE, reservation=frozenset({_R.MET})),
    Row(situation=Situation.TAKEN, sensor=_OCCUPIED, reservation=frozenset({_R.TAKEN})),
    Row(situation=Situation.ARRIVING, sensor=_OCCUPIED, reservation=_UNMET),
    Row(
        situation=Situation.AWAITED,
        sensor=frozenset({_O.EMPTY, _O.ABSENT}),
        reservation=_UNMET,
    ),
    Row(
        situation=Situation.AWAITED_UNSEEN,
        sensor=frozenset({_O.SILENT, _O.SUSPECT}),
        reservation=_UNMET,
    ),
    Row(situation=Situation.HELD_BY_CHARGER, connector=frozenset({_P.RESERVED})),
    Row(situation=Situation.OCCUPIED_UNPLUGGED, sensor=_OCCUPIED),
    Row(situation=Situation.SENSOR_NEVER_HEARD, sensor=frozenset({_O.NEVER_HEARD})),
    Row(situation=Situation.FREE_SENSOR_SILENT, sensor=frozenset({_O.SILENT})),
    Row(situation=Situation.FREE_SENSOR_SUSPECT, sensor=frozenset({_O.SUSPECT})),
    Row(situation=Situation.FREE_BY_CHARGER, sensor=frozenset({_O.ABSENT})),
    Row(situation=Situation.FREE),
)


@cache
def reconcile(said: Words) -> Finding:
    """Name the situation in a bay. Pure and total: the last row fits everything."""
    row = next(row for row in ROWS if row.fits(said))
    meaning = MEANING[row.situation]
    return Finding(row.situation, meaning.status, meaning.sentence)


def every_combination() -> Iterable[Words]:
    """Return all combinations of words there are."""
    witnesses = (AgentSays, ChargerSays, ConnectorSays, SessionSays, SensorSays, ReservationSays)
    words = product(*witnesses)
    return (Words(*said) for said in words)
