"""Commands to chargers: translated, called, and their answers judged."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import structlog

from contracts.clock import Clock
from contracts.commands import Request
from contracts.events import CommandOutcome
from contracts.plan import Registration
from station_agent.ocpp import metrics
from station_agent.ocpp.connection import ChargerConnection, NotAnswered
from station_agent.ocpp.connections import Connections
from station_agent.ocpp.judging import outcome_of
from station_agent.ocpp.rpc import Answered, AnsweredWithError
from station_agent.ocpp.versions import (
    CommandContext,
    Outbound,
    Split,
    Untranslatable,
    Version,
)
from station_agent.ports import (
    UNREADABLE,
    CommandResult,
    OutboxUnavailable,
    Recorder,
    SessionMemory,
)

log: Final = structlog.get_logger()

_TAKEN_BY_ALL: Final = 2
"""So many items need no question before: the certification cases of several have two (B07, N09)."""


class Gateway:
    """Carries out requests at connected chargers."""

    def __init__(
        self, connections: Connections, sessions: SessionMemory, recorder: Recorder, clock: Clock
    ) -> None:
        self._connections = connections
        self._sessions = sessions
        self._recorder = recorder
        self._clock = clock

    async def execute(self, request: Request, timeout_s: float) -> CommandResult:
        """See ChargerGateway.execute."""
        result = await self._execute(request, timeout_s)
        metrics.calls(result.outcome).inc()
        return result

    async def _execute(self, request: Request, timeout_s: float) -> CommandResult:
        connection = self._connections.get(request.charger_id)
        if connection is None:
            return CommandResult(CommandOutcome.CHARGER_OFFLINE)
        if connection.charger.standing is Registration.REJECTED:
            # OCPP 2.0.1 B03.FR.03; 1.6 section 4.2
            return CommandResult(
                CommandOutcome.FAILED, _error("NotLetIn", "the charger is rejected")
            )
        context = CommandContext(request.charger_id, self._sessions)
        try:
            outbound = connection.version.translate(request, context)
        except Untranslatable as error:
            return CommandResult(CommandOutcome.FAILED, _error("NotTranslatable", str(error)))
        match await self._answered(connection, outbound, timeout_s):
            case Answered(payload=payload):
                return _judged(connection.version, outbound.action, payload)
            case AnsweredWithError(code=code, description=text, details=details):
                return CommandResult(CommandOutcome.FAILED, _error(code, text, details))
            case NotAnswered(was_sent=was_sent):
                late = CommandOutcome.TIMED_OUT if was_sent else CommandOutcome.EXPIRED
                return CommandResult(late)

    async def _answered(
        self, connection: ChargerConnection, outbound: Outbound, timeout_s: float
    ) -> Answered | AnsweredWithError | NotAnswered:
        """Call once, or, where the charger takes fewer items at once, as often as it needs."""
        until_s = self._clock.monotonic() + timeout_s
        split = connection.version.splits.get(outbound.action)
        if split is None or len(outbound.payload.get(split.items, ())) <= _TAKEN_BY_ALL:
            return await self._call(connection, outbound, timeout_s)
        limit = await self._limit(connection, outbound.action, split, timeout_s)
        answers: list[dict[str, Any]] = []
        for part in split.parts(outbound.payload, limit or len(outbound.payload[split.items])):
            left_s = until_s - self._clock.monotonic()
            answered = await self._call(connection, Outbound(outbound.action, part), left_s)
            if not isinstance(answered, Answered):
                return answered
            answers.append(answered.payload)
            if split.is_over(answered.payload):
                break
        return Answered(split.joined(answers))

    async def _limit(
        self, connection: ChargerConnection, action: str, split: Split, timeout_s: float
    ) -> int | None:
        """Return how many items the charger takes at once; asked once a connection."""
        limits = connection.charger.talk.limits
        if action not in limits:
            answered = await self._call(connection, split.limit, timeout_s)
            if not isinstance(answered, Answered):
                return None
            limits[action] = split.read_limit(answered.payload)
        return limits[action]

    async def _call(
        self, connection: ChargerConnection, outbound: Outbound, timeout_s: float
    ) -> Answered | AnsweredWithError | NotAnswered:
        learn = partial(self._learn, connection, outbound)
        return await connection.call(outbound.action, outbound.payload, timeout_s, learn)

    async def _learn(
        self, connection: ChargerConnection, outbound: Outbound, answer: dict[str, Any]
    ) -> None:
        """Record what the answer tells; while the disk refuses, the outcome is worth more."""
        now, charger_id = self._clock.now(), connection.charger.charger_id
        facts = connection.version.learn(outbound, answer, charger_id, now)
        connection.charger.talk.ceilings.learn(facts, now)
        try:
            if facts:
                await self._recorder.record(facts)
        except OutboxUnavailable:
            log.warning("ocpp.not_recorded", charger_id=charger_id, action=outbound.action)


def _judged(version: Version, action: str, answer: dict[str, Any]) -> CommandResult:
    outcome = outcome_of(action, answer, version.schemas.response(action).definition)
    if outcome is None:
        why = "the charger's answer cannot be read"
        return CommandResult(CommandOutcome.FAILED, _error(UNREADABLE, why, answer))
    return CommandResult(outcome, answer)


def _error(code: str, description: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"code": code, "description": description, "details": dict(details or {})}
