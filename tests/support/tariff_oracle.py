"""What a charge costs, reckoned a second time and otherwise: from OCPI's words, with `decimal`.

Shares no code with `cloud.domain`: it reads a tariff's plain data itself, asks `zoneinfo` for every
quarter of an hour, and looks up each little part of a charge anew. Slow and simple.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext
from itertools import pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

DIGITS = 100
NEARLY = Decimal(10) ** -60
"""What a division that does not end is off by is less, and no amount is so near to a half."""
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
QUARTER = timedelta(minutes=15)
DECIMALS = {"EUR": 2, "GBP": 2, "JPY": 0, "KWD": 3}


@dataclass(frozen=True)
class Case:
    """A tariff and a charge: readings of (second, Wh so far, W or None)."""

    body: dict[str, Any]
    currency: str
    zone: ZoneInfo
    starts_at: datetime
    charged_s: int
    parked_s: int
    readings: list[tuple[int, int, int | None]]
    discounts: dict[str, int]


@dataclass
class Part:
    """A part of a charge in which nothing changes."""

    at: datetime
    elapsed_s: int
    so_far_wh: int
    length_s: int
    energy_wh: int
    is_parked: bool
    watts: Decimal | None
    """None: all at once."""


def total_of(case: Case) -> tuple[int, int]:
    """Return net and gross in minor units."""
    with localcontext() as context:
        context.prec = DIGITS
        return _total_of(case)


def _total_of(case: Case) -> tuple[int, int]:
    used: list[list[Any]] = []  # [type, price, vat, quantity], a row for each component in use
    last: dict[str, Any] = {}
    last_timed = None
    for part in parts_of(case):
        for kind, quantity in quantities(part):
            component = component_for(case, kind, part)
            if component is None or (kind == "FLAT" and "FLAT" in last):
                continue
            row = row_of(used, component)
            row[3] += quantity
            last[kind] = (row, component)
            if kind in {"TIME", "PARKING_TIME"}:
                last_timed = kind
    for kind in {"ENERGY", last_timed} & last.keys():
        row, component = last[kind]
        total = sum(one[3] for one in used if one[0] == kind)
        step = Decimal(component.get("step_size", 1))
        row[3] += (total / step).to_integral_value(ROUND_CEILING) * step - total
    amounts = [amount_of(case, *row) for row in used]
    return limited(case, amounts)


def row_of(used: list[list[Any]], component: dict[str, Any]) -> list[Any]:
    key = [component["type"], Decimal(component["price"]), vat_of(component)]
    for row in used:
        if row[:3] == key:
            return row
    used.append([*key, Decimal(0)])
    return used[-1]


def vat_of(component: dict[str, Any]) -> Decimal | None:
    return Decimal(component["vat"]) if "vat" in component else None


def quantities(part: Part):
    yield "FLAT", 1
    if part.energy_wh:
        yield "ENERGY", part.energy_wh
    if part.length_s:
        yield ("PARKING_TIME" if part.is_parked else "TIME"), part.length_s


# --- the parts of a charge --------------------------------------------------------------------------


def parts_of(case: Case) -> list[Part]:
    """Cut the charge wherever anything could change: more often than needed does no harm."""
    end_s = case.charged_s + case.parked_s
    cuts = {case.charged_s, *quarters(case.starts_at, end_s)}
    marks = set()
    for element in case.body["elements"]:
        said = element.get("restrictions", {})
        cuts |= {said[name] for name in ("min_duration", "max_duration") if name in said}
        marks |= {
            int(Decimal(said[name]) * 1000) for name in ("min_kwh", "max_kwh") if name in said
        }
    parts = []
    curve = [(0, 0, None), *case.readings]
    if curve[-1][0] < end_s:
        curve.append((end_s, curve[-1][1], None))
    told = next((watts for _, _, watts in case.readings if watts is not None), None)
    for (from_s, from_wh, watts), (to_s, to_wh, _) in pairwise(curve):
        told = told if watts is None else watts
        nodes = nodes_of((from_s, from_wh), (to_s, to_wh), cuts, marks)
        for (one_s, one_wh), (two_s, two_wh) in pairwise(nodes):
            if (one_s, one_wh) == (two_s, two_wh):
                continue
            is_parked = one_s >= case.charged_s and two_s > case.charged_s
            power = Decimal(told) if told is not None else mean(to_wh - from_wh, to_s - from_s)
            parts.append(
                Part(
                    at=case.starts_at + timedelta(seconds=one_s),
                    elapsed_s=one_s,
                    so_far_wh=one_wh,
                    length_s=two_s - one_s,
                    energy_wh=two_wh - one_wh,
                    is_parked=is_parked,
                    watts=Decimal(0) if is_parked else power,
                )
            )
    if not parts:
        parts = [Part(case.starts_at, 0, 0, 0, 0, is_parked=False, watts=Decimal(0))]
    return parts


def quarters(starts_at: datetime, end_s: int):
    """Yield each quarter of an hour: clocks are set on them, in every zone, and prices here too."""
    quarter_s = int(QUARTER.total_seconds())
    first = -int(starts_at.timestamp()) % quarter_s
    yield from range(first, end_s, quarter_s)


def nodes_of(before, after, cuts, marks) -> list[tuple[int, int]]:
    (from_s, from_wh), (to_s, to_wh) = before, after
    nodes = {before, after}
    for cut in cuts:
        if from_s < cut < to_s:
            share = Decimal(to_wh - from_wh) * (cut - from_s) / (to_s - from_s)
            nodes.add((cut, from_wh + int(share.to_integral_value(ROUND_FLOOR))))
    for mark in marks:
        if from_wh < mark < to_wh:
            passed = Decimal(mark - from_wh) * (to_s - from_s) / (to_wh - from_wh)
            nodes.add((from_s + int(passed.to_integral_value(ROUND_CEILING)), mark))
    return sorted(nodes)


def mean(energy_wh: int, length_s: int) -> Decimal | None:
    return Decimal(energy_wh) * 3600 / length_s if length_s else None


# --- which component counts -------------------------------------------------------------------------


def component_for(case: Case, kind: str, part: Part) -> dict[str, Any] | None:
    for element in case.body["elements"]:
        for component in element["price_components"]:
            if component["type"] == kind and holds(case, element.get("restrictions", {}), part):
                return component
    return None


def holds(case: Case, said: dict[str, Any], part: Part) -> bool:
    wall = part.at.astimezone(case.zone)
    clock = wall.strftime("%H:%M")
    checks = {
        "start_date": lambda value: wall.date() >= date.fromisoformat(value),
        "end_date": lambda value: wall.date() < date.fromisoformat(value),
        "day_of_week": lambda value: DAYS[wall.weekday()] in value,
        "min_kwh": lambda value: part.so_far_wh >= Decimal(value) * 1000,
        "max_kwh": lambda value: part.so_far_wh < Decimal(value) * 1000,
        "min_duration": lambda value: part.elapsed_s >= value,
        "max_duration": lambda value: part.elapsed_s < value,
        "min_power": lambda value: part.watts is None or part.watts >= Decimal(value) * 1000,
        "max_power": lambda value: part.watts is not None and part.watts < Decimal(value) * 1000,
        "start_time": lambda _: is_time(clock, said),
        "end_time": lambda _: is_time(clock, said),
        "reservation": lambda _: False,
    }
    return all(checks[name](value) for name, value in said.items())


def is_time(clock: str, said: dict[str, Any]) -> bool:
    start, end = said.get("start_time", "00:00"), said.get("end_time", "00:00")
    end = "24:00" if end == "00:00" else end
    if start < end:
        return start <= clock < end
    return clock >= start or clock < end


# --- amounts --------------------------------------------------------------------------------------

UNITS = {"ENERGY": Decimal(1000), "TIME": Decimal(3600), "PARKING_TIME": Decimal(3600)}


def amount_of(case: Case, kind: str, price: Decimal, vat: Decimal | None, quantity: Decimal):
    """Return net and gross of a line, exact."""
    off = 100 - case.discounts.get(kind, 0)
    said = quantity * price * 10 ** DECIMALS[case.currency] * off / 100 / UNITS.get(kind, 1)
    taxed = 1 + (vat or Decimal(0)) / 100
    match case.body["tax_included"]:
        case "YES":
            return said / taxed, said
        case "NO":
            return said, said * taxed
        case _:
            return said, said


def rounded(amount: Decimal) -> int:
    return int(amount.quantize(NEARLY).quantize(Decimal(1), ROUND_HALF_UP))


def limited(case: Case, amounts) -> tuple[int, int]:
    net = sum(rounded(one) for one, _ in amounts)
    gross = sum(rounded(two) for _, two in amounts)
    exact_net = sum((one for one, _ in amounts), Decimal(0))
    exact_gross = sum((two for _, two in amounts), Decimal(0))
    for name, nearer in (("min_price", max), ("max_price", min)):
        limit = case.body.get(name)
        if limit is None:
            continue
        minor = 10 ** DECIMALS[case.currency]
        before, net = net, nearer(net, int(Decimal(limit["before_taxes"]) * minor))
        if net != before:
            gross = rounded(net * exact_gross / exact_net) if exact_net else net
        if "after_taxes" in limit:
            gross = nearer(gross, int(Decimal(limit["after_taxes"]) * minor))
        gross = max(gross, net)
    return net, gross


# --- cases ----------------------------------------------------------------------------------------

ZONES = [
    ZoneInfo(name)
    for name in ("Europe/London", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC")
]
CHANGES = [
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2028, 2, 29, 0, tzinfo=UTC),
]
"""When clocks are set somewhere, and a leap day."""


def a_case(random: Random) -> Case:
    """Return a tariff nobody would think of, and a charge under it."""
    currency = random.choice(("EUR", "EUR", "GBP", "JPY", "KWD"))
    charged_s = random.choice((0, random.randrange(60), random.randrange(4 * 3600)))
    parked_s = random.choice((0, 0, random.randrange(2 * 3600)))
    if random.random() < 0.3:
        starts_at = random.choice(CHANGES) - timedelta(seconds=random.randrange(4 * 3600))
    else:
        starts_at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=random.randrange(10**8))
    return Case(
        body=a_body(random, currency),
        currency=currency,
        zone=random.choice(ZONES),
        starts_at=starts_at,
        charged_s=charged_s,
        parked_s=parked_s,
        readings=some_readings(random, charged_s, parked_s),
        discounts=random.choice(({}, {}, {"ENERGY": random.randrange(101), "TIME": 5})),
    )


def some_readings(random: Random, charged_s: int, parked_s: int):
    count = random.randrange(6)
    instants = [*sorted(random.randrange(charged_s + 1) for _ in range(count)), charged_s]
    has_power = random.random() < 0.4
    readings, wh = [], 0
    for at in instants:
        wh += random.choice((0, 1, random.randrange(100), random.randrange(20_000)))
        watts = random.randrange(60_000) if has_power and random.random() < 0.8 else None
        readings.append((at, wh, watts))
    if parked_s and random.random() < 0.2:
        readings.append((charged_s + random.randrange(parked_s + 1), wh + 3, None))
    return readings


def a_body(random: Random, currency: str) -> dict[str, Any]:
    body = {
        "tax_included": random.choice(("YES", "NO", "NO", "N/A")),
        "elements": [an_element(random) for _ in range(random.randint(1, 5))],
    }
    for name, most in (("min_price", 500), ("max_price", 3000)):
        if random.random() < 0.15:
            minor = (0 if name == "min_price" else 500) + random.randrange(most)
            scale = Decimal(10) ** -DECIMALS[currency]
            body[name] = {"before_taxes": str(minor * scale)}
            if random.random() < 0.5:
                body[name]["after_taxes"] = str(
                    (minor + minor * random.randrange(30) // 100) * scale
                )
    least, most = body.get("min_price", {}), body.get("max_price", {})
    if Decimal(least.get("after_taxes", 0)) > Decimal(most.get("after_taxes", 10**6)):
        del body["min_price"]
    return body


def an_element(random: Random) -> dict[str, Any]:
    kinds = random.sample(("FLAT", "ENERGY", "TIME", "PARKING_TIME"), random.randint(1, 3))
    element: dict[str, Any] = {"price_components": [a_component(random, one) for one in kinds]}
    said: dict[str, Any] = {}
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        said |= a_restriction(random)
    return element | ({"restrictions": said} if said else {})


def a_component(random: Random, kind: str) -> dict[str, Any]:
    price = random.choice(("0", "0.25", "0.0001", str(Decimal(random.randrange(60_000)) / 10_000)))
    step = random.choice((1, 1, 7, 60, 100, 300, 900, 1000))
    component = {"type": kind, "price": price, "step_size": step}
    if random.random() < 0.6:
        component["vat"] = random.choice(("0", "5.2", "10", "19", "20", "8.1"))
    return component


def a_restriction(random: Random) -> dict[str, Any]:
    return random.choice(RESTRICTIONS)(random)


def a_time(random: Random) -> dict[str, Any]:
    start, end = (f"{one // 4:02}:{one % 4 * 15:02}" for one in random.choices(range(96), k=2))
    both = {"start_time": start, "end_time": end}
    return random.choice((both, {"start_time": start}, {"end_time": end}))


def some_days(random: Random) -> dict[str, Any]:
    return {"day_of_week": random.sample(DAYS, random.randint(1, 6))}


def an_energy(random: Random) -> dict[str, Any]:
    low = random.randrange(20_000)
    high = low + random.randrange(1, 20_000)
    return some_bounds(random, "kwh", *(str(Decimal(one) / 1000) for one in (low, high)))


def a_duration(random: Random) -> dict[str, Any]:
    low = random.randrange(4 * 3600)
    return some_bounds(random, "duration", low, low + random.randrange(1, 7200))


def a_power(random: Random) -> dict[str, Any]:
    low = random.randrange(50_000)
    high = low + random.randrange(1, 20_000)
    return some_bounds(random, "power", *(str(Decimal(one) / 1000) for one in (low, high)))


def a_date(random: Random) -> dict[str, Any]:
    day = (date(2026, 1, 1) + timedelta(days=random.randrange(1200))).isoformat()
    return random.choice(({"start_date": day}, {"end_date": day}))


def a_reservation(random: Random) -> dict[str, Any]:
    return {"reservation": "RESERVATION"} if random.random() < 0.1 else {}


RESTRICTIONS = (a_time, a_time, some_days, an_energy, a_duration, a_power, a_date, a_reservation)


def some_bounds(random: Random, name: str, low: Any, high: Any) -> dict[str, Any]:
    both = {f"min_{name}": low, f"max_{name}": high}
    return random.choice((both, {f"min_{name}": low}, {f"max_{name}": high}))
