"""Tariffs, quotes, bills and receipts on a rig; the till and the news are stood in for, and remembered."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any

from sqlalchemy import insert

from cloud.adapters.sql import tables
from cloud.domain.access import Role, Viewer
from cloud.domain.reservations import Reservation, Status
from cloud.domain.terms import Terms, frozen
from cloud.services.billing import BillingService, QuoteService
from cloud.services.booking_ports import Told
from cloud.services.receipts import ReceiptService
from cloud.services.shelf import TariffShelf
from cloud.services.tariffs import NewTariff, TariffService
from tests.cloud.builders import NOON, STATION, a_reservation
from tests.cloud.services.rig import DRIVER, MAINTAINER, OWNER, Rig

ME = Viewer(DRIVER, Role.DRIVER)
OWNING = Viewer(OWNER, Role.OWNER)
STAFF = Viewer(MAINTAINER, Role.MAINTENANCE)
ADMIN = Viewer("u-admin", Role.ADMIN)
STRANGER = Viewer("u-stranger", Role.DRIVER)
RIVAL = Viewer("u-rival", Role.OWNER)


def prices(price: str = "0.50", **more: Any) -> dict[str, Any]:
    """A tariff: two pounds for the reservation, energy and parking, a fifth of it tax."""
    component = {"type": "ENERGY", "price": price, "vat": "20"}
    fee = {"type": "FLAT", "price": "2.00", "vat": "20"}
    return {
        "tax_included": "YES",
        "elements": [
            {"price_components": [fee], "restrictions": {"reservation": "RESERVATION"}},
            {
                "price_components": [
                    component,
                    {"type": "PARKING_TIME", "price": "6.00", "vat": "20"},
                ]
            },
        ],
    } | more


@dataclass
class RememberingTill:
    """See Till."""

    closed: list[tuple[str, int, dict[str, int]]] = field(default_factory=list)

    def close(self, work, reservation, due_minor, shares, now) -> int:
        del work, now
        assert sum(shares.values()) == due_minor
        self.closed.append((reservation.id, due_minor, dict(shares)))
        return due_minor


@dataclass
class RememberingTelling:
    """See Telling."""

    told: list[Any] = field(default_factory=list)

    def tell(self, work, notice, now) -> None:
        del work, now
        self.told.append(notice)


class Bills:
    """A rig that bills."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.clock, self.open_work = rig, rig.clock, rig.open_work
        self.till, self.telling, self.shelf = RememberingTill(), RememberingTelling(), TariffShelf()
        ids = count(1)
        self.tariffs = TariffService(
            self.open_work, self.clock, self.shelf, lambda: f"id-{next(ids)}"
        )
        self.quoting = QuoteService(self.shelf)
        self.billing = BillingService(self.till, self.telling, self.shelf)
        self.receipts = ReceiptService(self.open_work)
        self.numbers = count(1)

    def set_tariff(self, price: str = "0.50", **more: Any) -> str:
        """Have the station charge by a new tariff; returns its key."""
        new = NewTariff(name="Plain", currency="GBP", body=prices(price, **more))
        key = self.tariffs.add(OWNING, new).key
        self.tariffs.assign(OWNING, STATION, key)
        return key

    def hold(self, terms: Terms | None = None, **more: Any) -> Reservation:
        """Quote and hold an hour, the first from a quarter past one, others after it."""
        number = next(self.numbers)
        wanted = a_reservation(
            id=f"r-{number}",
            number=number,
            user_id=DRIVER,
            tariff_id="",
            start_s=900 + 3600 * number,
            energy_wh=20_000,
            terms=None if terms is None else frozen(terms),
            **more,
        )
        with self.open_work() as work:
            quoted = self.quoting.quote(work, wanted, self.clock.now())
            held = replace(
                wanted,
                tariff_id=quoted.tariff_id,
                currency=quoted.currency,
                quote=dict(quoted.body),
            )
            work.reservations.claim(held, Told("held"))
            work.commit()
        return self.stored(held.id)

    def stored(self, reservation_id: str) -> Reservation:
        """Return a reservation as it is kept."""
        with self.open_work(is_read_only=True) as work:
            return work.reservations.by_ids([reservation_id])[reservation_id]

    def quote_again(self, reservation: Reservation):
        """Quote what is held already."""
        with self.open_work(is_read_only=True) as work:
            return self.quoting.quote(work, reservation, self.clock.now())

    def charge(self, held: Reservation, wh: int = 20_000, **more: Any) -> None:
        """Have the driver charge through the slot, at the bay's power."""
        minutes = more.pop("minutes", wh * 60 // 150_000)
        full_at = held.starts_at + timedelta(minutes=minutes)
        session = {
            "id": f"s-{held.id}",
            "station_id": held.station_id,
            "charger_id": "DD-GREEN-01",
            "bay_id": held.bay_id,
            "user_id": held.user_id,
            "state": "ended",
            "started_at": held.starts_at,
            "charging_ended_at": full_at,
            "ended_at": held.ends_at,
            "end_reason": "Local",
            "meter_start_wh": 1_000,
            "power_limit_w": 150_000,
            "energy_wh": wh,
            "currency": held.currency,
            "price_per_kwh_minor": 50,
            "tariff_id": held.tariff_id,
            "reservation_id": held.id,
        } | more
        with self.rig.engine.begin() as connection:
            connection.execute(insert(tables.sessions).values(session))

    def end(self, held: Reservation, status: Status, **more: Any) -> Reservation:
        """Bring a reservation to its end, as whoever advances it does."""
        known = {"status": status, "booked_at": NOON, "status_at": held.ends_at}
        with self.open_work() as work:
            after_all = replace(self.stored(held.id), **(known | more))
            settled = self.billing.settle(work, after_all, self.clock.now())
            work.reservations.put(settled, Told("settled"), self.clock.now())
            work.commit()
        return self.stored(held.id)

    def receipt(self, place: int = 0):
        """Return a receipt, the newest first."""
        listed = self.receipts.list(STAFF)
        return self.receipts.get(STAFF, listed.receipts[place].receipt_id)
