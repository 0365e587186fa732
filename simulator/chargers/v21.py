"""A charger that speaks OCPP 2.1: 2.0.1 and what is new."""

from typing import Any, ClassVar, Final

from simulator.chargers import grid_controls
from simulator.chargers.charger import Charger
from simulator.chargers.line import Payload
from simulator.chargers.v201 import ChargerV201
from simulator.chargers.v201_answers import ANSWERS as ANSWERS_OF_V201
from simulator.chargers.v201_answers import Answer, always


def _clear_tariffs(_charger: Charger, payload: Payload) -> Payload:
    asked = payload.get("tariffIds") or [None]
    results: list[dict[str, Any]] = [
        {"status": "NoTariff"} | ({"tariffId": one} if one else {}) for one in asked
    ]
    return {"clearTariffsResult": results}


ANSWERS: Final[dict[str, Answer]] = ANSWERS_OF_V201 | {
    "AFRRSignal": always(status="Rejected"),
    "AdjustPeriodicEventStream": always(status="Rejected"),
    "ChangeTransactionTariff": always(status="TxNotFound"),
    "ClearDERControl": grid_controls.clear,
    "ClearTariffs": _clear_tariffs,
    "GetDERControl": grid_controls.report,
    "GetPeriodicEventStream": always(),
    "GetTariffs": always(status="NoTariff"),
    "NotifyAllowedEnergyTransfer": always(status="Rejected"),
    "RequestBatterySwap": always(status="Rejected"),
    "SetDERControl": grid_controls.put,
    "SetDefaultTariff": always(status="Rejected"),
    "UpdateDynamicSchedule": always(status="Rejected"),
    "UsePriorityCharging": always(status="NoProfile"),
}


class ChargerV21(ChargerV201):
    """See Charger. Falls back to 2.0.1 where the other side knows no more."""

    subprotocols: ClassVar[tuple[str, ...]] = ("ocpp2.1", "ocpp2.0.1")
    schema: ClassVar = "v21"
    answers: ClassVar = ANSWERS

    def __init__(self, *args: Any, **more: Any) -> None:
        """See Charger."""
        super().__init__(*args, **more)
        self.grid_controls: dict[str, Payload] = {}
