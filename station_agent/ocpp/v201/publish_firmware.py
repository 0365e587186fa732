"""PublishFirmware and UnpublishFirmware (OCPP 2.0.1, L03 and L04): what answers say of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contracts.events import Event, InventoryKind, InventoryReported, JobKind
from station_agent.ocpp.firmware import ordered
from station_agent.ocpp.versions import AnswerContext

_GONE: Final = frozenset({"Unpublished", "NoFirmware"})


def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the job."""
    return ordered(answer, context, JobKind.PUBLISH_FIRMWARE)


def learn_unpublished(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return that it is published no more, or never was."""
    if answer["status"] not in _GONE:
        return ()
    gone = InventoryReported(
        charger_id=context.charger_id,
        inventory=InventoryKind.FIRMWARE,
        gone=[context.asked["checksum"]],
        observed_at=context.now,
    )
    return [gone]
