"""Monitors of a 2.x charger's variables (block N): set, reported, cleared, and what they tell."""

from functools import partial
from typing import Any, Final

from simulator.chargers import variables
from simulator.chargers.evse import Evse
from simulator.chargers.line import Payload
from simulator.chargers.reports import in_parts
from simulator.chargers.spec import stamp

_LEAST_SEVERE: Final = 9
_CRITERION: Final = {
    "UpperThreshold": "ThresholdMonitoring",
    "LowerThreshold": "ThresholdMonitoring",
    "Delta": "DeltaMonitoring",
    "Periodic": "PeriodicMonitoring",
    "PeriodicClockAligned": "PeriodicMonitoring",
}
_KEPT: Final = ("type", "severity", "component", "variable")


def set_monitors(charger: Any, payload: Payload) -> Payload:
    """Answer SetVariableMonitoring (N04)."""
    return {"setMonitoringResult": [_set(charger, one) for one in payload["setMonitoringData"]]}


def clear_monitors(charger: Any, payload: Payload) -> Payload:
    """Answer ClearVariableMonitoring (N06)."""
    results = [
        {"id": one, "status": "Accepted" if _clear(charger, one) else "NotFound"}
        for one in payload["id"]
    ]
    return {"clearMonitoringResult": results}


def set_base(charger: Any, payload: Payload) -> Payload:
    """Answer SetMonitoringBase (N03): this charger's maker has set no monitors."""
    charger.device.monitoring_base = payload["monitoringBase"]
    if payload["monitoringBase"] != "All":
        for number in list(charger.device.monitors):
            _clear(charger, number)
    return {"status": "Accepted"}


def set_level(charger: Any, payload: Payload) -> Payload:
    """Answer SetMonitoringLevel (N05)."""
    if not 0 <= payload["severity"] <= _LEAST_SEVERE:
        return {"status": "Rejected"}
    charger.device.monitoring_level = payload["severity"]
    return {"status": "Accepted"}


def report(charger: Any, payload: Payload) -> Payload:
    """Answer GetMonitoringReport (N02); what was asked for is the rest of the monitors."""
    wanted = payload.get("componentVariable", [])
    criteria = payload.get("monitoringCriteria", [])
    found = [
        one
        for one in charger.device.monitors.values()
        if (not criteria or _CRITERION[one["type"]] in criteria)
        and (not wanted or any(variables.is_asked(one, place) for place in wanted))
    ]
    if not found:
        return {"status": "EmptyResultSet"}
    rows = [_row(charger, one) for one in found]
    in_parts(charger, "NotifyMonitoringReport", "monitor", payload["requestId"], rows)
    return {"status": "Accepted"}


def notice(charger: Any, evse: Evse, value: str) -> None:
    """Tell that an EVSE's AvailabilityState is another one, where that is monitored (N07)."""
    for one in list(charger.device.monitors.values()):
        place = one["component"]
        is_its = place["name"] == "EVSE" and place.get("evse", {}).get("id") == evse.evse_id
        is_state = one["variable"]["name"] == "AvailabilityState"
        if is_its and is_state and one["type"] == "Delta":
            _tell(charger, one, value, "Delta")


def tell_state(charger: Any, evse_id: int, connector_id: int, status: str) -> None:
    """Tell a connector's state as the AvailabilityState it is (N07, G01.FR.08)."""
    charger.device.next_event_id += 1
    event = {
        "eventId": charger.device.next_event_id,
        "timestamp": stamp(charger.now()),
        "trigger": "Delta",
        "actualValue": status,
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "Connector", "evse": {"id": evse_id, "connectorId": connector_id}},
        "variable": {"name": "AvailabilityState"},
    }
    payload = {"generatedAt": stamp(charger.now()), "seqNo": 0, "tbc": False, "eventData": [event]}
    charger.send("NotifyEvent", payload)


def _set(charger: Any, asked: Payload) -> Payload:
    kept = {name: asked[name] for name in _KEPT}
    found = variables.find(charger, asked["component"], asked["variable"])
    if found is None:
        return kept | {"status": variables.missing(charger, asked["component"])}
    if not found.is_monitored:
        return kept | {"status": "UnsupportedMonitorType"}
    held: dict[int, Payload] = charger.device.monitors
    number = asked.get("id")
    if number is not None and number not in held:
        return kept | {"status": "Rejected"}
    if number is None and any(_is_same(one, asked) for one in held.values()):
        return kept | {"status": "Duplicate"}
    number = number or max(held, default=0) + 1
    _clear(charger, number)
    held[number] = {"transaction": False} | asked | {"id": number}
    if asked["type"] == "Periodic" and asked["value"] > 0:
        tick = partial(_tick, charger, number)
        charger.device.timers[number] = charger.world.every(asked["value"], tick)
    return kept | {"status": "Accepted", "id": number}


def _is_same(one: Payload, asked: Payload) -> bool:
    return all(one[name] == asked[name] for name in _KEPT)


def _clear(charger: Any, number: int) -> bool:
    timer = charger.device.timers.pop(number, None)
    if timer is not None:
        timer.cancel()
    return charger.device.monitors.pop(number, None) is not None


def _tick(charger: Any, number: int) -> None:
    one = charger.device.monitors[number]
    found = variables.find(charger, one["component"], one["variable"])
    if found is not None:
        _tell(charger, one, found.get(charger), "Periodic")


def _tell(charger: Any, monitor: Payload, value: str, trigger: str) -> None:
    if monitor["severity"] > charger.device.monitoring_level:
        return
    charger.device.next_event_id += 1
    event = {
        "eventId": charger.device.next_event_id,
        "timestamp": stamp(charger.now()),
        "trigger": trigger,
        "actualValue": value,
        "eventNotificationType": "CustomMonitor",
        "variableMonitoringId": monitor["id"],
        "component": monitor["component"],
        "variable": monitor["variable"],
    }
    payload = {"generatedAt": stamp(charger.now()), "seqNo": 0, "tbc": False, "eventData": [event]}
    charger.send("NotifyEvent", payload)


def _row(charger: Any, monitor: Payload) -> Payload:
    one = {name: monitor[name] for name in ("id", "transaction", "value", "type", "severity")}
    if charger.schema == "v21":
        one["eventNotificationType"] = "CustomMonitor"
    return {
        "component": monitor["component"],
        "variable": monitor["variable"],
        "variableMonitoring": [one],
    }
