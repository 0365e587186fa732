"""The ledger in SQL: rows are only ever added.

Whoever appends to a book locks its first row, so that they queue instead of failing; what makes a
number of a book be given once is the primary key, on any engine, in any cluster.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    func,
    insert,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.tables import ledger_entries as entries
from cloud.adapters.sql.tables import ledger_transactions as transactions
from cloud.domain.ledger import FIRST, Entry, Posting, chained
from cloud.domain.postings import SOLD
from cloud.services.money_ports import Transaction
from cloud.services.ports import TransactionLost

_FIRST_SEQ: Final = 1


class SqlLedger:
    """See Ledger."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def post(self, posting: Posting, at: datetime) -> bool:
        """See Ledger.post."""
        if self._is_posted(posting.cause):
            return False
        last_seq, last_hash = self._last(posting.book)
        seq = last_seq + 1
        row = {
            "book": posting.book,
            "seq": seq,
            "cause": posting.cause,
            "kind": posting.kind,
            "at": at,
            "currency": posting.currency,
            "user_id": posting.user_id,
            "reservation_id": posting.reservation_id,
            "payment_id": posting.payment_id,
            "note": posting.note[:255],
            "previous_hash": last_hash,
            "hash": chained(last_hash, posting, seq, at),
        }
        try:
            with self._connection.begin_nested():
                self._connection.execute(insert(transactions).values(**row))
        except IntegrityError as error:
            if self._is_posted(posting.cause):
                return False
            raise TransactionLost(f"somebody else wrote {posting.book} {seq}") from error
        lines = [
            {
                "book": posting.book,
                "seq": seq,
                "line": number,
                "account": one.account,
                "amount_minor": one.amount_minor,
            }
            for number, one in enumerate(posting.entries)
        ]
        self._connection.execute(insert(entries), lines)
        return True

    def balances(self, account: str) -> dict[str, int]:
        """See Ledger.balances."""
        return self._sums(entries.c.account == account)

    def sold(self, reservation_id: str) -> tuple[dict[str, int], int]:
        """See Ledger.sold."""
        query = select(transactions.c.book, transactions.c.seq).where(
            transactions.c.reservation_id == reservation_id, transactions.c.kind == SOLD
        )
        places = [(row.book, row.seq) for row in self._connection.execute(query)]
        earned: dict[str, int] = defaultdict(int)
        for lines in self._lines(places).values():
            # the driver's own line is what all the others sum to
            for one in lines:
                if not one.account.startswith("driver/"):
                    earned[one.account] -= one.amount_minor
        return dict(earned), len(places)

    def page_of_user(
        self, user_id: str, before: tuple[datetime, str, int] | None, limit: int
    ) -> list[Transaction]:
        """See Ledger.page_of_user."""
        query = select(transactions).where(transactions.c.user_id == user_id)
        if before is not None:
            at, book, seq = before
            is_same = and_(
                transactions.c.at == at,
                or_(
                    transactions.c.book < book,
                    and_(transactions.c.book == book, transactions.c.seq < seq),
                ),
            )
            query = query.where(or_(transactions.c.at < at, is_same))
        order = (transactions.c.at.desc(), transactions.c.book.desc(), transactions.c.seq.desc())
        return self._transactions(self._connection.execute(query.order_by(*order).limit(limit)))

    def books(self) -> list[str]:
        """See Ledger.books."""
        query = select(transactions.c.book).where(transactions.c.seq == _FIRST_SEQ)
        return list(self._connection.execute(query.order_by(transactions.c.book)).scalars())

    def totals(self) -> dict[str, int]:
        """See Ledger.totals."""
        return self._sums(true())

    def transactions(self, book: str, after_seq: int, limit: int) -> list[Transaction]:
        """See Ledger.transactions."""
        query = (
            select(transactions)
            .where(transactions.c.book == book, transactions.c.seq > after_seq)
            .order_by(transactions.c.seq)
            .limit(limit)
        )
        return self._transactions(self._connection.execute(query))

    def _sums(self, which: ColumnElement[bool]) -> dict[str, int]:
        is_of = and_(entries.c.book == transactions.c.book, entries.c.seq == transactions.c.seq)
        query = (
            select(transactions.c.currency, func.sum(entries.c.amount_minor))
            .join(entries, is_of)
            .where(which)
            .group_by(transactions.c.currency)
        )
        return {currency: int(total) for currency, total in self._connection.execute(query)}

    def _is_posted(self, cause: str) -> bool:
        query = select(transactions.c.seq).where(transactions.c.cause == cause)
        return self._connection.execute(query).first() is not None

    def _last(self, book: str) -> tuple[int, str]:
        queue = select(transactions.c.seq).where(
            transactions.c.book == book, transactions.c.seq == _FIRST_SEQ
        )
        self._connection.execute(queue.with_for_update()).first()
        # read after the wait: a statement of its own sees what was committed meanwhile
        newest = (
            select(transactions.c.seq, transactions.c.hash)
            .where(transactions.c.book == book)
            .order_by(transactions.c.seq.desc())
            .limit(1)
        )
        row = self._connection.execute(newest).first()
        return (0, FIRST) if row is None else (row.seq, row.hash)

    def _transactions(self, rows: Iterable[Row[Any]]) -> list[Transaction]:
        found = list(rows)
        lines = self._lines([(row.book, row.seq) for row in found])
        return [_transaction(row, lines.get((row.book, row.seq), [])) for row in found]

    def _lines(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], list[Entry]]:
        if not places:
            return {}
        query = (
            select(entries)
            .where(tuple_(entries.c.book, entries.c.seq).in_(places))
            .order_by(entries.c.book, entries.c.seq, entries.c.line)
        )
        lines: dict[tuple[str, int], list[Entry]] = defaultdict(list)
        for row in self._connection.execute(query):
            lines[row.book, row.seq].append(Entry(row.account, row.amount_minor))
        return lines


def _transaction(row: Row[Any], lines: Sequence[Entry]) -> Transaction:
    return Transaction(
        book=row.book,
        seq=row.seq,
        cause=row.cause,
        kind=row.kind,
        at=row.at,
        currency=row.currency,
        user_id=row.user_id,
        reservation_id=row.reservation_id,
        payment_id=row.payment_id,
        note=row.note,
        entries=tuple(lines),
        previous_hash=row.previous_hash,
        hash=row.hash,
    )
