"""What a charge costs, by OCPI 2.3.0's tariffs; exact in integers.

A tariff is a list of elements, each a few price components with the restrictions they hold under. In
each part of a charge, and for each dimension, the first element that has a component for it and whose
restrictions fit is the one that counts (mod_tariffs, Tariff object). `step_size` is applied once to all
energy, and once to time and parking time together: to the one that was billed last, at the price that
was billed last (mod_cdrs, step_size).

OCPI says nothing of rounding. Here every line (a dimension at one price and tax) is rounded once, its
net and its gross amount each half up from the exact value, and the total is the sum of the lines.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from cloud.domain.bill_lines import Amount, Kind, Line, TaxIncluded, exact, line_of
from cloud.domain.charges import Charge, Marks, Period, periods
from cloud.domain.money import ceil_div, e4_of_minor, half_up


class Dimension(StrEnum):
    """What is priced: OCPI's TariffDimensionType."""

    FLAT = "FLAT"
    """Once, with the first part of the charge it holds in."""
    ENERGY = "ENERGY"
    TIME = "TIME"
    """Charging; of a reservation: waiting."""
    PARKING_TIME = "PARKING_TIME"


class Reserving(StrEnum):
    """OCPI's ReservationRestrictionType."""

    RESERVATION = "RESERVATION"
    RESERVATION_EXPIRES = "RESERVATION_EXPIRES"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceComponent:
    """The price of one dimension: by the kilowatt-hour, the hour, or once."""

    dimension: Dimension
    price_e4: int
    vat_ppm: int | None = None
    """Null: no tax applies, which is not 0 %."""
    step_size: int = 1
    """Watt-hours or seconds; what was used is billed in blocks of so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restrictions:
    """When an element holds: all of these. Lower bounds hold from, upper ones until just before.

    Times of day are minutes of the station's own day; `end_min` 0 is its end, and one before
    `start_min` the next day's.
    """

    start_min: int | None = None
    end_min: int | None = None
    start_day: int | None = None
    """A date's ordinal."""
    end_day: int | None = None
    weekdays: frozenset[int] = frozenset()
    """0 is Monday; empty: every day."""
    min_wh: int | None = None
    max_wh: int | None = None
    min_power_w: int | None = None
    max_power_w: int | None = None
    min_s: int | None = None
    max_s: int | None = None
    reservation: Reserving | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """Price components that hold under the same restrictions."""

    components: tuple[PriceComponent, ...]
    restrictions: Restrictions = Restrictions()


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLimit:
    """What a charge costs at least, or at most; both hold where both are said."""

    net_minor: int
    gross_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """What charging costs at a station."""

    currency: str
    elements: tuple[Element, ...]
    tax_included: TaxIncluded = TaxIncluded.NOT_APPLICABLE
    min_price: PriceLimit | None = None
    max_price: PriceLimit | None = None


RESERVED: Final[dict[tuple[Dimension, Reserving], Kind]] = {
    (Dimension.FLAT, Reserving.RESERVATION): Kind.RESERVATION,
    (Dimension.FLAT, Reserving.RESERVATION_EXPIRES): Kind.EXPIRED,
    (Dimension.TIME, Reserving.RESERVATION): Kind.RESERVATION_TIME,
    (Dimension.TIME, Reserving.RESERVATION_EXPIRES): Kind.RESERVATION_TIME,
}
"""What reservations can be priced by."""


Discounts = Mapping[Kind, int]
"""Percent off, by what a line is for."""

NO_DISCOUNTS: Final[Discounts] = {}


def cost_minor(energy_wh: int, price_per_kwh_minor: int) -> int:
    """Return the cost in minor units, rounded half up once, at the end; exact in integers."""
    return (energy_wh * price_per_kwh_minor + 500) // 1000


def by_the_kwh(currency: str, price_per_kwh_minor: int) -> Tariff:
    """Return the tariff of a station that has none but its price."""
    price_e4 = e4_of_minor(price_per_kwh_minor, currency)
    component = PriceComponent(dimension=Dimension.ENERGY, price_e4=price_e4)
    return Tariff(currency=currency, elements=(Element(components=(component,)),))


def charge_lines(
    tariff: Tariff, charge: Charge, zone: tzinfo, discounts: Discounts = NO_DISCOUNTS
) -> tuple[Line, ...]:
    """Return what a charge costs, with the tariff's least and most price.

    Args:
        tariff: as it was when it was frozen.
        charge: what was used.
        zone: the station's own; times of day are its.
        discounts: of the driver's subscription.
    """
    elements = [one for one in tariff.elements if one.restrictions.reservation is None]
    usage = _Usage()
    for period in periods(charge, marks_of(elements), zone):
        usage.add(period, elements)
    lines = _lines(tariff, usage.rounded(), _kind_of_charge, discounts)
    return (*lines, *_limits(tariff, lines))


def reservation_lines(
    tariff: Tariff,
    waited: Charge,
    zone: tzinfo,
    discounts: Discounts = NO_DISCOUNTS,
    *,
    is_expired: bool = False,
) -> tuple[Line, ...]:
    """Return what a reservation costs beside the charge.

    An expired one costs what a reservation does and what its expiry does; where both have a price for
    the time, the expiry's counts (mod_tariffs, ReservationRestrictionType).

    Args:
        tariff: as it was when it was frozen.
        waited: from when the bay was kept to when the driver came or it was given free; no energy.
        zone: the station's own.
        discounts: of the driver's subscription.
        is_expired: nobody came.
    """
    kept = _reserving(tariff, Reserving.RESERVATION)
    if not is_expired:
        return _reservation_lines(tariff, kept, waited, zone, discounts)
    expiring = _reserving(tariff, Reserving.RESERVATION_EXPIRES)
    if any(one.dimension is Dimension.TIME for element in expiring for one in element.components):
        kept = [_without_time(element) for element in kept]
    return (
        *_reservation_lines(tariff, kept, waited, zone, discounts),
        *_reservation_lines(tariff, expiring, waited, zone, discounts),
    )


def _reserving(tariff: Tariff, reserving: Reserving) -> list[Element]:
    return [one for one in tariff.elements if one.restrictions.reservation is reserving]


def _without_time(element: Element) -> Element:
    kept = tuple(one for one in element.components if one.dimension is not Dimension.TIME)
    return replace(element, components=kept)


def _reservation_lines(
    tariff: Tariff, elements: list[Element], waited: Charge, zone: tzinfo, discounts: Discounts
) -> tuple[Line, ...]:
    if not elements:
        return ()
    reserving = elements[0].restrictions.reservation
    usage = _Usage()
    for period in periods(waited, marks_of(elements), zone):
        usage.add(period, elements)

    def kind_of(dimension: Dimension) -> Kind:
        return RESERVED[dimension, reserving or Reserving.RESERVATION]

    return _lines(tariff, usage.rounded(), kind_of, discounts)


# --- which component counts, and how much of it is used ---------------------------------------------


class _Used(NamedTuple):
    component: PriceComponent
    quantity: int


@dataclass(slots=True)
class _Usage:
    """What was used of which component, in the order of first use."""

    used: dict[PriceComponent, int] = field(default_factory=dict)
    last: dict[Dimension, PriceComponent] = field(default_factory=dict)
    timed: Dimension | None = None
    """The time that was billed last."""

    def add(self, period: Period, elements: Iterable[Element]) -> None:
        """Count a part of the charge."""
        wanted = {one: quantity for one, quantity in _quantities(period) if self._is_open(one)}
        for element in elements:
            if not wanted:
                return
            if not _holds(element.restrictions, period):
                continue
            for component in element.components:
                if component.dimension in wanted:
                    self._count(component, wanted.pop(component.dimension))

    def _is_open(self, dimension: Dimension) -> bool:
        return dimension is not Dimension.FLAT or dimension not in self.last

    def _count(self, component: PriceComponent, quantity: int) -> None:
        self.used[component] = self.used.get(component, 0) + quantity
        self.last[component.dimension] = component
        if component.dimension in _TIMED:
            self.timed = component.dimension

    def rounded(self) -> list[_Used]:
        """Return what is billed: in whole steps, the surplus at the last price."""
        used = dict(self.used)
        for dimension in (Dimension.ENERGY, self.timed):
            if dimension in self.last:
                last = self.last[dimension]
                told = sum(count for one, count in used.items() if one.dimension is dimension)
                used[last] += ceil_div(told, last.step_size) * last.step_size - told
        return [_Used(component, count) for component, count in used.items()]


_TIMED: Final = frozenset({Dimension.TIME, Dimension.PARKING_TIME})


def _quantities(period: Period) -> Iterator[tuple[Dimension, int]]:
    yield Dimension.FLAT, 1
    if period.energy_wh > 0:
        yield Dimension.ENERGY, period.energy_wh
    if period.length_s > 0:
        yield Dimension.PARKING_TIME if period.is_parked else Dimension.TIME, period.length_s


def _holds(said: Restrictions, period: Period) -> bool:
    watts, of = period.power
    return (
        _is_within(said.min_wh, period.so_far_wh, said.max_wh)
        and _is_within(said.min_s, period.elapsed_s, said.max_s)
        and (said.min_power_w is None or watts >= said.min_power_w * of)
        and (said.max_power_w is None or watts < said.max_power_w * of)
        and _is_within(said.start_day, period.day, said.end_day)
        and (not said.weekdays or (period.day - 1) % 7 in said.weekdays)
        and _is_time(said.start_min, period.minute, said.end_min)
    )


def _is_within(least: int | None, value: int, beyond: int | None) -> bool:
    return (least is None or value >= least) and (beyond is None or value < beyond)


def _is_time(start_min: int | None, minute: int, end_min: int | None) -> bool:
    start, end = start_min or 0, end_min or 0
    if start < end:
        return start <= minute < end
    # over midnight, until midnight, or the whole day
    return minute >= start or minute < end


def marks_of(elements: Iterable[Element]) -> Marks:
    """Return where the prices of these elements may change."""
    said = [one.restrictions for one in elements]
    by_day = any(one.start_day or one.end_day or one.weekdays for one in said)
    times = {at for one in said for at in (one.start_min, one.end_min) if at is not None}
    return Marks(
        wh=_bounds((one.min_wh, one.max_wh) for one in said),
        elapsed_s=_bounds((one.min_s, one.max_s) for one in said),
        minutes=frozenset(times | ({0} if times or by_day else set())),
        by_power=any(one.min_power_w is not None or one.max_power_w is not None for one in said),
    )


def _bounds(pairs: Iterable[tuple[int | None, int | None]]) -> frozenset[int]:
    return frozenset(at for pair in pairs for at in pair if at)


# --- amounts --------------------------------------------------------------------------------------


def _kind_of_charge(dimension: Dimension) -> Kind:
    return Kind(dimension.value)


_ORDER: Final = {kind: place for place, kind in enumerate(Kind)}


def _lines(
    tariff: Tariff,
    used: Iterable[_Used],
    kind_of: Callable[[Dimension], Kind],
    discounts: Discounts,
) -> tuple[Line, ...]:
    """Return one line for each kind, price and tax, in the order of kinds, then of first use."""
    amounts: dict[tuple[Kind, int, int | None], int] = {}
    for component, quantity in used:
        key = (kind_of(component.dimension), component.price_e4, component.vat_ppm)
        amounts[key] = amounts.get(key, 0) + quantity
    lines = [
        line_of(
            Amount(kind, quantity, price_e4, vat_ppm),
            tariff.currency,
            tariff.tax_included,
            discounts.get(kind, 0),
        )
        for (kind, price_e4, vat_ppm), quantity in amounts.items()
    ]
    return tuple(sorted(lines, key=lambda line: _ORDER[line.kind]))


def _limits(tariff: Tariff, lines: tuple[Line, ...]) -> Iterator[Line]:
    """Yield what brings a charge up to the least, or down to the most it costs."""
    net = sum(line.net_minor for line in lines)
    gross = sum(line.gross_minor for line in lines)
    for kind, limit in ((Kind.MINIMUM, tariff.min_price), (Kind.MAXIMUM, tariff.max_price)):
        if limit is None:
            continue
        nearer = min if kind is Kind.MAXIMUM else max
        net_after = nearer(net, limit.net_minor)
        gross_after = gross
        if net_after != net:
            # the tax follows its part of the whole
            share = net_after * _gross_by_net(tariff, lines)
            gross_after = half_up(share.numerator, share.denominator)
        if limit.gross_minor is not None:
            gross_after = nearer(gross_after, limit.gross_minor)
        gross_after = max(gross_after, net_after)
        if (net_after, gross_after) != (net, gross):
            yield _correction(kind, net_after - net, gross_after - gross, tariff.currency)
            net, gross = net_after, gross_after


def _gross_by_net(tariff: Tariff, lines: Iterable[Line]) -> Fraction:
    nets, grosses = Fraction(0), Fraction(0)
    for line in lines:
        amount = Amount(line.kind, line.quantity, line.price_e4, line.vat_ppm)
        net, gross = exact(amount, tariff.currency, tariff.tax_included, line.discount_pct)
        nets += Fraction(*net)
        grosses += Fraction(*gross)
    return grosses / nets if nets else Fraction(1)


def _correction(kind: Kind, net_minor: int, gross_minor: int, currency: str) -> Line:
    return Line(
        kind=kind,
        quantity=1,
        price_e4=e4_of_minor(net_minor, currency),
        vat_ppm=None,
        net_minor=net_minor,
        gross_minor=gross_minor,
    )
