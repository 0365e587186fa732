"""Tariffs as plain data, in OCPI 2.3.0's words: read with a clear word on what is wrong, and written.

Numbers come as integers, as decimal text, or as the floats JSON knows; a float stands for the shortest
decimal that means it. They are written as decimal text, so that no reader needs a float.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final, TypeVar

from cloud.domain.bill_lines import PPM, TaxIncluded
from cloud.domain.errors import NotValid
from cloud.domain.money import E4, decimal, exponent, minor_per_major, shortest
from cloud.domain.tariffs import (
    RESERVED,
    Dimension,
    Element,
    PriceComponent,
    PriceLimit,
    Reserving,
    Restrictions,
    Tariff,
)

MOST_ELEMENTS: Final = 100
MOST_COMPONENTS: Final = 10

_DAYS: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DATE: Final = re.compile(r"[12][0-9]{3}-[01][0-9]-[0-3][0-9]")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")

_PCT: Final = PPM // 100
_MOST: Final = Decimal(10**6)
"""No price, energy or power of a tariff is above a million."""
_LONGEST_NUMBER: Final = 20
"""Characters; what fits is exact in Decimal's 28 digits."""
_LONGEST_S: Final = 366 * 86_400
_BIGGEST_STEP: Final = 10**6

_T = TypeVar("_T")
_Word = TypeVar("_Word", bound=StrEnum)


class _Fields:
    """A JSON object whose fields are taken one by one; what is left in the end is unknown."""

    def __init__(self, data: object, path: str) -> None:
        if not isinstance(data, Mapping):
            raise _wrong(path or "tariff", "must be an object")
        self._data = dict(data)
        self._path = path

    def path(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def take(self, name: str, read: Callable[[Any, str], _T]) -> _T | None:
        """Return a field as read; None where it is not there or null."""
        value = self._data.pop(name, None)
        return None if value is None else read(value, self.path(name))

    def need(self, name: str, read: Callable[[Any, str], _T]) -> _T:
        """Return a field as read.

        Raises:
            NotValid: it is not there.
        """
        value = self.take(name, read)
        if value is None:
            raise _wrong(self.path(name), "is missing")
        return value

    def end(self) -> None:
        """Refuse what nobody took: who wrote it meant something by it."""
        for name in self._data:
            raise _wrong(self.path(str(name)[:64]), "is not known here")


def tariff_of(data: object, currency: str) -> Tariff:
    """Read a tariff.

    Raises:
        NotValid: its detail names the field and says what is wrong.
    """
    if not _CURRENCY.fullmatch(currency):
        raise _wrong("currency", "must be three capital letters, as in EUR")
    fields = _Fields(data, "")

    def limit(value: Any, path: str) -> PriceLimit:
        return _limit(value, path, currency)

    tariff = Tariff(
        currency=currency,
        tax_included=fields.need("tax_included", _word(TaxIncluded)),
        min_price=fields.take("min_price", limit),
        max_price=fields.take("max_price", limit),
        elements=fields.need("elements", _list(_element, MOST_ELEMENTS)),
    )
    fields.end()
    _check_limits(tariff.min_price, tariff.max_price)
    return tariff


def data_of(tariff: Tariff) -> dict[str, Any]:
    """Write a tariff as `tariff_of` reads it; what is not said is left out."""
    return _said(
        tax_included=tariff.tax_included.value,
        min_price=_limit_data(tariff.min_price, tariff.currency),
        max_price=_limit_data(tariff.max_price, tariff.currency),
        elements=[_element_data(one) for one in tariff.elements],
    )


# --- reading --------------------------------------------------------------------------------------


def _wrong(path: str, why: str) -> NotValid:
    return NotValid(path, f"{path} {why}.")


def _check_limits(least: PriceLimit | None, most: PriceLimit | None) -> None:
    if least is None or most is None:
        return
    is_above = least.net_minor > most.net_minor
    if least.gross_minor is not None and most.gross_minor is not None:
        is_above = is_above or least.gross_minor > most.gross_minor
    if is_above:
        raise _wrong("min_price", "is above max_price")


def _limit(data: object, path: str, currency: str) -> PriceLimit:
    fields = _Fields(data, path)

    def amount(value: Any, where: str) -> int:
        return _number(value, where, minor_per_major(currency), exponent(currency))

    net = fields.need("before_taxes", amount)
    gross = fields.take("after_taxes", amount)
    fields.end()
    if gross is not None and gross < net:
        raise _wrong(f"{path}.after_taxes", "is less than before_taxes")
    return PriceLimit(net_minor=net, gross_minor=gross)


def _element(data: object, path: str) -> Element:
    fields = _Fields(data, path)
    element = Element(
        components=fields.need("price_components", _list(_component, MOST_COMPONENTS)),
        restrictions=fields.take("restrictions", _restrictions) or Restrictions(),
    )
    fields.end()
    reservation = element.restrictions.reservation
    seen: set[Dimension] = set()
    for place, one in enumerate(element.components):
        where = f"{path}.price_components[{place}].type"
        if one.dimension in seen:
            raise _wrong(where, "is there twice in one element")
        if reservation is not None and (one.dimension, reservation) not in RESERVED:
            raise _wrong(where, "must be FLAT or TIME where a reservation is priced")
        seen.add(one.dimension)
    return element


def _component(data: object, path: str) -> PriceComponent:
    fields = _Fields(data, path)
    dimension = fields.need("type", _word(Dimension))
    component = PriceComponent(
        dimension=dimension,
        price_e4=fields.need("price", _scaled(E4, 4)),
        vat_ppm=fields.take("vat", _tax),
        step_size=fields.take("step_size", _step) or 1,
    )
    fields.end()
    return component


def _restrictions(data: object, path: str) -> Restrictions:
    fields = _Fields(data, path)
    said = Restrictions(
        start_min=fields.take("start_time", _time),
        end_min=fields.take("end_time", _time),
        start_day=fields.take("start_date", _date),
        end_day=fields.take("end_date", _date),
        weekdays=frozenset(fields.take("day_of_week", _list(_weekday, len(_DAYS))) or ()),
        min_wh=fields.take("min_kwh", _scaled(1000, 3)),
        max_wh=fields.take("max_kwh", _scaled(1000, 3)),
        min_power_w=fields.take("min_power", _scaled(1000, 3)),
        max_power_w=fields.take("max_power", _scaled(1000, 3)),
        min_s=fields.take("min_duration", _seconds),
        max_s=fields.take("max_duration", _seconds),
        reservation=fields.take("reservation", _word(Reserving)),
    )
    fields.end()
    for name, least, beyond in (
        ("start_date", said.start_day, said.end_day),
        ("min_kwh", said.min_wh, said.max_wh),
        ("min_power", said.min_power_w, said.max_power_w),
        ("min_duration", said.min_s, said.max_s),
    ):
        if least is not None and beyond is not None and least >= beyond:
            raise _wrong(f"{path}.{name}", "leaves nothing below its upper bound")
    return said


def _list(read: Callable[[Any, str], _T], most: int) -> Callable[[Any, str], tuple[_T, ...]]:
    def read_all(value: Any, path: str) -> tuple[_T, ...]:
        if not isinstance(value, list | tuple) or not value:
            raise _wrong(path, "must be a list with something in it")
        if len(value) > most:
            raise _wrong(path, f"has more than {most} entries")
        return tuple(read(one, f"{path}[{place}]") for place, one in enumerate(value))

    return read_all


def _word(words: type[_Word]) -> Callable[[Any, str], _Word]:
    def read(value: Any, path: str) -> _Word:
        if not isinstance(value, str) or value not in set(words):
            raise _wrong(path, f"must be one of {', '.join(words)}")
        return words(value)

    return read


def _weekday(value: Any, path: str) -> int:
    if value not in _DAYS:
        raise _wrong(path, f"must be one of {', '.join(_DAYS)}")
    return _DAYS.index(value)


def _scaled(scale: int, decimals: int) -> Callable[[Any, str], int]:
    def read(value: Any, path: str) -> int:
        return _number(value, path, scale, decimals)

    return read


def _number(value: Any, path: str, scale: int, decimals: int) -> int:
    """Return a decimal number, from 0 to a million, as an integer of its last decimal."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _wrong(path, "must be a number")
    if isinstance(value, str) and len(value) > _LONGEST_NUMBER:
        raise _wrong(path, f"has more than {decimals} decimals")
    try:
        # repr: the shortest decimal that means this float, and no longer one
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        raise _wrong(path, "must be a number") from None
    if not number.is_finite() or not 0 <= number <= _MOST:
        raise _wrong(path, f"must be from 0 to {_MOST}")
    scaled = number * scale
    if scaled != int(scaled):
        raise _wrong(path, f"has more than {decimals} decimals")
    return int(scaled)


def _tax(value: Any, path: str) -> int:
    ppm = _number(value, path, _PCT, 4)
    if ppm > PPM:
        raise _wrong(path, "must be from 0 to 100 percent")
    return ppm


def _step(value: Any, path: str) -> int:
    # of a FLAT component OCPI's own examples say 0, which means nothing there; of others it is 1
    return _whole(value, path, _BIGGEST_STEP)


def _seconds(value: Any, path: str) -> int:
    return _whole(value, path, _LONGEST_S)


def _whole(value: Any, path: str, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise _wrong(path, f"must be a whole number from 0 to {most}")
    return value


def _time(value: Any, path: str) -> int:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _wrong(path, "must be a time of day, as in 07:30")
    return int(match[1]) * 60 + int(match[2])


def _date(value: Any, path: str) -> int:
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value).toordinal()
    except ValueError:
        pass
    raise _wrong(path, "must be a date, as in 2026-12-24")


# --- writing --------------------------------------------------------------------------------------


def _said(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _limit_data(limit: PriceLimit | None, currency: str) -> dict[str, str] | None:
    if limit is None:
        return None
    gross = limit.gross_minor
    return _said(
        before_taxes=decimal(limit.net_minor, currency),
        after_taxes=None if gross is None else decimal(gross, currency),
    )


def _element_data(element: Element) -> dict[str, Any]:
    return _said(
        price_components=[_component_data(one) for one in element.components],
        restrictions=_restrictions_data(element.restrictions) or None,
    )


def _component_data(component: PriceComponent) -> dict[str, Any]:
    vat_ppm = component.vat_ppm
    return _said(
        type=component.dimension.value,
        price=shortest(component.price_e4, 4, 2),
        vat=None if vat_ppm is None else shortest(vat_ppm, 4),
        step_size=component.step_size,
    )


def _restrictions_data(said: Restrictions) -> dict[str, Any]:
    return _said(
        start_time=_maybe(said.start_min, _time_text),
        end_time=_maybe(said.end_min, _time_text),
        start_date=_maybe(said.start_day, _date_text),
        end_date=_maybe(said.end_day, _date_text),
        day_of_week=[_DAYS[one] for one in sorted(said.weekdays)] or None,
        min_kwh=_maybe(said.min_wh, _thousandths),
        max_kwh=_maybe(said.max_wh, _thousandths),
        min_power=_maybe(said.min_power_w, _thousandths),
        max_power=_maybe(said.max_power_w, _thousandths),
        min_duration=said.min_s,
        max_duration=said.max_s,
        reservation=None if said.reservation is None else said.reservation.value,
    )


def _maybe(value: int | None, write: Callable[[int], str]) -> str | None:
    return None if value is None else write(value)


def _time_text(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _date_text(day: int) -> str:
    return date.fromordinal(day).isoformat()


def _thousandths(value: int) -> str:
    return shortest(value, 3)
