"""The cloud's requests as OCPP 1.6 calls (section 5)."""

from collections.abc import Mapping
from typing import Any, Final

from contracts import commands
from contracts.commands import Request, ResetKind
from station_agent.ocpp.cards import as_shown
from station_agent.ocpp.instants import write
from station_agent.ocpp.v16 import charging_profiles, update_firmware
from station_agent.ocpp.v16.device_commands import DEVICE_COMMANDS
from station_agent.ocpp.versions import CommandContext, Outbound, Translate, Untranslatable
from station_agent.ocpp.words.v16 import (
    Action,
    AuthorizationStatus,
    AvailabilityType,
    ConfigurationKey,
    ResetType,
    UpdateType,
)

RESET: Final[Mapping[ResetKind, ResetType]] = {
    ResetKind.SOFT: ResetType.soft,
    ResetKind.HARD: ResetType.hard,
}
EXTENDED_TRIGGERS: Final = frozenset({"LogStatusNotification", "SignChargePointCertificate"})
OWN_WORDS: Final = {"SignChargingStationCertificate": "SignChargePointCertificate"}
"""By what 2.0.1 calls the message."""
_MAX_ID_TAG: Final = 20


def start_session(request: commands.StartSession, _context: CommandContext) -> Outbound:
    """See contracts.commands.StartSession (OCPP 1.6, section 5.11)."""
    payload: dict[str, Any] = {"idTag": as_shown(request.token, request.token_type)}
    if request.evse_id:
        payload["connectorId"] = request.evse_id
    if request.profile is not None:
        payload["chargingProfile"] = charging_profiles.written(request.profile)
    return Outbound(Action.remote_start_transaction, payload)


def stop_session(request: commands.StopSession, _context: CommandContext) -> Outbound:
    """See contracts.commands.StopSession (OCPP 1.6, section 5.12)."""
    try:
        number = int(request.transaction_id)
    except ValueError:
        raise Untranslatable("a transaction of OCPP 1.6 is called by an integer") from None
    return Outbound(Action.remote_stop_transaction, {"transactionId": number})


def reset_charger(request: commands.ResetCharger, _context: CommandContext) -> Outbound:
    """See contracts.commands.ResetCharger (OCPP 1.6, section 5.14)."""
    if request.evse_id:
        raise Untranslatable("OCPP 1.6 resets chargers only whole")
    return Outbound(Action.reset, {"type": RESET[request.reset]})


def unlock_connector(request: commands.UnlockConnector, _context: CommandContext) -> Outbound:
    """See contracts.commands.UnlockConnector (OCPP 1.6, section 5.18)."""
    return Outbound(Action.unlock_connector, {"connectorId": request.evse_id})


def change_availability(request: commands.ChangeAvailability, _context: CommandContext) -> Outbound:
    """See contracts.commands.ChangeAvailability (OCPP 1.6, section 5.2)."""
    kind = AvailabilityType.operative if request.is_available else AvailabilityType.inoperative
    return Outbound(Action.change_availability, {"connectorId": request.evse_id, "type": kind})


def trigger_message(request: commands.TriggerMessage, _context: CommandContext) -> Outbound:
    """See contracts.commands.TriggerMessage (OCPP 1.6, section 5.17).

    What only the security whitepaper's own trigger knows is asked for by that (its section 5.5).
    """
    message = OWN_WORDS.get(request.message, request.message)
    payload: dict[str, Any] = {"requestedMessage": message}
    if request.evse_id:
        payload["connectorId"] = request.evse_id
    is_extended = message in EXTENDED_TRIGGERS
    action = Action.extended_trigger_message if is_extended else Action.trigger_message
    return Outbound(action, payload)


def reserve_evse(request: commands.ReserveEvse, _context: CommandContext) -> Outbound:
    """See contracts.commands.ReserveEvse (OCPP 1.6, section 5.13)."""
    payload: dict[str, Any] = {
        "connectorId": request.evse_id,
        "expiryDate": write(request.until_at),
        "idTag": as_shown(request.token, request.token_type),
        "reservationId": request.reservation_number,
    }
    # Whom it cannot name the charger turns away; its own token still is what matters.
    if request.parent_token and len(request.parent_token) <= _MAX_ID_TAG:
        payload["parentIdTag"] = request.parent_token
    return Outbound(Action.reserve_now, payload)


def cancel_reservation(request: commands.CancelReservation, _context: CommandContext) -> Outbound:
    """See contracts.commands.CancelReservation (OCPP 1.6, section 5.1)."""
    payload = {"reservationId": request.reservation_number}
    return Outbound(Action.cancel_reservation, payload)


def set_meter_interval(request: commands.SetMeterInterval, _context: CommandContext) -> Outbound:
    """See contracts.commands.SetMeterInterval (OCPP 1.6, section 9.1.16)."""
    payload = {
        "key": ConfigurationKey.meter_value_sample_interval,
        "value": str(request.interval_s),
    }
    return Outbound(Action.change_configuration, payload)


def set_charger_key(request: commands.SetChargerKey, _context: CommandContext) -> Outbound:
    """See contracts.commands.SetChargerKey (security whitepaper, A01): 20 bytes as hexadecimal."""
    payload = {"key": "AuthorizationKey", "value": request.key}
    return Outbound(Action.change_configuration, payload)


def deliver_certificate(request: commands.DeliverCertificate, _context: CommandContext) -> Outbound:
    """See contracts.commands.DeliverCertificate (security whitepaper, A02)."""
    return Outbound(Action.certificate_signed, {"certificateChain": request.chain})


def send_local_list(request: commands.SendLocalList, _context: CommandContext) -> Outbound:
    """See contracts.commands.SendLocalList (OCPP 1.6, section 5.15); longer tags it cannot have."""
    kind = UpdateType.full if request.is_whole else UpdateType.differential
    payload: dict[str, Any] = {"listVersion": request.version, "updateType": kind}
    listed = [_listed(one) for one in request.entries if len(one.token) <= _MAX_ID_TAG]
    if listed:
        payload["localAuthorizationList"] = listed
    return Outbound(Action.send_local_list, payload)


def _listed(entry: commands.ListedToken) -> dict[str, Any]:
    written: dict[str, Any] = {"idTag": as_shown(entry.token, entry.token_type)}
    if entry.is_gone:
        return written
    status = AuthorizationStatus
    info: dict[str, Any] = {"status": status.accepted if entry.is_valid else status.blocked}
    if entry.valid_until is not None:
        info["expiryDate"] = write(entry.valid_until)
    if entry.parent_token and len(entry.parent_token) <= _MAX_ID_TAG:
        info["parentIdTag"] = entry.parent_token
    return written | {"idTagInfo": info}


def get_local_list_version(
    _request: commands.GetLocalListVersion, _context: CommandContext
) -> Outbound:
    """See contracts.commands.GetLocalListVersion (OCPP 1.6, section 5.10)."""
    return Outbound(Action.get_local_list_version, {})


def tell_cost(_request: commands.TellCost, _context: CommandContext) -> Outbound:
    """Refuse: no message of OCPP 1.6 says what a session costs."""
    raise Untranslatable("OCPP 1.6 has no message for costs")


def clear_cache(_request: commands.ClearCache, _context: CommandContext) -> Outbound:
    """See contracts.commands.ClearCache (OCPP 1.6, section 5.4)."""
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
