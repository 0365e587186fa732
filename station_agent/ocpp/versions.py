"""What differs between OCPP versions, gathered in one object each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.commands import Request
from contracts.events import Event
from contracts.ids import ChargerId
from station_agent.ocpp.dialects import Dialect
from station_agent.ocpp.outcome import Routes
from station_agent.ocpp.schemas import Schemas
from station_agent.ports import SessionMemory


class Untranslatable(ValueError):
    """A command this OCPP version has no call for; says why."""


@dataclass(frozen=True, slots=True)
class Outbound:
    """A call to make."""

    action: str
    payload: dict[str, Any]


Translate = Callable[[Any, "CommandContext"], Outbound]
"""Turns one kind of contracts.commands.Request into a call."""


@dataclass(frozen=True, slots=True)
class AnswerContext:
    """What an answer is read by: whose it is, what it was asked, and when it came."""

    charger_id: ChargerId
    asked: Mapping[str, Any]
    """The payload of our call."""
    now: datetime


Learn = Callable[[Mapping[str, Any], AnswerContext], Sequence[Event]]
"""Returns what a charger's answer, which fits its schema, tells beyond how the command ended."""


@dataclass(frozen=True, slots=True)
class Split:
    """A request with a list, of which chargers take only so many items at once."""

    items: str
    """The list's field in the request."""
    limit: Outbound
    """How to ask the charger how many it takes."""
    read_limit: Callable[[Mapping[str, Any]], int | None]
    """Reads its answer; None: it does not say."""
    follow: Callable[[Mapping[str, Any], int], Mapping[str, Any]] | None = None
    """Returns what the part of this number says else than the first, whose number is 0."""
    is_over: Callable[[Mapping[str, Any]], bool] = lambda _answer: False
    """Whether this answer to a part leaves nothing to say."""

    def parts(self, payload: Mapping[str, Any], limit: int) -> list[dict[str, Any]]:
        """Return the requests, none with more than `limit` items."""
        items = payload[self.items]
        cuts = range(0, len(items), limit)
        parts = [{**payload, self.items: items[at : at + limit]} for at in cuts]
        if self.follow is None:
            return parts
        return [{**part, **self.follow(part, number)} for number, part in enumerate(parts)]

    @staticmethod
    def joined(answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the answers as one: their lists after each other, all else as the last says."""
        whole: dict[str, Any] = {}
        for answer in answers:
            for name, value in answer.items():
                is_list = isinstance(value, list)
                whole[name] = [*whole.get(name, ()), *value] if is_list else value
        return whole


@dataclass(frozen=True, slots=True)
class CommandContext:
    """What a command may need to know of its charger."""

    charger_id: ChargerId
    sessions: SessionMemory


@dataclass(frozen=True)
class Version:
    """One OCPP version, as the connection sees it."""

    name: str
    subprotocol: str
    dialect: Dialect
    schemas: Schemas
    routes: Routes
    not_handled: Mapping[str, str]
    """Inbound actions answered with NotSupported, each with the reason."""
    commands: Mapping[type[Request], Translate]
    learnt: Mapping[str, Learn]
    """By action: what its answer teaches of the charger; of other actions the outcome is all."""

    splits: Mapping[str, Split] = field(default_factory=dict)
    """By action: how a request of more items than the charger takes becomes several."""
    holds_back: bool = False
    """Whether a charger that was not let in is refused all it says unasked (B02.FR.09, B03.FR.07)."""

    def inbound(self) -> frozenset[str]:
        """Every action a charger may call."""
        return frozenset(self.routes) | frozenset(self.not_handled)

    def warm_up(self) -> None:
        """Compile the schemas of all that is served, so that no first message pays for it."""
        for action in self.routes:
            self.schemas.request(action)

    def is_known(self, action: str) -> bool:
        """Whether the version has this action, in either direction."""
        return action in self.schemas.actions or action in self.routes

    def learn(
        self, outbound: Outbound, answer: Mapping[str, Any], charger_id: ChargerId, now: datetime
    ) -> Sequence[Event]:
        """Return what an answer tells; of one that does not fit its schema nothing."""
        learn = self.learnt.get(outbound.action)
        if learn is None or not self.schemas.response(outbound.action).fits(answer):
            return ()
        return learn(answer, AnswerContext(charger_id, outbound.payload, now))

    def translate(self, request: Request, context: CommandContext) -> Outbound:
        """Return the call for a command, checked against its schema.

        Raises:
            Untranslatable: the version has no such call, or the payload does not fit it.
        """
        outbound = self.commands[type(request)](request, context)
        if outbound.action not in self.schemas.actions:
            raise Untranslatable(f"OCPP {self.name} has no {outbound.action}")
        if outbound.action in self.inbound() and outbound.action != "DataTransfer":
            raise Untranslatable(f"{outbound.action} is the charger's to send, not ours")
        misfit = self.schemas.request(outbound.action).misfit(outbound.payload)
        if misfit is not None:
            raise Untranslatable(f"{outbound.action}: {misfit.description}")
        return outbound
