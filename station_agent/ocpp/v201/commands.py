"""The cloud's requests as OCPP 2.0.1 calls."""

from collections.abc import Mapping
from typing import Any, Final

from contracts import commands
from contracts.commands import Request, ResetKind
from station_agent.ocpp.instants import write
from station_agent.ocpp.v201 import charging_profiles, update_firmware
from station_agent.ocpp.v201.device_commands import DEVICE_COMMANDS
from station_agent.ocpp.v201.tokens import Shown, central, shown
from station_agent.ocpp.versions import CommandContext, Outbound, Translate
from station_agent.ocpp.words.v201 import (
    Action,
    AuthorizationStatusEnumType,
    OperationalStatusEnumType,
    ResetEnumType,
    UpdateEnumType,
)

RESET: Final[Mapping[ResetKind, ResetEnumType]] = {
    ResetKind.SOFT: ResetEnumType.on_idle,
    ResetKind.HARD: ResetEnumType.immediate,
}


def start_session(
    request: commands.StartSession, context: CommandContext, shown: Shown = shown
) -> Outbound:
    """See contracts.commands.StartSession (OCPP 2.0.1, F01/F02)."""
    payload: dict[str, Any] = {
        "idToken": shown(request.token, request.token_type),
        "remoteStartId": context.sessions.next_transaction_number(),
    }
    if request.evse_id:
        payload["evseId"] = request.evse_id
    if request.profile is not None:
        # F01.FR.11: it is the session's own, whatever it says, and names no transaction yet
        payload["chargingProfile"] = charging_profiles.written(request.profile)
    return Outbound(Action.request_start_transaction, payload)


def stop_session(request: commands.StopSession, _context: CommandContext) -> Outbound:
    """See contracts.commands.StopSession (OCPP 2.0.1, F03)."""
    payload = {"transactionId": request.transaction_id}
    return Outbound(Action.request_stop_transaction, payload)


def reset_charger(request: commands.ResetCharger, _context: CommandContext) -> Outbound:
    """See contracts.commands.ResetCharger (OCPP 2.0.1, B11/B12)."""
    one = {"evseId": request.evse_id} if request.evse_id else {}
    return Outbound(Action.reset, {"type": RESET[request.reset]} | one)


def unlock_connector(request: commands.UnlockConnector, _context: CommandContext) -> Outbound:
    """See contracts.commands.UnlockConnector (OCPP 2.0.1, F05)."""
    payload = {"evseId": request.evse_id, "connectorId": request.connector_id}
    return Outbound(Action.unlock_connector, payload)


def change_availability(request: commands.ChangeAvailability, _context: CommandContext) -> Outbound:
    """See contracts.commands.ChangeAvailability (OCPP 2.0.1, G03/G04)."""
    status = (
        OperationalStatusEnumType.operative
        if request.is_available
        else OperationalStatusEnumType.inoperative
    )
    payload: dict[str, Any] = {"operationalStatus": status}
    if request.evse_id:
        payload["evse"] = {"id": request.evse_id}
        if request.connector_id is not None:
            payload["evse"]["connectorId"] = request.connector_id
    return Outbound(Action.change_availability, payload)


def trigger_message(request: commands.TriggerMessage, _context: CommandContext) -> Outbound:
    """See contracts.commands.TriggerMessage (OCPP 2.0.1, F06)."""
    payload: dict[str, Any] = {"requestedMessage": request.message}
    if request.evse_id:
        payload["evse"] = {"id": request.evse_id}
        if request.message == Action.status_notification:
            # F06.FR.12: a status is a connector's, so one must be named.
            payload["evse"]["connectorId"] = 1
    return Outbound(Action.trigger_message, payload)


def reserve_evse(
    request: commands.ReserveEvse, _context: CommandContext, shown: Shown = shown
) -> Outbound:
    """See contracts.commands.ReserveEvse (OCPP 2.0.1, H01)."""
    payload: dict[str, Any] = {
        "id": request.reservation_number,
        "expiryDateTime": write(request.until_at),
        "idToken": shown(request.token, request.token_type),
    }
    if request.parent_token:
        payload["groupIdToken"] = central(request.parent_token)
    if request.evse_id:
        payload["evseId"] = request.evse_id
    if request.connector_type:
        payload["connectorType"] = request.connector_type
    return Outbound(Action.reserve_now, payload)


def cancel_reservation(request: commands.CancelReservation, _context: CommandContext) -> Outbound:
    """See contracts.commands.CancelReservation (OCPP 2.0.1, H02)."""
    payload = {"reservationId": request.reservation_number}
    return Outbound(Action.cancel_reservation, payload)


def set_meter_interval(request: commands.SetMeterInterval, _context: CommandContext) -> Outbound:
    """See contracts.commands.SetMeterInterval (OCPP 2.0.1, B05; J02, TxUpdatedInterval)."""
    one = {
        "component": {"name": "SampledDataCtrlr"},
        "variable": {"name": "TxUpdatedInterval"},
        "attributeValue": str(request.interval_s),
    }
    return Outbound(Action.set_variables, {"setVariableData": [one]})


def set_charger_key(request: commands.SetChargerKey, _context: CommandContext) -> Outbound:
    """See contracts.commands.SetChargerKey (OCPP 2.0.1, A01)."""
    one = {
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": "BasicAuthPassword"},
        "attributeValue": request.key,
    }
    return Outbound(Action.set_variables, {"setVariableData": [one]})


def deliver_certificate(request: commands.DeliverCertificate, _context: CommandContext) -> Outbound:
    """See contracts.commands.DeliverCertificate (OCPP 2.0.1, A02.FR.04)."""
    payload = {"certificateChain": request.chain}
    if request.purpose:
        payload["certificateType"] = request.purpose
    return Outbound(Action.certificate_signed, payload)


def send_local_list(
    request: commands.SendLocalList, _context: CommandContext, shown: Shown = shown
) -> Outbound:
    """See contracts.commands.SendLocalList (OCPP 2.0.1, D01)."""
    kind = UpdateEnumType.full if request.is_whole else UpdateEnumType.differential
    payload: dict[str, Any] = {"versionNumber": request.version, "updateType": kind}
    if request.entries:
        payload["localAuthorizationList"] = [_listed(one, shown) for one in request.entries]
    return Outbound(Action.send_local_list, payload)


def _listed(entry: commands.ListedToken, shown: Shown) -> dict[str, Any]:
    written: dict[str, Any] = {"idToken": shown(entry.token, entry.token_type)}
    if entry.is_gone:
        return written
    status = AuthorizationStatusEnumType
    info: dict[str, Any] = {"status": status.accepted if entry.is_valid else status.blocked}
    if entry.valid_until is not None:
        info["cacheExpiryDateTime"] = write(entry.valid_until)
    if entry.parent_token:
        info["groupIdToken"] = central(entry.parent_token)
    return written | {"idTokenInfo": info}


def get_local_list_version(
    _request: commands.GetLocalListVersion, _context: CommandContext
) -> Outbound:
    """See contracts.commands.GetLocalListVersion (OCPP 2.0.1, D02)."""
    return Outbound(Action.get_local_list_version, {})


def tell_cost(request: commands.TellCost, _context: CommandContext) -> Outbound:
    """See contracts.commands.TellCost (OCPP 2.0.1, I02)."""
    payload = {"totalCost": float(request.total), "transactionId": request.transaction_id}
    return Outbound(Action.cost_updated, payload)


def clear_cache(_request: commands.ClearCache, _context: CommandContext) -> Outbound:
    """See contracts.commands.ClearCache (OCPP 2.0.1, C11)."""
    return Outbound(Action.clear_cache, {})


def call_charger(request: commands.CallCharger, _context: CommandContext) -> Outbound:
    """See contracts.commands.CallCharger."""
    return Outbound(request.action, request.payload)


COMMANDS: Final[Mapping[type[Request], Translate]] = {
    commands.StartSession: start_session,
    commands.StopSession: stop_session,
    commands.ResetCharger: reset_charger,
    commands.UnlockConnector: unlock_connector,
    commands.ChangeAvailability: change_availability,
    commands.TriggerMessage: trigger_message,
    commands.ReserveEvse: reserve_evse,
    commands.CancelReservation: cancel_reservation,
    commands.SetMeterInterval: set_meter_interval,
    commands.SetChargerKey: set_charger_key,
    commands.DeliverCertificate: deliver_certificate,
    commands.SetChargingProfile: charging_profiles.set_profile,
    commands.ClearChargingProfile: charging_profiles.clear_profile,
    commands.GetCompositeSchedule: charging_profiles.get_composite_schedule,
    commands.SendLocalList: send_local_list,
    commands.GetLocalListVersion: get_local_list_version,
    commands.TellCost: tell_cost,
    commands.ClearCache: clear_cache,
    commands.UpdateFirmware: update_firmware.order,
    commands.CallCharger: call_charger,
    **DEVICE_COMMANDS,
}
