"""The device model of a 2.x charger: a table of components' variables, read and written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from simulator.chargers.charger import Charger
from simulator.chargers.spec import stamp

MEASURANDS: Final = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of a component; no `put`: it can only be read."""

    component: str
    name: str
    data_type: str
    get: Callable[[Charger], str]
    put: Callable[[Charger, str], None] | None = None


def _seconds(value: str) -> float:
    seconds = int(value)
    if seconds < 0:
        raise ValueError(value)
    return float(seconds)


def _flag(value: str) -> bool:
    if value.lower() not in {"true", "false"}:
        raise ValueError(value)
    return value.lower() == "true"


def _set_trust(charger: Charger, value: str) -> None:
    charger.behaviour.trusts_offline = _flag(value)


def _set_asks(charger: Charger, value: str) -> None:
    charger.behaviour.asks_for_remote_start = _flag(value)


def _set_stops(charger: Charger, value: str) -> None:
    charger.behaviour.stops_refused = _flag(value)


def _set_timeout(charger: Charger, value: str) -> None:
    charger.behaviour.connection_timeout_s = _seconds(value)


def _text(value: bool) -> str:
    return str(value).lower()


def _whole(value: float) -> str:
    return f"{value:.0f}"


def _fixed(value: str) -> Callable[[Charger], str]:
    return lambda _: value


VARIABLES: Final = (
    Variable("AlignedDataCtrlr", "Interval", "integer", _fixed("0")),
    Variable(
        "AuthCtrlr",
        "AuthorizeRemoteStart",
        "boolean",
        lambda charger: _text(charger.behaviour.asks_for_remote_start),
        _set_asks,
    ),
    Variable(
        "AuthCtrlr",
        "LocalAuthorizeOffline",
        "boolean",
        lambda charger: _text(charger.behaviour.trusts_offline),
        _set_trust,
    ),
    Variable(
        "AuthCtrlr",
        "OfflineTxForUnknownIdEnabled",
        "boolean",
        lambda charger: _text(charger.behaviour.trusts_offline),
        _set_trust,
    ),
    Variable("ChargingStation", "Model", "string", lambda charger: charger.spec.model),
    Variable("ChargingStation", "VendorName", "string", lambda charger: charger.spec.vendor),
    Variable(
        "ChargingStation",
        "FirmwareVersion",
        "string",
        lambda charger: charger.firmware.version,
    ),
    Variable("ClockCtrlr", "DateTime", "dateTime", lambda charger: stamp(charger.now())),
    Variable("DeviceDataCtrlr", "ItemsPerMessage", "integer", _fixed("100")),
    Variable(
        "LocalAuthListCtrlr", "Entries", "integer", lambda charger: str(len(charger.local_list))
    ),
    Variable(
        "OCPPCommCtrlr",
        "HeartbeatInterval",
        "integer",
        lambda charger: _whole(charger.behaviour.heartbeat_s),
        lambda charger, value: charger.beat_every(_seconds(value)),
    ),
    Variable(
        "OCPPCommCtrlr",
        "MessageTimeout",
        "integer",
        lambda charger: _whole(charger.line.manners.answer_timeout_s),
    ),
    Variable("OCPPCommCtrlr", "WebSocketPingInterval", "integer", _fixed("20")),
    Variable(
        "SampledDataCtrlr",
        "TxUpdatedInterval",
        "integer",
        lambda charger: _whole(charger.behaviour.sample_s),
        lambda charger, value: charger.sample_every(_seconds(value)),
    ),
    Variable("SampledDataCtrlr", "TxUpdatedMeasurands", "MemberList", _fixed(MEASURANDS)),
    Variable("SecurityCtrlr", "Identity", "string", lambda charger: charger.charger_id),
    Variable("SecurityCtrlr", "SecurityProfile", "integer", _fixed("1")),
    Variable(
        "TxCtrlr",
        "EVConnectionTimeOut",
        "integer",
        lambda charger: _whole(charger.behaviour.connection_timeout_s),
        _set_timeout,
    ),
    Variable(
        "TxCtrlr",
        "StopTxOnInvalidId",
        "boolean",
        lambda charger: _text(charger.behaviour.stops_refused),
        _set_stops,
    ),
    Variable("TxCtrlr", "TxStartPoint", "MemberList", _fixed("PowerPathClosed")),
    Variable("TxCtrlr", "TxStopPoint", "MemberList", _fixed("Authorized,EVConnected")),
)
_BY_PLACE: Final = {(one.component.casefold(), one.name.casefold()): one for one in VARIABLES}
_COMPONENTS: Final = {one.component.casefold() for one in VARIABLES}


def get(charger: Charger, component: str, variable: str) -> tuple[str, str]:
    """Return the status of a GetVariables row, and the value if there is one."""
    found = _BY_PLACE.get((component.casefold(), variable.casefold()))
    if found is None:
        return _unknown(component), ""
    return "Accepted", found.get(charger)


def put(charger: Charger, component: str, variable: str, value: str) -> str:
    """Set a variable; return the status of a SetVariables row."""
    if (component, variable) == ("SecurityCtrlr", "BasicAuthPassword"):
        return "RebootRequired"
    found = _BY_PLACE.get((component.casefold(), variable.casefold()))
    if found is None:
        return _unknown(component)
    if found.put is None:
        return "Rejected"
    try:
        found.put(charger, value.strip())
    except ValueError:
        return "Rejected"
    return "Accepted"


def inventory(charger: Charger) -> list[dict[str, Any]]:
    """Return every variable as NotifyReport writes it."""
    return [
        {
            "component": {"name": one.component},
            "variable": {"name": one.name},
            "variableAttribute": [
                {
                    "type": "Actual",
                    "value": one.get(charger),
                    "mutability": "ReadOnly" if one.put is None else "ReadWrite",
                }
            ],
            "variableCharacteristics": {"dataType": one.data_type, "supportsMonitoring": False},
        }
        for one in VARIABLES
    ]


def _unknown(component: str) -> str:
    return "UnknownVariable" if component.casefold() in _COMPONENTS else "UnknownComponent"
