"""Requests with more items than a charger takes at once (OCPP 2.0.1 ItemsPerMessage: B05, B06, N04, N06)."""

from collections.abc import Mapping
from typing import Any, Final

from station_agent.ocpp.versions import Outbound, Split
from station_agent.ocpp.words.v201 import Action, UpdateEnumType


def _split(items: str, component: str, action: str) -> Split:
    variable = {"name": "ItemsPerMessage", "instance": str(action)}
    asked = [{"component": {"name": component}, "variable": variable}]
    return Split(items, Outbound(Action.get_variables, {"getVariableData": asked}), _read_limit)


def _read_limit(answer: Mapping[str, Any]) -> int | None:
    for result in answer.get("getVariableResult", ()):
        try:
            return max(1, int(result["attributeValue"]))
        except (KeyError, TypeError, ValueError):
            return None
    return None


def _list_part(payload: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Parts after the first add to it, each under a version of its own (D01.FR.09)."""
    return {
        "versionNumber": payload["versionNumber"] + number,
        "updateType": payload["updateType"] if number == 0 else UpdateEnumType.differential,
    }


def _is_refused(answer: Mapping[str, Any]) -> bool:
    return answer.get("status") != "Accepted"


_LIST_LIMIT: Final = {
    "component": {"name": "LocalAuthListCtrlr"},
    "variable": {"name": "ItemsPerMessage"},
}

SPLITS: Final[Mapping[str, Split]] = {
    Action.send_local_list: Split(
        "localAuthorizationList",
        Outbound(Action.get_variables, {"getVariableData": [_LIST_LIMIT]}),
        _read_limit,
        _list_part,
        _is_refused,
    ),
    Action.clear_variable_monitoring: _split(
        "id", "MonitoringCtrlr", Action.clear_variable_monitoring
    ),
    Action.get_variables: _split("getVariableData", "DeviceDataCtrlr", Action.get_variables),
    Action.set_variable_monitoring: _split(
        "setMonitoringData", "MonitoringCtrlr", Action.set_variable_monitoring
    ),
    Action.set_variables: _split("setVariableData", "DeviceDataCtrlr", Action.set_variables),
}
