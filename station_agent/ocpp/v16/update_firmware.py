"""UpdateFirmware and SignedUpdateFirmware (OCPP 1.6, section 5.19; whitepaper L01): order and answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts import commands
from contracts.events import Event, JobKind
from station_agent.ocpp.firmware import described, ordered
from station_agent.ocpp.instants import write
from station_agent.ocpp.versions import AnswerContext, CommandContext, Outbound, Untranslatable
from station_agent.ocpp.words.v16 import Action


def order(request: commands.UpdateFirmware, context: CommandContext) -> Outbound:
    """See contracts.commands.UpdateFirmware; the plain one knows no time of installation."""
    if request.signature:
        number = context.sessions.next_transaction_number()
        payload = {"requestId": number, "firmware": described(request)}
        return Outbound(Action.signed_update_firmware, payload)
    if request.install_at is not None:
        raise Untranslatable("OCPP 1.6 says when only of signed firmware")
    plain = {"location": request.location, "retrieveDate": write(request.retrieve_at)}
    return Outbound(Action.update_firmware, plain)


def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the job; the plain one's answer is empty, and it has no number."""
    return ordered(answer, context, JobKind.FIRMWARE)
