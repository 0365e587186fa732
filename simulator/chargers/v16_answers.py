"""A charger that speaks OCPP 1.6: how it answers, one row an action."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from simulator.chargers import logs, safe_answers
from simulator.chargers.charger import Charger
from simulator.chargers.evse import Reservation, State
from simulator.chargers.firmware import Order, order_from
from simulator.chargers.limits import Limit, first_limit_w, in_unit
from simulator.chargers.line import Call, Payload, Refusal
from simulator.chargers.spec import stamp

Answer = Callable[[Charger, Payload], Payload | Refusal]

_READ_ONLY: Final = {
    "NumberOfConnectors",
    "SupportedFeatureProfiles",
    "ChargeProfileMaxStackLevel",
    "ChargingScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods",
    "MaxChargingProfilesInstalled",
    "GetConfigurationMaxKeys",
    "LocalAuthListMaxLength",
    "SendLocalListMaxLength",
    "ReserveConnectorZeroSupported",
}
_FIXED: Final = {
    "ConnectorPhaseRotation": "NotApplicable",
    "GetConfigurationMaxKeys": "50",
    "MeterValuesAlignedData": "",
    "MeterValuesSampledData": "Energy.Active.Import.Register,Power.Active.Import,"
    "Current.Import,Voltage,SoC,Temperature",
    "ResetRetries": "1",
    "StopTransactionOnEVSideDisconnect": "true",
    "StopTxnAlignedData": "",
    "StopTxnSampledData": "Energy.Active.Import.Register",
    "UnlockConnectorOnEVSideDisconnect": "true",
    "TransactionMessageAttempts": "3",
    "TransactionMessageRetryInterval": "10",
    "SupportedFeatureProfiles": "Core,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger",
    "LocalAuthListEnabled": "true",
    "LocalAuthListMaxLength": "10000",
    "ReserveConnectorZeroSupported": "true",
    "ChargingScheduleMaxPeriods": "1",
    "MaxChargingProfilesInstalled": "20",
    "WebSocketPingInterval": "20",
}


def _configuration(charger: Charger) -> dict[str, str]:
    does = charger.behaviour
    return _FIXED | {
        "AuthorizeRemoteTxRequests": _text(does.asks_for_remote_start),
        "ClockAlignedDataInterval": _text(does.aligned_s),
        "ConnectionTimeOut": _text(does.connection_timeout_s),
        "HeartbeatInterval": _text(does.heartbeat_s),
        "LocalAuthorizeOffline": _text(does.trusts_offline),
        "AllowOfflineTxForUnknownId": _text(does.trusts_offline),
        "LocalPreAuthorize": _text(not charger.cards.asks_first),
        "MeterValueSampleInterval": _text(does.sample_s),
        "NumberOfConnectors": str(len(charger.evses)),
        "SendLocalListMaxLength": str(does.list_items),
        "ChargeProfileMaxStackLevel": str(does.most_stack_level),
        "ChargingScheduleAllowedChargingRateUnit": ",".join(
            word for unit, word in (("A", "Current"), ("W", "Power")) if unit in does.rate_units
        ),
        "SecurityProfile": str(charger.safe.profile),
        "StopTransactionOnInvalidId": _text(does.stops_refused),
    }


def _text(value: float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:.0f}"


def _get_configuration(charger: Charger, payload: Payload) -> Payload:
    known = _configuration(charger)
    asked = payload.get("key") or list(known)
    return {
        "configurationKey": [
            {"key": key, "readonly": key in _READ_ONLY, "value": known[key]}
            for key in asked
            if key in known
        ],
        "unknownKey": [key for key in asked if key not in known],
    }


def _change_configuration(charger: Charger, payload: Payload) -> Payload:
    key, value = payload["key"], payload["value"].strip()
    if key == "AuthorizationKey":
        safe_answers.take_key(charger, payload["value"])
        return {"status": "Accepted"}
    if key not in _configuration(charger):
        return {"status": "NotSupported"}
    if key in _READ_ONLY:
        return {"status": "Rejected"}
    change = _CHANGES.get(key)
    if change is None:
        return {"status": "Accepted" if value == _FIXED.get(key) else "Rejected"}
    try:
        change(charger, value)
    except ValueError:
        return {"status": "Rejected"}
    return {"status": "Accepted"}


def _seconds(value: str) -> float:
    seconds = int(value)
    if seconds < 0:
        raise ValueError(value)
    return float(seconds)


def _flag(value: str) -> bool:
    if value.lower() not in {"true", "false"}:
        raise ValueError(value)
    return value.lower() == "true"


def _set_flag(name: str, charger: Charger, value: str) -> None:
    setattr(charger.behaviour, name, _flag(value))


def _set_connection_timeout(charger: Charger, value: str) -> None:
    charger.behaviour.connection_timeout_s = _seconds(value)


def _set_pre_authorize(charger: Charger, value: str) -> None:
    charger.cards.asks_first = not _flag(value)


_CHANGES: Final[dict[str, Callable[[Charger, str], None]]] = {
    "AuthorizeRemoteTxRequests": partial(_set_flag, "asks_for_remote_start"),
    "LocalAuthorizeOffline": partial(_set_flag, "trusts_offline"),
    "AllowOfflineTxForUnknownId": partial(_set_flag, "trusts_offline"),
    "StopTransactionOnInvalidId": partial(_set_flag, "stops_refused"),
    "ClockAlignedDataInterval": lambda charger, value: charger.align_every(_seconds(value)),
    "ConnectionTimeOut": _set_connection_timeout,
    "LocalPreAuthorize": _set_pre_authorize,
    "HeartbeatInterval": lambda charger, value: charger.beat_every(_seconds(value)),
    "MeterValueSampleInterval": lambda charger, value: charger.sample_every(_seconds(value)),
    "SecurityProfile": safe_answers.set_profile,
}


def _remote_start(charger: Charger, payload: Payload) -> Payload:
    evse_id = payload.get("connectorId") or next(
        (one.evse_id for one in charger.evses.values() if one.session is None and not one.fault), 0
    )
    if payload.get("chargingProfile"):
        _put_profile(charger, evse_id, payload["chargingProfile"])
    number = charger.world.random("remote", charger.charger_id, charger.now()).randrange(2**31)
    return _status(charger.start_from_afar(evse_id, payload["idTag"], number))


def _remote_stop(charger: Charger, payload: Payload) -> Payload:
    return _status(charger.stop_from_afar(str(payload["transactionId"])))


def _reset(charger: Charger, payload: Payload) -> Payload:
    charger.reset(is_hard=payload["type"] == "Hard")
    return {"status": "Accepted"}


def _unlock(charger: Charger, payload: Payload) -> Payload:
    evse = charger.evses.get(payload["connectorId"])
    if evse is None:
        return {"status": "NotSupported"}
    if evse.fault == "ConnectorLockFailure":
        return {"status": "UnlockFailed"}
    charger.unlock(evse.evse_id)
    return {"status": "Unlocked"}


def _change_availability(charger: Charger, payload: Payload) -> Payload:
    evse_id = payload["connectorId"]
    if evse_id != 0 and evse_id not in charger.evses:
        return {"status": "Rejected"}
    is_done = charger.set_available(evse_id, is_available=payload["type"] == "Operative")
    return {"status": "Accepted" if is_done else "Scheduled"}


def _reserve(charger: Charger, payload: Payload) -> Payload:
    evse = charger.evses.get(payload["connectorId"] or charger.free_evse())
    if evse is None:
        return {"status": "Rejected" if payload["connectorId"] else "Occupied"}
    until_at = _instant(payload["expiryDate"])
    reservation = Reservation(payload["reservationId"], payload["idTag"], until_at)
    if charger.reserve(evse.evse_id, reservation):
        return {"status": "Accepted"}
    states = {State.FAULTED: "Faulted", State.UNAVAILABLE: "Unavailable"}
    return {"status": states.get(evse.state, "Occupied")}


def _cancel(charger: Charger, payload: Payload) -> Payload:
    return _status(charger.cancel_reservation(payload["reservationId"]))


def _trigger(charger: Any, payload: Payload) -> Payload:
    evse_id = payload.get("connectorId")
    if evse_id is not None and evse_id != 0 and evse_id not in charger.evses:
        return {"status": "Rejected"}
    message = payload["requestedMessage"]
    wanted = [charger.evses[evse_id]] if evse_id else list(charger.evses.values())
    if message == "MeterValues" or (message == "StatusNotification" and evse_id):
        is_meter = message == "MeterValues"
        tell = charger.tell_meter_now if is_meter else charger.tell_state_now
        for one in wanted:
            charger.world.after(0, partial(tell, one))
        return {"status": "Accepted"}
    effect = _TRIGGERS.get(message)
    if effect is None:
        return {"status": "NotImplemented"}
    charger.world.after(0, partial(effect, charger))
    return {"status": "Accepted"}


def _tell_diagnostics(charger: Charger) -> None:
    charger.line.call(Call("DiagnosticsStatusNotification", lambda: {"status": "Idle"}))


def _tell_log(charger: Charger) -> None:
    charger.line.call(Call("LogStatusNotification", lambda: {"status": "Idle"}))


_TRIGGERS: Final[dict[str, Callable[[Charger], None]]] = {
    "BootNotification": lambda charger: charger.boot_again(),
    "Heartbeat": lambda charger: charger.beat(),
    "StatusNotification": lambda charger: charger.tell_all_states(),
    "FirmwareStatusNotification": lambda charger: charger.firmware.tell(),
    "DiagnosticsStatusNotification": _tell_diagnostics,
    "LogStatusNotification": _tell_log,
    "SignChargePointCertificate": partial(
        safe_answers.ask_for_certificate,
        message="SignChargePointCertificate",
        says_purpose=False,
    ),
}


def _send_local_list(charger: Charger, payload: Payload) -> Payload | Refusal:
    if len(payload.get("localAuthorizationList", ())) > charger.behaviour.list_items:
        return Refusal("OccurenceConstraintViolation", "more than SendLocalListMaxLength")
    if payload["updateType"] == "Full":
        charger.local_list.clear()
    elif payload["listVersion"] <= charger.local_list_version:
        return {"status": "VersionMismatch"}
    for entry in payload.get("localAuthorizationList", []):
        token = entry["idTag"].casefold()
        if "idTagInfo" in entry:
            charger.local_list[token] = entry["idTagInfo"]["status"] == "Accepted"
        else:
            charger.local_list.pop(token, None)
    charger.local_list_version = payload["listVersion"]
    return {"status": "Accepted"}


def _put_profile(charger: Charger, evse_id: int, profile: dict[str, Any]) -> None:
    limit = Limit(
        profile_id=profile["chargingProfileId"],
        evse_id=evse_id,
        purpose=profile["chargingProfilePurpose"],
        stack_level=profile["stackLevel"],
        limit_w=first_limit_w(profile["chargingSchedule"]),
        profile=profile,
    )
    charger.limits.put(limit)
    charger.world.after(0, charger.apply_limits)


def _set_profile(charger: Charger, payload: Payload) -> Payload:
    evse_id, profile = payload["connectorId"], payload["csChargingProfiles"]
    evse = charger.evses.get(evse_id)
    if evse_id != 0 and evse is None:
        return {"status": "Rejected"}
    is_for_session = profile["chargingProfilePurpose"] == "TxProfile"
    if is_for_session and (evse is None or evse.session is None):
        return {"status": "Rejected"}
    unit = profile["chargingSchedule"]["chargingRateUnit"]
    if not charger.behaviour.takes_profile(profile["stackLevel"], {unit}):
        return {"status": "Rejected"}
    _put_profile(charger, evse_id, profile)
    return {"status": "Accepted"}


def _clear_profile(charger: Charger, payload: Payload) -> Payload:
    is_any = charger.limits.clear(
        profile_id=payload.get("id"),
        evse_id=payload.get("connectorId"),
        purpose=payload.get("chargingProfilePurpose"),
        stack_level=payload.get("stackLevel"),
    )
    charger.world.after(0, charger.apply_limits)
    return {"status": "Accepted" if is_any else "Unknown"}


def _composite_schedule(charger: Charger, payload: Payload) -> Payload:
    evse_id = payload["connectorId"]
    evse = charger.evses.get(evse_id)
    if evse is None and evse_id != 0:
        return {"status": "Rejected"}
    evses = list(charger.evses.values()) if evse is None else [evse]
    limit_w = charger.limits.limit_w(evse_id)
    most_w = float(sum(one.spec.max_power_w for one in evses) if limit_w is None else limit_w)
    unit, now = payload.get("chargingRateUnit", "W"), stamp(charger.now())
    return {
        "status": "Accepted",
        "connectorId": evse_id,
        "scheduleStart": now,
        "chargingSchedule": {
            "duration": payload["duration"],
            "startSchedule": now,
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": round(in_unit(most_w, unit), 1)}
            ],
        },
    }


def _data_transfer(charger: Charger, payload: Payload) -> Payload:
    if payload["vendorId"] != charger.spec.vendor:
        return {"status": "UnknownVendorId"}
    return {"status": "Accepted", "data": payload.get("data", "")}


def _update_firmware(charger: Charger, payload: Payload) -> Payload:
    order = Order(
        payload["location"],
        _instant(payload["retrieveDate"]),
        retries=payload.get("retries", 0),
        retry_interval_s=payload.get("retryInterval", 0),
    )
    charger.firmware.take(order)
    return {}


def _update_signed(charger: Charger, payload: Payload) -> Payload:
    return {"status": charger.firmware.take(order_from(payload))}


def _status(is_accepted: bool) -> Payload:
    return {"status": "Accepted" if is_accepted else "Rejected"}


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _always(**answer: Any) -> Answer:
    return lambda _charger, _payload: dict(answer)


ANSWERS: Final[dict[str, Answer]] = {
    "CancelReservation": _cancel,
    "CertificateSigned": safe_answers.certificate_signed,
    "ChangeAvailability": _change_availability,
    "ChangeConfiguration": _change_configuration,
    "ClearCache": lambda charger, _: _status(charger.cards.clear()),
    "ClearChargingProfile": _clear_profile,
    "DataTransfer": _data_transfer,
    "DeleteCertificate": safe_answers.delete_certificate,
    "ExtendedTriggerMessage": _trigger,
    "GetCompositeSchedule": _composite_schedule,
    "GetConfiguration": _get_configuration,
    "GetDiagnostics": logs.get_diagnostics,
    "GetInstalledCertificateIds": safe_answers.installed_ids_16,
    "GetLocalListVersion": lambda charger, _: {"listVersion": charger.local_list_version},
    "GetLog": logs.get_log,
    "InstallCertificate": safe_answers.install_certificate,
    "RemoteStartTransaction": _remote_start,
    "RemoteStopTransaction": _remote_stop,
    "ReserveNow": _reserve,
    "Reset": _reset,
    "SendLocalList": _send_local_list,
    "SetChargingProfile": _set_profile,
    "SignedUpdateFirmware": _update_signed,
    "TriggerMessage": _trigger,
    "UnlockConnector": _unlock,
    "UpdateFirmware": _update_firmware,
}
