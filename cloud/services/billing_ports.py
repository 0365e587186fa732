"""What billing needs of the database; see also ports.py and money_ports.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was paid for a reservation, or a credit note: what was taken back of it, as minuses.

    Never changed once it is written.
    """

    id: str
    number: str
    """`<station>-<seq>`; of a credit note `<station>-C<seq>`."""
    seq: int
    """Of its station's receipts, or of its credit notes, from 1 on, without gaps."""
    reservation_id: str
    session_id: str | None
    user_id: str
    station_id: str
    currency: str
    total_minor: int
    body: Mapping[str, Any]
    """services.receipts.ReceiptBody, as plain JSON data."""
    created_at: datetime
    corrects_id: str | None = None
    """Of a credit note: the receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptPage:
    """Which receipts and credit notes to list: newest first, those after `before`."""

    user_id: str | None = None
    owner_id: str | None = None
    before: tuple[datetime, str] | None = None
    limit: int = 50


class Receipts(Protocol):
    """Receipts, in each station's own numbers."""

    def next_seq(self, station_id: str) -> int:
        """Return the number that comes after the station's last."""
        ...

    def next_note_seq(self, station_id: str) -> int:
        """Return the number that comes after the station's last credit note."""
        ...

    def add(self, receipt: Receipt) -> None:
        """Store a new receipt, or a credit note.

        Raises:
            TransactionLost: somebody else took the number meanwhile, or wrote the reservation's.
        """
        ...

    def get(self, receipt_id: str) -> Receipt | None:
        """Return the receipt or credit note, if there is one."""
        ...

    def of_reservation(self, reservation_id: str) -> Receipt | None:
        """Return the reservation's receipt, if there is one."""
        ...

    def notes_of(self, receipt_id: str) -> list[Receipt]:
        """Return a receipt's credit notes, oldest first."""
        ...

    def page(self, page: ReceiptPage) -> list[Receipt]:
        """Return receipts and credit notes by (created_at, id), newest first."""
        ...
