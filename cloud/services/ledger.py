"""The ledger to be read: users' histories, and whether the books hold."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cloud.domain import postings
from cloud.domain.access import Viewer
from cloud.domain.ledger import FIRST, Posting, chained
from cloud.domain.money import decimal
from cloud.services.cursors import seal, unseal
from cloud.services.money_ports import Transaction
from cloud.services.ports import OpenWork
from cloud.services.spreadsheets import table

_PAGE: Final = 500
_MOST_ROWS: Final = 10_000
"""Of a CSV file; who has more pages through the list."""
_COLUMNS: Final = ("at", "kind", "amount", "currency", "reservation_id", "payment_id", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionView:
    """Something that happened to a user's money."""

    transaction_id: str
    at: datetime
    kind: str
    """`authorised` and `released` move nothing; `sold` is owed, `credited` owed no longer; `captured`
    and `charged` were paid; `refunded`, and `refund_returned` where the bank sent
    it back; `topped_up`, `subscribed`."""
    amount_minor: int
    """Never negative: the kind says which way."""
    currency: str
    reservation_id: str | None
    payment_id: str | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionList:
    """Transactions, newest first."""

    transactions: list[TransactionView]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """Where a book does not hold."""

    book: str
    seq: int
    why: str


@dataclass(frozen=True, slots=True)
class LedgerService:
    """Reads only: who writes is the till."""

    open_work: OpenWork

    def history(
        self, viewer: Viewer, *, limit: int = 50, cursor: str | None = None
    ) -> TransactionList:
        """Return the viewer's own transactions, newest first.

        Raises:
            NotValid: a cursor of another list.
        """
        before = None if cursor is None else _place(cursor)
        with self.open_work(is_read_only=True) as work:
            found = work.ledger.page_of_user(viewer.user_id, before, limit + 1)
        shown = found[:limit]
        is_more = len(found) > limit
        return TransactionList(
            transactions=[view_of(one, viewer.user_id) for one in shown],
            next_cursor=seal(shown[-1].at, shown[-1].book, shown[-1].seq) if is_more else None,
        )

    def history_csv(self, viewer: Viewer) -> str:
        """Return the viewer's transactions as a table (RFC 4180), newest first."""
        cursor: str | None = None
        rows: list[list[str | None]] = []
        while len(rows) < _MOST_ROWS:
            page = self.history(viewer, limit=_PAGE, cursor=cursor)
            rows += [_row(one) for one in page.transactions]
            cursor = page.next_cursor
            if cursor is None:
                break
        return table(_COLUMNS, rows)

    def broken(self) -> list[Broken]:
        """Return where books do not hold: rows altered, taken out or put between, sums that are not 0."""
        with self.open_work(is_read_only=True) as work:
            books, totals = work.ledger.books(), work.ledger.totals()
        found = [Broken("", 0, f"{one} sums to {sum_}") for one, sum_ in totals.items() if sum_]
        for book in books:
            found += self._broken_in(book)
        return found

    def _broken_in(self, book: str) -> list[Broken]:
        seq, previous = 0, FIRST
        while True:
            with self.open_work(is_read_only=True) as work:
                page = work.ledger.transactions(book, seq, _PAGE)
            if not page:
                return []
            for one in page:
                why = _why_broken(one, seq, previous)
                if why:
                    # what follows hangs on it and says nothing new
                    return [Broken(book, one.seq, why)]
                seq, previous = one.seq, one.hash


def view_of(one: Transaction, user_id: str) -> TransactionView:
    """Return a transaction as its user may see it."""
    own = sum(line.amount_minor for line in one.entries if line.account == postings.driver(user_id))
    amount = own or max(line.amount_minor for line in one.entries)
    is_less = one.kind == postings.SOLD and amount < 0
    return TransactionView(
        transaction_id=f"{one.book}/{one.seq}",
        at=one.at,
        kind="credited" if is_less else one.kind,
        amount_minor=abs(amount),
        currency=one.currency,
        reservation_id=one.reservation_id,
        payment_id=one.payment_id,
        note=one.note,
    )


def _why_broken(one: Transaction, last_seq: int, previous_hash: str) -> str:
    if one.seq != last_seq + 1:
        return f"{last_seq + 1} is missing"
    if one.previous_hash != previous_hash:
        return "it is not chained to the one before"
    try:
        posting = Posting(
            book=one.book,
            cause=one.cause,
            kind=one.kind,
            currency=one.currency,
            entries=one.entries,
            user_id=one.user_id,
            reservation_id=one.reservation_id,
            payment_id=one.payment_id,
        )
    except ValueError:
        return "its lines do not sum to zero"
    is_true = chained(previous_hash, posting, one.seq, one.at) == one.hash
    return "" if is_true else "it was altered"


def _row(one: TransactionView) -> list[str | None]:
    amount = decimal(one.amount_minor, one.currency)
    cells = (one.at.isoformat(), one.kind, amount, one.currency)
    return [*cells, one.reservation_id, one.payment_id, one.note]


def _place(cursor: str) -> tuple[datetime, str, int]:
    at, book, seq = unseal(cursor, (datetime, str, int))
    return at, book, seq
