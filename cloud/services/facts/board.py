"""What one transaction of ingest works on: loaded before, changed by facts, written after."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from cloud.domain.alerts.snapshots import ComponentSnapshot, QuarantineSnapshot, SecuritySnapshot
from cloud.domain.bays import Bay, Charger, Connector, Sensor
from cloud.domain.certificates import Certificate
from cloud.domain.kept import protected_from
from cloud.domain.policy import Policy
from cloud.domain.promise_notices import has_reached_target
from cloud.domain.reservations import HERE, PROMISED, Reservation, Trouble
from cloud.domain.sessions import (
    START_MISSING,
    Session,
    is_late,
    sampled,
    superseded,
)
from cloud.domain.stations import Station, StationLink
from cloud.domain.witnesses import Scene
from cloud.services.command_views import CommandView
from cloud.services.fact_ports import Deadline, Equipment, Grant
from cloud.services.inventory_ports import JobStep, Told
from cloud.services.security_ports import Login
from contracts.events import CommandAnswered, MeterSampled, SignedReadingReported

_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Stamp:
    """Whose fact, and when we got it."""

    station_id: str
    received_at: datetime

    def seen(self, observed_at: datetime) -> datetime:
        """Return a device's instant, but never one that lies ahead of our clock (FAULTS T05)."""
        return min(observed_at, self.received_at)


@dataclass(slots=True)
class Board:
    """Everything facts may change.

    `touched_*` name what is to be judged anew (and bays: written), `changed_*` what is to be written.
    """

    now: datetime
    policy: Policy
    stations: dict[str, Station] = field(default_factory=dict)
    links: dict[str, StationLink] = field(default_factory=dict)
    chargers: dict[str, Charger] = field(default_factory=dict)
    connectors: dict[tuple[str, int, int], Connector] = field(default_factory=dict)
    bays: dict[str, Bay] = field(default_factory=dict)
    sensors: dict[tuple[str, str], Sensor] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    reservations: dict[str, Reservation] = field(default_factory=dict)
    """The live ones of the bays on the board that are not far off."""
    grants: Mapping[str, Grant] = field(default_factory=dict)
    severities: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By charger and number of the monitor, of those that saw something."""
    unheard_since: dict[str, datetime] = field(default_factory=dict)
    """By station that is back just now: when it was last heard before."""
    owns_sessions: bool = False
    """Whether sessions may be written: by ingest alone, see SessionMemo."""

    shown_versions: dict[str, int] = field(default_factory=dict)
    """Of each bay, the version viewers were told last: what it was loaded with."""

    touched_bays: set[str] = field(default_factory=set)
    to_judge: set[str] = field(default_factory=set)
    """Touched while others were judged: to be judged, or to be judged once more."""
    touched_chargers: set[str] = field(default_factory=set)
    touched_sensors: set[tuple[str, str]] = field(default_factory=set)
    touched_stations: set[str] = field(default_factory=set)
    changed_chargers: set[str] = field(default_factory=set)
    changed_connectors: set[tuple[str, int, int]] = field(default_factory=set)
    changed_sensors: set[tuple[str, str]] = field(default_factory=set)
    changed_sessions: set[str] = field(default_factory=set)
    begun_sessions: set[str] = field(default_factory=set)
    """Of which the start was told just now."""
    ended_sessions: set[str] = field(default_factory=set)
    late_sessions: set[str] = field(default_factory=set)
    """To be counted anew over all their samples."""
    full_sessions: set[str] = field(default_factory=set)
    """Of reservations, and just now as full as their drivers want them."""

    deadlines: list[Deadline] = field(default_factory=list)
    """Beside those of bays and equipment."""
    troubles: dict[str, Trouble] = field(default_factory=dict)
    """By bay: what was found to be in the way of a promise just now."""

    readings: dict[str, list[MeterSampled]] = field(default_factory=lambda: defaultdict(list))
    """By session, told but not counted yet."""
    samples: list[MeterSampled] = field(default_factory=list)
    """To be kept."""
    answers: dict[str, list[CommandAnswered]] = field(default_factory=lambda: defaultdict(list))
    inventory: list[Told] = field(default_factory=list)
    jobs: list[JobStep] = field(default_factory=list)
    token_types: dict[str, str] = field(default_factory=dict)
    """By token, in its compared form: as it was shown just now, where nobody knew."""
    signed: list[SignedReadingReported] = field(default_factory=list)
    requests: list[CommandView] = field(default_factory=list)
    """What chargers are to be asked because of what they told."""
    components: list[ComponentSnapshot] = field(default_factory=list)
    logins: list[Login] = field(default_factory=list)
    csrs: list[Certificate] = field(default_factory=list)
    security: list[SecuritySnapshot] = field(default_factory=list)
    quarantined: list[QuarantineSnapshot] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    """Facts without effect, by why."""

    _bay_by_evse: dict[tuple[str, int], str] = field(default_factory=dict)
    _bays_of: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _plugs_of: dict[str, set[tuple[str, int, int]]] = field(
        default_factory=lambda: defaultdict(set)
    )
    _watchers_of: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    _promised_of: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def equip(self, equipment: Equipment) -> None:
        """Put what was loaded on the board."""
        self.chargers |= equipment.chargers
        self.connectors |= equipment.connectors
        self.bays |= equipment.bays
        self.sensors |= equipment.sensors
        for key in equipment.connectors:
            self._plugs_of[key[0]].add(key)
        for sensor in equipment.sensors.values():
            self._watch(sensor)
        for bay in equipment.bays.values():
            self.shown_versions[bay.id] = bay.changed_version
            if bay.charger_id is not None and bay.evse_id is not None:
                self._bay_by_evse[bay.charger_id, bay.evse_id] = bay.id
                self._bays_of[bay.charger_id].add(bay.id)

    def equip_missing(self, equipment: Equipment) -> None:
        """Put on the board what is not on it yet: what facts have changed stays so."""
        self.equip(
            Equipment(
                _missing(equipment.chargers, self.chargers),
                _missing(equipment.connectors, self.connectors),
                _missing(equipment.bays, self.bays),
                _missing(equipment.sensors, self.sensors),
            )
        )

    def _watch(self, sensor: Sensor) -> None:
        if sensor.bay_id is not None:
            self._watchers_of[sensor.bay_id].add((sensor.station_id, sensor.id))

    # --- finding ------------------------------------------------------------------------------

    def charger(self, stamp: Stamp, charger_id: str) -> Charger | None:
        """Return a charger of the fact's own station; others are not its to speak of."""
        charger = self.chargers.get(charger_id)
        if charger is None or charger.station_id != stamp.station_id:
            self.ignored["unknown_charger"] += 1
            return None
        return charger

    def bay(self, stamp: Stamp, bay_id: str) -> Bay | None:
        """Return a bay of the fact's own station."""
        bay = self.bays.get(bay_id)
        if bay is None or bay.station_id != stamp.station_id:
            self.ignored["unknown_bay"] += 1
            return None
        return bay

    def bay_of(self, charger_id: str, evse_id: int) -> Bay | None:
        """Return the bay of an EVSE."""
        return self.bays.get(self._bay_by_evse.get((charger_id, evse_id), ""))

    def connectors_of(self, charger_id: str, evse_id: int | None = None) -> tuple[Connector, ...]:
        """Return a charger's connectors, or one EVSE's, in order."""
        return tuple(
            self.connectors[key]
            for key in sorted(self._plugs_of.get(charger_id, ()))
            if evse_id in {None, key[1]}
        )

    def sensors_of(self, bay_id: str) -> tuple[Sensor, ...]:
        """Return a bay's sensors, in order."""
        return tuple(self.sensors[key] for key in sorted(self._watchers_of.get(bay_id, ())))

    def scene(self, bay: Bay) -> Scene:
        """Return the bay with all that is held of it."""
        has_evse = bay.charger_id is not None and bay.evse_id is not None
        plugs = self.connectors_of(bay.charger_id or "", bay.evse_id) if has_evse else ()
        promised = self.reservations_of(bay.id) if bay.id in self._promised_of else ()
        return Scene(
            bay=bay,
            link=self.links[bay.station_id],
            charger=self.chargers.get(bay.charger_id or ""),
            connectors=plugs,
            sensors=self.sensors_of(bay.id),
            session=self.sessions.get(bay.session_id or ""),
            reservations=promised,
            late_sessions=self._late_sessions(bay, promised) if promised else (),
            trouble=self.troubles.get(bay.id, Trouble.NONE),
        )

    def _late_sessions(self, bay: Bay, promised: Sequence[Reservation]) -> tuple[Session, ...]:
        """Return the sessions of a bay's reservations that are not its newest."""
        ids, charged = {one.id for one in promised}, {one.session_id for one in promised}
        return tuple(
            one
            for one in self.sessions.values()
            if one.id != bay.session_id and (one.reservation_id in ids or one.id in charged)
        )

    def reservations_of(self, bay_id: str) -> tuple[Reservation, ...]:
        """Return a bay's reservations, by start."""
        held = (self.reservations[one] for one in self._promised_of.get(bay_id, ()))
        return tuple(sorted(held, key=lambda one: (one.starts_at, one.id)))

    def promise_of(
        self, session: Session, token: str, named: str | None, at: datetime
    ) -> Reservation | None:
        """Return the reservation a session that began then is charged for.

        Its driver's, by token or account, or the one its station `named`: who charges for somebody
        else of the same card account. One of this bay goes before one of another, and the earlier
        before the later, if its slot is not over.
        """
        if session.reservation_id is not None:
            return None
        theirs = (
            one
            for one in self.reservations.values()
            if one.station_id == session.station_id
            and one.status in PROMISED
            and (one.token == token or one.user_id == session.user_id or one.id == named)
            and protected_from(one) <= at
            and (at < one.ends_at or (one.status in HERE and one.bay_id == session.bay_id))
        )
        return min(
            theirs,
            key=lambda one: (one.bay_id != session.bay_id, one.ends_at <= at, one.starts_at),
            default=None,
        )

    # --- changing -----------------------------------------------------------------------------

    def put_charger(self, charger: Charger) -> None:
        """Replace a charger; all its bays are to be judged anew."""
        self.chargers[charger.id] = charger
        self.changed_chargers.add(charger.id)
        self.touch_charger(charger.id)

    def touch_charger(self, charger_id: str) -> None:
        """Have a charger and its bays judged anew."""
        self.touched_chargers.add(charger_id)
        self.touched_bays |= self._bays_of.get(charger_id, set())

    def put_connector(self, connector: Connector) -> None:
        """Replace or add a connector; its bay is to be judged anew."""
        key = (connector.charger_id, connector.evse_id, connector.connector_id)
        self.connectors[key] = connector
        self._plugs_of[connector.charger_id].add(key)
        self.changed_connectors.add(key)
        self.touched_chargers.add(connector.charger_id)
        self.touch_evse(connector.charger_id, connector.evse_id)

    def touch_evse(self, charger_id: str, evse_id: int) -> None:
        """Have the bay of an EVSE judged anew."""
        bay = self.bay_of(charger_id, evse_id)
        if bay is not None:
            self.touched_bays.add(bay.id)

    def touch_bay(self, bay_id: str) -> None:
        """Have a bay judged anew, if it is on the board."""
        if bay_id in self.bays:
            self.touched_bays.add(bay_id)

    def put_bay(self, bay: Bay) -> None:
        """Replace a bay; it is to be judged anew."""
        self.bays[bay.id] = bay
        self.touched_bays.add(bay.id)

    def put_sensor(self, sensor: Sensor) -> None:
        """Replace or add a sensor; its bay is to be judged anew."""
        key = (sensor.station_id, sensor.id)
        self.sensors[key] = sensor
        self._watch(sensor)
        self.changed_sensors.add(key)
        self.touched_sensors.add(key)
        if sensor.bay_id is not None and sensor.bay_id in self.bays:
            self.touched_bays.add(sensor.bay_id)

    def put_reservation(self, reservation: Reservation) -> None:
        """Replace or add a reservation; one that is over goes from the board."""
        held = self.reservations.pop(reservation.id, None)
        if held is not None:
            self._promised_of[held.bay_id].discard(held.id)
        if reservation.is_live:
            self.reservations[reservation.id] = reservation
            self._promised_of[reservation.bay_id].add(reservation.id)

    def put_link(self, link: StationLink) -> None:
        """Replace a station's link."""
        self.links[link.station_id] = link

    def touch_station(self, station_id: str) -> None:
        """Have a station with all it has on the board judged anew."""
        self.touched_stations.add(station_id)
        self.touched_bays |= {one.id for one in self.bays.values() if one.station_id == station_id}
        self.touched_chargers |= {
            one.id for one in self.chargers.values() if one.station_id == station_id
        }
        self.touched_sensors |= {key for key in self.sensors if key[0] == station_id}

    # --- sessions -----------------------------------------------------------------------------

    def put_session(self, session: Session) -> None:
        """Replace a session; its bay is to be judged anew."""
        self.sessions[session.id] = session
        self.changed_sessions.add(session.id)
        self.touch_evse(session.charger_id, session.evse_id)

    def session(
        self, stamp: Stamp, session_id: str, charger_id: str, evse_id: int, at: datetime
    ) -> Session | None:
        """Return the session of a fact: the one held, or a new one whose start is missing."""
        held = self.sessions.get(session_id)
        if held is not None:
            if held.station_id == stamp.station_id:
                return held
            self.ignored["foreign_session"] += 1
            return None
        if self.charger(stamp, charger_id) is None:
            return None
        new = self.new_session(stamp, session_id, charger_id, evse_id, at)
        self.seat(new)
        return new

    def new_session(
        self, stamp: Stamp, session_id: str, charger_id: str, evse_id: int, at: datetime
    ) -> Session:
        """Return a session of which nothing is known but one fact; its price is frozen now."""
        station = self.stations[stamp.station_id]
        bay = self.bay_of(charger_id, evse_id)
        return Session(
            id=session_id,
            station_id=stamp.station_id,
            charger_id=charger_id,
            evse_id=evse_id,
            bay_id=bay.id if bay else None,
            started_at=at,
            power_limit_w=bay.max_power_w if bay else 0,
            currency=station.currency,
            price_per_kwh_minor=station.price_per_kwh_minor,
            tariff_id=station.tariff_id,
            flags=(START_MISSING,),
        )

    def seat(self, session: Session) -> None:
        """Put a session where it is charged; of two on one EVSE the later started one counts."""
        self.put_session(session)
        bay = self.bay_of(session.charger_id, session.evse_id)
        if bay is None or bay.session_id == session.id:
            return
        held = self.sessions.get(bay.session_id or "")
        if held is not None and held.started_at > session.started_at:
            self._supersede(session)
            return
        self.put_bay(replace(bay, session_id=session.id))
        if held is not None:
            self._supersede(held)

    def _supersede(self, session: Session) -> None:
        if session.is_open:
            self.put_session(superseded(session))
            self.ended_sessions.add(session.id)

    def count_readings(self, stamp: Stamp, session_id: str) -> None:
        """Count what was read of a session so far; those that came late make it count anew."""
        told = self.readings.pop(session_id, None)
        if not told:
            return
        readings = in_order(told)
        first = readings[0]
        session = self.session(
            stamp, session_id, first.charger_id, first.evse_id, first.observed_at
        )
        if session is None:
            return
        self.samples += readings
        if session_id in self.late_sessions or is_late(session, readings):
            self.late_sessions.add(session_id)
            self.changed_sessions.add(session_id)
            return
        after = sampled(session, readings)
        if after is not session:
            self.sessions[session_id] = after
            self.changed_sessions.add(session_id)
            if after.reservation_id is not None and _is_full_now(session, after):
                self.full_sessions.add(session_id)


def _is_full_now(before: Session, after: Session) -> bool:
    return has_reached_target(after) and not has_reached_target(before)


def _missing(loaded: Mapping[_K, _V], held: Mapping[_K, _V]) -> dict[_K, _V]:
    return {key: one for key, one in loaded.items() if key not in held}


def in_order(readings: Sequence[MeterSampled]) -> Sequence[MeterSampled]:
    """Return readings by their instants; what is in order already is not touched."""
    previous = readings[0].observed_at
    for one in readings:
        if one.observed_at < previous:
            return sorted(readings, key=lambda reading: reading.observed_at)
        previous = one.observed_at
    return readings
