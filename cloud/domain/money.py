"""Exact amounts: integers of a currency's minor unit, and how they are rounded and written."""

from typing import Final

E4: Final = 10_000
"""Unit prices are integers of 1/10,000 of a major unit: OCPI's numbers have four decimals."""

_EXPONENTS: Final[dict[str, int]] = {
    **dict.fromkeys(
        (
            *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"),
            *("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""ISO 4217; every other currency has two."""


_CHARGE_UNITS: Final = dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 10)
"""Minor units that card networks count in: of three decimals the last is always 0."""

_POWERS: Final = (1, 10, 100, 1000, 10_000)


def exponent(currency: str) -> int:
    """Return how many decimals the currency has: 2 of GBP, 0 of JPY."""
    return _EXPONENTS.get(currency, 2)


def minor_per_major(currency: str) -> int:
    """Return how many minor units are one: 100 pence of a pound."""
    return _POWERS[exponent(currency)]


def charge_unit(currency: str) -> int:
    """Return of how many minor units a charge is a multiple."""
    return _CHARGE_UNITS.get(currency, 1)


def half_up(numerator: int, denominator: int) -> int:
    """Return the fraction rounded to the nearest integer, halves upwards; exact."""
    return (2 * numerator + denominator) // (2 * denominator)


def ceil_div(numerator: int, denominator: int) -> int:
    """Return the fraction rounded up; exact."""
    return -(-numerator // denominator)


def e4_of_minor(amount_minor: int, currency: str) -> int:
    """Return an amount as a unit price."""
    return amount_minor * (E4 // minor_per_major(currency))


def decimal(amount_minor: int, currency: str) -> str:
    """Write an amount as its major unit with all its decimals: `-12.50`."""
    return _fixed(amount_minor, exponent(currency))


def written(amount_minor: int, currency: str) -> str:
    """Write an amount the same everywhere: `12.50 GBP`."""
    return f"{decimal(amount_minor, currency)} {currency}"


def shortest(value: int, decimals: int, least: int = 0) -> str:
    """Write `value` / 10**`decimals` with no more decimals than it has, at least `least`."""
    text = _fixed(value, decimals)
    if decimals == 0:
        return text
    whole, _, rest = text.partition(".")
    rest = rest.rstrip("0").ljust(least, "0")
    return f"{whole}.{rest}" if rest else whole


def _fixed(value: int, decimals: int) -> str:
    sign = "-" if value < 0 else ""
    digits = str(abs(value)).rjust(decimals + 1, "0")
    cut = len(digits) - decimals
    return f"{sign}{digits[:cut]}.{digits[cut:]}" if decimals else f"{sign}{digits}"
