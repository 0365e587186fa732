"""What the parts of the agent need of each other: OCPP, outbox, authorisation and commands meet here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol

from contracts.commands import Request
from contracts.events import ChargingState, CommandOutcome, Event
from contracts.ids import ChargerId, SessionId, Token
from contracts.plan import ChargerCredential

Gap = tuple[int, int]
"""The first and the last of numbers that are missing."""


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A charging transaction as the agent keeps it, open or lately ended.

    `start_key` is equal for every copy of the same start (1.6: connector, token, timestamp and
    meter; 2.0.1: the charger's transaction id), so that a repeated start finds its session.
    """

    session_id: SessionId
    charger_id: ChargerId
    evse_id: int
    connector_id: int
    transaction_id: str
    start_key: str
    token: Token | None
    meter_start_wh: int | None
    started_at: datetime
    reservation_id: str | None = None
    """The reservation it meets, as the cloud calls it."""
    ended_at: datetime | None = None
    is_end_assumed: bool = False
    """Ended because a later session took its place; its own stop may still come and is believed."""
    is_start_assumed: bool = False
    """Known from its later messages only; its own start may still come and is believed."""
    meter_stop_wh: int | None = None
    charging_state: ChargingState | None = None
    """The last one told, so that only changes are."""
    last_seq_no: int | None = None
    """2.0.1's seqNo, the greatest seen."""
    missing_seq_nos: frozenset[int] = field(default_factory=frozenset)
    """2.0.1: the newest in the gaps, one by one: all that an older agent wrote, and can read."""
    seq_no_gaps: tuple[Gap, ...] | None = None
    """2.0.1: those below the greatest that have not come (yet), in order; any other repeats one
    told before. None: kept by an older agent, or not numbered."""
    unknown_seq_nos_to: int | None = None
    """2.0.1: up to here it is forgotten which came."""
    last_event_at: datetime | None = None
    """2.0.1: the latest time of its numbered events, as the charger wrote it."""
    has_intervals: bool = False
    """Told energy by the interval before its end, which may repeat it in another rhythm."""


@dataclass(frozen=True, slots=True)
class SessionKept:
    """Note: store this session record, replacing an earlier one of the same id."""

    session: SessionRecord


@dataclass(frozen=True, slots=True)
class AnswerKept:
    """Note: a charger's call was answered so; the same call again gets the same answer.

    `digest` is of action and payload: a reused id with another payload is another call.
    """

    charger_id: ChargerId
    message_id: str
    digest: bytes
    reply: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """Note: remember `body`, a JSON object, under a kind and a key; None forgets it."""

    kind: str
    key: str
    body: bytes | None


Note = SessionKept | AnswerKept | Kept
"""What must be on disk together with the facts of the same message."""


class Recorder(Protocol):
    """The outbox, as those who find facts see it."""

    async def record(self, facts: Sequence[Event], notes: Sequence[Note] = ()) -> None:
        """Make facts and notes durable, in one transaction and in order; returns once on disk.

        Raises:
            OutboxUnavailable: the disk refused; the caller must not answer the charger.
        """
        ...


class OutboxUnavailable(RuntimeError):
    """Facts could not be written: the charger is left without an answer, and tries again."""


class SessionMemory(Protocol):
    """Open sessions, and those ended in the last days; read from memory, loaded from disk."""

    def by_start_key(self, charger_id: ChargerId, start_key: str) -> SessionRecord | None:
        """Return the session this start, or a copy of it, opened."""
        ...

    def by_transaction(self, charger_id: ChargerId, transaction_id: str) -> SessionRecord | None:
        """Return the session the charger calls so, the newest first."""
        ...

    def open_on(self, charger_id: ChargerId, evse_id: int) -> SessionRecord | None:
        """Return the newest session still open on an EVSE."""
        ...

    def open_of(self, token: Token) -> Sequence[SessionRecord]:
        """Return the newest session still open on each EVSE that this token began."""
        ...

    def next_transaction_number(self) -> int:
        """Return an integer above 0 no transaction of this agent had before (1.6 wants them)."""
        ...


class AnswerMemory(Protocol):
    """What chargers were answered lately."""

    def answer_to(self, charger_id: ChargerId, message_id: str, digest: bytes) -> bytes | None:
        """Return the reply frame once given to this very call; None if it is new."""
        ...


class DecidedBy(StrEnum):
    """Who had the word on a token."""

    PLAN = "plan"
    CACHE = "cache"
    CLOUD = "cloud"
    OFFLINE_POLICY = "offline_policy"


@dataclass(frozen=True, slots=True)
class Verdict:
    """May this token charge here, now?"""

    is_accepted: bool
    decided_by: DecidedBy
    reason: str = ""
    """Empty, or `unknown`, `blocked`, `expired`, `reserved_for_another`, `concurrent`."""
    parent_token: Token | None = None
    valid_until: datetime | None = None
    tariff_text: str = ""
    """What it is to pay here, in words; empty: not known."""


class Authorizer(Protocol):
    """Plan, then cache, then cloud (bounded wait), then the offline policy."""

    async def authorize(
        self, charger_id: ChargerId, evse_id: int, token: Token, begins_on: int | None = None
    ) -> Verdict:
        """Decide; never raises, never takes longer than the bounded wait. `evse_id` 0: not said."""
        ...


class Relay(Protocol):
    """Who brings a charger's question to the cloud, and the answer back."""

    async def relay(
        self, charger_id: ChargerId, action: str, payload: Mapping[str, Any], wait_s: float
    ) -> dict[str, Any] | None:
        """Return what the charger is to be told; None: the cloud is away, does not know, or was too slow."""
        ...


class Promises(Protocol):
    """The reservations of the plan, as those who see sessions begin need them."""

    def met_by(
        self, charger_id: ChargerId, evse_id: int, token: Token | None, number: int, at: datetime
    ) -> str | None:
        """Return the id of the reservation a session meets, by its number, else by its token.

        `number` is what the charger called it, 0: nothing; one that nobody knows is returned as text.
        """
        ...

    def dropped(self, charger_id: ChargerId, number: int) -> None:
        """Note that a charger says it keeps a reservation no more."""
        ...


class Credentials(Protocol):
    """Which chargers may connect."""

    def credential_of(self, charger_id: ChargerId) -> ChargerCredential | None:
        """Return what the charger's key is checked against; None: nobody we know."""
        ...

    async def takes(self, charger_id: ChargerId, salt: str, key: str) -> bool:
        """Whether a key, named by its salt, is good here and will be after a crash; waits a little."""
        ...

    async def takes_certificate(self, charger_id: ChargerId, serial_number: str) -> bool:
        """Whether a certificate counts here and will after a crash; waits a little."""
        ...


UNREADABLE: Final = "UnreadableAnswer"
"""The code of a failure where the charger did answer: what it means to do nobody knows."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a request to a charger ended; `answer` as in CommandAnswered."""

    outcome: CommandOutcome
    answer: dict[str, Any] = field(default_factory=dict)


class ChargerGateway(Protocol):
    """The connected chargers, as the command side and the beat see them."""

    async def execute(self, request: Request, timeout_s: float) -> CommandResult:
        """Carry out a request at its charger; one call in flight per charger, others wait."""
        ...

    def silent_chargers(self) -> list[ChargerId]:
        """Return the station's chargers not heard from in time (disconnected ones included)."""
        ...

    def connected_at(self, charger_id: ChargerId) -> datetime | None:
        """Return when the charger's connection began; None: it has none."""
        ...
