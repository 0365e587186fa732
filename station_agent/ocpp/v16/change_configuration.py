"""ChangeConfiguration (OCPP 1.6, section 5.3): what the charger took has the value we set."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contracts.events import Event, InventoryEntry, InventoryKind, InventoryReported
from station_agent.ocpp.v16.get_configuration import SECRET
from station_agent.ocpp.versions import AnswerContext

_TAKEN: Final = frozenset({"Accepted", "RebootRequired"})


def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the key that was set, unless it is a secret."""
    key, value = context.asked["key"], context.asked["value"]
    if answer["status"] not in _TAKEN or key in SECRET or not key:
        return ()
    fact = InventoryReported(
        charger_id=context.charger_id,
        inventory=InventoryKind.VARIABLE,
        entries=[InventoryEntry(key=key, body={"key": key, "value": value})],
        observed_at=context.now,
    )
    return (fact,)
