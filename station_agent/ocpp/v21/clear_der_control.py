"""ClearDERControl (OCPP 2.1, block R): what the charger let go."""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.events import Event, InventoryKind, InventoryReported
from station_agent.ocpp.versions import AnswerContext


def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the control that is gone; of a whole kind the next report tells which are left."""
    control_id = context.asked.get("controlId")
    if answer["status"] not in {"Accepted", "NotFound"} or not control_id:
        return ()
    return [
        InventoryReported(
            charger_id=context.charger_id,
            inventory=InventoryKind.GRID_CONTROL,
            gone=[control_id],
            observed_at=context.now,
        )
    ]
