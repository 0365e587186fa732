"""UpdateFirmware (OCPP 2.0.1, L01 and L02): what the answer says of the job it orders."""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.events import Event, JobKind
from station_agent.ocpp.firmware import ordered
from station_agent.ocpp.versions import AnswerContext


def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the job; one that was under way gives way to it (L01.FR.24, AcceptedCanceled)."""
    return ordered(answer, context, JobKind.FIRMWARE)
