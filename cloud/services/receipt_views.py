"""Receipts as they are kept, and as they leave the house."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

import msgspec

from cloud.domain.bill_lines import Line
from cloud.services.bill_views import LineView, TaxView, line_view, tax_views
from cloud.services.billing_ports import Receipt
from cloud.services.carbon_views import Co2View


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptBody:
    """What a receipt keeps, whatever becomes of the station and the driver."""

    station_name: str
    operator: str
    address: str
    city: str
    country: str
    timezone: str
    bay_name: str
    driver_name: str
    driver_email: str
    status: str
    """How the reservation ended, in OCPI's words."""
    starts_at: datetime
    ends_at: datetime
    tariff_id: str
    lines: list[Line]
    net_minor: int
    total_minor: int
    started_at: datetime | None = None
    ended_at: datetime | None = None
    energy_wh: int = 0
    charging_s: int = 0
    parked_s: int = 0
    overstay_s: int = 0
    flags: list[str] = field(default_factory=list)
    is_for_review: bool = False
    reason: str = ""
    """Of a credit note, in the words of who gave it."""
    co2: Co2View | None = None
    """By the factors of its day; null: nothing was charged, or it was issued before this was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptLink:
    """Another paper that belongs to this one."""

    receipt_id: str
    number: str
    created_at: datetime
    total_minor: int
    """Of a credit note negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptSummary:
    """A receipt or a credit note in a list."""

    receipt_id: str
    number: str
    reservation_id: str
    station_id: str
    station_name: str
    created_at: datetime
    currency: str
    total_minor: int
    """Of a credit note negative."""
    corrects_id: str | None = None
    """Of a credit note: its receipt; null: it is a receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptView:
    """A receipt, or a credit note, whose amounts are minuses and which says nothing of the charge.

    Amounts in minor units of its currency, energy in watt-hours, times in seconds.
    """

    receipt_id: str
    number: str
    """`<station>-<seq>`: each station counts its own, without gaps; `<station>-C<seq>` a credit note."""
    reservation_id: str
    session_id: str | None
    user_id: str
    station_id: str
    station_name: str
    operator: str
    address: str
    city: str
    country: str
    timezone: str
    bay_name: str
    driver_name: str
    driver_email: str
    status: str
    """FULFILLED CANCELED NO_SHOW"""
    starts_at: datetime
    ends_at: datetime
    started_at: datetime | None
    """Of the first charge; null: nothing was charged."""
    ended_at: datetime | None
    energy_wh: int
    charging_s: int
    parked_s: int
    overstay_s: int
    """Billed, whole minutes."""
    tariff_id: str
    currency: str
    lines: list[LineView]
    taxes: list[TaxView]
    net_minor: int
    tax_minor: int
    total_minor: int
    flags: list[str]
    """What was odd about the meter."""
    is_for_review: bool
    """The meter was odd: billed at most what was possible, and a person will look at it."""
    created_at: datetime
    corrects: ReceiptLink | None = None
    """Of a credit note: its receipt."""
    credit_notes: list[ReceiptLink] = field(default_factory=list)
    """Of a receipt: what was taken back of it later, oldest first."""
    kept_minor: int | None = None
    """Of a receipt: its total with its credit notes."""
    reason: str = ""
    """Of a credit note, in the words of who gave it."""
    co2: Co2View | None = None
    """What charging saved, by the factors of the day it was issued; null: nothing was charged, or
    it is older than this figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptList:
    """Receipts, the newest first."""

    receipts: list[ReceiptSummary]
    next_cursor: str | None = None


def receipt_view(
    receipt: Receipt, corrects: Receipt | None = None, notes: Sequence[Receipt] = ()
) -> ReceiptView:
    """Return the receipt with its notes, or the credit note with its receipt, as it leaves the house."""
    body = msgspec.convert(receipt.body, ReceiptBody)
    kept = asdict(body) | {
        "lines": [line_view(one) for one in body.lines],
        "taxes": tax_views(body.lines),
        "tax_minor": body.total_minor - body.net_minor,
        "co2": body.co2,
    }
    return ReceiptView(
        receipt_id=receipt.id,
        number=receipt.number,
        reservation_id=receipt.reservation_id,
        session_id=receipt.session_id,
        user_id=receipt.user_id,
        station_id=receipt.station_id,
        currency=receipt.currency,
        created_at=receipt.created_at,
        corrects=None if corrects is None else _link(corrects),
        credit_notes=[_link(one) for one in notes],
        kept_minor=None
        if corrects
        else receipt.total_minor + sum(one.total_minor for one in notes),
        **kept,
    )


def _link(receipt: Receipt) -> ReceiptLink:
    return ReceiptLink(
        receipt_id=receipt.id,
        number=receipt.number,
        created_at=receipt.created_at,
        total_minor=receipt.total_minor,
    )


def receipt_summary(receipt: Receipt) -> ReceiptSummary:
    """Return the receipt as lists show it."""
    return ReceiptSummary(
        receipt_id=receipt.id,
        number=receipt.number,
        reservation_id=receipt.reservation_id,
        station_id=receipt.station_id,
        station_name=str(receipt.body.get("station_name", "")),
        created_at=receipt.created_at,
        currency=receipt.currency,
        total_minor=receipt.total_minor,
        corrects_id=receipt.corrects_id,
    )
