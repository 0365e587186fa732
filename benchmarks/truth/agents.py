"""A station's agent without sockets, disk and loop: its real parts, driven by the world's happenings.

Chargers' frames go through `ocpp/rpc.py` and `ocpp/answering.py`, sensors' messages through `sensors.py`,
tokens through `authorizer.py`, reservations through `reservations.py`: what those record is what the cloud
is told. Nothing here ever waits, so each coroutine is run to its end where it is called.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeVar

from contracts.batch import MAX_BATCH_EVENTS, AuthorizeAnswer, Batch, Beat
from contracts.clock import Clock
from contracts.events import ChargerConnected, ChargerDisconnected, Event
from contracts.ids import ChargerId, Token
from contracts.wire import encode
from simulator.chargers.charger import Charger
from simulator.payloads import Message as SensorMessage
from station_agent.authorizer import TokenAuthorizer
from station_agent.mqtt import Message
from station_agent.ocpp.answering import Answering, Services, Timing
from station_agent.ocpp.connection import NotAnswered, OnAnswer
from station_agent.ocpp.gateway import Gateway
from station_agent.ocpp.handshake import choose_version
from station_agent.ocpp.outcome import ChargerView
from station_agent.ocpp.rpc import Answered, AnsweredWithError, Call, Refused, Rpc
from station_agent.ocpp.versions import Version
from station_agent.outbox.memory import AnswerIndex, RememberedSession, SessionIndex
from station_agent.outbox.state import subject_of
from station_agent.plan import PlanKeeper
from station_agent.ports import AnswerKept, CommandResult, Kept, Note, SessionKept, SessionRecord
from station_agent.reservations import Reservations
from station_agent.sensors import Sensors
from station_agent.station_file import StationLayout

_HEARTBEAT_S: Final = 3_600
_TIMING: Final = Timing()

T = TypeVar("T")


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that has nothing to wait for.

    Raises:
        RuntimeError: it has.
    """
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise RuntimeError("it waits for something, and there is no loop")


class Memory:
    """The outbox without its disk: what was recorded and not sent yet, and what is remembered."""

    def __init__(self, clock: Clock, hear: Callable[[Event], None]) -> None:
        """Begin empty; `hear` is told of every fact as it is recorded."""
        self.facts: list[Event] = []
        self._clock = clock
        self._hear = hear
        self._sessions = SessionIndex()
        self._answers = AnswerIndex()
        self._kept: dict[str, dict[str, bytes]] = {}
        self._numbers = count(1)

    async def record(self, facts: Sequence[Event], notes: Sequence[Note] = ()) -> None:
        """See Recorder.record."""
        self.facts += facts
        for fact in facts:
            self._hear(fact)
            subject = subject_of(fact)
            if subject is not None:
                self._kept.setdefault("state", {})[subject] = encode(fact)
        for note in notes:
            self._note(note)

    def kept(self, kind: str) -> Mapping[str, bytes]:
        """See Outbox.kept."""
        return self._kept.get(kind, {})

    def by_start_key(self, charger_id: ChargerId, start_key: str) -> SessionRecord | None:
        """See SessionMemory.by_start_key."""
        return self._sessions.by_start_key(charger_id, start_key)

    def by_transaction(self, charger_id: ChargerId, transaction_id: str) -> SessionRecord | None:
        """See SessionMemory.by_transaction."""
        return self._sessions.by_transaction(charger_id, transaction_id)

    def open_on(self, charger_id: ChargerId, evse_id: int) -> SessionRecord | None:
        """See SessionMemory.open_on."""
        return self._sessions.open_on(charger_id, evse_id)

    def open_of(self, token: Token) -> Sequence[SessionRecord]:
        """See SessionMemory.open_of."""
        return self._sessions.open_of(token)

    def next_transaction_number(self) -> int:
        """See SessionMemory.next_transaction_number."""
        return next(self._numbers)

    def answer_to(self, charger_id: ChargerId, message_id: str, digest: bytes) -> bytes | None:
        """See AnswerMemory.answer_to."""
        return self._answers.answer_to(charger_id, message_id, digest)

    def _note(self, note: Note) -> None:
        match note:
            case SessionKept(session):
                self._sessions.put(RememberedSession(session, self._clock.now()))
            case AnswerKept():
                self._answers.put(self._answers.numbered(note))
            case Kept(kind, key, None):
                self._kept.get(kind, {}).pop(key, None)
            case Kept(kind, key, body) if body is not None:
                self._kept.setdefault(kind, {})[key] = body


class _Away:
    """The cloud is not asked about tokens: the plan knows all there are."""

    async def ask(
        self,
        charger_id: ChargerId,
        evse_id: int,
        token: Token,
        wait_s: float,
        begins_on: int | None = None,
    ) -> AuthorizeAnswer | None:
        """See Uplink.ask."""
        del charger_id, evse_id, token, wait_s, begins_on
        return None


class Connection:
    """The agent's end of a charger's line, as `ocpp/connection.py` is on a socket."""

    def __init__(
        self, charger: Charger, version: Version, view: ChargerView, services: Services
    ) -> None:
        self.charger = view
        self.version = version
        self._line = charger.line
        self._rpc = Rpc(version.dialect)
        self._answering = Answering(version, view, self._rpc, services)
        self._answer: Answered | AnsweredWithError | None = None
        self._ids = count(1)

    def open(self) -> None:
        """Let the charger speak."""
        self._line.opened(self._receive)

    def close(self) -> None:
        """Cut the line."""
        self._line.closed()

    async def call(
        self,
        action: str,
        payload: dict[str, Any],
        timeout_s: float,
        on_answer: OnAnswer | None = None,
    ) -> Answered | AnsweredWithError | NotAnswered:
        """See ChargerConnection.call; simulated chargers answer at once."""
        del timeout_s
        self._answer = None
        self._line.received(self._rpc.call(f"agent-{next(self._ids)}", action, payload).decode())
        answer: Answered | AnsweredWithError | None = self._answer
        if isinstance(answer, Answered) and on_answer is not None:
            await on_answer(answer.payload)
        return answer or NotAnswered(was_sent=True)

    def _receive(self, text: str) -> None:
        frame = text.encode()
        match self._rpc.receive(frame):
            case Call() | Refused() as received:
                reply = at_once(self._answering.reply(received, frame))
                if reply is not None:
                    self._line.received(reply.decode())
            case Answered() | AnsweredWithError() as answered:
                self._answer = answered


class _Connections:
    """Which chargers are there, as `ocpp/connections.py` tells."""

    def __init__(self) -> None:
        self.live: dict[ChargerId, Connection] = {}

    def get(self, charger_id: ChargerId) -> Connection | None:
        """See Connections.get."""
        return self.live.get(charger_id)


class StationAgent:
    """One station's agent."""

    def __init__(
        self, station: StationLayout, clock: Clock, folder: Path, hear: Callable[[Event], None]
    ) -> None:
        """Begin with nothing known.

        Args:
            station: its layout, as its file says.
            clock: the world's.
            folder: for its plan.
            hear: told of each fact as it is recorded.
        """
        self.station = station
        self.memory = Memory(clock, hear)
        self.plan = PlanKeeper(folder / f"{station.station_id}.json", station.station_id, clock)
        self.sensors = Sensors(station, self.memory, clock)
        self.reservations = Reservations(station, self.plan, self.memory, clock)
        authorizer = TokenAuthorizer(
            plan=self.plan,
            cloud=_Away(),
            memory=self.memory,
            station=station,
            clock=clock,
            wait_s=2,
        )
        self._clock = clock
        self._services = Services(self.memory, self.memory, authorizer, clock, _TIMING)
        self._connections = _Connections()
        self._gateway = Gateway(
            self._connections,  # type: ignore[arg-type]
            self.memory,
            self.memory,
            clock,
        )
        self._session_numbers = count(1)
        self._next_seq = 1

    # --- what comes ------------------------------------------------------------------------------

    def connect(self, charger: Charger) -> None:
        """Let a charger in."""
        version = choose_version(charger.offers)
        if version is None:
            raise RuntimeError(f"{charger.charger_id} offers nothing we speak")
        connection = Connection(charger, version, self._view(charger.charger_id), self._services)
        self._connections.live[charger.charger_id] = connection
        self._record(
            ChargerConnected(
                charger_id=charger.charger_id,
                ocpp_version=version.name,
                security_profile=1,
                observed_at=self._clock.now(),
            )
        )
        connection.open()

    def disconnect(self, charger_id: ChargerId) -> None:
        """Lose a charger; without effect if it is lost already."""
        connection = self._connections.live.pop(charger_id, None)
        if connection is not None:
            connection.close()
            self._record(ChargerDisconnected(charger_id=charger_id, observed_at=self._clock.now()))

    def hear_sensor(self, message: SensorMessage) -> None:
        """Take what a sensor published, as the broker brings it to a subscriber."""
        self.sensors.received(Message(message.topic, message.payload, is_retained=False))
        if self.sensors.has_news:
            at_once(self.sensors.record())

    # --- what time does --------------------------------------------------------------------------

    def look_around(self) -> None:
        """Do what the agent's loops do every other second."""
        self.sensors.look_around()
        if self.sensors.has_news:
            at_once(self.sensors.record())
        for work in self.reservations.due(self):
            at_once(self.reservations.carry_out(work, self))

    def next_batches(self) -> list[Batch]:
        """Return what there is to send now, each with a beat: one at least."""
        facts, self.memory.facts = self.memory.facts, []
        groups = [
            facts[at : at + MAX_BATCH_EVENTS] for at in range(0, len(facts), MAX_BATCH_EVENTS)
        ]
        return [self._batch(group) for group in groups or [[]]]

    # --- Chargers, as reservations need them -----------------------------------------------------

    async def execute(self, request: Any, timeout_s: float) -> CommandResult:
        """See ChargerGateway.execute."""
        return await self._gateway.execute(request, timeout_s)

    def connected_at(self, charger_id: ChargerId) -> Any:
        """See ChargerGateway.connected_at."""
        connection = self._connections.get(charger_id)
        return connection.charger.connected_at if connection else None

    # --- inside ----------------------------------------------------------------------------------

    def _batch(self, facts: list[Event]) -> Batch:
        first_seq = self._next_seq
        self._next_seq += len(facts)
        return Batch(
            station=self.station.station_id,
            epoch=1,
            first_seq=first_seq,
            sent_at=self._clock.now(),
            events=list(facts),
            beat=self._beat(),
        )

    def _beat(self) -> Beat:
        live = self._connections.live
        return Beat(
            silent_chargers=[one for one in self.station.chargers if one not in live],
            silent_sensors=self.sensors.silent_sensors(),
        )

    def _view(self, charger_id: ChargerId) -> ChargerView:
        return ChargerView(
            charger_id=charger_id,
            evse_ids=self.station.evses_of(charger_id),
            sessions=self.memory,
            connected_at=self._clock.now(),
            security_profile=1,
            key_salt="",
            heartbeat_interval_s=_HEARTBEAT_S,
            new_session_id=lambda: f"{self.station.station_id}/{next(self._session_numbers)}",
            promises=self.reservations,
        )

    def _record(self, fact: Event) -> None:
        at_once(self.memory.record([fact]))
