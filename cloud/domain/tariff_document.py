"""The page about tariffs: `python -m cloud.domain.tariff_document > docs/tariffs.md`."""

import json
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from cloud.domain.bill_lines import Kind, Line, quantity_text
from cloud.domain.money import decimal, shortest
from cloud.domain.tariff_data import tariff_of
from cloud.domain.tariff_words import in_words
from cloud.domain.tariffs import Tariff
from cloud.domain.worked_examples import Used, lines_of, sentence

_ZONE: Final = ZoneInfo("Europe/London")
_CURRENCY: Final = "GBP"
_CHARGE: Final = Used(
    starts_at=datetime(2026, 3, 2, 17, 30, tzinfo=UTC),
    energy_wh=30_000,
    charging_s=45 * 60,
    parked_s=20 * 60,
)


@dataclass(frozen=True, slots=True)
class Example:
    """A tariff worth showing, and a charge under it."""

    title: str
    body: dict[str, Any]
    used: Used = _CHARGE


def _component(kind: str, price: str, step_size: int = 1) -> dict[str, Any]:
    return {"type": kind, "price": price, "vat": "20", "step_size": step_size}


_ENERGY: Final = _component("ENERGY", "0.55")
_RESERVED: Final = {
    "price_components": [_component("FLAT", "1.00"), _component("TIME", "3.00", 300)],
    "restrictions": {"reservation": "RESERVATION"},
}

EXAMPLES: Final = (
    Example("Energy alone", {"tax_included": "YES", "elements": [{"price_components": [_ENERGY]}]}),
    Example(
        "A start fee, energy, and parking in blocks of five minutes",
        {
            "tax_included": "YES",
            "elements": [
                {
                    "price_components": [
                        _component("FLAT", "0.50"),
                        _ENERGY,
                        _component("PARKING_TIME", "6.00", 300),
                    ]
                }
            ],
        },
        replace(_CHARGE, parked_s=22 * 60),
    ),
    Example(
        "Dearer from six to eight in the evening, taxes on top",
        {
            "tax_included": "NO",
            "elements": [
                {
                    "price_components": [_component("ENERGY", "0.60")],
                    "restrictions": {"start_time": "18:00", "end_time": "20:00"},
                },
                {"price_components": [_component("ENERGY", "0.40")]},
            ],
        },
    ),
    Example(
        "The first ten kilowatt-hours cheaper, and never more than twelve pounds",
        {
            "tax_included": "YES",
            "max_price": {"before_taxes": "10.00", "after_taxes": "12.00"},
            "elements": [
                {
                    "price_components": [_component("ENERGY", "0.30")],
                    "restrictions": {"max_kwh": "10"},
                },
                {"price_components": [_ENERGY]},
            ],
        },
    ),
    Example(
        "A reservation, whose driver came seven minutes after its start",
        {"tax_included": "YES", "elements": [_RESERVED, {"price_components": [_ENERGY]}]},
        replace(_CHARGE, is_reserved=True, waited_s=7 * 60),
    ),
)

_HEAD: Final = """\
# Tariffs

What charging costs, in the words of OCPI 2.3.0 (mod_tariffs). Written by `python -m cloud.domain.tariff_document` with the engine that
bills; a test compares.

## Which price counts

A tariff is a list of elements: price components, and the restrictions they hold under. At each moment, and for each of `ENERGY`, `TIME`
(charging), `PARKING_TIME` (after charging) and `FLAT` (once), the first element counts that prices it and whose restrictions hold. What no
element prices costs nothing.

* Restrictions: `start_time` and `end_time` (by the clock on the station's wall, also over midnight, also when it is set), `start_date`,
  `end_date` (until the day before), `day_of_week`, `min_kwh`, `max_kwh`, `min_power`, `max_power` (kW), `min_duration`, `max_duration`
  (seconds), `reservation`. Lower bounds hold from, upper ones until just before. Restrictions by current are not known: say power.
* Energy between two readings is shared out evenly and rounded down to the watt-hour, as a register would show it. Instants count by the second.
* A power that was told holds until the next; where none was told, the meter says it.
* Time in which the charger holds energy back from a car that wants it is no parking.
* `step_size`: all energy is rounded up to blocks once; so is all time of the kind that ends the charge, and the surplus costs what was
  billed last. Charging time that is followed by parking is not rounded.
* Plugged in again within one reservation is one charge, with one flat fee.

## How it is rounded

Everything is an integer: prices of 1/10,000, watt-hours, seconds, minor units. Each line (a kind at one price and tax) is rounded once, its net
and its gross amount each half up from the exact value; totals are sums of lines. `min_price` and `max_price` are lines of their own.

## What a reservation costs

| ends as | costs |
|---|---|
| `FULFILLED` | the charge, `RESERVATION` elements, and the station's overstay fee for each minute begun until the car has left |
| `CANCELED` | what the terms keep of the `RESERVATION` elements; nothing of a hold |
| `NO_SHOW` | `RESERVATION` and `RESERVATION_EXPIRES` elements, and the station's no-show fee |
| `FAILED`, `REJECTED` | nothing |

Reservation time counts from the start of the slot until the driver comes, or the grace is over. Fees in the station's terms are what is paid:
their tax is in them. Tariff, terms and discounts count as they were when the bay was held; a walk-in's tariff as it was when the charge began.

A meter that was odd is billed at most what the bay could deliver in the time, and its receipt says that a person will look at it.

## What a display shows

A 2.0.1 charger that says it shows tariffs (`TariffCostCtrlr.Enabled[Tariff]`) is told the price in words with each yes to a token, on the way
(`AuthorizeAnswer`) or by the plan where the station is alone: a reservation's as it was agreed on, else the station's as it is now. As it counts for
the whole charge, it is not told again during one (I06).

## Worked examples

By the clock in London, on a Monday from half past five in the afternoon.
"""


def document() -> str:
    """Return the whole page."""
    return _HEAD + "".join(_section(one) for one in EXAMPLES)


def _section(example: Example) -> str:
    tariff = tariff_of(example.body, _CURRENCY)
    lines = lines_of(tariff, example.used, _ZONE)
    rows = "\n".join(_row(line, tariff) for line in lines)
    body = json.dumps(example.body, indent=2)
    return (
        f"\n### {example.title}\n\n```json\n{body}\n```\n\n"
        "| for | quantity | price | tax % | net | gross |\n|---|---|---|---|---|---|\n"
        f"{rows}\n\n**{sentence(tariff, example.used, _ZONE)}**\n\n"
        f"On a charger's display: {in_words(tariff)}\n"
    )


_LIMITS: Final = frozenset({Kind.MINIMUM, Kind.MAXIMUM})


def _row(line: Line, tariff: Tariff) -> str:
    tax = "" if line.vat_ppm is None else shortest(line.vat_ppm, 4)
    cells = (
        line.kind.value,
        quantity_text(line.kind, line.quantity),
        "" if line.kind in _LIMITS else shortest(line.price_e4, 4, 2),
        tax,
        decimal(line.net_minor, tariff.currency),
        decimal(line.gross_minor, tariff.currency),
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(document())
