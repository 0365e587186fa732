"""What a handler is given, what it gives back, and what a version says of each of its actions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Final

import msgspec

from contracts.events import Event, OddityObserved
from contracts.ids import ChargerId, SessionId, Token
from contracts.plan import Registration
from station_agent.ocpp.conversation import Conversation
from station_agent.ocpp.fields import cut
from station_agent.ocpp.instants import MAX_SKEW, RIGHT, Told, read_kept, read_live, read_planned
from station_agent.ocpp.skew import Skew
from station_agent.ports import Note, Promises, SessionMemory, SessionRecord, Verdict

Reply = dict[str, Any]
"""A response's payload, spelled as on the wire; tests hold each against its schema."""


BOOT: Final = "BootNotification"
_BOOT_AGAIN_S: Final = 30


class Unreadable(ValueError):
    """A message that has the right form but says nothing we can use."""


@dataclass(frozen=True, slots=True)
class ChargerView:
    """The charger a message came from; the same for a whole connection."""

    charger_id: ChargerId
    evse_ids: Sequence[int]
    sessions: SessionMemory
    connected_at: datetime
    security_profile: int
    key_salt: str
    """Names the key it came by; empty: none."""
    heartbeat_interval_s: int
    new_session_id: Callable[[], SessionId]
    promises: Promises
    registration: Callable[[], Registration] = lambda: Registration.ACCEPTED
    """How its next BootNotification is answered, by the plan in use."""
    shows_tariff: Callable[[], bool] = lambda: False
    """Whether it said that it shows drivers what charging costs."""
    profile_generation: int = 0
    """Of the credential it was let in by."""
    certificate_serial: str = ""
    """Of the certificate it came by; empty: by none."""
    common_names: Sequence[str] = ()
    """Of that certificate's subject."""
    talk: Conversation = field(default_factory=Conversation)
    skew: Skew = field(default_factory=Skew)
    """What is known of its clock; the same for all its connections."""

    @property
    def standing(self) -> Registration:
        """How far it is let in: as its boot here was answered, and before one by the plan.

        Most do not boot again only because their connection broke, and some never do (QUIRKS 12).
        """
        return self.talk.registration or self.registration()

    def may_say(self, action: str) -> bool:
        """Whether it may send this now (OCPP 2.0.1 B02.FR.09, B03.FR.07)."""
        match self.standing:
            case Registration.ACCEPTED:
                return True
            case Registration.PENDING:
                return action == BOOT or self.talk.was_asked_for(action)
            case Registration.REJECTED:
                return action == BOOT

    def interval_s(self, registration: Registration) -> int:
        """Return when it is to be heard next: a heartbeat, or its next attempt to be let in."""
        if registration is Registration.ACCEPTED:
            return self.heartbeat_interval_s
        return min(self.heartbeat_interval_s, _BOOT_AGAIN_S)


@dataclass(frozen=True, slots=True)
class Context:
    """All a handler may know besides the request."""

    charger: ChargerView
    now: datetime
    verdict: Verdict | None = None
    """Of the token its route asked about."""
    relayed: Mapping[str, Any] | None = None
    """What somebody beyond the cloud answers, where the route had it asked; None: nobody did."""
    total: str | None = None
    """What the session that ends here costs, in the major unit; None: nobody could say in time."""

    def live(self, text: str | None) -> Told:
        """Read the time of a status, which is told as it happens; what it shows of the clock is kept."""
        at = read_planned(text)
        if at is not None:
            self.charger.skew.learn(at, self.now)
        return read_live(text, self.now)

    def kept(self, text: str | None, lag: timedelta | None = None) -> Told:
        """Read the time of a message that may have waited.

        `lag` is what the charger's clock is behind in this message; None: as far as is known of it.
        """
        skew, connected_at = self.charger.skew, self.charger.connected_at
        if lag is not None:
            return read_kept(text, self.now, connected_at, lag)
        told = read_kept(text, self.now, connected_at, skew.lag or RIGHT)
        if skew.lag is None and not told.oddity and self.now - told.at <= MAX_SKEW:
            skew.seems_right()
        return told

    @property
    def tariff_text(self) -> str:
        """What to show whom the verdict is about (OCPP 2.0.1, I01.FR.02); empty: nothing."""
        verdict = self.verdict
        return verdict.tariff_text if verdict is not None and self.charger.shows_tariff() else ""

    def oddity(self, word: str, detail: str = "") -> OddityObserved:
        """Return the fact that this charger did something it should not."""
        return OddityObserved(
            charger_id=self.charger.charger_id,
            oddity=word,
            detail=cut(detail),
            observed_at=self.now,
        )

    def open_on(self, evse_id: int) -> SessionRecord | None:
        """Return the newest open session of an EVSE."""
        return self.charger.sessions.open_on(self.charger.charger_id, evse_id)

    def promise_met(
        self, evse_id: int, token: Token | None, number: int | None, at: datetime
    ) -> str | None:
        """Return the reservation a session there meets. Some write 0 for none (QUIRKS 28)."""
        charger_id = self.charger.charger_id
        return self.charger.promises.met_by(charger_id, evse_id, token, number or 0, at)

    def promise_dropped(self, number: int) -> None:
        """Have it known that the charger keeps a reservation no more."""
        self.charger.promises.dropped(self.charger.charger_id, number)

    def limit_broken(self, evse_id: int, power_w: float | None) -> list[Event]:
        """Return that the charger gives more than the charging profiles it took allow."""
        ceilings, session = self.charger.talk.ceilings, self.open_on(evse_id)
        if session is None or not ceilings.is_broken(
            evse_id, power_w, session.started_at, self.now
        ):
            return []
        return [self.oddity("profile_ignored", f"EVSE {evse_id} gives {power_w:.0f} W")]

    def by_transaction(self, transaction_id: str) -> SessionRecord | None:
        """Return the session this charger calls so."""
        return self.charger.sessions.by_transaction(self.charger.charger_id, transaction_id)


class Outcome(msgspec.Struct, frozen=True):
    """The reply, and what must be on disk before it leaves."""

    reply: Reply
    facts: Sequence[Event] = ()
    notes: Sequence[Note] = ()
    closes: str = ""
    """Why the connection is closed once the reply is sent; empty: it is not."""


class Answers(Enum):
    """What becomes of an answer, should the same message come again."""

    FORGOTTEN = auto()
    """Handled anew: saying it twice is harmless, or the reply tells the time."""
    REMEMBERED = auto()
    """Given again on the same connection."""
    KEPT = auto()
    """Given again for days, also after a restart: it begins or ends what is paid for."""


class Ask(msgspec.Struct, frozen=True):
    """The token whose verdict a handler needs."""

    token: Token
    evse_id: int = 0
    begins: bool = False
    """A session is to begin, or has begun, by it; it is not only shown."""
    transaction_id: str = ""
    """Of that session, where it has one already: its EVSE may have been told before."""


@dataclass(frozen=True, slots=True)
class Route:
    """How one inbound action is served."""

    request: type[msgspec.Struct]
    handle: Callable[[Any, Context], Outcome]
    ask: Callable[[Any], Ask | None] | None = None
    relays: Callable[[Any], bool] | None = None
    """Whether the request itself is to be brought to who knows the answer."""
    prices: Callable[[Any, Context], dict[str, Any] | None] | None = None
    """What the cloud is asked of the cost of a session this ends; None: nothing."""
    answers: Answers = Answers.FORGOTTEN
    is_lenient: bool = False
    """What its schema refuses is mended and flagged as far as it can be read (QUIRKS, the rule)."""
    is_forgiving: bool = False
    """Texts too long, nulls and fields of no such name are passed over and flagged: who is refused
    because of one boots for ever. All else its schema refuses is refused."""
    last_resort: Callable[[Context], Reply] | None = None
    """The answer to one nobody can read, for messages that must not be refused; it is quarantined."""
    decode: Callable[[Any], Any] = field(init=False)

    @property
    def may_wait(self) -> bool:
        """Whether its answer may have to wait for the cloud."""
        return self.ask is not None or self.relays is not None

    def __post_init__(self) -> None:
        """Bind the decoder of the request's type."""
        request = self.request
        object.__setattr__(
            self, "decode", lambda payload: msgspec.convert(payload, request, strict=False)
        )


Routes = Mapping[str, Route]
