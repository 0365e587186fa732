"""Which chargers show drivers what charging costs, by their own word; kept on disk (OCPP 2.0.1, I01)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from contracts.events import Event, InventoryKind, InventoryReported
from contracts.ids import ChargerId
from station_agent.ocpp.profiles import Memory
from station_agent.ports import Kept, Note

SHOWS_TARIFF: Final = "TariffCostCtrlr/Enabled[Tariff]"
"""The variable that says so, as the inventory calls it."""
_KIND: Final = "shows_tariff"
_YES: Final = b"true"


class TariffDisplays:
    """Implements Recorder: facts go on to the outbox, and what they say of displays is kept with them."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._showing = set(memory.kept(_KIND))

    def shows(self, charger_id: ChargerId) -> bool:
        """Whether the charger said so; one that said nothing of it does not."""
        return charger_id in self._showing

    async def record(self, facts: Sequence[Event], notes: Sequence[Note] = ()) -> None:
        """See Recorder.record."""
        said = dict(_said(facts))
        if not said:
            await self._memory.record(facts, notes)
            return
        news = {one: shows for one, shows in said.items() if shows is not self.shows(one)}
        kept = [Kept(_KIND, one, _YES if shows else None) for one, shows in news.items()]
        await self._memory.record(facts, [*notes, *kept])
        for charger_id, shows in news.items():
            (self._showing.add if shows else self._showing.discard)(charger_id)


def _said(facts: Sequence[Event]) -> Iterator[tuple[ChargerId, bool]]:
    for fact in facts:
        if type(fact) is not InventoryReported or fact.inventory is not InventoryKind.VARIABLE:
            continue
        for entry in fact.entries:
            if entry.key == SHOWS_TARIFF:
                yield fact.charger_id, _is_on(entry.body)


def _is_on(variable: Mapping[str, Any]) -> bool:
    return any(
        str(one.get("value")).lower() == "true" and one.get("type", "Actual") == "Actual"
        for one in variable.get("variableAttribute", ())
    )
