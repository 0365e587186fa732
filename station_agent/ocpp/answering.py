"""From a charger's call to the answer it gets: recalled, checked, mended, decided, stored, answered."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import msgspec
import structlog

from contracts.clock import Clock
from contracts.events import ChargerBooted, Event, MessageQuarantined, OddityObserved
from contracts.ids import ChargerId
from contracts.plan import Registration
from station_agent.ocpp import metrics
from station_agent.ocpp.dialects import Fault
from station_agent.ocpp.mending import Mended, mend
from station_agent.ocpp.outcome import (
    BOOT,
    Answers,
    Ask,
    ChargerView,
    Context,
    Outcome,
    Route,
    Unreadable,
)
from station_agent.ocpp.rpc import Call, Refused, Rpc
from station_agent.ocpp.schemas import Checker
from station_agent.ocpp.throttle import Buckets, OncePer
from station_agent.ocpp.versions import Version
from station_agent.ports import (
    AnswerKept,
    AnswerMemory,
    Authorizer,
    Note,
    OutboxUnavailable,
    Recorder,
    Relay,
)

log: Final = structlog.get_logger()

_MAX_QUARANTINED: Final = 4_096
_TOLD_ONCE_IN: Final = timedelta(minutes=10)
NUMBERED: Final = "number_for_message_id"
_TOLD_ONCE: Final = frozenset(
    {
        "clock_skewed",
        "clock_unusable",
        "payload_mended",
        "flooding",
        "seq_no_reused",
        NUMBERED,
    }
)
"""Oddities of the charger as such: each message has them, so they are told now and then."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things may take, in seconds of our clock, and how many messages of the machine's."""

    ping_interval_s: float = 20
    min_pong_s: float = 5
    """Of the machine: networks do not get faster when the clock does."""
    call_timeout_s: float = 30
    relay_s: float = 15
    price_s: float = 3
    """What somebody else must answer: chargers give up after 30."""
    max_messages_per_s: float = 50
    max_message_burst: int = 500


@dataclass(frozen=True, slots=True)
class Services:
    """What every connection shares."""

    recorder: Recorder
    answers: AnswerMemory
    authorizer: Authorizer
    clock: Clock
    timing: Timing
    relay: Relay | None = None
    """None: there is nobody to ask."""
    introduced: dict[ChargerId, tuple[str, str, str]] = field(default_factory=dict)
    """Vendor, model and serial of each charger's last boot."""
    turns: defaultdict[ChargerId, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )
    """Which of a charger's connections, should it have two, decides and records now."""
    buckets: Buckets = field(init=False)
    """Of each charger, whichever of its connections draws on it (FAULTS P07)."""

    def __post_init__(self) -> None:
        """Fill the buckets as the timing says."""
        timing = self.timing
        buckets = Buckets(timing.max_messages_per_s, timing.max_message_burst)
        object.__setattr__(self, "buckets", buckets)


class Answering:
    """Answers the calls of one connection, one after another."""

    def __init__(
        self, version: Version, charger: ChargerView, rpc: Rpc, services: Services
    ) -> None:
        self.version = version
        self.charger = charger
        self._rpc = rpc
        self._services = services
        self._clock = services.clock
        self.closes = ""
        """Why the connection is to be closed now that the last call is answered; empty: it is not."""
        self._told = OncePer(_TOLD_ONCE_IN.total_seconds())
        # Held from deciding until what was decided is on disk, and remembered with it: a charger's old
        # connection may still be at it while its new one repeats the same call (QUIRKS 9, 23). Whoever
        # waits for the cloud does so before, and holds up nobody.
        self._turn = services.turns[charger.charger_id]

    def speak(self, version: Version) -> None:
        """Go on in another version."""
        self.version = version
        self._rpc.speak(version.dialect)

    async def tell(self, oddity: str) -> None:
        """Report what the connection itself finds odd, now and then."""
        fact = Context(self.charger, self._clock.now()).oddity(oddity)
        if facts := self._worth_telling([fact]):
            await self.record_or_not(facts)

    async def reply(self, received: Call | Refused, frame: bytes) -> bytes | None:
        """Return the frame to send back, once all that follows from this one is on disk.

        Raises:
            OutboxUnavailable: it is not; the charger must not be answered.
        """
        received = self._as_far_as_it_can_be_read(received)
        if isinstance(received, Refused):
            return await self._reply_to_refused(received, frame)
        try:
            reply = await self._reply_to_call(received, frame)
        except OutboxUnavailable:
            raise
        except Exception:
            log.exception(
                "ocpp.failed",
                charger_id=self.charger.charger_id,
                action=self.label(received.action),
            )
            await self._quarantine(received.action, "internal error", frame)
            reply = self._refuse(received, Fault.INTERNAL, "")
        return None if received.is_send else reply

    def _as_far_as_it_can_be_read(self, received: Call | Refused) -> Call | Refused:
        """Take a frame for the call it means if its message must not be refused (QUIRKS, the rule)."""
        if isinstance(received, Call) or not self._is_owed(received.action):
            return received
        return received.call or received

    def _is_owed(self, action: str) -> bool:
        """Whether a message of this action is answered whatever is wrong with it."""
        route = self.version.routes.get(action)
        return route is not None and route.last_resort is not None

    async def _reply_to_refused(self, refused: Refused, frame: bytes) -> bytes | None:
        label = self.label(refused.action)
        metrics.messages(label, refused.fault).inc()
        if self._is_owed(refused.action):
            await self._quarantine(refused.action, refused.fault, frame)
        return refused.reply

    async def _reply_to_call(self, call: Call, frame: bytes) -> bytes:
        route = self.version.routes.get(call.action)
        if route is None:
            is_known = self.version.is_known(call.action)
            fault = Fault.UNSUPPORTED_ACTION if is_known else Fault.UNKNOWN_ACTION
            return self._refuse(call, fault, f"{call.action[:64]} is not served here")
        if self.version.holds_back and not self._may_say(call.action, route):
            return self._refuse(call, Fault.SECURITY, "not let in: BootNotification first")
        if (given := self._given(call, route)) is not None:
            return given
        checker = self.version.schemas.request(call.action)
        if checker.fits(call.payload) and not call.amiss:
            try:
                return await self._carry_out(call, route, call.payload, self._numbered(call))
            except (Unreadable, msgspec.ValidationError) as error:
                return await self._make_do(call, route, Fault.PROPERTY, str(error), frame)
        return await self._reply_leniently(call, route, frame)

    def _numbered(self, call: Call) -> Sequence[Event]:
        if call.number is None:
            return ()
        return (Context(self.charger, self._clock.now()).oddity(NUMBERED, call.action),)

    async def _reply_leniently(self, call: Call, route: Route, frame: bytes) -> bytes:
        checker = self.version.schemas.request(call.action)
        misfit = checker.misfit(call.payload)
        fault = misfit.fault if misfit else Fault.MALFORMED
        description = misfit.description if misfit else call.amiss
        mended = _mended(call, route, checker)
        if mended is None:
            return self._refuse(call, fault, description)
        detail = f"{call.action}: {'; '.join(filter(None, [call.amiss, *mended.notes]))}"
        oddity = Context(self.charger, self._clock.now()).oddity("payload_mended", detail)
        try:
            return await self._carry_out(call, route, mended.payload, (oddity,))
        except (Unreadable, msgspec.ValidationError):
            return await self._make_do(call, route, fault, description, frame)

    async def _carry_out(
        self, call: Call, route: Route, payload: dict[str, Any], oddities: Sequence[Event]
    ) -> bytes:
        request = route.decode(payload)
        asked = route.ask(request) if route.ask is not None else None
        verdict = None
        if asked is not None:
            verdict = await self._services.authorizer.authorize(
                self.charger.charger_id, asked.evse_id, asked.token, self._begins_on(asked)
            )
        relayed = await self._relayed(call.action, payload, route, request)
        total = await self._total(route, request)
        # nobody else can have answered it since it was looked for, unless we waited meanwhile
        has_waited = route.may_wait or route.prices is not None or self._turn.locked()
        async with self._turn:
            if has_waited and (given := self._given(call, route)) is not None:
                return given
            context = Context(self.charger, self._clock.now(), verdict, relayed, total)
            outcome = route.handle(request, context)
            odd = [*oddities, *self._changed_identity(call.action, outcome.facts, context)]
            reply = await self._conclude(call, route, outcome, odd)
        if call.action == BOOT:
            self._introduce(outcome.facts)
            self.charger.talk.registration = Registration(outcome.reply["status"].lower())
        self.closes = outcome.closes
        metrics.messages(call.action, "mended" if oddities else "answered").inc()
        return reply

    def _begins_on(self, asked: Ask) -> int | None:
        """Return the EVSE on which a session is to begin; 0: it was never told; None: none is."""
        if not asked.begins or asked.evse_id:
            return asked.evse_id if asked.begins else None
        charger_id = self.charger.charger_id
        session = self.charger.sessions.by_transaction(charger_id, asked.transaction_id)
        return session.evse_id if session else 0

    def _changed_identity(
        self, action: str, facts: Sequence[Event], context: Context
    ) -> Sequence[Event]:
        """Say that the charger is another than at its last boot (QUIRKS 21); it is served."""
        if action != BOOT:
            return ()
        before = self._services.introduced.get(self.charger.charger_id)
        now = next((_identity(one) for one in facts if isinstance(one, ChargerBooted)), None)
        if before is None or now is None or before == now:
            return ()
        return (context.oddity("identity_changed", f"{' '.join(before)}, then {' '.join(now)}"),)

    def _introduce(self, facts: Sequence[Event]) -> None:
        for one in facts:
            if isinstance(one, ChargerBooted):
                self._services.introduced[self.charger.charger_id] = _identity(one)

    async def _relayed(
        self, action: str, payload: dict[str, Any], route: Route, request: Any
    ) -> dict[str, Any] | None:
        relay = self._services.relay
        if relay is None or route.relays is None or not route.relays(request):
            return None
        charger_id = self.charger.charger_id
        return await relay.relay(charger_id, action, payload, self._services.timing.relay_s)

    async def _total(self, route: Route, request: Any) -> str | None:
        """Return what the session costs that this ends; who waits for it waits but little."""
        relay = self._services.relay
        if relay is None or route.prices is None:
            return None
        asked = route.prices(request, Context(self.charger, self._clock.now()))
        if asked is None:
            return None
        wait_s = self._services.timing.price_s
        answer = await relay.relay(self.charger.charger_id, "SessionCost", asked, wait_s)
        return None if answer is None else answer.get("total")

    def _may_say(self, action: str, route: Route) -> bool:
        """Whether the charger may say this now; transactions are never refused (QUIRKS, the rule)."""
        return route.last_resort is not None or self.charger.may_say(action)

    async def _make_do(
        self, call: Call, route: Route, fault: Fault, description: str, frame: bytes
    ) -> bytes:
        """Answer what nobody can read: with an error, or, where that must not be, with thanks."""
        if route.last_resort is None:
            return self._refuse(call, fault, description)
        fact = self._quarantined(call.action, description, frame)
        # nobody else can have answered it since it was looked for, unless we waited meanwhile
        has_waited = route.may_wait or route.prices is not None or self._turn.locked()
        async with self._turn:
            if has_waited and (given := self._given(call, route)) is not None:
                return given
            context = Context(self.charger, self._clock.now())
            outcome = Outcome(route.last_resort(context), (fact,))
            reply = await self._conclude(call, route, outcome)
        metrics.messages(call.action, "quarantined").inc()
        return reply

    async def _conclude(
        self, call: Call, route: Route, outcome: Outcome, odd: Sequence[Event] = ()
    ) -> bytes:
        """Make facts, notes and the answer durable; only then return the answer."""
        reply = self._rpc.result(call, outcome.reply)
        notes: Sequence[Note] = outcome.notes
        if route.answers is Answers.KEPT:
            kept = AnswerKept(self.charger.charger_id, call.message_id, call.digest, reply)
            notes = (*notes, kept)
        facts = self._worth_telling([*outcome.facts, *odd] if odd else outcome.facts)
        if facts or notes:
            await self._services.recorder.record(facts, notes)
        if route.answers is Answers.REMEMBERED:
            self._rpc.remember(call, reply)
        return reply

    def _given(self, call: Call, route: Route) -> bytes | None:
        """Return the answer this very call has had already; None if it is new."""
        given = None
        if route.answers is Answers.REMEMBERED:
            given = self._rpc.recall(call)
        if route.answers is Answers.KEPT:
            given = self._services.answers.answer_to(
                self.charger.charger_id, call.message_id, call.digest
            )
        if given is not None:
            metrics.messages(call.action, "repeated").inc()
        return given

    def _worth_telling(self, facts: Sequence[Event]) -> Sequence[Event]:
        for fact in facts:
            if type(fact) is OddityObserved:
                break
        else:
            return facts
        now_s = self._clock.monotonic()
        return [
            fact
            for fact in facts
            if type(fact) is not OddityObserved
            or fact.oddity not in _TOLD_ONCE
            or self._told.allows(fact.oddity, now_s)
        ]

    def _refuse(self, call: Call, fault: Fault, description: str) -> bytes:
        metrics.messages(self.label(call.action), fault).inc()
        return self._rpc.error(call, fault, description)

    async def _quarantine(self, action: str, error: str, frame: bytes) -> None:
        await self.record_or_not([self._quarantined(action, error, frame)])

    def _quarantined(self, action: str, error: str, frame: bytes) -> MessageQuarantined:
        return MessageQuarantined(
            charger_id=self.charger.charger_id,
            action=action[:64],
            error=error,
            frame=frame.decode("utf-8", "replace")[:_MAX_QUARANTINED],
            observed_at=self._clock.now(),
        )

    async def record_or_not(self, facts: Sequence[Event]) -> None:
        """Make facts durable that are worth less than going on without them."""
        try:
            await self._services.recorder.record(facts)
        except OutboxUnavailable:
            log.warning("ocpp.not_recorded", charger_id=self.charger.charger_id)

    def label(self, action: str) -> str:
        """Return how an action is counted: chargers cannot make up labels."""
        return action if self.version.is_known(action) else "unknown"


def _mended(call: Call, route: Route, checker: Checker) -> Mended | None:
    """Return the payload as far as its route has it read; None: it is to be refused."""
    if route.is_lenient:
        return mend(call.payload, checker.definition)
    return checker.forgiven(call.payload) if route.is_forgiving and not call.amiss else None


def _identity(fact: ChargerBooted) -> tuple[str, str, str]:
    return fact.vendor, fact.model, fact.serial
