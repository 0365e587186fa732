"""UpdateFirmware and SignedUpdateFirmware (OCPP 1.6, section 5.19; whitepaper L01): what is ordered."""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.events import Event, JobKind
from station_agent.ocpp.firmware import ordered
from station_agent.ocpp.versions import AnswerContext


def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the job; the plain one's answer is empty, and it has no number."""
    return ordered(answer, context, JobKind.FIRMWARE)
