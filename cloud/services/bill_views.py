"""A bill's lines as they leave the house: exact integers, and the same in words."""

from collections.abc import Iterable
from dataclasses import dataclass

from cloud.domain.bill_lines import UNITS, Kind, Line
from cloud.domain.billing import gross_of, net_of
from cloud.domain.money import shortest


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """A line of a bill or of a quote; amounts in minor units."""

    kind: str
    """FLAT ENERGY TIME PARKING_TIME RESERVATION RESERVATION_TIME EXPIRED NO_SHOW OVERSTAY MINIMUM MAXIMUM
    ROUNDING."""
    quantity: int
    """Watt-hours of energy, seconds of time, 1 of all else."""
    unit_price: str
    """Of `unit`, as decimal text in the major unit, before any discount: `0.25`."""
    unit: str
    """`kWh`, `h`, `min`, or empty: once."""
    tax_pct: str | None
    """As decimal text; null: no tax applies."""
    discount_pct: int
    """Off, by a subscription."""
    part_pct: int
    """How much of it is billed: below 100 for a reservation that was canceled in time."""
    net_minor: int
    tax_minor: int
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxView:
    """What was taxed at one rate."""

    tax_pct: str
    net_minor: int
    tax_minor: int


UNIT_WORDS = {Kind.ENERGY: "kWh", Kind.OVERSTAY: "min"}


def line_view(line: Line) -> LineView:
    """Return the line as it leaves the house."""
    return LineView(
        kind=line.kind.value,
        quantity=line.quantity,
        unit_price=shortest(line.price_e4, 4, 2),
        unit=UNIT_WORDS.get(line.kind, "h" if line.kind in UNITS else ""),
        tax_pct=None if line.vat_ppm is None else tax_text(line.vat_ppm),
        discount_pct=line.discount_pct,
        part_pct=line.part_pct,
        net_minor=line.net_minor,
        tax_minor=line.tax_minor,
        total_minor=line.gross_minor,
    )


def tax_views(lines: Iterable[Line]) -> list[TaxView]:
    """Return what was taxed at each rate, the lowest first; what no tax applies to is left out."""
    by_rate: dict[int, list[Line]] = {}
    for line in lines:
        if line.vat_ppm is not None:
            by_rate.setdefault(line.vat_ppm, []).append(line)
    return [
        TaxView(
            tax_pct=tax_text(vat_ppm),
            net_minor=net_of(taxed),
            tax_minor=gross_of(taxed) - net_of(taxed),
        )
        for vat_ppm, taxed in sorted(by_rate.items())
    ]


def tax_text(vat_ppm: int) -> str:
    """Write a tax in percent: `5.2`."""
    return shortest(vat_ppm, 4)
