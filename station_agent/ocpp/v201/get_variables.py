"""GetVariables (OCPP 2.0.1, B06): values the charger read out."""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.events import Event
from station_agent.ocpp.v201.variables import valued, variables_reported
from station_agent.ocpp.versions import AnswerContext


def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the variables it has a value of."""
    read = [
        valued(one["component"], one["variable"], one["attributeValue"], one.get("attributeType"))
        for one in answer["getVariableResult"]
        if one["attributeStatus"] == "Accepted" and "attributeValue" in one
    ]
    return [variables_reported(context.charger_id, read, context.now)] if read else []
