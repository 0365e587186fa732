"""How a bay looks from outside; freshness is judged each time anew."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from cloud.domain.bays import Bay
from cloud.domain.policy import Policy
from cloud.domain.reconcile import MEANING, AgentSays, SensorSays, Situation
from cloud.domain.stations import StationLink
from cloud.domain.witnesses import Scene, agent_word, connector_word, sensor_word


class WitnessKind(StrEnum):
    """Who says something of a bay."""

    SENSOR = "sensor"
    CONNECTOR = "connector"
    SESSION = "session"


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessView:
    """One witness of a bay's status."""

    witness: WitnessKind
    says: str
    """`occupied`/`empty`, a ConnectorState, or a ChargingState."""
    observed_at: datetime | None
    is_trusted: bool
    """False: silent or suspect, and not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorView:
    """A plug (OCPI Connector)."""

    connector_id: int
    standard: str
    power_type: str
    max_power_w: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BayView:
    """A bay as booking clients may see it; the same everywhere (API, live events, MQTT)."""

    bay_id: str
    station_id: str
    name: str
    status: str
    """OCPI's word: AVAILABLE RESERVED CHARGING BLOCKED OUTOFORDER INOPERATIVE UNKNOWN."""
    situation: str
    reason: str
    """One sentence for a person."""
    since: datetime | None
    """When the situation began."""
    observed_at: datetime | None
    """The newest evidence the status rests on, by its device's clock."""
    heard_at: datetime | None
    """When we last knew the station to be alive, our clock."""
    valid_until: datetime | None
    """Show UNKNOWN from then on, unless told better."""
    witnesses: list[WitnessView]
    connectors: list[ConnectorView]
    max_power_w: int
    is_accessible: bool
    charger_id: str | None
    evse_id: int | None
    expected_end_at: datetime | None = None
    reserved_until: datetime | None = None
    """Until when the reservation lasts that keeps it now."""
    next_reservation_at: datetime | None = None
    """When the next one begins, within the next hours."""
    version: int = 0


def bay_view(scene: Scene, policy: Policy, now: datetime) -> BayView:
    """Return the bay as booking clients may see it; stale news is shown as UNKNOWN."""
    bay = _fresh(scene.bay, scene.link, policy, now)
    heard_at = scene.link.heard_at
    session = scene.session
    return BayView(
        bay_id=bay.id,
        station_id=bay.station_id,
        name=bay.name,
        status=bay.status,
        situation=bay.situation,
        reason=bay.reason,
        since=bay.since,
        observed_at=bay.observed_at,
        heard_at=heard_at,
        valid_until=None if heard_at is None else heard_at + policy.valid_for,
        witnesses=witnesses(scene),
        connectors=[
            ConnectorView(
                connector_id=one.connector_id,
                standard=one.standard,
                power_type=one.power_type,
                max_power_w=one.max_power_w,
            )
            for one in scene.connectors
        ],
        max_power_w=bay.max_power_w,
        is_accessible=bay.is_accessible,
        charger_id=bay.charger_id,
        evse_id=bay.evse_id,
        expected_end_at=session.expected_end_at if session and session.is_open else None,
        reserved_until=bay.reserved_until,
        next_reservation_at=bay.next_reservation_at,
        version=bay.changed_version,
    )


def _fresh(bay: Bay, link: StationLink, policy: Policy, now: datetime) -> Bay:
    word = agent_word(link, policy, now)
    if word is AgentSays.HEARD:
        return bay
    situation = Situation.SILENT if word is AgentSays.SILENT else Situation.NEVER_HEARD
    if bay.situation == situation:
        return bay
    meaning = MEANING[situation]
    since = bay.since if link.heard_at is None else link.heard_at + policy.stale_after
    return replace(
        bay, status=meaning.status, situation=situation, reason=meaning.sentence, since=since
    )


def witnesses(scene: Scene) -> list[WitnessView]:
    """Return who says what of the bay, and who is believed."""
    said: list[WitnessView] = []
    bay, session = scene.bay, scene.session
    if bay.is_occupied is not None:
        said.append(
            WitnessView(
                witness=WitnessKind.SENSOR,
                says="occupied" if bay.is_occupied else "empty",
                observed_at=bay.occupancy_at,
                is_trusted=sensor_word(scene) in {SensorSays.EMPTY, SensorSays.OCCUPIED},
            )
        )
    charger = scene.charger
    is_reached = bool(
        charger and charger.is_connected and charger.id not in scene.link.silent_chargers
    )
    _, spoke = connector_word(scene)
    if spoke is not None and spoke.state:
        said.append(
            WitnessView(
                witness=WitnessKind.CONNECTOR,
                says=spoke.state,
                observed_at=spoke.state_at,
                is_trusted=is_reached,
            )
        )
    if session is not None and session.is_open:
        said.append(
            WitnessView(
                witness=WitnessKind.SESSION,
                says=session.state,
                observed_at=session.said_at,
                is_trusted=is_reached,
            )
        )
    return said
