"""The lines of a bill: what for, how much of it, and what it costs; exact until rounded once."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cloud.domain.money import E4, half_up, minor_per_major, shortest

PPM: Final = 1_000_000
"""Taxes are integers of a millionth: 19 % is 190,000."""

_KWH: Final = 1000
_HOUR_S: Final = 3600
_MINUTE_S: Final = 60


class Kind(StrEnum):
    """What a line of a bill is for."""

    FLAT = "FLAT"
    ENERGY = "ENERGY"
    TIME = "TIME"
    PARKING_TIME = "PARKING_TIME"
    RESERVATION = "RESERVATION"
    """Once, for the promise."""
    RESERVATION_TIME = "RESERVATION_TIME"
    """The bay was kept and nobody had come yet."""
    EXPIRED = "EXPIRED"
    """Once, for a reservation nobody came for."""
    NO_SHOW = "NO_SHOW"
    """The station's own fee for the same."""
    OVERSTAY = "OVERSTAY"
    MINIMUM = "MINIMUM"
    """What is missing to the least a charge costs."""
    MAXIMUM = "MAXIMUM"
    """What is beyond the most it costs: negative."""
    ROUNDING = "ROUNDING"
    """What is less than a card can be charged with: negative, for the driver."""


UNITS: Final[dict[Kind, int]] = {
    Kind.ENERGY: _KWH,
    Kind.TIME: _HOUR_S,
    Kind.PARKING_TIME: _HOUR_S,
    Kind.RESERVATION_TIME: _HOUR_S,
    Kind.OVERSTAY: _MINUTE_S,
}
"""How much of a line's quantity its price is for; 1 where it is for the whole."""


class TaxIncluded(StrEnum):
    """Whether prices are what is paid, or taxes come on top."""

    YES = "YES"
    NO = "NO"
    NOT_APPLICABLE = "N/A"
    """There are no taxes."""


@dataclass(frozen=True, slots=True)
class Amount:
    """What a line is of, before it is an amount of money."""

    kind: Kind
    quantity: int
    price_e4: int
    vat_ppm: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a bill, in minor units of its currency."""

    kind: Kind
    quantity: int
    """Watt-hours, seconds, or 1."""
    price_e4: int
    """Of `UNITS[kind]` of the quantity, in 1/10,000 of a major unit; before the discount."""
    vat_ppm: int | None
    discount_pct: int = 0
    """Off, by a subscription."""
    part_pct: int = 100
    """How much of it is billed: less of a reservation that was canceled in time."""
    net_minor: int
    gross_minor: int

    @property
    def tax_minor(self) -> int:
        """Return what of the gross amount is tax."""
        return self.gross_minor - self.net_minor


def line_of(
    amount: Amount,
    currency: str,
    tax_included: TaxIncluded,
    discount_pct: int = 0,
    part_pct: int = 100,
) -> Line:
    """Return the line: its net and its gross amount each rounded half up, once."""
    net, gross = exact(amount, currency, tax_included, discount_pct, part_pct)
    return Line(
        kind=amount.kind,
        quantity=amount.quantity,
        price_e4=amount.price_e4,
        vat_ppm=amount.vat_ppm,
        discount_pct=discount_pct,
        part_pct=part_pct,
        net_minor=half_up(*net),
        gross_minor=half_up(*gross),
    )


def exact(
    amount: Amount,
    currency: str,
    tax_included: TaxIncluded,
    discount_pct: int = 0,
    part_pct: int = 100,
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return net and gross in minor units, each as the numerator and denominator of a fraction."""
    top = amount.quantity * amount.price_e4 * minor_per_major(currency)
    top *= (100 - discount_pct) * part_pct
    bottom = UNITS.get(amount.kind, 1) * E4 * 100 * 100
    vat_ppm = 0 if tax_included is TaxIncluded.NOT_APPLICABLE else amount.vat_ppm or 0
    if tax_included is TaxIncluded.YES:
        return (top * PPM, bottom * (PPM + vat_ppm)), (top, bottom)
    return (top, bottom), (top * (PPM + vat_ppm), bottom * PPM)


def quantity_text(kind: Kind, quantity: int) -> str:
    """Write how much there was of a line: `30 kWh`, `1 h 5 min`; empty where it is once."""
    if kind is Kind.ENERGY:
        return f"{shortest(quantity, 3)} kWh"
    return duration_text(quantity) if kind in UNITS else ""


def duration_text(seconds: int) -> str:
    """Write a duration exactly: `2 h`, `45 min`, `1 h 0 min 5 s`."""
    hours, rest = divmod(seconds, _HOUR_S)
    minutes, rest = divmod(rest, _MINUTE_S)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    while len(parts) > 1 and parts[0][0] == 0:
        parts.pop(0)
    while len(parts) > 1 and parts[-1][0] == 0:
        parts.pop()
    return " ".join(f"{count} {unit}" for count, unit in parts)
