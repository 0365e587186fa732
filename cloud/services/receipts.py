"""Receipts: what was paid for, as it was when it was paid; read by whose it is."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from cloud.domain.access import Role, Viewer
from cloud.domain.billing import Bill, Charged, Deal
from cloud.domain.carbon import Factors, driven_wh
from cloud.domain.errors import NotFound
from cloud.domain.reservations import OCPI, Reservation
from cloud.domain.stations import Station
from cloud.services.billing_ports import ReceiptPage
from cloud.services.carbon_views import co2_view
from cloud.services.cursors import seal, unseal
from cloud.services.ports import OpenWork, UnitOfWork
from cloud.services.receipt_papers import html_of, pdf_of
from cloud.services.receipt_views import (
    ReceiptBody,
    ReceiptList,
    ReceiptView,
    receipt_summary,
    receipt_view,
)

MAX_LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class Sale:
    """All a receipt is made of."""

    reservation: Reservation
    station: Station
    deal: Deal
    bill: Bill
    charged: list[Charged]
    factors: Factors = field(default_factory=Factors)
    """What CO2 is reckoned by on this day."""


@dataclass(frozen=True, slots=True)
class ReceiptService:
    """Read only: drivers see their own, owners those of their stations, staff all."""

    open_work: OpenWork

    def list(self, viewer: Viewer, *, limit: int = 50, cursor: str | None = None) -> ReceiptList:
        """Return receipts and credit notes, newest first.

        Raises:
            NotValid: a cursor of another list.
        """
        limit = max(1, min(limit, MAX_LIMIT))
        page = ReceiptPage(
            user_id=viewer.user_id if viewer.role is Role.DRIVER else None,
            owner_id=viewer.user_id if viewer.role is Role.OWNER else None,
            before=None if cursor is None else _place(cursor),
            limit=limit + 1,
        )
        with self.open_work(is_read_only=True) as work:
            found = work.receipts.page(page)
        shown = found[:limit]
        is_more = len(found) > limit
        after = seal(shown[-1].created_at, shown[-1].id) if is_more else None
        return ReceiptList(receipts=[receipt_summary(one) for one in shown], next_cursor=after)

    def get(self, viewer: Viewer, receipt_id: str) -> ReceiptView:
        """Return a receipt.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
        """
        with self.open_work(is_read_only=True) as work:
            receipt = work.receipts.get(receipt_id)
            if receipt is None:
                raise NotFound(receipt_id)
            station = work.stations.by_ids([receipt.station_id])[receipt.station_id]
            corrects = work.receipts.get(receipt.corrects_id) if receipt.corrects_id else None
            notes = [] if receipt.corrects_id else work.receipts.notes_of(receipt.id)
        if not viewer.may_see_session(receipt.user_id, station.owner_id):
            raise NotFound(receipt_id)
        return receipt_view(receipt, corrects, notes)

    def html(self, viewer: Viewer, receipt_id: str, language: str) -> str:
        """Return a receipt as a page to be kept or printed; see `get`."""
        return html_of(self.get(viewer, receipt_id), language)

    def pdf(self, viewer: Viewer, receipt_id: str, language: str) -> bytes:
        """Return a receipt as PDF; see `get`."""
        return pdf_of(self.get(viewer, receipt_id), language)


def body_of(work: UnitOfWork, sale: Sale) -> dict[str, Any]:
    """Return what a receipt keeps, as plain JSON data."""
    reservation, station, bill = sale.reservation, sale.station, sale.bill
    bay = work.bays.equipment((), [reservation.bay_id]).bays.get(reservation.bay_id)
    driver = work.accounts.by_id(reservation.user_id)
    sessions = [one.session for one in sale.charged]
    driven = driven_wh(bill.energy_wh, sum(one.export_wh for one in sessions))
    body = ReceiptBody(
        station_name=station.name,
        operator=station.operator,
        address=station.address,
        city=station.city,
        country=station.country,
        timezone=station.timezone,
        bay_name=reservation.bay_id if bay is None else bay.name,
        driver_name="" if driver is None else driver.name,
        driver_email="" if driver is None else driver.email,
        status=OCPI[reservation.status],
        starts_at=reservation.starts_at,
        ends_at=reservation.ends_at,
        tariff_id=sale.deal.tariff_id,
        lines=list(bill.lines),
        net_minor=bill.net_minor,
        total_minor=bill.total_minor,
        started_at=min((one.started_at for one in sessions), default=None),
        ended_at=max((one.ended_at for one in sessions if one.ended_at), default=None),
        energy_wh=bill.energy_wh,
        charging_s=bill.charging_s,
        parked_s=bill.parked_s,
        overstay_s=bill.overstay_s,
        flags=list(bill.flags),
        is_for_review=bill.is_for_review,
        co2=co2_view(sale.factors, driven) if sessions else None,
    )
    plain: dict[str, Any] = msgspec.to_builtins(body)
    return plain


def _place(cursor: str) -> tuple[datetime, str]:
    at, receipt_id = unseal(cursor, (datetime, str))
    return at, receipt_id
