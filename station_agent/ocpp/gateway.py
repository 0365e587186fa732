"""Commands to chargers: translated, called, and their answers judged."""

from collections.abc import Mapping
from typing import Any, Final

from contracts.commands import Request
from contracts.events import CommandOutcome
from station_agent.ocpp import metrics
from station_agent.ocpp.connection import NotAnswered
from station_agent.ocpp.connections import Connections
from station_agent.ocpp.rpc import Answered, AnsweredWithError
from station_agent.ocpp.versions import CommandContext, Untranslatable
from station_agent.ports import CommandResult, SessionMemory

ACCEPTED: Final = frozenset(
    {
        "Accepted",
        "AcceptedCanceled",
        "EmptyResultSet",
        "Processing",
        "RebootRequired",
        "Scheduled",
        "Unlocked",
    }
)
"""Status words of answers that promise what was asked; an answer without a status does too."""


class Gateway:
    """Carries out requests at connected chargers."""

    def __init__(self, connections: Connections, sessions: SessionMemory) -> None:
        self._connections = connections
        self._sessions = sessions

    async def execute(self, request: Request, timeout_s: float) -> CommandResult:
        """See ChargerGateway.execute."""
        result = await self._execute(request, timeout_s)
        metrics.calls(result.outcome).inc()
        return result

    async def _execute(self, request: Request, timeout_s: float) -> CommandResult:
        connection = self._connections.get(request.charger_id)
        if connection is None:
            return CommandResult(CommandOutcome.CHARGER_OFFLINE)
        context = CommandContext(request.charger_id, self._sessions)
        try:
            outbound = connection.version.translate(request, context)
        except Untranslatable as error:
            return CommandResult(CommandOutcome.FAILED, _error("NotTranslatable", str(error)))
        match await connection.call(outbound.action, outbound.payload, timeout_s):
            case Answered(payload=payload):
                return CommandResult(outcome_of(payload), payload)
            case AnsweredWithError(code=code, description=text, details=details):
                return CommandResult(CommandOutcome.FAILED, _error(code, text, details))
            case NotAnswered(was_sent=was_sent):
                late = CommandOutcome.TIMED_OUT if was_sent else CommandOutcome.EXPIRED
                return CommandResult(late)


def outcome_of(answer: Mapping[str, Any]) -> CommandOutcome:
    """Say whether an answer means yes; several results mean yes if all do."""
    words = [answer.get("status")]
    for results in answer.values():
        if isinstance(results, list):
            words += [one.get("attributeStatus") for one in results if isinstance(one, dict)]
    is_yes = all(word is None or word in ACCEPTED for word in words)
    return CommandOutcome.ACCEPTED if is_yes else CommandOutcome.REJECTED


def _error(code: str, description: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"code": code, "description": description, "details": dict(details or {})}
