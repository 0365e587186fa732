"""Who may charge: the plan, then what the cloud lately said, then the cloud, then the policy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec
import structlog

from contracts.batch import AuthorizeAnswer
from contracts.clock import Clock
from contracts.events import ConnectorState, ConnectorStateReported
from contracts.ids import BayId, ChargerId, Token, same_token
from contracts.wire import Instant, Wire, encode
from station_agent.domain.tokens import (
    Refusal,
    StandingOrders,
    Word,
    by_plan,
    by_policy,
    is_reserved_for_another,
    tariff_text,
)
from station_agent.ports import (
    DecidedBy,
    Kept,
    OutboxUnavailable,
    Recorder,
    SessionRecord,
    Verdict,
)
from station_agent.station_file import StationLayout

log = structlog.get_logger()

FRESH_FOR: Final = timedelta(minutes=10)
"""How long a yes of the cloud is used without asking again."""

STALE_FOR: Final = timedelta(days=7)
"""How long it is used while the cloud is away."""

_MAX_CACHED: Final = 5_000


class CachedYes(Wire, kw_only=True):
    """The cloud accepted a token."""

    parent_token: Token | None = None
    valid_until: Instant | None = None
    said_at: Instant


class Cloud(Protocol):
    """The uplink, as far as tokens are concerned."""

    async def ask(
        self,
        charger_id: ChargerId,
        evse_id: int,
        token: Token,
        wait_s: float,
        begins_on: int | None = None,
    ) -> AuthorizeAnswer | None:
        """See Uplink.ask."""
        ...


class Memory(Recorder, Protocol):
    """The outbox, as far as tokens are concerned."""

    def kept(self, kind: str) -> Mapping[str, bytes]:
        """See Outbox.kept."""
        ...

    def open_of(self, token: Token) -> Sequence[SessionRecord]:
        """See SessionMemory.open_of."""
        ...


class Orders(Protocol):
    """The plan, as far as tokens are concerned."""

    @property
    def orders(self) -> StandingOrders:
        """See PlanKeeper.orders."""
        ...


@dataclass(frozen=True, slots=True)
class _Question:
    charger_id: ChargerId
    evse_id: int
    token: Token
    bays: tuple[BayId, ...]
    now: datetime
    begins_on: int | None = None


class TokenAuthorizer:
    """Implements Authorizer."""

    def __init__(
        self,
        *,
        plan: Orders,
        cloud: Cloud,
        memory: Memory,
        station: StationLayout,
        clock: Clock,
        wait_s: float,
    ) -> None:
        self._plan = plan
        self._cloud = cloud
        self._memory = memory
        self._station = station
        self._clock = clock
        self._wait_s = wait_s
        decode = msgspec.json.Decoder(CachedYes).decode
        known = [(key, decode(body)) for key, body in memory.kept(_KIND).items()]
        # Oldest first, as they go when there are too many.
        self._cache = dict(sorted(known, key=lambda entry: entry[1].said_at))

    async def authorize(
        self, charger_id: ChargerId, evse_id: int, token: Token, begins_on: int | None = None
    ) -> Verdict:
        """See Authorizer.authorize."""
        bays = self._bays(charger_id, evse_id)
        question = _Question(charger_id, evse_id, token, bays, self._clock.now(), begins_on)
        near = self._near(question)
        verdict = await self._far(question) if near is None else near
        if not verdict.is_accepted:
            return verdict
        return await self._if_not_busy(verdict, question, was_asked=near is None)

    def _near(self, question: _Question) -> Verdict | None:
        """Return the word of the plan, or what the cloud said just now."""
        word = by_plan(self._plan.orders, question.token, question.bays, question.now)
        if word is not None:
            return self._verdict(word, DecidedBy.PLAN, question)
        cached = self._cached(question, FRESH_FOR)
        return None if cached is None else self._verdict(cached, DecidedBy.CACHE, question)

    async def _far(self, question: _Question) -> Verdict:
        """Return the word of the cloud, or what is left without it."""
        answer = await self._ask(question)
        if answer is not None:
            await self._remember(answer, question)
            return self._verdict(_said(answer), DecidedBy.CLOUD, question, answer.tariff_text)
        cached = self._cached(question, STALE_FOR)
        if cached is not None:
            return self._verdict(cached, DecidedBy.CACHE, question)
        return self._verdict(by_policy(self._plan.orders), DecidedBy.OFFLINE_POLICY, question)

    async def _if_not_busy(
        self, verdict: Verdict, question: _Question, *, was_asked: bool
    ) -> Verdict:
        """Refuse to begin more sessions than one token may run, here or at any other station.

        A cloud that was asked already has said so, or is away.
        """
        limit = self._plan.orders.max_sessions_of(question.token)
        if question.begins_on is None or not limit:
            return verdict
        is_busy = self._running_beside(question) >= limit
        if not is_busy and not was_asked:
            answer = await self._ask(question)
            if answer is not None and answer.refusal == Refusal.CONCURRENT:
                return _busy(verdict, DecidedBy.CLOUD)
            is_busy = self._running_beside(question) >= limit  # meanwhile one may have begun
        return _busy(verdict, DecidedBy.PLAN) if is_busy else verdict

    def _running_beside(self, question: _Question) -> int:
        """Return how many sessions the token runs; one on the same EVSE is this one, or ends by it.

        Where the plug has been reported free since, the end alone was lost (QUIRKS 24).
        """
        states = self._memory.kept(_STATE_KIND)
        return sum(
            not _is_same_place(one, question.charger_id, question.begins_on)
            and not _is_free(states, one)
            for one in self._memory.open_of(question.token)
        )

    async def _ask(self, question: _Question) -> AuthorizeAnswer | None:
        asked = (question.charger_id, question.evse_id, question.token, self._wait_s)
        return await self._cloud.ask(*asked, begins_on=question.begins_on)

    def _bays(self, charger_id: ChargerId, evse_id: int) -> tuple[BayId, ...]:
        evses = (evse_id,) if evse_id else self._station.evses_of(charger_id)
        found = (self._station.bay_of(charger_id, evse) for evse in evses)
        return tuple(bay for bay in found if bay is not None)

    def _verdict(
        self, word: Word, decided_by: DecidedBy, question: _Question, said: str = ""
    ) -> Verdict:
        """A reservation in the plan is kept whoever accepted the token."""
        refusal, orders = word.refusal, self._plan.orders
        if refusal is None and is_reserved_for_another(
            orders, question.bays, question.token, word.parent_token, question.now
        ):
            refusal, decided_by = Refusal.RESERVED, DecidedBy.PLAN
        return Verdict(
            is_accepted=refusal is None,
            decided_by=decided_by,
            reason=refusal or "",
            parent_token=word.parent_token,
            valid_until=word.valid_until,
            tariff_text=tariff_text(orders, question.bays, question.token, question.now, said),
        )

    def _cached(self, question: _Question, good_for: timedelta) -> Word | None:
        yes = self._cache.get(same_token(question.token))
        if yes is None or not timedelta(0) <= question.now - yes.said_at <= good_for:
            return None
        if yes.valid_until is not None and yes.valid_until <= question.now:
            return None
        return Word(None, yes.parent_token, yes.valid_until)

    async def _remember(self, answer: AuthorizeAnswer, question: _Question) -> None:
        """Keep a yes, drop what a no contradicts; a full disk costs the memory, not the answer."""
        key = same_token(question.token)
        notes = []
        if answer.is_accepted:
            yes = CachedYes(
                parent_token=answer.parent_token,
                valid_until=answer.valid_until,
                said_at=question.now,
            )
            self._cache.pop(key, None)
            self._cache[key] = yes
            notes.append(Kept(_KIND, key, encode(yes)))
        elif answer.refusal != Refusal.CONCURRENT and self._cache.pop(key, None) is not None:
            notes.append(Kept(_KIND, key, None))
        while len(self._cache) > _MAX_CACHED:
            oldest = next(iter(self._cache))
            del self._cache[oldest]
            notes.append(Kept(_KIND, oldest, None))
        try:
            if notes:
                await self._memory.record((), notes)
        except OutboxUnavailable as error:
            log.warning("authorizer.cache_unwritten", error=str(error))


_KIND: Final = "token"
_STATE_KIND: Final = "state"
_STATE: Final = msgspec.json.Decoder(ConnectorStateReported)


_WHY: Final = {one.value: one for one in (Refusal.BLOCKED, Refusal.EXPIRED, Refusal.CONCURRENT)}


def _busy(verdict: Verdict, decided_by: DecidedBy) -> Verdict:
    return replace(verdict, is_accepted=False, decided_by=decided_by, reason=Refusal.CONCURRENT)


def _is_same_place(session: SessionRecord, charger_id: ChargerId, evse_id: int | None) -> bool:
    """Whether a session is where one is to begin; of a charger that never said where, all are."""
    return session.charger_id == charger_id and evse_id in {0, session.evse_id}


def _is_free(states: Mapping[str, bytes], session: SessionRecord) -> bool:
    # as outbox/state.py writes it
    told = states.get(f"connector/{session.evse_id}/{session.connector_id}/{session.charger_id}")
    return told is not None and _STATE.decode(told).state is ConnectorState.FREE


def _said(answer: AuthorizeAnswer) -> Word:
    refusal = None if answer.is_accepted else _WHY.get(answer.refusal, Refusal.UNKNOWN)
    return Word(refusal, answer.parent_token, answer.valid_until)
