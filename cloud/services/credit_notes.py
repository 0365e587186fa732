"""Credit notes: what is taken back of a receipt, on a numbered paper of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import msgspec

from cloud.domain.bill_lines import Line
from cloud.domain.billing import gross_of, net_of
from cloud.domain.credit_notes import credited, remaining
from cloud.services.ports import UnitOfWork
from cloud.services.receipt_views import ReceiptBody

TOO_LITTLE: Final = "Too little for a card to be charged with."
"""Why a note is written without anybody asking for it."""

_TAX: Final = "tax/"


@dataclass(frozen=True, slots=True)
class Taken:
    """What remains of what a reservation has earned, and why not more does."""

    shares: Mapping[str, int]
    """By ledger account."""
    reason: str


def write_credit_note(
    work: UnitOfWork, reservation_id: str, note_id: str, taken: Taken, now: datetime
) -> str:
    """Write a note so that the receipt with its notes says what remains; returns its number.

    Empty: there is no receipt, or it says so already.
    """
    receipt = work.receipts.of_reservation(reservation_id)
    if receipt is None:
        return ""
    body = msgspec.convert(receipt.body, ReceiptBody)
    notes = [msgspec.convert(one.body, ReceiptBody) for one in work.receipts.notes_of(receipt.id)]
    left = remaining(body.lines, [one.lines for one in notes])
    tax_minor = sum(part for name, part in taken.shares.items() if name.startswith(_TAX))
    net_minor = sum(taken.shares.values()) - tax_minor
    tax_before = gross_of(left) - net_of(left)
    lines = credited(left, net_of(left) - net_minor, tax_before - tax_minor)
    if not lines:
        return ""
    seq = work.receipts.next_note_seq(receipt.station_id)
    note = replace(
        receipt,
        id=note_id,
        number=f"{receipt.station_id}-C{seq:06d}",
        seq=seq,
        total_minor=gross_of(lines),
        body=msgspec.to_builtins(_body(body, list(lines), taken.reason)),
        created_at=now,
        corrects_id=receipt.id,
    )
    work.receipts.add(note)
    return note.number


def _body(body: ReceiptBody, lines: list[Line], reason: str) -> ReceiptBody:
    """Return what a note keeps: whom and what it is about, but no charge, which was had after all."""
    return replace(
        body,
        lines=lines,
        net_minor=net_of(lines),
        total_minor=gross_of(lines),
        started_at=None,
        ended_at=None,
        energy_wh=0,
        charging_s=0,
        parked_s=0,
        overstay_s=0,
        flags=[],
        is_for_review=False,
        reason=reason,
    )
