"""From what is held of a bay to one word of each witness: here time is taken into account."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from cloud.domain.bays import Bay, Charger, Connector, Sensor, contradicted_at
from cloud.domain.evidence import Evidence
from cloud.domain.kept import current
from cloud.domain.occupants import is_elsewhere, reservation_word
from cloud.domain.policy import Policy
from cloud.domain.reconcile import (
    AgentSays,
    ChargerSays,
    ConnectorSays,
    Finding,
    ReservationSays,
    SensorSays,
    SessionSays,
    Situation,
    Status,
    Words,
    reconcile,
)
from cloud.domain.reservations import Reservation, Trouble
from cloud.domain.sessions import Session
from cloud.domain.stations import StationLink

_SAME_CAR: Final = timedelta(seconds=10)
"""A connector that became occupied so shortly after a session's end still has its car."""

FORESEEN: Final = timedelta(hours=4)
"""How far ahead a bay knows of its reservations."""

CONNECTOR_WORDS: Final[dict[str, ConnectorSays]] = {
    "": ConnectorSays.NOTHING,
    "free": ConnectorSays.FREE,
    "preparing": ConnectorSays.PREPARING,
    "plugged": ConnectorSays.PLUGGED,
    "charging": ConnectorSays.CHARGING,
    "suspended_by_car": ConnectorSays.SUSPENDED_BY_CAR,
    "suspended_by_charger": ConnectorSays.SUSPENDED_BY_CHARGER,
    "finishing": ConnectorSays.FINISHING,
    "reserved": ConnectorSays.RESERVED,
    "unavailable": ConnectorSays.UNAVAILABLE,
    "faulted": ConnectorSays.FAULTED,
}
"""contracts.events.ConnectorState, word for word."""

_SESSION_WORDS: Final[dict[str, SessionSays]] = {
    "plugged": SessionSays.PLUGGED,
    "charging": SessionSays.CHARGING,
    "suspended_by_car": SessionSays.SUSPENDED_BY_CAR,
    "suspended_by_charger": SessionSays.SUSPENDED_BY_CHARGER,
    "idle": SessionSays.IDLE,
}

_BUSIEST_FIRST: Final = (
    ConnectorSays.CHARGING,
    ConnectorSays.SUSPENDED_BY_CAR,
    ConnectorSays.SUSPENDED_BY_CHARGER,
    ConnectorSays.FINISHING,
    ConnectorSays.PLUGGED,
    ConnectorSays.PREPARING,
    ConnectorSays.RESERVED,
    ConnectorSays.FREE,
    ConnectorSays.UNAVAILABLE,
    ConnectorSays.FAULTED,
    ConnectorSays.NOTHING,
)
"""Of several connectors of an EVSE the first of these speaks: it serves one car at a time."""

_IDLE: Final = frozenset({ConnectorSays.FREE, ConnectorSays.RESERVED, ConnectorSays.NOTHING})
_OUT: Final = frozenset({ConnectorSays.UNAVAILABLE, ConnectorSays.FAULTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A bay with all that is held of it."""

    bay: Bay
    link: StationLink
    charger: Charger | None = None
    connectors: tuple[Connector, ...] = ()
    sensors: tuple[Sensor, ...] = field(default_factory=tuple)
    session: Session | None = None
    """The newest of the EVSE."""
    reservations: tuple[Reservation, ...] = ()
    """The live ones of the bay that are known, by start."""
    late_sessions: tuple[Session, ...] = ()
    """Other sessions of these reservations."""
    trouble: Trouble = Trouble.NONE
    """What was just found to be in the way of a promise of this bay."""


def find(scene: Scene, policy: Policy, now: datetime) -> Finding:
    """Return what is true of the bay, and when to look again. Pure; stale evidence is no evidence."""
    seen, look_at = evidence(scene, policy, now)
    known = scene.reservations
    promised = current([one for one in known if not _is_away(seen, one, now)], now)
    others = [one for one in scene.reservations if one is not promised]
    word, changes_at = reservation_word(seen, promised, others, now)
    finding = reconcile(replace(seen.said, reservation=word))
    instants = [look_at, changes_at, _contradiction_at(scene, finding, policy, now)]
    return replace(
        finding,
        reason=finding.reason + _addition(finding, word, promised),
        recheck_at=_first(instants, now),
        reserved_until=None if word is ReservationSays.NONE or not promised else promised.ends_at,
        next_reservation_at=_next_at(scene, now),
    )


def _is_away(seen: Evidence, reservation: Reservation, now: datetime) -> bool:
    """Whether the bay is the reservation's no more: its slot is over, its driver at another bay."""
    return now >= reservation.ends_at and is_elsewhere(seen, reservation)


def evidence(scene: Scene, policy: Policy, now: datetime) -> tuple[Evidence, datetime | None]:
    """Return what the witnesses say, and when time alone may change the session's word."""
    connector, spoke = connector_word(scene)
    agent, charger = agent_word(scene.link, policy, now), _charger_word(scene)
    unheard_since = _unheard_since(scene, agent, charger, now)
    session, look_at = _session_word(scene, connector, spoke, policy, now)
    if _is_given_up(scene, unheard_since, policy, now):
        session, look_at = SessionSays.NONE, None
    words = _with_session(scene, connector, spoke)
    said = Words(agent, charger, words, session, sensor_word(scene))
    seen = Evidence(
        said=said,
        session=scene.session,
        late_sessions=scene.late_sessions,
        occupied_since=scene.bay.occupancy_at,
        plugged_since=None if spoke is None else spoke.state_since,
        found_since=scene.bay.since,
        is_awaited=scene.bay.situation == Situation.AWAITED,
        elsewhere=_elsewhere(scene, policy, now),
        unheard_since=unheard_since,
        linked_at=None if scene.charger is None else scene.charger.connection_changed_at,
    )
    return seen, look_at


def _unheard_since(
    scene: Scene, agent: AgentSays, charger: ChargerSays, now: datetime
) -> datetime | None:
    """Return since when station or charger have not been heard; null: they are."""
    found_since = scene.bay.since or now
    instants = []
    if agent is not AgentSays.HEARD:
        instants.append(scene.link.heard_at or found_since)
    if scene.charger is not None and charger is not ChargerSays.HEARD:
        is_cut_off = not scene.charger.is_connected
        at = scene.charger.connection_changed_at if is_cut_off else scene.charger.silent_since
        instants.append(at or found_since)
    return min(instants, default=None)


def _is_given_up(
    scene: Scene, unheard_since: datetime | None, policy: Policy, now: datetime
) -> bool:
    """Whether nobody will tell of the session any more: its last word was its end."""
    session = scene.session
    if scene.charger is None and session is not None:
        unheard_since = session.said_at
    return unheard_since is not None and now >= unheard_since + policy.unseen_after


def _elsewhere(scene: Scene, policy: Policy, now: datetime) -> tuple[Session, ...]:
    return tuple(
        one
        for one in scene.late_sessions
        if one.is_open
        and one.bay_id not in {None, scene.bay.id}
        and now < one.said_at + policy.unseen_after
    )


def _next_at(scene: Scene, now: datetime) -> datetime | None:
    """Return when the next reservation begins; who reads of bays has no need of next week's."""
    at = _first((one.starts_at for one in scene.reservations), now)
    return None if at is None or at > now + FORESEEN else at


def _addition(finding: Finding, word: ReservationSays, promised: Reservation | None) -> str:
    """Return what a reason says beside its sentence: to whom the others' bay is promised."""
    is_said = finding.situation is Situation.TAKEN or finding.status is Status.UNKNOWN
    if word is not ReservationSays.TAKEN or promised is None or is_said:
        return ""
    return f" From {promised.starts_at:%H:%M} UTC the bay is promised to somebody else."


def agent_word(link: StationLink, policy: Policy, now: datetime) -> AgentSays:
    """Return whether the station is heard."""
    if link.heard_at is None:
        return AgentSays.NEVER_HEARD
    return AgentSays.SILENT if now - link.heard_at >= policy.stale_after else AgentSays.HEARD


def sensor_word(scene: Scene) -> SensorSays:
    """Return what the bay's sensors say together: one that is heard is enough."""
    bay, sensors = scene.bay, scene.sensors
    if not bay.has_sensor and not sensors:
        return SensorSays.ABSENT
    if sensors and all(is_mute(sensor, scene.link) for sensor in sensors):
        return SensorSays.SILENT
    if bay.is_occupied is None:
        return SensorSays.NEVER_HEARD
    if bay.is_sensor_suspect:
        return SensorSays.SUSPECT
    return SensorSays.OCCUPIED if bay.is_occupied else SensorSays.EMPTY


def is_mute(sensor: Sensor, link: StationLink) -> bool:
    """Whether a sensor is silent, by its own fact or the agent's last beat."""
    return sensor.is_silent or sensor.id in link.silent_sensors


def connector_word(scene: Scene) -> tuple[ConnectorSays, Connector | None]:
    """Return what the EVSE's connectors say together, and which of them speaks."""
    words = [(CONNECTOR_WORDS[one.state], one) for one in scene.connectors]
    words.sort(key=lambda pair: _BUSIEST_FIRST.index(pair[0]))
    word, spoke = words[0] if words else (ConnectorSays.NOTHING, None)
    whole = CONNECTOR_WORDS[scene.charger.state] if scene.charger else ConnectorSays.NOTHING
    # a fault of the whole charger counts where the connector is idle; it never hides a busy one
    return (whole, spoke) if whole in _OUT and word in _IDLE else (word, spoke)


def _charger_word(scene: Scene) -> ChargerSays:
    charger = scene.charger
    if charger is None:
        return ChargerSays.ABSENT
    if charger.connection_changed_at is None:
        return ChargerSays.NEVER_HEARD
    is_silent = not charger.is_connected or charger.id in scene.link.silent_chargers
    return ChargerSays.SILENT if is_silent else ChargerSays.HEARD


def _with_session(scene: Scene, word: ConnectorSays, spoke: Connector | None) -> ConnectorSays:
    # a session told of after the connector last said it was free: somebody has plugged in
    session = scene.session
    if word is not ConnectorSays.FREE or session is None or not session.is_open:
        return word
    is_older = spoke is None or spoke.state_at is None or spoke.state_at < session.said_at
    return ConnectorSays.PLUGGED if is_older else word


def _session_word(
    scene: Scene,
    connector: ConnectorSays,
    spoke: Connector | None,
    policy: Policy,
    now: datetime,
) -> tuple[SessionSays, datetime | None]:
    session = scene.session
    if session is None:
        return SessionSays.NONE, None
    if not session.is_open:
        stayed = _car_stayed(scene.bay, spoke, session.said_at)
        return (SessionSays.ENDED if stayed else SessionSays.NONE), None
    word = _SESSION_WORDS.get(session.state, SessionSays.PLUGGED)
    if _with_session(scene, connector, spoke) not in {ConnectorSays.FREE, ConnectorSays.RESERVED}:
        return word, None
    since = spoke.state_since if spoke and spoke.state_since else session.said_at
    over_at = since + policy.linger_after
    return (SessionSays.NONE, None) if now >= over_at else (word, over_at)


def _car_stayed(bay: Bay, spoke: Connector | None, ended_at: datetime) -> bool:
    """Whether nothing says that the car of a session that has ended has left."""
    if spoke is not None and CONNECTOR_WORDS[spoke.state] is ConnectorSays.PLUGGED:
        since = spoke.state_since
        return since is not None and since <= ended_at + _SAME_CAR
    return bool(bay.is_occupied and bay.occupancy_at and bay.occupancy_at <= ended_at)


def _contradiction_at(
    scene: Scene, finding: Finding, policy: Policy, now: datetime
) -> datetime | None:
    if scene.bay.is_contradiction_counted:
        return None
    at = contradicted_at(scene.bay, finding.situation, now)
    return None if at is None else at + policy.contradiction_after


def _first(instants: Iterable[datetime | None], now: datetime) -> datetime | None:
    return min((at for at in instants if at is not None and at > now), default=None)
