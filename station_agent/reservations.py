"""Reservations at the chargers: told, undone and told again as the plan and the connections come and go.

Works by the plan on disk, so also while the cloud is away. What a charger was told is on disk before it
is told, so that no restart leaves an EVSE reserved for nobody.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

import msgspec
import structlog

from contracts.clock import Clock
from contracts.commands import CancelReservation, Request, ReserveEvse
from contracts.events import (
    ChargerBooted,
    CommandOutcome,
    ConnectorState,
    ConnectorStateReported,
    OddityObserved,
)
from contracts.ids import BayId, ChargerId, Token
from contracts.plan import PlannedReservation
from contracts.wire import Instant, Wire, encode
from station_agent.domain.reservations import (
    MOST_DROPS,
    EvseView,
    Standing,
    Step,
    Told,
    due_promise,
    lost,
    next_step,
)
from station_agent.domain.tokens import StandingOrders, promise_of
from station_agent.ports import (
    UNREADABLE,
    CommandResult,
    Kept,
    OutboxUnavailable,
    Recorder,
    SessionRecord,
)
from station_agent.station_file import StationLayout

log = structlog.get_logger()

_KIND: Final = "reservation"
_UNABLE_KIND: Final = "no_reservations"
_STATE_KIND: Final = "state"
_LOOK_EVERY_S: Final = 2.0
_ANSWER_WITHIN_S: Final = 30.0
_UNKNOWN_TO_IT: Final = frozenset({"NotImplemented", "NotSupported"})
"""Error codes by which a charger says that it has no reservations."""


class Unable(Wire, kw_only=True):
    """A charger said that it does not know reservations; believed until it boots again."""

    said_at: Instant


_TOLD: Final = msgspec.json.Decoder(Told)
_UNABLE: Final = msgspec.json.Decoder(Unable)
_STATE: Final = msgspec.json.Decoder(ConnectorStateReported)
_BOOTED: Final = msgspec.json.Decoder(ChargerBooted)

Place = tuple[ChargerId, int]
"""A charger and its EVSE."""


class Memory(Recorder, Protocol):
    """The outbox, as far as reservations are concerned."""

    def kept(self, kind: str) -> Mapping[str, bytes]:
        """See Outbox.kept."""
        ...

    def open_on(self, charger_id: ChargerId, evse_id: int) -> SessionRecord | None:
        """See SessionMemory.open_on."""
        ...


class Orders(Protocol):
    """The plan, as far as reservations are concerned."""

    @property
    def orders(self) -> StandingOrders:
        """See PlanKeeper.orders."""
        ...


class Chargers(Protocol):
    """The connected chargers, as far as reservations are concerned."""

    async def execute(self, request: Request, timeout_s: float) -> CommandResult:
        """See ChargerGateway.execute."""
        ...

    def connected_at(self, charger_id: ChargerId) -> datetime | None:
        """See ChargerGateway.connected_at."""
        ...


class Reservations:
    """Keeps chargers told; implements Promises."""

    def __init__(
        self,
        station: StationLayout,
        plan: Orders,
        memory: Memory,
        clock: Clock,
        *,
        is_on: bool = True,
    ) -> None:
        """Remember what chargers were told before.

        Args:
            station: whose bays.
            plan: where the promises stand.
            memory: what outlives a restart, and how sessions and connectors stand.
            clock: ours.
            is_on: False tells chargers nothing new and undoes what they were told.
        """
        self._station = station
        self._plan = plan
        self._memory = memory
        self._clock = clock
        self._is_on = is_on
        told = (_TOLD.decode(body) for body in memory.kept(_KIND).values())
        self._told: dict[Place, Told] = {(one.charger_id, one.evse_id): one for one in told}
        self._unable = {
            key: _UNABLE.decode(body).said_at for key, body in memory.kept(_UNABLE_KIND).items()
        }
        self._busy: set[ChargerId] = set()
        # not on disk: after a restart chargers connect anew, and are told again
        self._dropped: set[tuple[ChargerId, int]] = set()

    # Promises.

    def met_by(
        self, charger_id: ChargerId, evse_id: int, token: Token | None, number: int, at: datetime
    ) -> str | None:
        """See Promises.met_by."""
        if number:
            return self._called(charger_id, number) or str(number)
        bay_id = self._station.bay_of(charger_id, evse_id)
        if bay_id is None or not token:
            return None
        promise = promise_of(self._plan.orders, bay_id, token, at)
        return promise.reservation_id if promise else None

    def dropped(self, charger_id: ChargerId, number: int) -> None:
        """See Promises.dropped. What was not told it is nothing to be told again."""
        if any((one.charger_id, one.number) == (charger_id, number) for one in self._told.values()):
            self._dropped.add((charger_id, number))

    def _called(self, charger_id: ChargerId, number: int) -> str | None:
        """Return whose number it is: by the plan, or of a plan before, by what was told."""
        for promises in self._plan.orders.reservations.values():
            for promise in promises:
                if promise.reservation_number == number:
                    return promise.reservation_id
        for told in self._told.values():
            if (told.charger_id, told.number) == (charger_id, number):
                return told.reservation_id
        return None

    # The task.

    async def run(self, chargers: Chargers) -> None:
        """Look every other second; each charger hears one thing at a time. Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                for work in self.due(chargers):
                    name = f"reservations of {work.place[0]}"
                    tasks.create_task(self.carry_out(work, chargers), name=name)
                await self._clock.sleep(_LOOK_EVERY_S)

    def due(self, chargers: Chargers) -> list["Work"]:
        """Return what is to be carried out now: at most one thing for a charger, and then no other."""
        now = self._clock.now()
        due = self._due_bays(now)
        places = self._told.keys() | due.keys()
        places = {place for place in places if place[0] not in self._busy}
        if not places:
            return []
        seen = self._seen({charger_id for charger_id, _ in places}, chargers)
        works: dict[ChargerId, Work] = {}
        for place in sorted(places):
            view = self._view(place, due.get(place), seen[place[0]])
            work = Work(place, next_step(view, now), due_promise(view.promises, now))
            before = works.get(place[0])
            is_first = before is None or work.comes_before(before)
            if is_first and work.step is not Step.NOTHING and not self._must_wait(work):
                works[place[0]] = work
        self._busy |= works.keys()
        return list(works.values())

    def _due_bays(self, now: datetime) -> dict[Place, BayId]:
        if not self._is_on:
            return {}
        found = (
            self._station.bays.get(bay_id)
            for bay_id, promises in self._plan.orders.reservations.items()
            if due_promise(promises, now) is not None
        )
        return {(bay.charger_id, bay.evse_id): bay.bay_id for bay in found if bay is not None}

    def _must_wait(self, work: "Work") -> bool:
        """A number moved to another EVSE of its charger is undone there before it is told here."""
        if work.step is not Step.RESERVE or work.promise is None:
            return False
        number = work.promise.reservation_number
        return any(
            place != work.place and (place[0], told.number) == (work.place[0], number)
            for place, told in self._told.items()
        )

    def _view(self, place: Place, bay_id: BayId | None, seen: "_Seen") -> EvseView:
        told = self._told.get(place)
        return EvseView(
            promises=self._plan.orders.reservations.get(bay_id, ()) if bay_id else (),
            told=told,
            is_dropped=told is not None and (told.charger_id, told.number) in self._dropped,
            here_since=seen.here_since,
            is_able=seen.is_able,
            states=[state for number, state in seen.states if number in {0, place[1]}],
            session_is_for=self._session_is_for(place, bay_id),
        )

    def _session_is_for(self, place: Place, bay_id: BayId | None) -> str:
        session = self._memory.open_on(*place)
        if session is None or session.token is None or bay_id is None:
            return ""
        if session.reservation_id is not None:
            return session.reservation_id
        met = promise_of(self._plan.orders, bay_id, session.token, self._clock.now())
        return met.reservation_id if met else ""

    def _seen(
        self, charger_ids: Collection[ChargerId], chargers: Chargers
    ) -> dict[ChargerId, "_Seen"]:
        """Return how these chargers stand, by the connections and the facts last told."""
        facts = self._memory.kept(_STATE_KIND)
        states: dict[ChargerId, list[tuple[int, ConnectorState]]] = {one: [] for one in charger_ids}
        for subject, body in facts.items():
            # connector/<EVSE>/<connector>/<charger>, as outbox/state.py writes it
            charger_id = subject.split("/", 3)[-1]
            if subject.startswith("connector/") and charger_id in states:
                fact = _STATE.decode(body)
                states[charger_id].append((fact.evse_id, fact.state))
        return {
            one: self._seen_one(one, facts.get(f"boot/{one}"), told, chargers)
            for one, told in states.items()
        }

    def _seen_one(
        self,
        charger_id: ChargerId,
        boot: bytes | None,
        states: Sequence[tuple[int, ConnectorState]],
        chargers: Chargers,
    ) -> "_Seen":
        booted_at = None if boot is None else _BOOTED.decode(boot).observed_at
        here_since, unable_at = chargers.connected_at(charger_id), self._unable.get(charger_id)
        if here_since is not None and booted_at is not None:
            here_since = max(here_since, booted_at)
        is_able = unable_at is None or (booted_at is not None and booted_at > unable_at)
        return _Seen(here_since, is_able, states)

    # One thing at one EVSE.

    async def carry_out(self, work: "Work", chargers: Chargers) -> None:
        """Do one thing at one EVSE, and remember it."""
        try:
            told = self._told.get(work.place)
            if work.step is Step.RESERVE and work.promise is not None:
                await self._reserve(work.place, work.promise, chargers)
            elif work.step is Step.CANCEL and told is not None:
                await self._cancel(told, chargers)
            elif work.step is Step.FORGET:
                await self._keep(work.place, None)
            elif work.step is Step.NOTE_MET and told is not None:
                at = self._clock.now()
                await self._keep(work.place, replace(told, standing=Standing.MET, at=at, tries=0))
            elif work.step is Step.NOTE_LOST and told is not None:
                await self._note_lost(told)
        finally:
            self._busy.discard(work.place[0])

    async def _reserve(self, place: Place, promise: PlannedReservation, chargers: Chargers) -> None:
        asked = self._asked(place, promise)
        if not await self._keep(place, asked):
            return  # what is not on disk would be forgotten at the charger by a restart
        request = ReserveEvse(
            charger_id=asked.charger_id,
            evse_id=asked.evse_id,
            reservation_number=asked.number,
            token=asked.token,
            token_type=asked.token_type,
            parent_token=self._parent_of(asked.token),
            until_at=asked.until_at,
        )
        result = await chargers.execute(request, _ANSWER_WITHIN_S)
        after = _after(asked, result, self._clock.now())
        log.info(
            "reservations.told",
            charger_id=asked.charger_id,
            evse_id=asked.evse_id,
            reservation_id=asked.reservation_id,
            outcome=result.outcome,
        )
        await self._keep(place, after)
        if result.answer.get("code") in _UNKNOWN_TO_IT:
            await self._note_unable(asked.charger_id)

    def _asked(self, place: Place, promise: PlannedReservation) -> Told:
        before = self._told.get(place)
        is_same = before is not None and before.number == promise.reservation_number
        return Told(
            charger_id=place[0],
            evse_id=place[1],
            reservation_id=promise.reservation_id,
            number=promise.reservation_number,
            token=promise.token,
            token_type=promise.token_type,
            until_at=promise.ends_at,
            standing=Standing.ASKED,
            at=self._clock.now(),
            tries=before.tries + 1 if before and is_same else 1,
            was_kept=before.was_kept if before and is_same else False,
            drops=before.drops if before and is_same else 0,
        )

    async def _cancel(self, told: Told, chargers: Chargers) -> None:
        request = CancelReservation(charger_id=told.charger_id, reservation_number=told.number)
        result = await chargers.execute(request, _ANSWER_WITHIN_S)
        log.info(
            "reservations.undone",
            charger_id=told.charger_id,
            evse_id=told.evse_id,
            reservation_id=told.reservation_id,
            outcome=result.outcome,
        )
        # A no says that there is no such reservation (OCPP 1.6 section 5.1, OCPP 2.0.1 H02).
        is_gone = result.outcome in {CommandOutcome.ACCEPTED, CommandOutcome.REJECTED} or (
            result.answer.get("code") in _UNKNOWN_TO_IT
        )
        again = replace(told, at=self._clock.now(), tries=told.tries + 1)
        await self._keep((told.charger_id, told.evse_id), None if is_gone else again)

    async def _note_lost(self, told: Told) -> None:
        after = lost(told, self._clock.now())
        self._dropped.discard((told.charger_id, told.number))
        log.info(
            "reservations.lost",
            charger_id=told.charger_id,
            evse_id=told.evse_id,
            reservation_id=told.reservation_id,
            drops=after.drops,
        )
        await self._keep((told.charger_id, told.evse_id), after, _concern(after))

    def _parent_of(self, token: Token) -> Token | None:
        grant = self._plan.orders.grant_of(token)
        return grant.parent_token if grant else None

    async def _note_unable(self, charger_id: ChargerId) -> None:
        said_at = self._clock.now()
        self._unable[charger_id] = said_at
        await self._record(Kept(_UNABLE_KIND, charger_id, encode(Unable(said_at=said_at))))

    async def _keep(
        self, place: Place, told: Told | None, facts: Sequence[OddityObserved] = ()
    ) -> bool:
        """Remember, or forget; False: the disk refused, though this run of the agent goes by it."""
        body = None if told is None else msgspec.json.encode(told)
        is_on_disk = await self._record(Kept(_KIND, f"{place[1]}/{place[0]}", body), facts)
        if told is None:
            gone = self._told.pop(place, None)
            if gone is not None:
                self._dropped.discard((gone.charger_id, gone.number))
        elif is_on_disk or told.standing is not Standing.ASKED:
            self._told[place] = told
        return is_on_disk

    async def _record(self, note: Kept, facts: Sequence[OddityObserved] = ()) -> bool:
        try:
            await self._memory.record(facts, [note])
        except OutboxUnavailable as error:
            log.warning("reservations.unrecorded", error=str(error))
            return False
        return True


@dataclass(frozen=True, slots=True)
class _Seen:
    """A charger, as it was last seen."""

    here_since: datetime | None
    is_able: bool
    states: Sequence[tuple[int, ConnectorState]]
    """With the number of the EVSE."""


@dataclass(frozen=True, slots=True)
class Work:
    """One thing to do at one EVSE."""

    place: Place
    step: Step
    promise: PlannedReservation | None

    def comes_before(self, other: "Work") -> bool:
        """What frees an EVSE goes before what takes one."""
        return self.step is not Step.RESERVE and other.step is Step.RESERVE


def _concern(told: Told) -> list[OddityObserved]:
    """Return that a charger lets a reservation go again and again, once: it is told no more of it."""
    if told.drops != MOST_DROPS + 1:
        return []
    return [
        OddityObserved(
            charger_id=told.charger_id,
            oddity="reservation_dropped",
            detail=f"EVSE {told.evse_id} let reservation {told.number} go {told.drops} times",
            observed_at=told.at,
        )
    ]


def _after(asked: Told, result: CommandResult, now: datetime) -> Told:
    """Return what is known once a charger was asked; without an answer to be read no more than before."""
    if result.answer.get("code") == UNREADABLE:
        return replace(asked, at=now)
    match result.outcome:
        case CommandOutcome.ACCEPTED:
            return replace(asked, standing=Standing.KEPT, at=now, tries=0, was_kept=True)
        case CommandOutcome.REJECTED | CommandOutcome.FAILED:
            return replace(asked, standing=Standing.REFUSED, at=now)
        case _:
            return replace(asked, at=now)
