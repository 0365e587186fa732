"""What OCPP 2.0.1 calls what happens at a charger."""

import base64
import hashlib
from typing import Any, Final

from ocpp.v201.enums import (
    ChargingStateEnumType,
    ConnectorStatusEnumType,
    ReadingContextEnumType,
    ReasonEnumType,
    TriggerReasonEnumType,
)

from simulator.chargers.evse import Evse, Reading, Session, State
from simulator.chargers.line import Payload
from simulator.chargers.spec import Cause, Change, EndCause, stamp

STATUS: Final = {
    State.FREE: ConnectorStatusEnumType.available,
    State.PREPARING: ConnectorStatusEnumType.occupied,
    State.CHARGING: ConnectorStatusEnumType.occupied,
    State.SUSPENDED_BY_CAR: ConnectorStatusEnumType.occupied,
    State.SUSPENDED_BY_CHARGER: ConnectorStatusEnumType.occupied,
    State.FINISHING: ConnectorStatusEnumType.occupied,
    State.RESERVED: ConnectorStatusEnumType.reserved,
    State.UNAVAILABLE: ConnectorStatusEnumType.unavailable,
    State.FAULTED: ConnectorStatusEnumType.faulted,
}
CHARGING_STATE: Final = {
    State.CHARGING: ChargingStateEnumType.charging,
    State.SUSPENDED_BY_CAR: ChargingStateEnumType.suspended_ev,
    State.SUSPENDED_BY_CHARGER: ChargingStateEnumType.suspended_evse,
}
TRIGGER: Final = {
    Cause.TOKEN_SHOWN: TriggerReasonEnumType.authorized,
    Cause.REMOTE_START: TriggerReasonEnumType.remote_start,
    Cause.PLUGGED_IN: TriggerReasonEnumType.cable_plugged_in,
    Cause.PARKED: TriggerReasonEnumType.ev_detected,
    Cause.DATA_SIGNED: TriggerReasonEnumType.signed_data_received,
    Cause.ENERGY_FLOWS: TriggerReasonEnumType.charging_state_changed,
}
ENDING: Final = {
    EndCause.LOCAL: (TriggerReasonEnumType.stop_authorized, ReasonEnumType.local),
    EndCause.REMOTE: (TriggerReasonEnumType.remote_stop, ReasonEnumType.remote),
    EndCause.UNPLUGGED: (
        TriggerReasonEnumType.ev_communication_lost,
        ReasonEnumType.ev_disconnected,
    ),
    EndCause.REFUSED: (TriggerReasonEnumType.deauthorized, ReasonEnumType.de_authorized),
    EndCause.FAULT: (TriggerReasonEnumType.abnormal_condition, ReasonEnumType.other),
    EndCause.POWER_LOSS: (TriggerReasonEnumType.abnormal_condition, ReasonEnumType.power_loss),
    EndCause.SOFT_RESET: (TriggerReasonEnumType.reset_command, ReasonEnumType.immediate_reset),
    EndCause.HARD_RESET: (TriggerReasonEnumType.reset_command, ReasonEnumType.immediate_reset),
    EndCause.UNLOCKED: (TriggerReasonEnumType.unlock_command, ReasonEnumType.other),
    EndCause.TIMEOUT: (TriggerReasonEnumType.ev_connect_timeout, ReasonEnumType.timeout),
    EndCause.LEFT: (TriggerReasonEnumType.ev_departed, ReasonEnumType.local),
    EndCause.ENERGY_ENDED: (TriggerReasonEnumType.charging_state_changed, ReasonEnumType.local),
    EndCause.CAR_STOPPED: (
        TriggerReasonEnumType.charging_state_changed,
        ReasonEnumType.stopped_by_ev,
    ),
    EndCause.MASTER_PASS: (TriggerReasonEnumType.stop_authorized, ReasonEnumType.master_pass),
}
CHANGE: Final = {
    Change.PLUGGED_IN: (
        TriggerReasonEnumType.cable_plugged_in,
        ChargingStateEnumType.ev_connected,
    ),
    Change.UNPLUGGED: (TriggerReasonEnumType.ev_communication_lost, ChargingStateEnumType.idle),
    Change.AUTHORIZED: (TriggerReasonEnumType.authorized, None),
    Change.STARTED_AFAR: (TriggerReasonEnumType.remote_start, None),
    Change.STOPPED: (TriggerReasonEnumType.stop_authorized, None),
    Change.STOPPED_AFAR: (TriggerReasonEnumType.remote_stop, None),
    Change.TIMED_OUT: (TriggerReasonEnumType.ev_connect_timeout, None),
}
"""How each is told, and as what it charges then; None: as before."""
ENDS_AS: Final = {
    EndCause.UNPLUGGED: ChargingStateEnumType.idle,
    EndCause.TIMEOUT: ChargingStateEnumType.idle,
    EndCause.LEFT: ChargingStateEnumType.idle,
    EndCause.CAR_STOPPED: ChargingStateEnumType.suspended_ev,
}
PERIODIC: Final = {
    False: (
        TriggerReasonEnumType.meter_value_periodic,
        ReadingContextEnumType.sample_periodic,
    ),
    True: (TriggerReasonEnumType.meter_value_clock, ReadingContextEnumType.sample_clock),
}
"""How a sample is told, by whether it is aligned to the clock."""
BY_TOKEN: Final = frozenset({EndCause.LOCAL, EndCause.MASTER_PASS})


def sampled(reading: Reading, context: str) -> list[dict[str, Any]]:
    """Return a reading as 2.0.1 writes it: numbers, units beside them."""
    rows: list[tuple[str, float, str, str]] = [
        ("Energy.Active.Import.Register", reading.register_wh, "Wh", "Outlet"),
        ("Power.Active.Import", reading.power_w, "W", "Outlet"),
        ("Current.Import", reading.current_a, "A", "Outlet"),
        ("Voltage", reading.voltage_v, "V", "Outlet"),
    ]
    if reading.soc_pct is not None:
        rows.append(("SoC", reading.soc_pct, "Percent", "EV"))
    return [
        {
            "value": value,
            "context": str(context),
            "measurand": measurand,
            "location": location,
            "unitOfMeasure": {"unit": unit},
        }
        for measurand, value, unit, location in rows
    ]


def signed(charger_id: str, reading: Reading, context: str) -> dict[str, str]:
    """Return what a signing meter adds to a reading; the signature is of the show."""
    said = f"{charger_id}|{context}|{stamp(reading.at)}|{reading.register_wh}"
    digest = hashlib.sha256(said.encode()).digest()
    return {
        "signedMeterData": base64.b64encode(said.encode() + b"|" + digest).decode(),
        "signingMethod": "ECDSA-secp256r1-SHA256",
        "encodingMethod": "OCMF",
        "publicKey": base64.b64encode(charger_id.encode()).decode(),
    }


def place(evse: Evse, session: Session) -> Payload:
    """Return where a session is; without a plug there is no connector yet."""
    connector = {"connectorId": session.connector_id} if session.connector_id else {}
    return {"id": evse.evse_id, **connector}
