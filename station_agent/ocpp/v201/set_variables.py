"""SetVariables (OCPP 2.0.1, B05): what the charger took has the value we set."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contracts.events import Event
from station_agent.ocpp.v201.variables import SECRET, valued, variables_reported
from station_agent.ocpp.versions import AnswerContext

_TAKEN: Final = frozenset({"Accepted", "RebootRequired"})


def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the variables that were set; secrets are known to be write-only and are left out."""
    asked = context.asked["setVariableData"]
    results = answer["setVariableResult"]
    taken = [
        valued(one["component"], one["variable"], one["attributeValue"], one.get("attributeType"))
        for one, result in zip(asked, results, strict=False)
        if result["attributeStatus"] in _TAKEN and one["variable"]["name"] not in SECRET
    ]
    return [variables_reported(context.charger_id, taken, context.now)] if taken else []
