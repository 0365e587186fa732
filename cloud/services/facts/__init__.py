"""Facts from stations: HANDLERS says which use case each is of; all change the board, none the database.

Meter samples, nine facts of ten, do not pass one by one: the transaction gathers them by session.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from cloud.services.facts import (
    chargers,
    charging,
    inventory,
    other,
    security,
    sensing,
    smart_charging,
)
from cloud.services.facts.board import Board, Stamp
from contracts import events
from contracts.batch import UnknownEvent

Handler = Callable[[Board, Any, Stamp], None]

HANDLERS: Final[dict[type[msgspec.Struct], Handler]] = {
    events.AgentStarted: chargers.agent_started,
    events.ChargerConnected: chargers.charger_connected,
    events.ChargerDisconnected: chargers.charger_disconnected,
    events.ChargerBooted: chargers.charger_booted,
    events.ConnectorStateReported: chargers.connector_state_reported,
    events.ComponentEventReported: chargers.component_event_reported,
    events.SessionStarted: charging.session_started,
    events.ChargingStateChanged: charging.charging_state_changed,
    events.SignedReadingReported: charging.signed_reading_reported,
    events.SessionEnded: charging.session_ended,
    events.OddityObserved: security.oddity_observed,
    events.BayOccupancyChanged: sensing.bay_occupancy_changed,
    events.SensorFellSilent: sensing.sensor_fell_silent,
    events.SensorHeardAgain: sensing.sensor_heard_again,
    events.SensorBatteryReported: sensing.sensor_battery_reported,
    events.SensorUnreadable: sensing.sensor_unreadable,
    events.CommandAnswered: other.command_answered,
    events.MessageQuarantined: other.message_quarantined,
    events.AuthorizationDecided: charging.authorization_decided,
    events.SecurityEventReported: security.security_event_reported,
    events.InventoryReported: inventory.inventory_reported,
    events.JobProgressed: inventory.job_progressed,
    events.CertificateRequested: security.certificate_requested,
    events.ChargingNeeded: smart_charging.charging_needed,
    events.ReservationDropped: other.only_kept,
    events.DataTransferred: other.only_kept,
    events.SettlementReported: other.only_kept,
    events.GridNoticeReported: other.only_kept,
    events.StreamSampled: other.only_kept,
    events.FactDropped: other.fact_dropped,
    UnknownEvent: other.unknown_event,
}
