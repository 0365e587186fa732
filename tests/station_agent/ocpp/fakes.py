"""In-memory stand-ins for what the OCPP endpoint needs, and a charger's end of a socket."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from websockets.exceptions import ConnectionClosedOK

from contracts.events import Event
from contracts.ids import ChargerId, Token
from contracts.keys import hash_key, is_key
from contracts.plan import ChargerCredential
from station_agent.ocpp.outcome import ChargerView, Context
from station_agent.ports import (
    AnswerKept,
    DecidedBy,
    Kept,
    Note,
    OutboxUnavailable,
    SessionKept,
    SessionRecord,
    Verdict,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY = "00112233445566778899aabbccddeeff00112233"
SALT = "0f" * 16
ACCEPTED = Verdict(is_accepted=True, decided_by=DecidedBy.PLAN)
REFUSED = Verdict(is_accepted=False, decided_by=DecidedBy.PLAN, reason="unknown")


class FakeClock:
    """Stands still until told; what sleeps wakes when its time has come."""

    def __init__(self, now: datetime = NOW) -> None:
        self.speed = 1.0
        self._start = now
        self._elapsed_s = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed_s)

    def monotonic(self) -> float:
        return self._elapsed_s

    async def sleep(self, delay_s: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._elapsed_s + delay_s, woken))
        await woken

    def real_s(self, delay_s: float) -> float:
        return delay_s / self.speed

    @property
    def has_sleepers(self) -> bool:
        return bool(self._sleepers)

    def advance(self, delay_s: float) -> None:
        self._elapsed_s += delay_s
        due = [one for one in self._sleepers if one[0] <= self._elapsed_s]
        self._sleepers = [one for one in self._sleepers if one[0] > self._elapsed_s]
        for _, woken in due:
            if not woken.done():
                woken.set_result(None)


class FakeOutbox:
    """Recorder, SessionMemory and AnswerMemory at once, as the real outbox is."""

    def __init__(self) -> None:
        self.facts: list[Event] = []
        self.sessions: dict[str, SessionRecord] = {}
        self.answers: dict[tuple[ChargerId, str, bytes], bytes] = {}
        self.kepts: dict[tuple[str, str], bytes] = {}
        self.is_broken = False
        self.begins_on: list[int | None] = []
        self.is_held: asyncio.Event | None = None
        self._number = 0

    async def record(self, facts: Sequence[Event], notes: Sequence[Note] = ()) -> None:
        if self.is_broken:
            raise OutboxUnavailable("no space left on device")
        if self.is_held is not None:
            await self.is_held.wait()
        # What cannot be written as JSON could not be stored either.
        msgspec.json.decode(msgspec.json.encode(list(facts)), type=list[Event])
        self.facts += facts
        for note in notes:
            match note:
                case SessionKept(session=session):
                    self.sessions[session.session_id] = session
                case Kept(kind=kind, key=key, body=body):
                    if body is None:
                        self.kepts.pop((kind, key), None)
                    else:
                        self.kepts[kind, key] = body
                case AnswerKept():
                    key = (note.charger_id, note.message_id, note.digest)
                    self.answers[key] = note.reply

    def by_start_key(self, charger_id: ChargerId, start_key: str) -> SessionRecord | None:
        return self._newest(
            one
            for one in self.sessions.values()
            if (one.charger_id, one.start_key) == (charger_id, start_key)
        )

    def by_transaction(self, charger_id: ChargerId, transaction_id: str) -> SessionRecord | None:
        return self._newest(
            one
            for one in self.sessions.values()
            if (one.charger_id, one.transaction_id) == (charger_id, transaction_id)
        )

    def open_on(self, charger_id: ChargerId, evse_id: int) -> SessionRecord | None:
        return self._newest(
            one
            for one in self.sessions.values()
            if (one.charger_id, one.evse_id) == (charger_id, evse_id) and one.ended_at is None
        )

    def open_of(self, token: Token) -> list[SessionRecord]:
        return [
            one for one in self.sessions.values() if one.token == token and one.ended_at is None
        ]

    def next_transaction_number(self) -> int:
        self._number += 1
        return self._number

    def kept(self, kind: str) -> dict[str, bytes]:
        return {key: body for (one, key), body in self.kepts.items() if one == kind}

    def answer_to(self, charger_id: ChargerId, message_id: str, digest: bytes) -> bytes | None:
        return self.answers.get((charger_id, message_id, digest))

    def told(self, kind: type) -> list:
        """Return the facts of one kind, in order."""
        return [fact for fact in self.facts if type(fact) is kind]

    @staticmethod
    def _newest(found) -> SessionRecord | None:
        return max(found, key=lambda one: one.started_at, default=None)


class FakeAuthorizer:
    """Says what it is told to say, at once or when released."""

    def __init__(self, verdict: Verdict = ACCEPTED) -> None:
        self.verdict = verdict
        self.asked: list[tuple[ChargerId, int, Token]] = []
        self.begins_on: list[int | None] = []
        self.is_held: asyncio.Event | None = None

    async def authorize(
        self, charger_id: ChargerId, evse_id: int, token: Token, begins_on: int | None = None
    ) -> Verdict:
        self.asked.append((charger_id, evse_id, token))
        self.begins_on.append(begins_on)
        if self.is_held is not None:
            await self.is_held.wait()
        return self.verdict


class FakePromises:
    """Knows reservations by number, and no other."""

    def __init__(self, by_number: dict[int, str] | None = None) -> None:
        self.by_number = by_number or {}
        self.drops: list[tuple[ChargerId, int]] = []

    def met_by(self, charger_id, evse_id, token, number, at) -> str | None:
        del charger_id, evse_id, token, at
        return self.by_number.get(number, str(number)) if number else None

    def dropped(self, charger_id, number) -> None:
        self.drops.append((charger_id, number))


class FakeCredentials(dict):
    """Credentials by charger."""

    def credential_of(self, charger_id: ChargerId) -> ChargerCredential | None:
        return self.get(charger_id)

    async def takes(self, charger_id: ChargerId, salt: str, key: str) -> bool:
        known = self.get(charger_id)
        return (
            known is not None and salt == known.next_salt and is_key(salt, known.next_key_hash, key)
        )

    async def takes_certificate(self, charger_id: ChargerId, serial_number: str) -> bool:
        counting = self[charger_id].certificate_serials if charger_id in self else ()
        return not counting or serial_number in counting


class FakeSocket:
    """The agent's end of a WebSocket whose other end is the test."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[bytes] = asyncio.Queue()
        self.closed: tuple[int, str] | None = None
        self.answers_pings = True
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()

    def put(self, frame: str | bytes | list) -> None:
        """Let the charger send a frame."""
        if isinstance(frame, list):
            frame = msgspec.json.encode(frame)
        self._frames.put_nowait(frame.encode() if isinstance(frame, str) else frame)

    async def reply(self) -> list:
        """Return the next frame the charger gets."""
        async with asyncio.timeout(60):
            return msgspec.json.decode(await self.sent.get())

    def hang_up(self) -> None:
        """Let the charger close."""
        self._frames.put_nowait(None)

    async def recv(self, decode: bool | None = None) -> bytes:
        assert decode is False
        frame = await self._frames.get()
        if frame is None:
            self._frames.put_nowait(None)
            raise ConnectionClosedOK(None, None)
        return frame

    async def send(self, message: bytes, *, text: bool | None = None) -> None:
        if self.closed:
            raise ConnectionClosedOK(None, None)
        assert text
        self.sent.put_nowait(message)

    async def ping(self) -> asyncio.Future[float]:
        pong: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        if self.answers_pings:
            pong.set_result(0.0)
        return pong

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.closed = (code, reason)
        self.hang_up()


def a_credential(charger_id: str = "CP-1", key: str = KEY, security_profile: int = 1):
    """Return what the plan says of a charger with this key."""
    return ChargerCredential(
        charger_id=charger_id,
        salt=SALT,
        key_hash=hash_key(SALT, key),
        security_profile=security_profile,
    )


def a_view(outbox: FakeOutbox, **changes) -> ChargerView:
    """Return a charger with two EVSEs, connected for an hour."""
    numbers = iter(range(1, 1_000_000))
    fields = {
        "charger_id": "CP-1",
        "evse_ids": (1, 2),
        "sessions": outbox,
        "connected_at": NOW - timedelta(hours=1),
        "security_profile": 1,
        "key_salt": SALT,
        "heartbeat_interval_s": 300,
        "new_session_id": lambda: f"session-{next(numbers)}",
        "promises": FakePromises(),
    }
    return ChargerView(**fields | changes)


def a_context(outbox: FakeOutbox | None = None, verdict: Verdict | None = None) -> Context:
    """Return a context at NOW."""
    return Context(a_view(outbox or FakeOutbox()), NOW, verdict)
