"""A bay with what stands in it and who watches it, and how its row changes with what is found."""

from dataclasses import dataclass, replace
from datetime import datetime

from cloud.domain.policy import Policy
from cloud.domain.reconcile import ENGAGED, UNSEEN, Finding, Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class Bay:
    """The parking space of an EVSE: what its sensors say, and what was found."""

    id: str
    station_id: str
    name: str
    charger_id: str | None = None
    evse_id: int | None = None
    max_power_w: int = 0
    is_accessible: bool = False
    is_occupied: bool | None = None
    occupancy_confidence: float | None = None
    occupancy_at: datetime | None = None
    has_sensor: bool = False
    contradictions: int = 0
    is_sensor_suspect: bool = False
    is_contradiction_counted: bool = False
    session_id: str | None = None
    row_version: int = 0
    status: str = "UNKNOWN"
    situation: str = Situation.NEVER_HEARD
    reason: str = ""
    since: datetime | None = None
    observed_at: datetime | None = None
    reserved_until: datetime | None = None
    """Until when the reservation that keeps it now lasts."""
    next_reservation_at: datetime | None = None
    """When the next one known begins; far ones are not."""
    changed_version: int = 0
    published_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """A plug, and its own word. `evse_id` 0: the charger as a whole is kept in Charger."""

    charger_id: str
    evse_id: int
    connector_id: int
    standard: str = ""
    power_type: str = ""
    max_power_w: int = 0
    state: str = ""
    error_code: str = ""
    vendor_error_code: str = ""
    info: str = ""
    state_at: datetime | None = None
    state_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Charger:
    """One OCPP box."""

    id: str
    station_id: str
    ocpp_version: str = ""
    vendor: str = ""
    model: str = ""
    serial: str = ""
    firmware_version: str = ""
    is_connected: bool = False
    connection_changed_at: datetime | None = None
    silent_since: datetime | None = None
    booted_at: datetime | None = None
    state: str = ""
    error_code: str = ""
    state_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """A bay sensor as its agent tells of it."""

    station_id: str
    id: str
    bay_id: str | None = None
    is_silent: bool = False
    silent_since: datetime | None = None
    battery_ratio: float | None = None
    is_battery_low: bool = False
    unreadable_count: int = 0
    last_error: str = ""


def occupied(bay: Bay, *, is_occupied: bool, confidence: float, at: datetime) -> Bay:
    """Return the bay after its sensors' verdict; the agent tells verdicts in their order.

    Another verdict is a difference viewers see, whatever the status: the witnesses are shown.
    """
    is_other = bay.is_occupied is not is_occupied
    return replace(
        bay,
        is_occupied=is_occupied,
        occupancy_confidence=confidence,
        occupancy_at=at if is_other else (bay.occupancy_at or at),
        has_sensor=True,
        changed_version=bay.changed_version + is_other,
    )


def found(bay: Bay, finding: Finding, observed_at: datetime | None, now: datetime) -> Bay:
    """Return the bay with what reconciliation found; the same object where nothing changed.

    `changed_version` grows when a viewer could see a difference.
    """
    is_same = bay.situation == finding.situation and bay.reason == finding.reason
    told = (bay.reserved_until, bay.next_reservation_at)
    if is_same and told == (finding.reserved_until, finding.next_reservation_at):
        return bay
    is_new = bay.situation != finding.situation or bay.since is None
    return replace(
        bay,
        status=finding.status,
        situation=finding.situation,
        reason=finding.reason,
        reserved_until=finding.reserved_until,
        next_reservation_at=finding.next_reservation_at,
        since=now if is_new else bay.since,
        observed_at=observed_at,
        changed_version=bay.changed_version + 1,
    )


def contradicted_at(bay: Bay, situation: str, now: datetime) -> datetime | None:
    """Return since when the sensor contradicts the charger in this situation; null: it does not."""
    is_contrary = situation in UNSEEN or (situation in ENGAGED and bay.is_sensor_suspect)
    if not is_contrary or bay.is_occupied is not False:
        return None
    if bay.situation != situation or bay.since is None:
        return now
    return max(bay.since, min(bay.occupancy_at or now, now))


def judged(before: Bay, after: Bay, policy: Policy, now: datetime) -> Bay:
    """Return `after` with what it means for the trust in its sensor.

    A visit is the time a car is at the cable. A visit in which the sensor stood against the
    charger for longer than `contradiction_after` counts once; one in which it did not, with the
    sensor's word to the contrary, clears its name.
    """
    was_engaged, is_engaged = before.situation in ENGAGED, after.situation in ENGAGED
    if is_engaged:
        return _contradicting(after, policy, now)
    if not was_engaged or before.is_occupied is None:
        return after
    if before.is_contradiction_counted:
        return replace(after, is_contradiction_counted=False)
    if _was_noticed(before):
        return replace(after, contradictions=0, is_sensor_suspect=False)
    return after


def _was_noticed(bay: Bay) -> bool:
    """Whether the sensor sees the car, or saw it leave while it was at the cable."""
    if bay.is_occupied or bay.since is None or bay.occupancy_at is None:
        return bool(bay.is_occupied)
    return bay.occupancy_at >= bay.since


def _contradicting(bay: Bay, policy: Policy, now: datetime) -> Bay:
    at = contradicted_at(bay, bay.situation, now)
    if bay.is_contradiction_counted or at is None or now - at < policy.contradiction_after:
        return bay
    count = bay.contradictions + 1
    return replace(
        bay,
        contradictions=count,
        is_contradiction_counted=True,
        is_sensor_suspect=count >= policy.suspect_after,
    )
