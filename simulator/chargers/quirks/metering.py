"""What they write for meter readings (QUIRKS 33-36)."""

from copy import deepcopy
from typing import Any, Final

from simulator.chargers.line import Payload
from simulator.chargers.quirks.quirk import Quirk, samples_changed

_ENERGY: Final = "Energy.Active.Import.Register"
_PHASES: Final = ("L1", "L2", "L3")


def _meter_object(action: str, payload: Payload) -> Payload:
    if action == "MeterValues":
        return payload | {"meterValue": payload["meterValue"][0]}
    return payload


def _missing_sample(action: str, text: str) -> str:
    return text.replace('"meterValue":[{', '"meterValue":[,{') if action == "MeterValues" else text


def _fractional_meter(action: str, payload: Payload) -> Payload:
    name = {"StartTransaction": "meterStart", "StopTransaction": "meterStop"}.get(action)
    return payload if name is None else payload | {name: payload[name] + 0.4}


def _empty_values(values: list[Payload]) -> list[Payload]:
    return [one if one["measurand"] == _ENERGY else one | {"value": ""} for one in values]


def _spaced_values(values: list[Payload]) -> list[Payload]:
    return [one | {"value": f"  {one['value']} "} for one in values]


def _kilowatt_hours(values: list[Payload]) -> list[Payload]:
    return [
        one | {"value": f"{int(one['value']) / 1000:.3f}", "unit": "kWh"}
        if one.get("unit") == "Wh"
        else one
        for one in values
    ]


def _bare_values(values: list[Payload]) -> list[Payload]:
    return [{"value": values[0]["value"]}]


def _power_alone(values: list[Payload]) -> list[Payload]:
    return [one for one in values if one["measurand"] == "Power.Active.Import"]


def _phases_only(values: list[Payload]) -> list[Payload]:
    """Tell current and power as three phases and a neutral, and no sums."""
    told = []
    for one in values:
        if one["measurand"] not in {"Current.Import", "Power.Active.Import"}:
            told.append(one)
            continue
        third = f"{float(one['value']) / 3:.3f}"
        told += [one | {"phase": f"{phase}-N", "value": third} for phase in _PHASES]
        told.append(one | {"phase": "N", "value": third})
    return told


def _hertz(values: list[Payload]) -> list[Payload]:
    return [*values, {"value": "50.01", "measurand": "Frequency", "unit": "Hz"}]


def _phases_apart(values: list[Payload]) -> list[Payload]:
    """Add phases that do not add up to the total."""
    power = next(one for one in values if one["measurand"] == "Power.Active.Import")
    third = f"{float(power['value']) / 2:.1f}"
    return [*values, *(power | {"phase": phase, "value": third} for phase in _PHASES)]


def _signed_blocks(values: list[Payload]) -> list[Payload]:
    block = {"context": "Sample.Periodic", "measurand": _ENERGY, "unit": "Wh"}
    text = 'OCMF|{"FV":"1.0","RD":[]}|{"SD":"3045"}'
    return [*values, block | {"format": "SignedData", "value": text}, block | {"value": text}]


def _odometer_start(action: str, payload: Payload) -> Payload:
    return payload | {"meterStart": 0} if action == "StartTransaction" else payload


def _zero_at_begin(action: str, payload: Payload) -> Payload:
    if action != "TransactionEvent" or payload["eventType"] != "Started":
        return payload
    changed = deepcopy(payload)
    for value in changed["meterValue"][0]["sampledValue"]:
        if value["measurand"] == _ENERGY:
            value["value"] = 0
    return changed


def _stop_rounded_down(action: str, payload: Payload) -> Payload:
    return (
        payload | {"meterStop": payload["meterStop"] - 1}
        if action == "StopTransaction"
        else payload
    )


def _forget_register(charger: Any, action: str, answer: Payload) -> None:
    del answer
    if action == "BootNotification":
        for evse in charger.evses.values():
            evse.meter_wh = 0.0


QUIRKS: Final[tuple[Quirk, ...]] = (
    Quirk("meter_object", "sends meterValue as an object (33)", _meter_object),
    Quirk("missing_sample", "writes `[,{` in meterValue (33)", rewrite=_missing_sample),
    Quirk("empty_values", "sends values without a text (33)", samples_changed(_empty_values)),
    Quirk(
        "spaced_values",
        "sends values with spaces around them (33)",
        samples_changed(_spaced_values),
    ),
    Quirk("fractional_meter", "sends fractions of a Wh in registers (33)", _fractional_meter),
    Quirk(
        "bare_values", "sends values without unit and measurand (34)", samples_changed(_bare_values)
    ),
    Quirk("kilowatt_hours", "sends kWh (34)", samples_changed(_kilowatt_hours)),
    Quirk("phases_only", "sends phases, a neutral and no sums (34)", samples_changed(_phases_only)),
    Quirk("hertz", "sends a unit its schema does not have (34)", samples_changed(_hertz)),
    Quirk("phases_apart", "sends phases that do not add up (34)", samples_changed(_phases_apart)),
    Quirk(
        "odometer_start", "sends 0 as the start, the lifetime register after (35)", _odometer_start
    ),
    Quirk(
        "zero_at_begin", "sends 0 for the register at a transaction's begin (35)", _zero_at_begin
    ),
    Quirk("stop_rounded_down", "stops 1 Wh below what it has (35)", _stop_rounded_down),
    Quirk("forgets_register", "counts from 0 after each boot (35)", heard=_forget_register),
    Quirk("power_alone", "sends samples without energy (36)", samples_changed(_power_alone)),
    Quirk(
        "signed_blocks",
        "sends signed blocks among the numbers (36)",
        samples_changed(_signed_blocks),
    ),
)
