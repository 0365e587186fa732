"""The device model of a 2.x charger: a table of components' variables, read and written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from simulator.chargers import safe_answers
from simulator.chargers.charger import Charger
from simulator.chargers.display import FORMATS, PRIORITIES
from simulator.chargers.evse import Evse, State
from simulator.chargers.line import Payload
from simulator.chargers.spec import Point, stamp

MEASURANDS: Final = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of a component; no `put`: it can only be read."""

    component: str
    name: str
    data_type: str
    get: Callable[[Charger], str]
    put: Callable[[Charger, str], None] | None = None
    instance: str = ""
    """Of the variable."""
    evse_id: int = 0
    """0: of the charger."""
    is_monitored: bool = False

    @property
    def place(self) -> dict[str, Any]:
        """Return its component and variable as OCPP writes them."""
        component: dict[str, Any] = {"name": self.component}
        if self.evse_id:
            component["evse"] = {"id": self.evse_id}
        instance = {"instance": self.instance} if self.instance else {}
        return {"component": component, "variable": {"name": self.name} | instance}


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


def _points(value: str) -> frozenset[Point]:
    return frozenset(Point(one.strip()) for one in value.split(",") if one.strip())


def _points_text(points: frozenset[Point]) -> str:
    return ",".join(one for one in Point if one in points)


def _set_starts(charger: Charger, value: str) -> None:
    charger.behaviour.starts_at = _points(value)


def _set_stops_at(charger: Charger, value: str) -> None:
    charger.behaviour.stops_at = _points(value)


def _set_master(charger: Charger, value: str) -> None:
    charger.cards.master_group = value


def _set_cached(charger: Charger, value: str) -> None:
    charger.cards.is_cached = _flag(value)


def _set_pre_authorize(charger: Charger, value: str) -> None:
    charger.cards.asks_first = not _flag(value)


def _text(value: bool) -> str:
    return str(value).lower()


def _whole(value: float) -> str:
    return f"{value:.0f}"


def _fixed(value: str) -> Callable[[Charger], str]:
    return lambda _: value


def _kept(
    component: str, name: str, data_type: str, value: str, check: Callable[[str], object] = str
) -> Variable:
    """Return a variable that can be set and changes nothing else."""
    key = f"{component}/{name}"

    def put(charger: Charger, value: str) -> None:
        check(value)
        charger.device.settings[key] = value

    return Variable(
        component, name, data_type, lambda charger: charger.device.settings.get(key, value), put
    )


def _limit(component: str, action: str, items: int, size: int = 65_536) -> tuple[Variable, ...]:
    """Return how much of an action's request the charger takes at once."""
    return (
        Variable(component, "ItemsPerMessage", "integer", _fixed(str(items)), instance=action),
        Variable(component, "BytesPerMessage", "integer", _fixed(str(size)), instance=action),
    )


def _of_evse(evse: Evse) -> tuple[Variable, ...]:
    """Return what each EVSE has (OCPP 2.0.1 part 1, section 4.2; B08)."""

    def row(name: str, data_type: str, get: Callable[[Charger], str]) -> Variable:
        return Variable("EVSE", name, data_type, get, evse_id=evse.evse_id, is_monitored=True)

    return (
        row("AvailabilityState", "OptionList", lambda _: AVAILABILITY[evse.state]),
        row("Available", "boolean", lambda _: "true"),
        row("Power", "decimal", lambda _: f"{evse.power_w:.1f}"),
        row("Problem", "boolean", lambda _: _text(bool(evse.fault))),
    )


AVAILABILITY: Final = {
    State.FREE: "Available",
    State.PREPARING: "Occupied",
    State.CHARGING: "Occupied",
    State.SUSPENDED_BY_CAR: "Occupied",
    State.SUSPENDED_BY_CHARGER: "Occupied",
    State.FINISHING: "Occupied",
    State.RESERVED: "Reserved",
    State.UNAVAILABLE: "Unavailable",
    State.FAULTED: "Faulted",
}


def _of_whole(charger: Charger) -> str:
    """A charger is as available as its best EVSE."""
    states = [AVAILABILITY[evse.state] for evse in charger.evses.values()]
    return "Available" if "Available" in states else states[0]


VARIABLES: Final = (
    Variable("ChargingStation", "AvailabilityState", "OptionList", _of_whole, is_monitored=True),
    Variable("ChargingStation", "Available", "boolean", _fixed("true")),
    Variable(
        "ChargingStation",
        "Power",
        "decimal",
        lambda charger: f"{sum(evse.power_w for evse in charger.evses.values()):.1f}",
        is_monitored=True,
    ),
    Variable(
        "ChargingStation",
        "Problem",
        "boolean",
        lambda charger: _text(any(evse.fault for evse in charger.evses.values())),
        is_monitored=True,
    ),
    *_limit("DeviceDataCtrlr", "GetReport", 4),
    *_limit("DeviceDataCtrlr", "GetVariables", 4),
    *_limit("DeviceDataCtrlr", "SetVariables", 4),
    Variable("DisplayMessageCtrlr", "SupportedFormats", "MemberList", _fixed(",".join(FORMATS))),
    Variable(
        "DisplayMessageCtrlr", "SupportedPriorities", "MemberList", _fixed(",".join(PRIORITIES))
    ),
    Variable(
        "DisplayMessageCtrlr",
        "DisplayMessages",
        "integer",
        lambda charger: str(len(charger.device.messages)),
    ),
    Variable("MonitoringCtrlr", "Enabled", "boolean", _fixed("true")),
    Variable(
        "MonitoringCtrlr",
        "ActiveMonitoringBase",
        "OptionList",
        lambda charger: charger.device.monitoring_base,
    ),
    Variable(
        "MonitoringCtrlr",
        "ActiveMonitoringLevel",
        "integer",
        lambda charger: str(charger.device.monitoring_level),
    ),
    *_limit("MonitoringCtrlr", "ClearVariableMonitoring", 3),
    *_limit("MonitoringCtrlr", "SetVariableMonitoring", 3),
    _kept("OCPPCommCtrlr", "OfflineThreshold", "integer", "60", _seconds),
    Variable(
        "AlignedDataCtrlr",
        "Interval",
        "integer",
        lambda charger: _whole(charger.behaviour.aligned_s),
        lambda charger, value: charger.align_every(_seconds(value)),
    ),
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
    Variable(
        "AuthCtrlr",
        "LocalPreAuthorize",
        "boolean",
        lambda charger: _text(not charger.cards.asks_first),
        _set_pre_authorize,
    ),
    Variable(
        "AuthCtrlr",
        "MasterPassGroupId",
        "string",
        lambda charger: charger.cards.master_group,
        _set_master,
    ),
    Variable(
        "AuthCacheCtrlr",
        "Enabled",
        "boolean",
        lambda charger: _text(charger.cards.is_cached),
        _set_cached,
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
    Variable(
        "LocalAuthListCtrlr", "Entries", "integer", lambda charger: str(len(charger.local_list))
    ),
    Variable(
        "LocalAuthListCtrlr",
        "ItemsPerMessage",
        "integer",
        lambda charger: str(charger.behaviour.list_items),
    ),
    Variable(
        "SmartChargingCtrlr",
        "ProfileStackLevel",
        "integer",
        lambda charger: str(charger.behaviour.most_stack_level),
    ),
    Variable(
        "SmartChargingCtrlr",
        "RateUnit",
        "MemberList",
        lambda charger: charger.behaviour.rate_units,
    ),
    Variable(
        "TariffCostCtrlr",
        "Enabled",
        "boolean",
        lambda charger: _text(charger.behaviour.shows_costs),
        instance="Cost",
    ),
    Variable(
        "TariffCostCtrlr",
        "Enabled",
        "boolean",
        lambda charger: _text(charger.behaviour.shows_tariffs),
        instance="Tariff",
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
    Variable(
        "SecurityCtrlr", "SecurityProfile", "integer", lambda charger: str(charger.safe.profile)
    ),
    Variable(
        "OCPPCommCtrlr",
        "NetworkConfigurationPriority",
        "SequenceList",
        lambda charger: ",".join(map(str, charger.safe.priority)) or "0",
        safe_answers.set_priority,
    ),
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
    Variable(
        "TxCtrlr",
        "TxStartPoint",
        "MemberList",
        lambda charger: _points_text(charger.behaviour.starts_at),
        _set_starts,
    ),
    Variable(
        "TxCtrlr",
        "TxStopPoint",
        "MemberList",
        lambda charger: _points_text(charger.behaviour.stops_at),
        _set_stops_at,
    ),
)
BASES: Final[dict[str, Callable[[Variable], bool]]] = {
    "FullInventory": lambda _: True,
    "ConfigurationInventory": lambda one: one.put is not None,
    "SummaryInventory": lambda one: one.name in {"AvailabilityState", "Problem"},
}
"""Which variables a base report has (B07)."""
_ABSENT_MEANS: Final = {"Active": False, "Available": True, "Enabled": True, "Problem": False}
"""Of a component without such a variable (B08.FR.09 to B08.FR.12)."""


def all_of(charger: Charger) -> list[Variable]:
    """Return every variable of a charger."""
    of_evses = [one for evse in charger.evses.values() for one in _of_evse(evse)]
    return [*VARIABLES, *of_evses]


def find(charger: Charger, component: Payload, variable: Payload) -> Variable | None:
    """Return a variable by its place; names are no matter of case."""
    wanted = _spelled(component, variable)
    found = (one for one in all_of(charger) if _spelled(**one.place) == wanted)
    return next(found, None)


def missing(charger: Charger, component: Payload) -> str:
    """Return the status of a variable that was not found."""
    names = {one.component.casefold() for one in all_of(charger)}
    return "UnknownVariable" if component["name"].casefold() in names else "UnknownComponent"


def get(charger: Charger, component: Payload, variable: Payload) -> tuple[str, str]:
    """Return the status of a GetVariables row, and the value if there is one."""
    if _is_password(component, variable):
        return "Rejected", ""
    found = find(charger, component, variable)
    if found is None:
        return missing(charger, component), ""
    return "Accepted", found.get(charger)


def put(charger: Charger, component: Payload, variable: Payload, value: str) -> str:
    """Set a variable; return the status of a SetVariables row."""
    if _is_password(component, variable):
        safe_answers.take_key(charger, value)
        return "Accepted"
    found = find(charger, component, variable)
    if found is None:
        return missing(charger, component)
    if found.put is None:
        return "Rejected"
    try:
        found.put(charger, value.strip())
    except ValueError:
        return "Rejected"
    return "Accepted"


def inventory(charger: Charger, base: str = "FullInventory") -> list[dict[str, Any]]:
    """Return the variables of a base report as NotifyReport writes them."""
    return [_row(charger, one) for one in all_of(charger) if BASES[base](one)]


def selected(
    charger: Charger, criteria: Sequence[str], wanted: Sequence[Payload]
) -> list[dict[str, Any]]:
    """Return the rows of a GetReport: of these places, and of components that meet a criterion."""
    return [
        _row(charger, one)
        for one in all_of(charger)
        if (not wanted or any(is_asked(one.place, place) for place in wanted))
        and (not criteria or any(_meets(charger, one, criterion) for criterion in criteria))
    ]


def is_asked(place: Payload, wanted: Payload) -> bool:
    """Whether a place is one that was asked for; what is not named may be anything."""
    component, asked = place["component"], wanted["component"]
    evse = asked.get("evse")
    variable = wanted.get("variable")
    return bool(
        component["name"].casefold() == asked["name"].casefold()
        and (evse is None or component.get("evse", {}).get("id") == evse["id"])
        and (variable is None or _spelled(component, variable) == _spelled(**_of(place)))
    )


def _of(place: Payload) -> dict[str, Any]:
    return {"component": place["component"], "variable": place["variable"]}


def _meets(charger: Charger, one: Variable, criterion: str) -> bool:
    for other in all_of(charger):
        is_its = (other.component, other.evse_id) == (one.component, one.evse_id)
        if is_its and other.name == criterion:
            return other.get(charger) == "true"
    return _ABSENT_MEANS[criterion]


def _row(charger: Charger, one: Variable) -> dict[str, Any]:
    attribute = {
        "type": "Actual",
        "value": one.get(charger),
        "mutability": "ReadOnly" if one.put is None else "ReadWrite",
    }
    return one.place | {
        "variableAttribute": [attribute],
        "variableCharacteristics": {
            "dataType": one.data_type,
            "supportsMonitoring": one.is_monitored,
        },
    }


def _spelled(component: Payload, variable: Payload) -> tuple[str, str, int, int, str, str]:
    evse = component.get("evse", {})
    return (
        component["name"].casefold(),
        component.get("instance", "").casefold(),
        evse.get("id", 0),
        evse.get("connectorId", 0),
        variable["name"].casefold(),
        variable.get("instance", "").casefold(),
    )


def _is_password(component: Payload, variable: Payload) -> bool:
    return (component["name"], variable["name"]) == ("SecurityCtrlr", "BasicAuthPassword")
