"""The sandbox bank: keeps real books in a file of its own, so that ours can be held against them.

Whatever it does is on disk before it answers, and done once for each key. Several processes may use
the same file.
"""

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from cloud.domain.payments import StepKind

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS calls (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, is_success INTEGER NOT NULL, ref TEXT NOT NULL,
    why TEXT NOT NULL, asked INTEGER NOT NULL DEFAULT 1);
CREATE TABLE IF NOT EXISTS holdings (
    ref TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, card TEXT NOT NULL, currency TEXT NOT NULL,
    authorised_minor INTEGER NOT NULL, captured_minor INTEGER NOT NULL DEFAULT 0,
    refunded_minor INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS webhooks (
    id INTEGER PRIMARY KEY, event_id TEXT NOT NULL, body TEXT NOT NULL, due REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, is_over INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_BUSY_S: Final = 5.0
_TRIES: Final = 10
_PAUSE_S: Final = 1.0
_CLAIM_S: Final = 10.0

_LATER: Final = "_later"
_LAPSED: Final = "The bank keeps the amount no longer."
_SENT_BACK: Final = "The card's account is closed."

HELD: Final = "held"
CAPTURED: Final = "captured"
VOIDED: Final = "voided"


@dataclass(frozen=True, slots=True)
class Card:
    """A test card: what the bank says to it."""

    label: str
    refuses: frozenset[StepKind] = frozenset()
    why: str = ""
    is_silent: bool = False
    """The bank does what is asked and never answers: only its webhooks tell."""


_TAKING: Final = frozenset({StepKind.AUTHORISE, StepKind.CHARGE})

CARDS: Final[dict[str, Card]] = {
    "card_ok": Card("Sandbox **** 4242"),
    "card_declined": Card("Sandbox **** 0002", _TAKING, "Your bank declined the payment."),
    "card_insufficient_funds": Card(
        "Sandbox **** 9995", _TAKING, "There is not enough money on this card."
    ),
    "card_always_times_out": Card("Sandbox **** 0408", is_silent=True),
    "card_capture_refused": Card(
        "Sandbox **** 0036", frozenset({StepKind.CAPTURE}), "The bank keeps the amount no longer."
    ),
    "card_refund_refused": Card(
        "Sandbox **** 5126", frozenset({StepKind.REFUND}), "The card's account is closed."
    ),
}
"""By the token a client saves."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the bank is asked to do."""

    kind: StepKind
    amount_minor: int
    currency: str
    target: str
    """A card to take from, or a holding's reference."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the bank did."""

    is_success: bool
    ref: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """A reply, and the how-manieth time it was asked for."""

    reply: Reply
    asked: int


@dataclass(frozen=True, slots=True)
class Holding:
    """Money of one card in the bank's books; amounts in minor units."""

    ref: str
    key: str
    """The key of the call that made it."""
    card: str
    currency: str
    authorised_minor: int
    captured_minor: int
    refunded_minor: int
    state: str

    @property
    def held_minor(self) -> int:
        """Return what the card's owner cannot spend for our sake."""
        return self.authorised_minor if self.state == HELD else 0


@dataclass(frozen=True, slots=True)
class Webhook:
    """An event to be posted."""

    id: int
    event_id: str
    body: str
    tries: int


class KeyMisused(ValueError):
    """The key came before with another request."""


class SandboxBank:
    """The bank's side of the counter."""

    def __init__(self, path: Path, *, is_hasty: bool = False) -> None:
        """Open the books; `is_hasty` does not wait for the disk: for tests that cut no power."""
        self._path = path
        self._is_hasty = is_hasty
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._connection() as connection:
            connection.executescript(_SCHEMA)
        with self._writing() as connection:
            values = ("webhook_secret", f"whsec_{secrets.token_hex(24)}")
            connection.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", values)

    def webhook_secret(self) -> str:
        """Return what webhooks are signed with: made once, with the books."""
        with self._connection() as connection:
            query = "SELECT value FROM meta WHERE name = 'webhook_secret'"
            return str(connection.execute(query).fetchone()[0])

    def do(self, key: str, request: Request, *, is_unlucky: bool, webhooks: "Webhooks") -> Done:
        """Do what is asked, or tell what was done when the same was asked before.

        Args:
            key: of two requests with the same one, the second has no effect.
            request: what to do.
            is_unlucky: decline it for no reason, if it takes money and was not asked before.
            webhooks: how the event that tells of it is to be sent.

        Raises:
            KeyMisused: the key came before with another request.
        """
        text = json.dumps(asdict(request), sort_keys=True)
        with self._writing() as connection:
            known = connection.execute(
                "UPDATE calls SET asked = asked + 1 WHERE key = ? "
                "RETURNING request, is_success, ref, why, asked",
                (key,),
            ).fetchone()
            if known is not None:
                if known[0] != text:
                    raise KeyMisused(key)
                return Done(Reply(bool(known[1]), known[2], known[3]), known[4])
            reply = _carry_out(connection, key, request, is_unlucky=is_unlucky)
            values = (key, text, reply.is_success, reply.ref, reply.why)
            connection.execute("INSERT INTO calls VALUES (?, ?, ?, ?, ?, 1)", values)
            _announce(connection, key, request, reply, webhooks)
        return Done(reply, 1)

    def send_back(self, key: str, after_s: float = 0) -> None:
        """Have a refund that was granted not reach its owner, and tell so; once."""
        with self._writing() as connection:
            row = connection.execute(
                "UPDATE calls SET is_success = 0, why = ? WHERE key = ? AND is_success = 1 "
                "RETURNING request, ref",
                (_SENT_BACK, key),
            ).fetchone()
            if row is None:
                return
            request, reply = Request(**json.loads(row[0])), Reply(False, row[1], _SENT_BACK)
            statement = "UPDATE holdings SET refunded_minor = refunded_minor - ? WHERE ref = ?"
            connection.execute(statement, (request.amount_minor, reply.ref))
            _announce(connection, key, request, reply, Webhooks(after_s=after_s, is_later=True))

    def lapse(self, ref: str, after_s: float = 0) -> None:
        """Keep an amount no longer, as banks do after a week, and tell so; once."""
        with self._writing() as connection:
            row = connection.execute(
                "UPDATE holdings SET state = ? WHERE ref = ? AND state = ? "
                "RETURNING key, authorised_minor, currency, card",
                (VOIDED, ref, HELD),
            ).fetchone()
            if row is None:
                return
            request = Request(StepKind.AUTHORISE, *row[1:])
            reply = Reply(is_success=False, ref=ref, why=_LAPSED)
            _announce(connection, row[0], request, reply, Webhooks(after_s=after_s, is_later=True))

    def find(self, key: str) -> Reply | None:
        """Return what was done under a key; None: nothing."""
        with self._connection() as connection:
            query = "SELECT is_success, ref, why FROM calls WHERE key = ?"
            row = connection.execute(query, (key,)).fetchone()
        return None if row is None else Reply(bool(row[0]), row[1], row[2])

    def holding(self, ref: str) -> Holding | None:
        """Return one holding."""
        return next((one for one in self.holdings() if one.ref == ref), None)

    def holdings(self) -> list[Holding]:
        """Return the books."""
        columns = ", ".join(Holding.__dataclass_fields__)
        with self._connection() as connection:
            rows = connection.execute(f"SELECT {columns} FROM holdings ORDER BY rowid")  # noqa: S608
            return [Holding(*row) for row in rows]

    # --- webhooks ---------------------------------------------------------------------------------

    def take_webhook(self, now_s: float) -> Webhook | None:
        """Take the webhook that is due first; it comes back should its taker die."""
        with self._writing() as connection:
            row = connection.execute(
                "UPDATE webhooks SET tries = tries + 1, due = ? WHERE id = ("
                "SELECT id FROM webhooks WHERE is_over = 0 AND due <= ? ORDER BY due LIMIT 1) "
                "RETURNING id, event_id, body, tries",
                (now_s + _CLAIM_S, now_s),
            ).fetchone()
        return None if row is None else Webhook(*row)

    def webhook_sent(self, webhook: Webhook) -> None:
        """Note that it was taken."""
        with self._writing() as connection:
            connection.execute("UPDATE webhooks SET is_over = 1 WHERE id = ?", (webhook.id,))

    def webhook_failed(self, webhook: Webhook, now_s: float) -> None:
        """Try it again after a growing pause, a few times."""
        due = now_s + _PAUSE_S * 2.0 ** (webhook.tries - 1)
        is_over = webhook.tries >= _TRIES
        with self._writing() as connection:
            statement = "UPDATE webhooks SET due = ?, is_over = ? WHERE id = ?"
            connection.execute(statement, (due, is_over, webhook.id))

    def is_announced(self, key: str) -> bool:
        """Whether every webhook that tells of a call has been sent, or given up."""
        with self._connection() as connection:
            query = "SELECT 1 FROM webhooks WHERE event_id = ? AND is_over = 0"
            return connection.execute(query, (event_id_of(key),)).fetchone() is None

    # --- inside -----------------------------------------------------------------------------------

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {'OFF' if self._is_hasty else 'FULL'}")
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")


@dataclass(frozen=True, slots=True)
class Webhooks:
    """How an event is told."""

    times: int = 1
    after_s: float = 0
    """Later events may overtake it."""
    is_later: bool = False
    """It tells that what was granted is taken back."""


def event_id_of(key: str) -> str:
    """Return the id of the event that tells of a call: the same however often it is sent."""
    return f"evt_{key}"


def _carry_out(
    connection: sqlite3.Connection, key: str, request: Request, *, is_unlucky: bool
) -> Reply:
    if request.kind in _TAKING:
        return _take(connection, key, request, is_unlucky=is_unlucky)
    row = connection.execute(
        "SELECT card, authorised_minor, captured_minor, refunded_minor, state "
        "FROM holdings WHERE ref = ?",
        (request.target,),
    ).fetchone()
    if row is None:
        return Reply(is_success=False, ref=request.target, why="The bank knows nothing of this.")
    card = CARDS[row[0]]
    if request.kind in card.refuses:
        if request.kind is StepKind.CAPTURE:
            # what it keeps no longer can be spent again
            statement = "UPDATE holdings SET state = ? WHERE ref = ?"
            connection.execute(statement, (VOIDED, request.target))
        return Reply(is_success=False, ref=request.target, why=card.why)
    return _change(connection, request, row[1:])


def _take(connection: sqlite3.Connection, key: str, request: Request, *, is_unlucky: bool) -> Reply:
    card = CARDS.get(request.target)
    if card is None:
        return Reply(is_success=False, ref="", why="There is no such card.")
    if request.kind in card.refuses:
        return Reply(is_success=False, ref="", why=card.why)
    if is_unlucky:
        return Reply(is_success=False, ref="", why="Your bank declined the payment.")
    ref = f"sb_{secrets.token_hex(12)}"
    is_charge = request.kind is StepKind.CHARGE
    values = (
        *(ref, key, request.target, request.currency, request.amount_minor),
        *(request.amount_minor if is_charge else 0, 0, CAPTURED if is_charge else HELD),
    )
    connection.execute("INSERT INTO holdings VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    return Reply(is_success=True, ref=ref)


def _change(
    connection: sqlite3.Connection, request: Request, row: tuple[int, int, int, str]
) -> Reply:
    authorised, captured, refunded, state = row
    ref, amount = request.target, request.amount_minor
    match request.kind, state:
        case StepKind.CAPTURE, "held" if amount <= authorised:
            captured, state = amount, CAPTURED
        case StepKind.VOID, ("held" | "voided"):
            state = VOIDED
        case StepKind.REFUND, "captured" if amount <= captured - refunded:
            refunded += amount
        case _:
            return Reply(is_success=False, ref=ref, why=f"This is {state}, not so much is there.")
    statement = (
        "UPDATE holdings SET captured_minor = ?, refunded_minor = ?, state = ? WHERE ref = ?"
    )
    connection.execute(statement, (captured, refunded, state, ref))
    return Reply(is_success=True, ref=ref)


def _announce(
    connection: sqlite3.Connection,
    key: str,
    request: Request,
    reply: Reply,
    webhooks: Webhooks,
) -> None:
    event = {
        "id": event_id_of(key) + (_LATER if webhooks.is_later else ""),
        "type": f"{request.kind}.{'succeeded' if reply.is_success else 'declined'}",
        "kind": request.kind,
        "key": key,
        "amount_minor": request.amount_minor,
        "currency": request.currency,
        **asdict(reply),
    }
    due = time.time() + webhooks.after_s
    row = (event["id"], json.dumps(event), due)
    for _ in range(webhooks.times):
        connection.execute("INSERT INTO webhooks (event_id, body, due) VALUES (?, ?, ?)", row)
