"""How their transactions begin, end, and are told twice or not at all (QUIRKS 22-32)."""

import re
from typing import Any, Final

from simulator.chargers.evse import State
from simulator.chargers.line import Payload
from simulator.chargers.manners import Said
from simulator.chargers.quirks.quirk import Alter, Quirk, Retell, field_set

_STARTS: Final = {"RemoteStartTransaction", "RequestStartTransaction"}
_STATUS: Final = "StatusNotification"
_STOP: Final = "StopTransaction"


def _numbered(number: int | None) -> Alter:
    """Call every transaction so; None: not at all."""
    stop = field_set(_STOP, transactionId=number)
    meter = field_set("MeterValues", transactionId=number)
    return lambda action, payload: meter(action, stop(action, payload))


def _hole(action: str, text: str) -> str:
    if action not in {_STOP, "MeterValues"}:
        return text
    return re.sub(r'"transactionId":-?\d+', '"transactionId":', text)


def _never(action: str, **fields: Any) -> Retell:
    """Keep calls of an action, with these fields, to itself."""

    def retell(said: str, payload: Payload) -> list[Said]:
        is_meant = said == action and all(payload.get(key) == fields[key] for key in fields)
        return [] if is_meant else [(said, payload)]

    return retell


def _stop_twice(action: str, payload: Payload) -> list[Said]:
    told = [(action, payload)]
    if action == _STOP:
        told.append((action, payload | {"meterStop": payload["meterStop"] + 777}))
    return told


def _meter_after_stop(action: str, payload: Payload) -> list[Said]:
    told = [(action, payload)]
    if action == _STOP:
        value = {"value": str(payload["meterStop"]), "context": "Transaction.End"}
        sample = {"timestamp": payload["timestamp"], "sampledValue": [value]}
        number = payload["transactionId"]
        closing = {"connectorId": 1, "transactionId": number, "meterValue": [sample]}
        told.append(("MeterValues", closing))
    return told


def _free_before_stop(action: str, payload: Payload) -> list[Said]:
    told = [(action, payload)]
    if action == _STOP:
        told.insert(0, (_STATUS, _status(1, "Available", payload["timestamp"])))
    return told


def _free_while_plugged(action: str, payload: Payload) -> Payload:
    if action != _STATUS:
        return payload
    if payload.get("connectorStatus") == "Occupied":
        return payload | {"connectorStatus": "Available"}
    return payload | {"status": "Available"} if "status" in payload else payload


def _phantom_plugs(action: str, payload: Payload) -> list[Said]:
    is_free = action == _STATUS and payload.get("status") == "Available"
    if not is_free or not payload["connectorId"]:
        return [(action, payload)]
    cycle = ("SuspendedEV", "Finishing", "Available")
    phantoms = [(action, payload | {"status": status}) for status in cycle]
    return [(action, payload), *phantoms, *phantoms]


def _ignore_remote_start(charger: Any, action: str, payload: Payload) -> Payload | None:
    del charger, payload
    return {"status": "Accepted"} if action in _STARTS else None


def _refuse_in_finishing(charger: Any, action: str, payload: Payload) -> Payload | None:
    if action not in _STARTS:
        return None
    evse = charger.evses[payload.get("connectorId") or payload.get("evseId") or 1]
    return {"status": "Rejected"} if evse.state is State.FINISHING else None


def _status(connector_id: int, status: str, timestamp: str) -> Payload:
    return {
        "connectorId": connector_id,
        "status": status,
        "errorCode": "NoError",
        "timestamp": timestamp,
    }


QUIRKS: Final[tuple[Quirk, ...]] = (
    Quirk("transaction_zero", "calls every transaction 0 (22)", _numbered(0)),
    Quirk("transaction_minus_one", "calls every transaction -1 (22)", _numbered(-1)),
    Quirk("no_transaction_id", "does not name transactions (22)", _numbered(None)),
    Quirk("transaction_id_hole", 'writes `"transactionId":,` (22)', rewrite=_hole),
    Quirk(
        "misses_start_answer",
        "does not hear that its start was taken, and says it again (23)",
        manners={"deaf_to": frozenset({"StartTransaction"}), "answer_timeout_s": 20},
    ),
    Quirk("loses_stop", "never tells that a transaction ended (24)", retell=_never(_STOP)),
    Quirk(
        "unknown_stop", "stops what nobody started (25)", field_set(_STOP, transactionId=987_654)
    ),
    Quirk("stops_twice", "stops twice, with another register (26)", retell=_stop_twice),
    Quirk(
        "loses_start",
        "never tells that a transaction began (27)",
        retell=_never("StartTransaction"),
    ),
    Quirk(
        "zero_reservation",
        "says reservation 0 for none (28)",
        field_set("StartTransaction", reservationId=0),
    ),
    Quirk("meter_after_stop", "sends a last sample after the stop (29)", retell=_meter_after_stop),
    Quirk("free_before_stop", "is Available before it stops (30)", retell=_free_before_stop),
    Quirk(
        "never_finishing", "never says Finishing (30)", retell=_never(_STATUS, status="Finishing")
    ),
    Quirk(
        "never_free",
        "never says Available once unplugged (30)",
        retell=_never(_STATUS, status="Available"),
    ),
    Quirk(
        "free_while_plugged", "says Available while a car is plugged in (30)", _free_while_plugged
    ),
    Quirk("phantom_plugs", "flickers as if somebody plugged in (31)", retell=_phantom_plugs),
    Quirk(
        "ignores_remote_start",
        "accepts remote starts and does nothing (32)",
        answer=_ignore_remote_start,
    ),
    Quirk(
        "no_start_in_finishing",
        "refuses remote starts in Finishing (32)",
        answer=_refuse_in_finishing,
    ),
)
