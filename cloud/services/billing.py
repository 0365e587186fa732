"""What reservations cost: quoted before they are held, settled once they are over."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import uuid4

import structlog

from cloud.domain import billing as rules
from cloud.domain.bill_lines import Kind
from cloud.domain.billing import Bill, Charged, Deal
from cloud.domain.carbon import Factors
from cloud.domain.notices import NoticeKind
from cloud.domain.postings import lessened
from cloud.domain.reservations import Reservation, Status
from cloud.domain.sessions import curve
from cloud.domain.stations import Station
from cloud.domain.tariffs import Discounts, Tariff
from cloud.domain.terms import Terms, from_plain
from cloud.services.billing_ports import Receipt
from cloud.services.collaborators import Notice, PriceAsk, Quoted, Telling, Till
from cloud.services.credit_notes import TOO_LITTLE, Taken, write_credit_note
from cloud.services.fact_ports import Equipment
from cloud.services.formats import zone
from cloud.services.notices import about
from cloud.services.ports import UnitOfWork
from cloud.services.receipts import Sale, body_of
from cloud.services.shelf import TariffShelf

log = structlog.get_logger(__name__)


def _new_id() -> str:
    return uuid4().hex


@dataclass(frozen=True, slots=True)
class QuoteService:
    """See Quoting and Pricing."""

    shelf: TariffShelf

    def quote(self, work: UnitOfWork, wanted: Reservation, now: datetime) -> Quoted:
        """See Quoting.quote. A discount counts as it was when the reservation was first quoted."""
        station = work.stations.by_ids([wanted.station_id])[wanted.station_id]
        deal = deal_of(work, self.shelf, wanted, station, now)
        power_w = _power_w(work.bays.equipment((), [wanted.bay_id]), wanted)
        quoted = rules.quote(deal, wanted.window, wanted.energy_wh, power_w)
        return Quoted(
            tariff_id=quoted.tariff_id,
            currency=quoted.currency,
            total_minor=quoted.total_minor,
            authorise_minor=quoted.authorise_minor,
            body=quoted.data(),
        )

    def prices(
        self, work: UnitOfWork, asks: Sequence[PriceAsk], discounts: Discounts
    ) -> list[tuple[int, str]]:
        """See Pricing.prices. Without terms: what they say costs nothing but who stays or is away."""
        tariffs = self.shelf.by_ids(work, {_current(one.station) for one in asks})
        return [_price(ask, tariffs, discounts) for ask in asks]


@dataclass(frozen=True, slots=True)
class BillingService:
    """See Settling."""

    till: Till
    telling: Telling
    shelf: TariffShelf
    factors: Factors = field(default_factory=Factors)
    """What a receipt's CO2 is reckoned by."""
    new_id: Callable[[], str] = field(default=_new_id)

    def settle(self, work: UnitOfWork, reservation: Reservation, now: datetime) -> Reservation:
        """See Settling.settle. Its sessions and their samples must be written already."""
        if reservation.due_minor is not None:
            return reservation
        station = work.stations.by_ids([reservation.station_id])[reservation.station_id]
        deal = deal_of(work, self.shelf, reservation, station, now)
        charged = _charged(work, reservation)
        bill = rules.bill(reservation, deal, charged, now)
        if bill.is_for_review:
            log.warning("billing.odd_meter", reservation_id=reservation.id, flags=bill.flags)
        total_minor, shares = bill.total_minor, _shares(bill, station)
        due_minor = self.till.close(work, reservation, total_minor, shares, now)
        if total_minor > 0 or reservation.status is Status.FULFILLED:
            sale = Sale(reservation, station, deal, bill, charged, self.factors)
            self._write_receipt(work, sale, now)
        if due_minor < total_minor:
            left = Taken(lessened(shares, due_minor), TOO_LITTLE)
            write_credit_note(work, reservation.id, self.new_id(), left, now)
        return replace(reservation, due_minor=due_minor)

    def _write_receipt(self, work: UnitOfWork, sale: Sale, now: datetime) -> None:
        reservation, station = sale.reservation, sale.station
        seq = work.receipts.next_seq(station.id)
        number = f"{station.id}-{seq:06d}"
        receipt = Receipt(
            id=self.new_id(),
            number=number,
            seq=seq,
            reservation_id=reservation.id,
            session_id=next((one.session.id for one in sale.charged), None),
            user_id=reservation.user_id,
            station_id=station.id,
            currency=reservation.currency,
            total_minor=sale.bill.total_minor,
            body=body_of(work, sale),
            created_at=now,
        )
        work.receipts.add(receipt)
        data = about(reservation) | {
            "receipt_id": receipt.id,
            "number": number,
            "total_minor": receipt.total_minor,
            "currency": receipt.currency,
        }
        cause = f"{NoticeKind.RECEIPT}/{reservation.id}"
        self.telling.tell(
            work,
            Notice(user_id=receipt.user_id, kind=NoticeKind.RECEIPT, cause=cause, data=data),
            now,
        )


def deal_of(
    work: UnitOfWork, shelf: TariffShelf, reservation: Reservation, station: Station, now: datetime
) -> Deal:
    """Return what was agreed on with a reservation; of one that is only wanted, what would be now.

    Raises:
        LookupError: its tariff is not there, which cannot be: versions are never deleted.
    """
    tariff_id = reservation.tariff_id or _current(station)
    return Deal(
        tariff_id=tariff_id,
        tariff=shelf.by_ids(work, [tariff_id])[tariff_id],
        zone=zone(station.timezone),
        terms=_terms(work, reservation),
        discounts=discounts_for(work, reservation, now),
    )


def _power_w(equipment: Equipment, wanted: Reservation) -> int:
    """Return what the plug that is wanted gives, as searches price it; of none named, the strongest."""
    bay = equipment.bays[wanted.bay_id]
    plugs = (
        one.max_power_w or bay.max_power_w
        for one in equipment.connectors.values()
        if (one.charger_id, one.evse_id) == (bay.charger_id, bay.evse_id)
        and wanted.standard in {"", one.standard}
    )
    return max(plugs, default=bay.max_power_w)


def _current(station: Station) -> str:
    return station.tariff_id or rules.simple_id(station.currency, station.price_per_kwh_minor)


def _terms(work: UnitOfWork, reservation: Reservation) -> Terms:
    if reservation.terms is not None:
        return from_plain(reservation.terms)
    return work.terms.of([reservation.station_id])[reservation.station_id]


def discounts_for(work: UnitOfWork, reservation: Reservation, now: datetime) -> Discounts:
    """Return what a reservation's subscription takes off: as it was quoted, or else as it is now."""
    said: Mapping[str, int] | None = (reservation.quote or {}).get("discounts")
    if said is None:
        return discounts_of(work, reservation.user_id, now)
    return _known(said)


def discounts_of(work: UnitOfWork, user_id: str, now: datetime) -> Discounts:
    """Return what a user's subscription takes off now."""
    return _known(work.subscriptions.discounts_of(user_id, now))


def _known(said: Mapping[str, int]) -> Discounts:
    return {Kind(name): percent for name, percent in said.items() if name in set(Kind)}


def _price(ask: PriceAsk, tariffs: Mapping[str, Tariff], discounts: Discounts) -> tuple[int, str]:
    station, tariff_id = ask.station, _current(ask.station)
    deal = Deal(
        tariff_id=tariff_id,
        tariff=tariffs[tariff_id],
        zone=zone(station.timezone),
        terms=Terms(),
        discounts=discounts,
    )
    total_minor = rules.expected_minor(deal, ask.window, ask.energy_wh, ask.power_w)
    return total_minor, deal.tariff.currency


def _charged(work: UnitOfWork, reservation: Reservation) -> list[Charged]:
    sessions = {one.id: one for one in work.sessions.of_reservation(reservation.id)}
    if reservation.session_id is not None and reservation.session_id not in sessions:
        sessions |= work.sessions.by_ids([reservation.session_id])
    samples = work.sessions.samples(sorted(sessions))
    return [
        Charged(session, curve(session, samples.get(session.id, ())))
        for session in sorted(sessions.values(), key=lambda one: (one.started_at, one.id))
    ]


def _shares(bill: Bill, station: Station) -> dict[str, int]:
    """Return whose the money is, by ledger account."""
    shares = {
        f"revenue/{station.id}": bill.net_minor,
        f"tax/{station.country}": bill.tax_minor,
    }
    return {account: amount_minor for account, amount_minor in shares.items() if amount_minor}
