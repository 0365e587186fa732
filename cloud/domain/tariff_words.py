"""What charging costs, in a line for a charger's display."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Final

from cloud.domain.bill_lines import TaxIncluded, duration_text
from cloud.domain.money import exponent, shortest, written
from cloud.domain.tariffs import (
    Dimension,
    Element,
    PriceComponent,
    PriceLimit,
    Restrictions,
    Tariff,
)

MOST: Final = 512
"""Characters a charger must be able to show (OCPP 2.0.1, MessageContentType)."""

_PER: Final = {
    Dimension.FLAT: "per charge",
    Dimension.ENERGY: "per kWh",
    Dimension.TIME: "per hour of charging",
    Dimension.PARKING_TIME: "per hour of parking",
}
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def in_words(tariff: Tariff) -> str:
    """Return it in ASCII, the price that counts first before others; what has no room is dots.

    What reserving costs is told to whom reserves, and is left out.
    """
    elements = [one for one in tariff.elements if one.restrictions.reservation is None]
    pieces = list(_pieces(elements, tariff.currency)) or ["free of charge"]
    pieces += _limit("at least", tariff.min_price, tariff.currency)
    pieces += _limit("at most", tariff.max_price, tariff.currency)
    tail = _tax(tariff, elements) + "."
    text = "; ".join(pieces) + tail
    while len(text) > MOST:
        pieces.pop()
        text = "; ".join([*pieces, "..."]) + tail
    return text


def _pieces(elements: list[Element], currency: str) -> Iterator[str]:
    """Say each element; of each dimension the first that holds counts."""
    sometimes: set[Dimension] = set()
    always: set[Dimension] = set()
    for element in elements:
        left = [one for one in element.components if one.dimension not in always]
        when = ", ".join(_when(element.restrictions))
        if when:
            yield from _said(f"{when}: ", left, currency)
            sometimes |= {one.dimension for one in left}
            continue
        yield from _said("", [one for one in left if one.dimension not in sometimes], currency)
        rest = [one for one in left if one.dimension in sometimes]
        yield from _said("otherwise ", rest, currency)
        always |= {one.dimension for one in left}


def _said(before: str, components: list[PriceComponent], currency: str) -> Iterator[str]:
    if components:
        yield before + " + ".join(_price(one, currency) for one in components)


def _price(component: PriceComponent, currency: str) -> str:
    amount = shortest(component.price_e4, 4, exponent(currency))
    return f"{amount} {currency} {_PER[component.dimension]}"


def _when(said: Restrictions) -> Iterator[str]:
    if said.weekdays:
        yield "/".join(_DAYS[day] for day in sorted(said.weekdays))
    yield from _range(said.start_min, said.end_min, "from", "until", _clock)
    yield from _range(said.start_day, said.end_day, "from", "before", _date)
    yield from _range(said.min_wh, said.max_wh, "from", "up to", _kwh)
    yield from _range(said.min_power_w, said.max_power_w, "from", "below", _kw)
    yield from _range(said.min_s, said.max_s, "after", "in the first", duration_text)


def _range(
    least: int | None, beyond: int | None, since: str, until: str, write: Callable[[int], str]
) -> Iterator[str]:
    if least is not None:
        yield f"{since} {write(least)}"
    if beyond is not None:
        yield f"{until} {write(beyond)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _date(ordinal: int) -> str:
    return date.fromordinal(ordinal).isoformat()


def _kwh(wh: int) -> str:
    return f"{shortest(wh, 3)} kWh"


def _kw(power_w: int) -> str:
    return f"{shortest(power_w, 3)} kW"


def _limit(word: str, limit: PriceLimit | None, currency: str) -> list[str]:
    if limit is None:
        return []
    amount_minor = limit.net_minor if limit.gross_minor is None else limit.gross_minor
    return [f"{word} {written(amount_minor, currency)}"]


def _tax(tariff: Tariff, elements: list[Element]) -> str:
    """Say whether taxes are in the prices, and how high they are where they are all alike."""
    if tariff.tax_included is TaxIncluded.NOT_APPLICABLE:
        return ""
    rates = {one.vat_ppm for element in elements for one in element.components}
    (rate,) = rates if len(rates) == 1 else (None,)
    word = "incl." if tariff.tax_included is TaxIncluded.YES else "plus"
    return f" ({word} tax)" if rate is None else f" ({word} {shortest(rate, 4)} % tax)"
