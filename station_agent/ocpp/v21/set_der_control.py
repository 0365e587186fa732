"""SetDERControl (OCPP 2.1, block R): what the charger took it holds."""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.events import Event, InventoryKind, InventoryReported
from station_agent.ocpp.v21 import grid_controls
from station_agent.ocpp.versions import AnswerContext


def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the control; what it supersedes is still held, out of force."""
    asked = context.asked
    if answer["status"] != "Accepted" or not asked["controlId"]:
        return ()
    body = {name: value for name, value in asked.items() if name != "controlId"}
    return [
        InventoryReported(
            charger_id=context.charger_id,
            inventory=InventoryKind.GRID_CONTROL,
            entries=[grid_controls.entry(asked["controlId"], asked["controlType"], body)],
            observed_at=context.now,
        )
    ]
