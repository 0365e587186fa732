"""Double entry: every transaction sums to zero, and each is chained to the one before it in its book."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

FIRST: Final = "0" * 64
"""What the first transaction of a book is chained to."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line: money that comes to an account, or with a minus goes from it; minor units."""

    account: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A transaction to be appended to a book.

    Raises:
        ValueError: its lines do not sum to zero, or there are none.
    """

    book: str
    """`station/<id>` or `user/<id>`: each is a chain of its own, so that they do not queue."""
    cause: str
    """What it is posted for; the same cause is posted once."""
    kind: str
    currency: str
    entries: tuple[Entry, ...]
    user_id: str | None = None
    reservation_id: str | None = None
    payment_id: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no double entry."""
        if not self.entries or sum(one.amount_minor for one in self.entries) != 0:
            raise ValueError(f"{self.cause}: the lines of a transaction sum to zero")


def chained(previous_hash: str, posting: Posting, seq: int, at: datetime) -> str:
    """Return the hash of a transaction: of all it says, and of the one before it."""
    lines = [f"{one.account}\t{one.amount_minor}" for one in posting.entries]
    said: Sequence[str] = (
        previous_hash,
        posting.book,
        str(seq),
        posting.cause,
        posting.kind,
        posting.currency,
        at.isoformat(timespec="microseconds"),
        posting.user_id or "",
        posting.reservation_id or "",
        posting.payment_id or "",
        *lines,
    )
    return hashlib.sha256("\n".join(said).encode()).hexdigest()
