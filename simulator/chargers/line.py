"""A charger's end of OCPP-J as a plain object: frames in, frames out, no sockets.

One call of ours is in flight at a time (OCPP-J 1.6 section 4.1.1). Transaction messages are kept in
order while there is no connection and until they are answered; the others are only true now.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, Final

import msgspec

from simulator.chargers.manners import Manners
from simulator.faults import FAIR, Way, Weather
from simulator.journal import Entry, Kind
from simulator.world import Happening, World

CALL: Final = 2
RESULT: Final = 3
ERROR: Final = 4
_NOBODYS: Final = "\0"
"""An id no call has."""

BOOT: Final = "BootNotification"

Payload = dict[str, Any]
Send = Callable[[str], None]


@dataclass(slots=True)
class Call:
    """A request of the charger; `payload` is asked for once, when it is first sent."""

    action: str
    payload: Callable[[], Payload]
    is_kept: bool = False
    """A transaction message: survives connections, is repeated until answered."""
    on_answer: Callable[[Payload], None] | None = None
    on_failure: Callable[[str], None] | None = None
    """Told why there will be no answer; never of a kept call that is still tried."""
    evse_id: int = 0
    session_ref: str = ""
    register_wh: int | None = None
    """With it the journal tells a METER once this call is acknowledged."""
    observed_at: datetime | None = None
    message_ids: list[str] = field(default_factory=list)
    named_on: int = 0
    """The connection of the newest of them."""
    sent: Payload | None = None
    attempts: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Our CALLERROR to a call of the other side."""

    code: str
    description: str = ""


class Line:
    """Calls out, answers in, calls in, answers out."""

    def __init__(
        self,
        world: World,
        charger_id: str,
        on_call: Callable[[str, Payload], Payload | Refusal],
        on_open: Callable[[], None],
        manners: Manners | None = None,
        *,
        heard: Callable[[str, Payload], None] = lambda _action, _answer: None,
    ) -> None:
        self._heard = heard
        self._world = world
        self._charger_id = charger_id
        self._on_call = on_call
        self._on_open = on_open
        self.manners = manners or Manners()
        self._way = Way(world, f"{charger_id}/out", FAIR)
        self._numbers = count(1)
        self._chance = world.random("message ids", charger_id, world.born_at)
        self._queue: deque[Call] = deque()
        self._in_flight: Call | None = None
        self._pipelined: dict[str, Call] = {}
        self._timeout: Happening | None = None
        self._send: Send | None = None
        self._on_delivered: Callable[[], None] | None = None
        self._connection = 0
        self.is_booted = False
        """Whether a boot was accepted since `must_boot`."""

    @property
    def is_up(self) -> bool:
        """Whether there is a connection on which calls may be sent."""
        return self._send is not None and self.is_booted

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection at all."""
        return self._send is not None

    @property
    def connections(self) -> int:
        """Return how many there were, with this one."""
        return self._connection

    @property
    def backlog(self) -> int:
        """Return how many transaction messages wait to be acknowledged."""
        waiting = [*self._queue, *([self._in_flight] if self._in_flight else [])]
        return sum(call.is_kept for call in waiting)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing waits to be said or answered, or nobody is there to hear it."""
        return self._send is None or (self._in_flight is None and not self._queue)

    def under(self, weather: Weather) -> None:
        """Change how outgoing frames fare."""
        self._way.weather = weather

    def must_boot(self) -> None:
        """Hold everything but BootNotification until one is accepted."""
        self.is_booted = False

    def booted(self) -> None:
        """Let the other calls go."""
        self.is_booted = True
        self._pump()

    def opened(self, send: Send) -> None:
        """A connection is there; `send` writes one frame to it."""
        self._connection += 1
        self._send = send
        self._world.tell(self._entry(Kind.CONNECTED))
        self._on_open()
        self._pump()

    def closed(self) -> None:
        """The connection is gone; without effect if there was none."""
        if self._send is None:
            return
        self._send = None
        self._on_delivered = None
        self._world.tell(self._entry(Kind.DISCONNECTED))
        self._forget_timeout()
        calls = [*([self._in_flight] if self._in_flight else []), *self._queue]
        calls += self._pipelined.values()
        self._in_flight = None
        self._pipelined.clear()
        self._queue = deque(call for call in calls if call.is_kept)
        for call in calls:
            if not call.is_kept and call.on_failure:
                call.on_failure("connection lost")

    def when_delivered(self, then: Callable[[], None]) -> None:
        """Call `then` once, when no transaction message waits any more; forgotten if it is cut off."""
        self._on_delivered = then
        self._tell_delivered()

    def call(self, call: Call, *, is_urgent: bool = False) -> None:
        """Send a call once its turn comes; without a connection only a kept one is taken."""
        if self._send is None and not call.is_kept:
            if call.on_failure:
                call.on_failure("no connection")
            return
        if is_urgent:
            self._queue.appendleft(call)
        else:
            self._queue.append(call)
        self._pump()

    def received(self, text: str) -> None:
        """Take a frame; what is no OCPP-J message is ignored."""
        try:
            frame = _decode(text)
        except msgspec.MsgspecError:
            return
        match frame:
            case [3, (str() | int()) as message_id, dict(payload)]:
                self._answered(self._read_id(message_id), payload)
            case [4, (str() | int()) as message_id, str(code), *rest]:
                self._refused(self._read_id(message_id), code, str(rest[0]) if rest else "")
            case [2, str(message_id), str(action), dict(payload)]:
                self._asked(message_id, action, payload)
            case _:
                return

    def _pump(self) -> None:
        while self._send is not None and self._in_flight is None:
            call = self._next()
            if call is None:
                return
            if not self._tell_as_usual(call):
                continue
            message_id = self._name(call)
            if self.is_booted or call.is_kept or self.manners.waits_for_boot:
                self._in_flight = call
                self._timeout = self._world.after(self.manners.answer_timeout_s, self._timed_out)
            else:
                self._pipelined[message_id] = call
            self._transmit(call, message_id)

    def _next(self) -> Call | None:
        if not self._queue:
            return None
        if self.is_booted or not self.manners.waits_for_boot:
            return self._queue.popleft()
        for call in self._queue:
            if call.action == BOOT:
                self._queue.remove(call)
                return call
        return None

    def _tell_as_usual(self, call: Call) -> bool:
        """Settle what is said, once; False: the call is not, or others come before it."""
        if call.sent is not None:
            return True
        payload, manners = call.payload(), self.manners
        told = manners.alters(call.action, payload) if manners.alters else payload
        if manners.retells is None:
            call.sent = told
            return True
        calls: list[Call] = []
        for action, said in manners.retells(call.action, told):
            is_itself = action == call.action and not any(one is call for one in calls)
            one = call if is_itself else Call(action, dict, is_kept=call.is_kept)
            one.sent = said
            calls.append(one)
        self._queue.extendleft(reversed(calls))
        return False

    def _name(self, call: Call) -> str:
        """Return the message id of the next attempt."""
        if self.manners.message_id is not None:
            call.message_ids = [self.manners.message_id]
            return self.manners.message_id
        is_again = bool(call.message_ids)
        if not is_again or (self.manners.renews_message_ids and self._was_sent_here(call)):
            call.message_ids.append(self._new_id())
            call.named_on = self._connection
        return call.message_ids[-1]

    def _new_id(self) -> str:
        if self.manners.numbers_ids:
            return str(next(self._numbers))
        return f"{self._connection}-{self._chance.getrandbits(96):024x}"

    def _read_id(self, message_id: str | int) -> str:
        """Return the id of an answer as calls know it; written otherwise than it was, nobody's."""
        is_as_written = isinstance(message_id, int) == self.manners.numbers_ids
        return str(message_id) if is_as_written else _NOBODYS

    def _transmit(self, call: Call, message_id: str) -> None:
        call.attempts += 1
        self._world.tell(self._entry(Kind.SENT, call, message_id=message_id, body=call.sent))
        written = int(message_id) if self.manners.numbers_ids else message_id
        text = _encode([CALL, written, call.action, call.sent])
        rewrites = self.manners.rewrites
        for _ in range(1 + self.manners.copies):
            self._post(rewrites(call.action, text) if rewrites else text)

    def _was_sent_here(self, call: Call) -> bool:
        return call.named_on == self._connection

    def _write(self, frame: list[Any]) -> None:
        self._post(_encode(frame))

    def _post(self, text: str) -> None:
        connection = self._connection

        def arrive() -> None:
            if self._send is not None and self._connection == connection:
                self._send(text)

        self._way.carry(arrive)

    def _answered(self, message_id: str, payload: Payload) -> None:
        if self._misses_answer(message_id):
            return
        call = self._take_in_flight(message_id)
        if call is None:
            return
        self._world.tell(self._entry(Kind.ACKNOWLEDGED, call, message_id=message_id, body=payload))
        if call.register_wh is not None:
            self._world.tell(self._entry(Kind.METER, call, message_id=message_id))
        if call.on_answer:
            call.on_answer(payload)
        self._heard(call.action, payload)
        self._pump()
        self._tell_delivered()

    def _misses_answer(self, message_id: str) -> bool:
        call = self._in_flight
        if call is None or message_id not in call.message_ids:
            return False
        return call.attempts == 1 and call.action in self.manners.deaf_to

    def _refused(self, message_id: str, code: str, description: str) -> None:
        call = self._take_in_flight(message_id)
        if call is None:
            return
        body = {"code": code, "description": description}
        self._world.tell(self._entry(Kind.REFUSED, call, message_id=message_id, body=body))
        call.errors += 1
        if call.is_kept and call.errors < self.manners.attempts_after_error:
            self._retry_later(call)
            return
        if call.is_kept:
            self._world.tell(self._entry(Kind.DROPPED, call, message_id=message_id, body=body))
        if call.on_failure:
            call.on_failure(code)
        self._pump()
        self._tell_delivered()

    def _tell_delivered(self) -> None:
        if self._on_delivered is not None and not self._keeps_any():
            then, self._on_delivered = self._on_delivered, None
            then()

    def _keeps_any(self) -> bool:
        is_in_flight = self._in_flight is not None and self._in_flight.is_kept
        return is_in_flight or any(call.is_kept for call in self._queue)

    def _retry_later(self, call: Call) -> None:
        self._queue.appendleft(call)
        self._in_flight = _PAUSE
        delay_s = self.manners.retry_after_s * call.errors

        def go_on() -> None:
            if self._in_flight is _PAUSE:
                self._in_flight = None
            self._pump()

        self._world.after(delay_s, go_on)

    def _timed_out(self) -> None:
        call, self._in_flight = self._in_flight, None
        if call is None:
            return
        if call.is_kept:
            self._queue.appendleft(call)
        elif call.on_failure:
            call.on_failure("no answer in time")
        self._pump()

    def _take_in_flight(self, message_id: str) -> Call | None:
        if message_id in self._pipelined:
            return self._pipelined.pop(message_id)
        call = self._in_flight
        if call is None or message_id not in call.message_ids:
            return None
        self._in_flight = None
        self._forget_timeout()
        return call

    def _forget_timeout(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None

    def _asked(self, message_id: str, action: str, payload: Payload) -> None:
        answer = self._on_call(action, payload)
        if isinstance(answer, Refusal):
            frame = [ERROR, message_id, answer.code, answer.description, {}]
            body: Payload = {"code": answer.code}
        else:
            frame = [RESULT, message_id, answer]
            body = answer
        entry = Entry(
            at=self._world.now(),
            kind=Kind.ASKED,
            charger_id=self._charger_id,
            message_id=message_id,
            action=action,
            body={"payload": payload, "answer": body},
        )
        self._world.tell(entry)
        if self.manners.asks_first:
            ask = Call("Heartbeat", dict, on_answer=lambda _: self._write(frame))
            self.call(ask, is_urgent=True)
        elif self.manners.answers_after_s > 0:
            self._world.after(self.manners.answers_after_s, lambda: self._write(frame))
        else:
            self._write(frame)

    def _entry(
        self,
        kind: Kind,
        call: Call | None = None,
        *,
        message_id: str = "",
        body: Payload | None = None,
    ) -> Entry:
        if call is None:
            return Entry(at=self._world.now(), kind=kind, charger_id=self._charger_id)
        return Entry(
            at=self._world.now(),
            kind=kind,
            charger_id=self._charger_id,
            evse_id=call.evse_id,
            session_ref=call.session_ref,
            message_id=message_id,
            action=call.action,
            step=str((call.sent or {}).get("eventType", "")),
            attempt=call.attempts,
            register_wh=call.register_wh,
            observed_at=call.observed_at,
            body=body or {},
        )


_PAUSE: Final = Call("", dict)
"""Stands in flight while a refused transaction message waits for its next attempt."""

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder()


def _encode(frame: list[Any]) -> str:
    return _ENCODER.encode(frame).decode()


def _decode(text: str) -> Any:
    return _DECODER.decode(text)
