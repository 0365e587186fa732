"""GetConfiguration (OCPP 1.6, section 5.8): the charger's configuration keys."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contracts.events import Event, InventoryEntry, InventoryKind, InventoryReported
from station_agent.ocpp.versions import AnswerContext


def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the keys it has; asked for none by name, it told all."""
    found = answer.get("configurationKey") or ()
    fact = InventoryReported(
        charger_id=context.charger_id,
        inventory=InventoryKind.VARIABLE,
        entries=[InventoryEntry(key=one["key"], body=_kept(one)) for one in found if one["key"]],
        gone=list(answer.get("unknownKey") or ()),
        is_whole=not context.asked.get("key") and bool(found),
        observed_at=context.now,
    )
    return [fact]


SECRET: Final = frozenset({"AuthorizationKey"})
"""Keys that can only be written (security whitepaper, A01); nobody keeps what a charger tells."""


def _kept(one: Mapping[str, Any]) -> dict[str, Any]:
    hidden = {"value"} if one["key"] in SECRET else set()
    return {name: value for name, value in one.items() if name not in hidden}
