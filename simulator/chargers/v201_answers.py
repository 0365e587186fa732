"""A charger that speaks OCPP 2.0.1: how it answers, one row an action."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from simulator.chargers import customers, display, logs, monitors, safe_answers, variables
from simulator.chargers.charger import Charger
from simulator.chargers.evse import Reservation, State
from simulator.chargers.firmware import order_from
from simulator.chargers.line import Payload, Refusal
from simulator.chargers.reports import in_parts
from simulator.chargers.v201_profiles import (
    clear_profile,
    composite_schedule,
    get_profiles,
    put_profile,
    set_profile,
)
from simulator.vehicles import Standard

Answer = Callable[[Any, Payload], Payload | Refusal]


def _as_read(charger: Charger, id_token: Payload) -> str:
    """Return a token as the reader says it; one of another type is none it ever reads."""
    token, kind = str(id_token["idToken"]), id_token["type"]
    is_its = charger.token_types.get(token.casefold(), kind) == kind
    return token if is_its else f"{kind} {token}"


def _request_start(charger: Charger, payload: Payload) -> Payload:
    evse_id = payload.get("evseId") or next(
        (one.evse_id for one in charger.evses.values() if one.session is None and not one.fault), 0
    )
    if "chargingProfile" in payload:
        put_profile(charger, evse_id, payload["chargingProfile"])
    token = _as_read(charger, payload["idToken"])
    return _status(charger.start_from_afar(evse_id, token, payload["remoteStartId"]))


def _request_stop(charger: Charger, payload: Payload) -> Payload:
    return _status(charger.stop_from_afar(payload["transactionId"]))


def _reset(charger: Charger, payload: Payload) -> Payload:
    if payload.get("evseId"):
        return _reset_evse(charger, payload["evseId"], payload["type"])
    if payload["type"] == "Immediate":
        charger.reset(is_hard=True)
        return {"status": "Accepted"}
    return {"status": "Accepted" if charger.reset_when_idle() else "Scheduled"}


def _reset_evse(charger: Charger, evse_id: int, how: str) -> Payload:
    """Reset one EVSE (B11.FR.08, B12.FR.07): its session ends, at once or in its own time."""
    evse = charger.evses.get(evse_id)
    if evse is None:
        return {"status": "Rejected"}
    if evse.session is None:
        return {"status": "Accepted"}
    if how == "OnIdle":
        return {"status": "Scheduled"}
    charger.end_by_reset(evse_id)
    return {"status": "Accepted"}


def _unlock(charger: Charger, payload: Payload) -> Payload:
    evse = charger.evses.get(payload["evseId"])
    known = evse and any(one.connector_id == payload["connectorId"] for one in evse.spec.outlets)
    if evse is None or not known:
        return {"status": "UnknownConnector"}
    if evse.session is not None:
        return {"status": "OngoingAuthorizedTransaction"}
    is_stuck = evse.fault == "ConnectorLockFailure"
    return {"status": "UnlockFailed" if is_stuck else "Unlocked"}


def _change_availability(charger: Charger, payload: Payload) -> Payload:
    evse_id = payload.get("evse", {}).get("id", 0)
    if evse_id != 0 and evse_id not in charger.evses:
        return {"status": "Rejected"}
    if "connectorId" in payload.get("evse", {}) and not _is_alone(charger, payload["evse"]):
        return {"status": "Rejected"}
    is_available = payload["operationalStatus"] == "Operative"
    is_done = charger.set_available(evse_id, is_available=is_available)
    return {"status": "Accepted" if is_done else "Scheduled"}


def _is_alone(charger: Charger, place: Payload) -> bool:
    """Whether it is its EVSE's only connector: one of several cannot be closed."""
    evse = charger.evses.get(place["id"])
    outlets = () if evse is None else evse.spec.outlets
    return [one.connector_id for one in outlets] == [place["connectorId"]]


PLUG: Final = {
    "cType2": Standard.TYPE_2,
    "sType2": Standard.TYPE_2,
    "cCCS2": Standard.CCS,
    "cG105": Standard.CHADEMO,
}


def _wanted_evse(charger: Charger, payload: Payload) -> int:
    if payload.get("evseId"):
        return int(payload["evseId"])
    plug = payload.get("connectorType")
    if plug is None:
        return charger.free_evse()
    return charger.free_evse(PLUG[plug]) if plug in PLUG else 0


def _reserve(charger: Charger, payload: Payload) -> Payload:
    evse = charger.evses.get(_wanted_evse(charger, payload))
    if evse is None:
        return {"status": "Rejected" if payload.get("evseId") else "Occupied"}
    until_at = _instant(payload["expiryDateTime"])
    reservation = Reservation(payload["id"], _as_read(charger, payload["idToken"]), until_at)
    if charger.reserve(evse.evse_id, reservation):
        return {"status": "Accepted"}
    states = {State.FAULTED: "Faulted", State.UNAVAILABLE: "Unavailable"}
    return {"status": states.get(evse.state, "Occupied")}


def _cancel(charger: Charger, payload: Payload) -> Payload:
    return _status(charger.cancel_reservation(payload["reservationId"]))


def _trigger(charger: Any, payload: Payload) -> Payload:
    evse_id = payload.get("evse", {}).get("id")
    if evse_id is not None and evse_id not in charger.evses:
        return {"status": "Rejected"}
    message = payload["requestedMessage"]
    wanted = [charger.evses[evse_id]] if evse_id else list(charger.evses.values())
    if message == "MeterValues":
        return _tell(charger, [partial(charger.tell_meter_now, one) for one in wanted])
    if message == "TransactionEvent":
        live = [one for one in wanted if one.session is not None]
        return _tell(charger, [partial(charger.tell_session_now, one, one.session) for one in live])
    if message == "StatusNotification" and evse_id:
        return _tell(charger, [partial(charger.tell_state_now, one) for one in wanted])
    effect = _TRIGGERS.get(message)
    if effect is None:
        return {"status": "NotImplemented"}
    charger.world.after(0, partial(effect, charger))
    return {"status": "Accepted"}


def _tell(charger: Charger, all_of: Sequence[Callable[[], None]]) -> Payload:
    for one in all_of:
        charger.world.after(0, one)
    return _status(bool(all_of))


_TRIGGERS: Final[dict[str, Callable[[Any], None]]] = {
    "BootNotification": lambda charger: charger.boot_again(),
    "Heartbeat": lambda charger: charger.beat(),
    "StatusNotification": lambda charger: charger.tell_all_states(),
    "FirmwareStatusNotification": lambda charger: charger.firmware.tell(),
    "LogStatusNotification": lambda charger: charger.send(
        "LogStatusNotification", {"status": "Idle"}
    ),
    **{
        message: partial(safe_answers.ask_for_certificate, message=message)
        for message in ("SignChargingStationCertificate", "SignV2GCertificate")
    },
    "SignCombinedCertificate": partial(
        safe_answers.ask_for_certificate, message="SignCombinedCertificate"
    ),
}


def _get_variables(charger: Charger, payload: Payload) -> Payload:
    return {"getVariableResult": [_get(charger, one) for one in payload["getVariableData"]]}


def _get(charger: Charger, asked: Payload) -> Payload:
    place = {"component": asked["component"], "variable": asked["variable"]}
    if asked.get("attributeType", "Actual") != "Actual":
        return place | {"attributeStatus": "NotSupportedAttributeType"}
    status, value = variables.get(charger, asked["component"], asked["variable"])
    return place | {"attributeStatus": status} | ({"attributeValue": value} if value else {})


def _set_variables(charger: Charger, payload: Payload) -> Payload:
    return {"setVariableResult": [_set(charger, one) for one in payload["setVariableData"]]}


def _set(charger: Charger, asked: Payload) -> Payload:
    place = {"component": asked["component"], "variable": asked["variable"]}
    if asked.get("attributeType", "Actual") != "Actual":
        return place | {"attributeStatus": "NotSupportedAttributeType"}
    value = asked["attributeValue"]
    status = variables.put(charger, asked["component"], asked["variable"], value)
    return place | {"attributeStatus": status}


def _base_report(charger: Any, payload: Payload) -> Payload:
    rows = variables.inventory(charger, payload["reportBase"])
    in_parts(charger, "NotifyReport", "reportData", payload["requestId"], rows)
    return {"status": "Accepted"}


def _report_some(charger: Any, payload: Payload) -> Payload:
    criteria = payload.get("componentCriteria", [])
    rows = variables.selected(charger, criteria, payload.get("componentVariable", []))
    if not rows:
        return {"status": "EmptyResultSet"}
    in_parts(charger, "NotifyReport", "reportData", payload["requestId"], rows)
    return {"status": "Accepted"}


def _transaction_status(charger: Charger, payload: Payload) -> Payload:
    transaction_id = payload.get("transactionId")
    answer: Payload = {"messagesInQueue": charger.line.backlog > 0}
    if transaction_id is None:
        return answer
    sessions = [one.session for one in charger.evses.values() if one.session is not None]
    is_on = any(session.transaction_id == transaction_id for session in sessions)
    return answer | {"ongoingIndicator": is_on}


def _cost_updated(charger: Charger, payload: Payload) -> Payload:
    charger.costs[payload["transactionId"]] = payload["totalCost"]
    return {}


def _send_local_list(charger: Charger, payload: Payload) -> Payload | Refusal:
    if len(payload.get("localAuthorizationList", ())) > charger.behaviour.list_items:
        return Refusal("OccurrenceConstraintViolation", "more than ItemsPerMessage")
    if payload["updateType"] == "Full":
        charger.local_list.clear()
    elif payload["versionNumber"] <= charger.local_list_version:
        return {"status": "VersionMismatch"}
    for entry in payload.get("localAuthorizationList", []):
        token = _as_read(charger, entry["idToken"]).casefold()
        if "idTokenInfo" in entry:
            charger.local_list[token] = entry["idTokenInfo"]["status"] == "Accepted"
        else:
            charger.local_list.pop(token, None)
    charger.local_list_version = payload["versionNumber"]
    return {"status": "Accepted"}


def _data_transfer(charger: Charger, payload: Payload) -> Payload:
    if payload["vendorId"] != charger.spec.vendor:
        return {"status": "UnknownVendorId"}
    return {"status": "Accepted"}


def _update_firmware(charger: Charger, payload: Payload) -> Payload:
    return {"status": charger.firmware.take(order_from(payload))}


def _status(is_accepted: bool) -> Payload:
    return {"status": "Accepted" if is_accepted else "Rejected"}


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def always(**answer: Any) -> Answer:
    """Return an answer that is the same whatever was asked."""
    return lambda _charger, _payload: dict(answer)


ANSWERS: Final[dict[str, Answer]] = {
    "CancelReservation": _cancel,
    "CertificateSigned": safe_answers.certificate_signed,
    "ChangeAvailability": _change_availability,
    "ClearCache": lambda charger, _: _status(charger.cards.clear()),
    "ClearChargingProfile": clear_profile,
    "ClearDisplayMessage": display.clear_message,
    "ClearVariableMonitoring": monitors.clear_monitors,
    "CostUpdated": _cost_updated,
    "CustomerInformation": customers.customer_information,
    "DataTransfer": _data_transfer,
    "DeleteCertificate": safe_answers.delete_certificate,
    "GetBaseReport": _base_report,
    "GetChargingProfiles": get_profiles,
    "GetCompositeSchedule": composite_schedule,
    "GetDisplayMessages": display.report,
    "GetInstalledCertificateIds": safe_answers.installed_ids,
    "GetLocalListVersion": lambda charger, _: {"versionNumber": charger.local_list_version},
    "GetLog": logs.get_log,
    "GetMonitoringReport": monitors.report,
    "GetReport": _report_some,
    "GetTransactionStatus": _transaction_status,
    "GetVariables": _get_variables,
    "InstallCertificate": safe_answers.install_certificate,
    "PublishFirmware": lambda charger, payload: charger.publisher.publish(payload),
    "RequestStartTransaction": _request_start,
    "RequestStopTransaction": _request_stop,
    "ReserveNow": _reserve,
    "Reset": _reset,
    "SendLocalList": _send_local_list,
    "SetChargingProfile": set_profile,
    "SetDisplayMessage": display.set_message,
    "SetMonitoringBase": monitors.set_base,
    "SetMonitoringLevel": monitors.set_level,
    "SetNetworkProfile": safe_answers.set_network_profile,
    "SetVariableMonitoring": monitors.set_monitors,
    "SetVariables": _set_variables,
    "TriggerMessage": _trigger,
    "UnlockConnector": _unlock,
    "UnpublishFirmware": lambda charger, payload: charger.publisher.unpublish(payload),
    "UpdateFirmware": _update_firmware,
}
