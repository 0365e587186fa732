"""How a bay and a station look from outside; freshness is judged each time anew."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from cloud.domain.bays import Bay
from cloud.domain.policy import Policy
from cloud.domain.reconcile import MEANING, AgentSays, SensorSays, Situation, Status
from cloud.domain.stations import Station, StationLink
from cloud.domain.witnesses import Scene, agent_word, connector_word, sensor_word
from cloud.services.views import (
    BayView,
    ConnectorView,
    HeardView,
    PriceView,
    StationView,
    WitnessKind,
    WitnessView,
)


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


def station_view(
    station: Station,
    link: StationLink,
    bays: Sequence[BayView],
    *,
    away_m: float | None = None,
) -> StationView:
    """Return the station with these of its bays; all counts are of them."""
    statuses = Counter(bay.status for bay in bays)
    return StationView(
        station_id=station.id,
        name=station.name,
        operator=station.operator,
        address=station.address,
        city=station.city,
        country=station.country,
        latitude=station.latitude,
        longitude=station.longitude,
        timezone=station.timezone,
        distance_m=None if away_m is None else round(away_m),
        price=PriceView(
            currency=station.currency,
            price_per_kwh_minor=station.price_per_kwh_minor,
            tariff_id=station.tariff_id,
        ),
        heard_at=link.heard_at,
        bays_total=len(bays),
        bays_available=statuses[Status.AVAILABLE],
        max_power_w=max((bay.max_power_w for bay in bays), default=0),
        standards=sorted({plug.standard for bay in bays for plug in bay.connectors} - {""}),
        statuses=dict(sorted(statuses.items())),
        bays=list(bays),
    )


def heard_view(link: StationLink, policy: Policy) -> HeardView | None:
    """Return until when the station's statuses hold; None: it was never heard."""
    if link.heard_at is None:
        return None
    return HeardView(
        station_id=link.station_id,
        heard_at=link.heard_at,
        valid_until=link.heard_at + policy.valid_for,
    )
