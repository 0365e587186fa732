"""What a reservation costs: the quote before it is held, and the bill when it is over.

Both come from the same engine, the same frozen tariff and the same frozen terms: whoever does what was
quoted pays what was quoted. Reservation time counts from the slot's start, not from when it was booked,
to when the driver came; of one nobody came for, to the end of the grace, when the bay is given free.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from cloud.domain.bill_lines import Amount, Kind, Line, TaxIncluded, line_of
from cloud.domain.charges import Charge, Point, Stretch, second
from cloud.domain.meter import DEFAULT_LIMIT_W
from cloud.domain.money import ceil_div, charge_unit, e4_of_minor
from cloud.domain.ranking import USUAL_ENERGY_WH, USUAL_POWER_W
from cloud.domain.reservations import Reservation, Status
from cloud.domain.sessions import POWER_ABSURD, Reading, Session
from cloud.domain.tariffs import (
    Dimension,
    Discounts,
    Tariff,
    by_the_kwh,
    charge_lines,
    reservation_lines,
)
from cloud.domain.terms import Terms, refund_pct
from cloud.domain.windows import Window

HEADROOM_PCT: Final = 20
"""So much more energy than quoted is authorised, as far as the bay can deliver it."""

LONGEST: Final = timedelta(days=31)
"""No charge is believed to last longer, whatever a charger's clock said."""

_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_SIMPLE: Final = "kwh"
_POWER_TOLERANCE: Final = 1.5
"""As in sessions: a power beyond this is no reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """What was agreed on when the bay was held, and never changes after."""

    tariff_id: str
    tariff: Tariff
    zone: tzinfo
    terms: Terms
    discounts: Discounts = field(default_factory=dict)


# --- tariffs of stations that have none ---------------------------------------------------------------


def simple_id(currency: str, price_per_kwh_minor: int) -> str:
    """Return the id of a price by the kilowatt-hour alone: it says the price, and so freezes it."""
    return f"{_SIMPLE}:{currency}:{price_per_kwh_minor}"


def simple_tariff(tariff_id: str) -> Tariff | None:
    """Return the tariff such an id says; None: it is no such id."""
    kind, _, rest = tariff_id.partition(":")
    currency, _, price = rest.partition(":")
    if kind != _SIMPLE or not price.isdecimal():
        return None
    return by_the_kwh(currency, int(price))


# --- the quote ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Canceled so long before the start, so much of the reservation's price is kept."""

    before_s: int
    refund_pct: int
    kept_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What is shown before a hold, and kept with it. Amounts with tax, in minor units."""

    tariff_id: str
    currency: str
    energy_wh: int
    """What the amounts are reckoned with: so much energy, at the bay's power, from the start on."""
    charging_s: int
    parked_s: int
    """From the end of charging to the end of the slot."""
    lines: tuple[Line, ...]
    net_minor: int
    total_minor: int
    reservation_minor: int
    """Of the total, what the reservation itself costs."""
    authorise_minor: int
    """What a payment is asked to stand for: some more energy, a late arrival, or a no-show."""
    no_show_minor: int
    overstay_grace_s: int
    overstay_per_minute_minor: int
    refunds: tuple[Refund, ...]
    """The longest notice first; canceled after the start, nothing comes back."""
    discounts: Discounts

    def data(self) -> dict[str, Any]:
        """Return the quote as plain JSON data."""
        return asdict(self)


def quote(deal: Deal, window: Window, energy_wh: int | None, power_w: int) -> Quote:
    """Return what using the whole of a window is expected to cost.

    Args:
        deal: tariff, terms and discounts as they are now.
        window: when.
        energy_wh: what the car needs; null: what is usual.
        power_w: what the bay can deliver; 0: not known.
    """
    power_w = power_w or USUAL_POWER_W
    duration_s = int(window.duration.total_seconds())
    most_wh = power_w * duration_s // _HOUR_S
    wanted_wh = min(USUAL_ENERGY_WH if energy_wh is None else energy_wh, most_wh)
    roomy_wh = min(ceil_div(wanted_wh * (100 + HEADROOM_PCT), 100), most_wh)
    tariff, zone, terms, discounts = deal.tariff, deal.zone, deal.terms, deal.discounts

    def charged(wh: int) -> tuple[Line, ...]:
        return charge_lines(tariff, _expected(window, wh, power_w), zone, discounts)

    reserved = _reserved(deal, window, window.starts_at)
    unit = charge_unit(tariff.currency)
    lines = rounded((*reserved, *charged(wanted_wh)), tariff.currency)
    late = _reserved(deal, window, window.starts_at + terms.grace)
    no_show_minor = gross_of(rounded(_no_show(deal, window), tariff.currency))
    roomy_minor = gross_of((*late, *charged(roomy_wh)))
    charging_s = ceil_div(wanted_wh * _HOUR_S, power_w)
    return Quote(
        tariff_id=deal.tariff_id,
        currency=tariff.currency,
        energy_wh=wanted_wh,
        charging_s=charging_s,
        parked_s=duration_s - charging_s,
        lines=lines,
        net_minor=net_of(lines),
        total_minor=gross_of(lines),
        reservation_minor=gross_of(reserved),
        authorise_minor=ceil_div(max(gross_of(lines), roomy_minor, no_show_minor), unit) * unit,
        no_show_minor=no_show_minor,
        overstay_grace_s=terms.overstay_grace_s,
        overstay_per_minute_minor=terms.overstay_per_minute_minor,
        refunds=tuple(
            Refund(
                before_s=step.before_s,
                refund_pct=step.refund_pct,
                kept_minor=gross_of(
                    rounded(_part(reserved, deal, 100 - step.refund_pct), tariff.currency)
                ),
            )
            for step in sorted(terms.refunds, key=lambda one: -one.before_s)
        ),
        discounts=dict(discounts),
    )


def expected_minor(deal: Deal, window: Window, energy_wh: int, power_w: int) -> int:
    """Return the total of `quote` alone: searches compare hundreds."""
    power_w = power_w or USUAL_POWER_W
    most_wh = power_w * int(window.duration.total_seconds()) // _HOUR_S
    charge = _expected(window, min(energy_wh, most_wh), power_w)
    lines = charge_lines(deal.tariff, charge, deal.zone, deal.discounts)
    all_lines = (*_reserved(deal, window, window.starts_at), *lines)
    return gross_of(rounded(all_lines, deal.tariff.currency))


def _expected(window: Window, energy_wh: int, power_w: int) -> Charge:
    charging_s = ceil_div(energy_wh * _HOUR_S, power_w)
    full_at = window.starts_at + timedelta(seconds=charging_s)
    stretch = Stretch(
        starts_at=window.starts_at,
        ends_at=window.ends_at,
        charging_ended_at=full_at,
        points=(Point(window.starts_at, 0, power_w), Point(full_at, energy_wh, power_w)),
    )
    return Charge((stretch,))


# --- the bill -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What is finally to be paid, in minor units."""

    lines: tuple[Line, ...] = ()
    energy_wh: int = 0
    charging_s: int = 0
    parked_s: int = 0
    overstay_s: int = 0
    flags: tuple[str, ...] = ()
    """What was odd about the sessions."""
    is_for_review: bool = False
    """A meter was odd: billed at most what was possible, and to be looked at by a person."""

    @property
    def net_minor(self) -> int:
        """Return it without taxes."""
        return net_of(self.lines)

    @property
    def total_minor(self) -> int:
        """Return it with taxes; never negative."""
        return gross_of(self.lines)

    @property
    def tax_minor(self) -> int:
        """Return the taxes."""
        return self.total_minor - self.net_minor


@dataclass(frozen=True, slots=True)
class Charged:
    """A session with its curve: each reading with the energy since the start as of then."""

    session: Session
    curve: Sequence[tuple[Reading, int]]


NOTHING: Final = Bill()


def bill(reservation: Reservation, deal: Deal, charged: Iterable[Charged], now: datetime) -> Bill:
    """Return the bill of a reservation that is over.

    Args:
        reservation: its status says what is billed; `status_at` since when it is over.
        deal: as it was frozen.
        charged: its sessions.
        now: a session whose end was never told counts until then at most, and until the car left.

    Raises:
        ValueError: the reservation is not over.
    """
    exact = _exact(reservation, deal, charged, now)
    return replace(exact, lines=rounded(exact.lines, deal.tariff.currency))


def rounded(lines: tuple[Line, ...], currency: str) -> tuple[Line, ...]:
    """Return the lines so that their sum is one that can be charged: rounded down, without tax."""
    over = gross_of(lines) % charge_unit(currency)
    if over == 0:
        return lines
    less = Line(
        kind=Kind.ROUNDING,
        quantity=1,
        price_e4=0,
        vat_ppm=None,
        net_minor=-over,
        gross_minor=-over,
    )
    return (*lines, less)


def _exact(reservation: Reservation, deal: Deal, charged: Iterable[Charged], now: datetime) -> Bill:
    match reservation.status:
        case Status.FULFILLED:
            return _fulfilled(reservation, deal, list(charged), now)
        case Status.CANCELED if reservation.booked_at is not None:
            return Bill(lines=_canceled(reservation, deal))
        case Status.NO_SHOW:
            return Bill(lines=_no_show(deal, reservation.window))
        case Status.CANCELED | Status.REJECTED | Status.FAILED:
            return NOTHING
        case _:
            raise ValueError(f"{reservation.id} is {reservation.status}: not over")


def _fulfilled(
    reservation: Reservation, deal: Deal, charged: Sequence[Charged], now: datetime
) -> Bill:
    ordered = sorted(charged, key=lambda one: one.session.started_at)
    left_at = reservation.left_at or reservation.status_at
    stretches = [
        stretch_of(one, reservation.created_at, min(now, max(left_at, one.session.said_at)))
        for one in ordered
    ]
    came_at = stretches[0].starts_at if stretches else reservation.arrived_at or left_at
    lines = _reserved(deal, reservation.window, came_at)
    if stretches:
        lines += charge_lines(deal.tariff, Charge(tuple(stretches)), deal.zone, deal.discounts)
    overstay_s = _overstay_s(reservation, left_at)
    lines += _overstay(deal, overstay_s)
    flags = tuple(dict.fromkeys(flag for one in ordered for flag in one.session.flags))
    return Bill(
        lines=lines,
        energy_wh=Charge(tuple(stretches)).energy_wh,
        charging_s=sum(_charging_s(one) for one in stretches),
        parked_s=sum(_seconds(one.starts_at, one.ends_at) - _charging_s(one) for one in stretches),
        overstay_s=overstay_s,
        flags=flags,
        is_for_review=any(is_odd(one.session) for one in ordered),
    )


def _charging_s(stretch: Stretch) -> int:
    ended_at = stretch.charging_ended_at or stretch.ends_at
    return _seconds(stretch.starts_at, min(max(ended_at, stretch.starts_at), stretch.ends_at))


def _seconds(since: datetime, until: datetime) -> int:
    return second(until) - second(since)


def _canceled(reservation: Reservation, deal: Deal) -> tuple[Line, ...]:
    at = reservation.status_at
    kept_pct = 100 - refund_pct(deal.terms, reservation.starts_at - at)
    return _part(_reserved(deal, reservation.window, at), deal, kept_pct)


def _reserved(deal: Deal, window: Window, came_at: datetime) -> tuple[Line, ...]:
    waited = _waited(window, came_at)
    return reservation_lines(deal.tariff, waited, deal.zone, deal.discounts)


def _no_show(deal: Deal, window: Window) -> tuple[Line, ...]:
    waited = _waited(window, window.starts_at + deal.terms.grace)
    lines = reservation_lines(deal.tariff, waited, deal.zone, deal.discounts, is_expired=True)
    return lines + _fee(deal, Kind.NO_SHOW, 1, deal.terms.no_show_fee_minor)


def _waited(window: Window, until: datetime) -> Charge:
    until = min(max(until, window.starts_at), window.ends_at)
    return Charge((Stretch(starts_at=window.starts_at, ends_at=until),))


def _part(lines: Iterable[Line], deal: Deal, part_pct: int) -> tuple[Line, ...]:
    """Return so much of each line; none of it for 0 %."""
    if part_pct == 0:
        return ()
    currency, tax_included = deal.tariff.currency, deal.tariff.tax_included
    return tuple(
        line_of(
            Amount(line.kind, line.quantity, line.price_e4, line.vat_ppm),
            currency,
            tax_included,
            line.discount_pct,
            part_pct,
        )
        for line in lines
    )


# --- overstay -----------------------------------------------------------------------------------------


def overstay_minutes(since: datetime, left_at: datetime) -> int:
    """Return the minutes of an overstay, each that was begun counted whole."""
    return max(0, ceil_div((left_at - since) // timedelta(microseconds=1), _MINUTE_S * 10**6))


def _overstay_s(reservation: Reservation, left_at: datetime) -> int:
    """Return what is billed of the stay after `overstay_since`, which is after the grace."""
    since = reservation.overstay_since
    return 0 if since is None else overstay_minutes(since, left_at) * _MINUTE_S


def _overstay(deal: Deal, overstay_s: int) -> tuple[Line, ...]:
    return _fee(deal, Kind.OVERSTAY, overstay_s, deal.terms.overstay_per_minute_minor)


def _fee(deal: Deal, kind: Kind, quantity: int, price_minor: int) -> tuple[Line, ...]:
    """Return a fee of the terms: what they say is what is paid, the tax is in it."""
    if quantity == 0 or price_minor == 0:
        return ()
    currency = deal.tariff.currency
    amount = Amount(kind, quantity, e4_of_minor(price_minor, currency), _fee_vat_ppm(deal.tariff))
    return (line_of(amount, currency, TaxIncluded.YES),)


def _fee_vat_ppm(tariff: Tariff) -> int | None:
    """Return the tax of fees: as of parking, else as of what the tariff taxes first."""
    if tariff.tax_included is TaxIncluded.NOT_APPLICABLE:
        return None
    taxed = [
        one for element in tariff.elements for one in element.components if one.vat_ppm is not None
    ]
    parking = [one for one in taxed if one.dimension is Dimension.PARKING_TIME]
    return next((one.vat_ppm for one in parking + taxed), None)


# --- sessions -----------------------------------------------------------------------------------------


def is_odd(session: Session) -> bool:
    """Whether what its meter told was not all believed."""
    return any(flag == POWER_ABSURD or flag.startswith("meter_") for flag in session.flags)


def stretch_of(charged: Charged, since: datetime, now: datetime) -> Stretch:
    """Return a session as it is billed: never before `since`, never more than was possible.

    Of an odd meter at most the bay's power for all of the time counts (FAULTS T08).
    """
    session = charged.session
    starts_at = max(session.started_at, since)
    ends_at = max(starts_at, session.ended_at or now)
    starts_at = max(starts_at, ends_at - LONGEST)
    limit_w = session.power_limit_w or DEFAULT_LIMIT_W

    def counted(energy_wh: int, at: datetime) -> int:
        energy_wh = min(energy_wh, session.energy_wh)
        if not is_odd(session):
            return energy_wh
        passed_s = max(0, second(min(at, ends_at)) - second(starts_at))
        return min(energy_wh, limit_w * passed_s // _HOUR_S)

    points = [
        Point(
            reading.observed_at, counted(energy_wh, reading.observed_at), _power_w(reading, limit_w)
        )
        for reading, energy_wh in charged.curve
    ]
    full_at = session.charging_ended_at
    if not points and full_at is not None and starts_at < full_at < ends_at:
        points.append(Point(full_at, counted(session.energy_wh, full_at)))
    points.append(Point(ends_at, counted(session.energy_wh, ends_at)))
    return Stretch(
        starts_at=starts_at,
        ends_at=ends_at,
        charging_ended_at=session.charging_ended_at,
        points=tuple(points),
    )


def so_far_minor(
    reservation: Reservation | None, deal: Deal, charged: Sequence[Charged], now: datetime
) -> int:
    """Return what was charged costs by now, with taxes: what the bill would say of these facts.

    Args:
        reservation: under which it is charged; null: a walk-in, who pays by the tariff alone.
        deal: as it was frozen.
        charged: one walk-in's session, or the reservation's. One without a curve counts as if its
            power had been even: exact where neither the time of day nor the power changes the price.
        now: until when a session counts whose end was not told.
    """
    if reservation is None:
        stretches = [stretch_of(one, one.session.started_at, now) for one in charged]
        return gross_of(charge_lines(deal.tariff, Charge(tuple(stretches)), deal.zone))
    if reservation.is_live:
        left_at = reservation.left_at or now
        reservation = replace(reservation, status=Status.FULFILLED, status_at=now, left_at=left_at)
    return bill(reservation, deal, charged, now).total_minor


def _power_w(reading: Reading, limit_w: int) -> int | None:
    power_w = reading.power_w
    if power_w is None or not abs(power_w) <= limit_w * _POWER_TOLERANCE:
        return None
    return max(0, round(power_w))


# --- sums ---------------------------------------------------------------------------------------------


def net_of(lines: Iterable[Line]) -> int:
    """Return the sum without taxes."""
    return sum(line.net_minor for line in lines)


def gross_of(lines: Iterable[Line]) -> int:
    """Return the sum with taxes."""
    return sum(line.gross_minor for line in lines)
