"""Tariffs and charges as tests say them: the words of OCPI, minutes and kilowatt-hours."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cloud.domain.charges import Charge, Point, Stretch
from cloud.domain.tariff_data import tariff_of

BERLIN = ZoneInfo("Europe/Berlin")
LONDON = ZoneInfo("Europe/London")


def a_tariff(*elements: Any, currency: str = "EUR", tax_included: str = "NO", **more: Any):
    """Read a tariff; an element is a component, a list of them, or (components, restrictions)."""
    body = {"tax_included": tax_included, "elements": [_element(one) for one in elements], **more}
    return tariff_of(body, currency)


def _element(said: Any) -> dict[str, Any]:
    components, restrictions = said if isinstance(said, tuple) else (said, None)
    components = components if isinstance(components, list) else [components]
    element = {"price_components": components}
    return element | ({"restrictions": restrictions} if restrictions else {})


def energy(price: Any, vat: Any = None, step: int = 1) -> dict[str, Any]:
    return _component("ENERGY", price, vat, step)


def time(price: Any, vat: Any = None, step: int = 1) -> dict[str, Any]:
    return _component("TIME", price, vat, step)


def parking(price: Any, vat: Any = None, step: int = 1) -> dict[str, Any]:
    return _component("PARKING_TIME", price, vat, step)


def flat(price: Any, vat: Any = None) -> dict[str, Any]:
    return _component("FLAT", price, vat, 1)


def _component(kind: str, price: Any, vat: Any, step: int) -> dict[str, Any]:
    component = {"type": kind, "price": price, "step_size": step}
    return component if vat is None else component | {"vat": vat}


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    """Return an instant said by the wall's clock: `2026-01-05 09:30`, or on Monday 5 January: `09:30`."""
    if len(text) == 5:
        text = f"2026-01-05 {text}"
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def a_charge(
    start: str = "10:00",
    charged_min: float = 60,
    parked_min: float = 0,
    kwh: float = 0,
    zone: ZoneInfo = BERLIN,
) -> Charge:
    """Return a charge at even power."""
    starts_at = at(start, zone)
    full_at = starts_at + timedelta(minutes=charged_min)
    return Charge(
        (
            Stretch(
                starts_at=starts_at,
                ends_at=full_at + timedelta(minutes=parked_min),
                charging_ended_at=full_at,
                points=(Point(full_at, round(kwh * 1000)),),
            ),
        )
    )


def a_curve(*points: tuple[float, float], start: str = "10:00", watts: Any = ()) -> Charge:
    """Return a charge along (minutes, kWh so far); `watts` are the powers its points told."""
    starts_at = at(start)
    told = [*watts, *[None] * (len(points) - len(watts))]
    curve = tuple(
        Point(starts_at + timedelta(minutes=minutes), round(kwh * 1000), power)
        for (minutes, kwh), power in zip(points, told, strict=True)
    )
    return Charge((Stretch(starts_at=starts_at, ends_at=curve[-1].at, points=curve),))


def billed(lines: Any) -> list[tuple[str, int, int]]:
    """Return kind, quantity and net amount of each line."""
    return [(one.kind.value, one.quantity, one.net_minor) for one in lines]


def sums(lines: Any) -> tuple[int, int]:
    """Return net and gross of all lines."""
    return sum(one.net_minor for one in lines), sum(one.gross_minor for one in lines)
