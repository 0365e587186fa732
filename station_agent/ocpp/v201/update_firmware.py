"""UpdateFirmware (OCPP 2.0.1, L01 and L02): the order, and what the answer says of the job."""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts import commands
from contracts.events import Event, JobKind
from station_agent.ocpp.firmware import described, ordered
from station_agent.ocpp.versions import AnswerContext, CommandContext, Outbound
from station_agent.ocpp.words.v201 import Action


def order(request: commands.UpdateFirmware, context: CommandContext) -> Outbound:
    """See contracts.commands.UpdateFirmware."""
    number = context.sessions.next_transaction_number()
    payload = {"requestId": number, "firmware": described(request)}
    return Outbound(Action.update_firmware, payload)


def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the job; one that was under way gives way to it (L01.FR.24, AcceptedCanceled)."""
    return ordered(answer, context, JobKind.FIRMWARE)
