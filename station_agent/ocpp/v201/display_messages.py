"""Messages on a charger's display (OCPP 2.0.1, block O): set, reported and cleared by number."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import field

from contracts.events import (
    Event,
    InventoryEntry,
    InventoryKind,
    InventoryReported,
    JobKind,
)
from contracts.ids import ChargerId
from contracts.wire import Instant
from station_agent.ocpp.fields import Int32, Payload
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route
from station_agent.ocpp.v201.reports import part_told
from station_agent.ocpp.versions import AnswerContext

_FILTERS: Final = ("id", "priority", "state")


class NotifyDisplayMessages(Payload, frozen=True, rename="camel"):
    """Messages as the charger writes them."""

    request_id: Int32
    tbc: bool = False
    message_info: Sequence[dict[str, Any]] = field(default_factory=tuple)


def handle(request: NotifyDisplayMessages, context: Context) -> Outcome:
    """Keep each message, and how far the report is; one of all messages is whole (O03)."""
    asked = context.charger.talk.asked("GetDisplayMessages", request.request_id)
    told = _reported(
        context.charger.charger_id,
        request.message_info,
        context.now,
        request_id=request.request_id,
        is_whole=asked is not None and _is_of_all(asked) and not request.tbc,
    )
    progress = part_told(
        context, JobKind.DISPLAY_MESSAGES, request.request_id, is_last=not request.tbc
    )
    return Outcome({}, (told, progress))


ROUTE = Route(NotifyDisplayMessages, handle, answers=Answers.REMEMBERED)


def report_answered(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return what is not there, where the charger found nothing (O03.FR.03)."""
    if answer["status"] != "Unknown":
        return ()
    asked = context.asked
    if _is_of_all(asked):
        return (_reported(context.charger_id, (), context.now, is_whole=True),)
    if "priority" in asked or "state" in asked:
        return ()
    gone = [str(one) for one in asked["id"]]
    return (_reported(context.charger_id, (), context.now, gone=gone),)


def was_set(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the message the charger took; it replaces the one of its number (O06)."""
    if answer["status"] != "Accepted":
        return ()
    return (_reported(context.charger_id, [context.asked["message"]], context.now),)


def was_cleared(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the message the charger does not have any more, or never had (O05)."""
    del answer
    gone = [str(context.asked["id"])]
    return (_reported(context.charger_id, (), context.now, gone=gone),)


def _is_of_all(asked: Mapping[str, Any]) -> bool:
    return not any(name in asked for name in _FILTERS)


def _reported(
    charger_id: ChargerId,
    messages: Iterable[Mapping[str, Any]],
    at: Instant,
    *,
    request_id: int | None = None,
    gone: Sequence[str] = (),
    is_whole: bool = False,
) -> Event:
    return InventoryReported(
        charger_id=charger_id,
        inventory=InventoryKind.DISPLAY_MESSAGE,
        entries=[InventoryEntry(key=str(one["id"]), body=dict(one)) for one in messages],
        gone=list(gone),
        request_id=request_id,
        is_whole=is_whole,
        observed_at=at,
    )
