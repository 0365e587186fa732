"""What real chargers do wrong, as switches: one row a quirk, each seen in the field.

A quirk changes payloads on their way out, or how the charger conducts its line; the truth in the
journal stays as it is.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Final

from simulator.chargers.line import Manners, Payload

Alter = Callable[[str, Payload], Payload]

_INSTANTS: Final = {"timestamp"}


@dataclass(frozen=True, slots=True)
class Quirk:
    """One way to be wrong."""

    name: str
    about: str
    alter: Alter | None = None
    manners: Mapping[str, Any] = field(default_factory=dict)
    """What differs in Manners."""
    offers_subprotocol: bool = True


def _corrupt_token(action: str, payload: Payload) -> Payload:
    if action == "StopTransaction" and "idTag" in payload:
        return payload | {"idTag": payload["idTag"] + "\x10\x0e"}
    return payload


def _long_token(action: str, payload: Payload) -> Payload:
    if action in {"StopTransaction", "StartTransaction"} and "idTag" in payload:
        return payload | {"idTag": payload["idTag"].ljust(24, "F")}
    return payload


def _zero_reservation(action: str, payload: Payload) -> Payload:
    if action == "StartTransaction":
        return {"reservationId": 0} | payload
    return payload


def _meter_object(action: str, payload: Payload) -> Payload:
    if action == "MeterValues":
        return payload | {"meterValue": payload["meterValue"][0]}
    return payload


def _fractional_meter(action: str, payload: Payload) -> Payload:
    names = {"StartTransaction": "meterStart", "StopTransaction": "meterStop"}
    name = names.get(action)
    return payload if name is None else payload | {name: payload[name] + 0.4}


def _kilowatt_hours(action: str, payload: Payload) -> Payload:
    if action != "MeterValues":
        return payload
    changed = deepcopy(payload)
    for sample in changed["meterValue"]:
        for value in sample["sampledValue"]:
            if value.get("unit") == "Wh":
                value.update(value=f"{int(value['value']) / 1000:.3f}", unit="kWh")
    return changed


def _bare_values(action: str, payload: Payload) -> Payload:
    if action != "MeterValues":
        return payload
    changed = deepcopy(payload)
    for sample in changed["meterValue"]:
        sample["sampledValue"] = [{"value": sample["sampledValue"][0]["value"]}]
    return changed


def _power_alone(action: str, payload: Payload) -> Payload:
    if action != "MeterValues":
        return payload
    changed = deepcopy(payload)
    for sample in changed["meterValue"]:
        sample["sampledValue"] = [
            value for value in sample["sampledValue"] if value["measurand"] == "Power.Active.Import"
        ]
    return changed


def _without_zone(action: str, payload: Payload) -> Payload:
    del action
    changed: Payload = _mapped_instants(payload, lambda text: text.removesuffix("Z"))
    return changed


def _since_1970(action: str, payload: Payload) -> Payload:
    del action
    changed: Payload = _mapped_instants(payload, lambda text: f"1970-01-01T{text[11:]}")
    return changed


def _mapped_instants(data: Any, change: Callable[[str], str]) -> Any:
    if isinstance(data, dict):
        return {
            key: change(value) if key in _INSTANTS else _mapped_instants(value, change)
            for key, value in data.items()
        }
    if isinstance(data, list):
        return [_mapped_instants(one, change) for one in data]
    return data


def _unknown_error_code(action: str, payload: Payload) -> Payload:
    if action == "StatusNotification" and payload.get("errorCode", "NoError") != "NoError":
        return payload | {"errorCode": "Error"}
    return payload


def _odometer_start(action: str, payload: Payload) -> Payload:
    return payload | {"meterStart": 0} if action == "StartTransaction" else payload


QUIRKS: Final[tuple[Quirk, ...]] = (
    Quirk("no_subprotocol", "offers no subprotocol (1)", offers_subprotocol=False),
    Quirk(
        "same_message_id",
        "repeats a call under its old id (9)",
        manners={"renews_message_ids": False},
    ),
    Quirk("late_answers", "answers calls after 35 s (10)", manners={"answers_after_s": 35}),
    Quirk(
        "impatient_boot", "does not wait for boot's answer (13)", manners={"waits_for_boot": False}
    ),
    Quirk("corrupt_token", "appends bytes to the token at the stop (18)", _corrupt_token),
    Quirk("long_token", "shows tokens longer than 20 characters (18)", _long_token),
    Quirk("zero_reservation", "says reservation 0 for none (28)", _zero_reservation),
    Quirk("meter_object", "sends meterValue as an object (33)", _meter_object),
    Quirk("fractional_meter", "sends fractions of a Wh in registers (33)", _fractional_meter),
    Quirk("bare_values", "sends values without unit and measurand (34)", _bare_values),
    Quirk("kilowatt_hours", "sends kWh (34)", _kilowatt_hours),
    Quirk(
        "odometer_start", "sends 0 as the start, the lifetime register after (35)", _odometer_start
    ),
    Quirk("power_alone", "sends samples without energy (36)", _power_alone),
    Quirk("no_zone", "writes instants without a zone (37)", _without_zone),
    Quirk("year_1970", "lost its clock (37)", _since_1970),
    Quirk("unknown_error", "uses an error code of its own (38)", _unknown_error_code),
)


def quirk(name: str) -> Quirk:
    """Return the quirk called so.

    Raises:
        KeyError: there is none; says which there are.
    """
    found = {one.name: one for one in QUIRKS}
    if name not in found:
        raise KeyError(f"no quirk {name!r}; there are: {', '.join(found)}")
    return found[name]


def manners_with(quirks: Sequence[Quirk], manners: Manners) -> Manners:
    """Return manners with all these quirks."""
    changed = manners
    for one in quirks:
        changed = replace(changed, **one.manners)
    alters = [one.alter for one in quirks if one.alter is not None]
    return replace(changed, alters=_one_after_another(alters)) if alters else changed


def _one_after_another(alters: Sequence[Alter]) -> Alter:
    def alter(action: str, payload: Payload) -> Payload:
        for one in alters:
            payload = one(action, payload)
        return payload

    return alter
