"""A charger's own list of tokens: what its answers say of it, whatever the version."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contracts.events import Event, InventoryEntry, InventoryKind, InventoryReported
from station_agent.ocpp.versions import AnswerContext

KEY: Final = "list"
"""A charger has one."""


def list_told(context: AnswerContext, version: int) -> Event:
    """Return that a charger has the list of this version; 0 and less: none (1.6, section 5.10)."""
    return InventoryReported(
        charger_id=context.charger_id,
        inventory=InventoryKind.LOCAL_LIST,
        entries=[InventoryEntry(key=KEY, body={"version": version})],
        observed_at=context.now,
    )


def learn_sent(name: str) -> Any:
    """Return how to read the answer to SendLocalList, which calls the version `name`."""

    def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
        """Return the version it has now."""
        if answer["status"] != "Accepted":
            return ()
        return (list_told(context, context.asked[name]),)

    return learn


def learn_version(name: str) -> Any:
    """Return how to read the answer to GetLocalListVersion."""

    def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
        """Return the version it says."""
        return (list_told(context, answer[name]),)

    return learn
