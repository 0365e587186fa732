"""How instants, power, energy and money are written, in one language."""

import math
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency, format_decimal, get_currency_precision

NOTHING: Final = "\u2013"
"""What stands where a value was not reported."""

_BAY_WORDS: Final = frozenset({"bay", "platz", "space"})

_NEAR_M = 1000
_MEGABYTE: Final = 1_000_000
_KILOGRAM: Final = 1000

_WEEKDAY: Final = {"de": "EEE d. MMM y"}
"""A date with its weekday, where a language writes it in its own way."""


def number(bay_name: str) -> str:
    """Return what stands painted in a bay: its name, without a leading word that says "bay"."""
    first, _, rest = bay_name.partition(" ")
    return rest if rest and first.lower() in _BAY_WORDS else bay_name


def zone(name: str) -> ZoneInfo:
    """Return a station's zone; UTC where its name means nothing here."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Formats:
    """Numbers and instants in one language."""

    language: str

    def power(self, power_w: float | None) -> str:
        """Write kilowatts, with a decimal below a hundred where there is one to show."""
        if power_w is None:
            return NOTHING
        power_kw = round(power_w / 1000, 1)
        return f"{format_decimal(power_kw, '0.#', locale=self.language)} kW"

    def energy(self, energy_wh: int) -> str:
        """Write kilowatt-hours with two decimals."""
        return f"{format_decimal(energy_wh / 1000, '#,##0.00', locale=self.language)} kWh"

    def amount(self, energy_wh: int) -> str:
        """Write kilowatt-hours with no more decimals than they have, at most two: in a sentence."""
        energy_kwh = Decimal(energy_wh) / 1000
        return f"{format_decimal(energy_kwh, '#,##0.##', locale=self.language)} kWh"

    def money(self, amount_minor: int, currency: str) -> str:
        """Write an amount given in the currency's minor unit."""
        precision = get_currency_precision(currency)
        amount = Decimal(amount_minor) / (10**precision)
        return format_currency(amount, currency, locale=self.language)

    def distance(self, distance_m: int) -> str:
        """Write metres in steps of ten, from a kilometre on with one decimal."""
        if distance_m < _NEAR_M:
            return f"{round(distance_m, -1)} m"
        return f"{format_decimal(distance_m / 1000, '#,##0.0', locale=self.language)} km"

    def mass(self, mass_g: int) -> str:
        """Write grams, from a kilogram on kilograms with one decimal."""
        if abs(mass_g) < _KILOGRAM:
            return f"{format_decimal(mass_g, locale=self.language)} g"
        return f"{format_decimal(Decimal(mass_g) / _KILOGRAM, '#,##0.0', locale=self.language)} kg"

    def file_size(self, size_bytes: int) -> str:
        """Write how long a file is, in kB, from a megabyte on in MB."""
        if size_bytes < _MEGABYTE:
            return f"{format_decimal(math.ceil(size_bytes / 1000), locale=self.language)} kB"
        return f"{format_decimal(size_bytes / _MEGABYTE, '0.0', locale=self.language)} MB"

    def clock(self, at: datetime, timezone: str = "UTC") -> str:
        """Write hours and minutes at the station."""
        return format_time(at, "HH:mm", tzinfo=zone(timezone), locale=self.language)

    def seconds(self, at: datetime, timezone: str = "UTC") -> str:
        """Write hours, minutes and seconds at the station."""
        return format_time(at, "HH:mm:ss", tzinfo=zone(timezone), locale=self.language)

    def day(self, at: datetime, timezone: str = "UTC") -> str:
        """Write the date at the station."""
        return format_date(at.astimezone(zone(timezone)), "d MMM y", locale=self.language)

    def whole(self, day: date) -> str:
        """Write a day."""
        return format_date(day, "d MMM y", locale=self.language)

    def moment(self, at: datetime, timezone: str = "UTC") -> str:
        """Write date and time at the station."""
        return format_datetime(at, "d MMM y, HH:mm", tzinfo=zone(timezone), locale=self.language)

    def slot(self, starts_at: datetime, ends_at: datetime, timezone: str = "UTC") -> str:
        """Write from when to when, with the day, and the zone's short name as it is then."""
        place = zone(timezone)
        first, last = starts_at.astimezone(place), ends_at.astimezone(place)
        dash = "\N{EN DASH}"
        end = f"{dash}{self._time(last)}"
        if last.date() != first.date():
            end = f" {dash} {self._weekday(last)}, {self._time(last)}"
        return f"{self._weekday(first)}, {self._time(first)}{end} {last.tzname()}"

    def instant(self, at: datetime, timezone: str = "UTC") -> str:
        """Write day and time, with the zone's short name as it is then."""
        local = at.astimezone(zone(timezone))
        return f"{self._weekday(local)}, {self._time(local)} {local.tzname()}"

    def time(self, at: datetime, timezone: str = "UTC") -> str:
        """Write hours and minutes, with the zone's short name as it is then."""
        local = at.astimezone(zone(timezone))
        return f"{self._time(local)} {local.tzname()}"

    def _time(self, local: datetime) -> str:
        return format_time(local, "HH:mm", tzinfo=local.tzinfo, locale=self.language)

    def _weekday(self, local: datetime) -> str:
        pattern = _WEEKDAY.get(self.language, "EEE d MMM y")
        return format_date(local.date(), pattern, locale=self.language)
