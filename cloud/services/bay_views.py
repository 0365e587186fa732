"""How a bay looks from outside; freshness is judged each time anew."""

from dataclasses import replace
from datetime import datetime

from cloud.domain.bays import Bay
from cloud.domain.policy import Policy
from cloud.domain.reconcile import MEANING, AgentSays, SensorSays, Situation
from cloud.domain.stations import StationLink
from cloud.domain.witnesses import Scene, agent_word, connector_word, sensor_word
from cloud.services.views import BayView, ConnectorView, WitnessKind, WitnessView


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
