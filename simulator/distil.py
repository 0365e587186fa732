"""Makes profile.json from the raw session files: `python -m simulator distil DIR`.

Only quantiles, rates and one correlation leave the raw data; nothing of a single session does.
"""

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

_QUANTILES: Final = 21
_HOURS_A_WEEK: Final = 168
_DUNDEE: Final = "sessions_dundee/sessions_dundee_dev.csv.gz"
_PERTH: Final = "sessions_perth/sessions_perth_dev.csv.gz"
_EPFL: Final = "sessions_epfl_dcfast/sessions_epfl_dcfast.csv.gz"

SOURCES: Final = [
    {
        "name": "Public charging sessions of Dundee City Council (ChargePlace Scotland), 2017-2018",
        "licence": "Open Government Licence v3.0",
        "used_for": "7, 22 and 50 kW: arrivals, stay, energy",
    },
    {
        "name": "Public charging sessions of Perth & Kinross Council, 2016-2019",
        "licence": "Open Government Licence v3.0",
        "used_for": "7, 22 and 50 kW: arrivals, stay, energy",
    },
    {
        "name": "EPFL-DESL Level 3 EV charging dataset (172 kW DC, 2 CCS), 2022-2023",
        "licence": "MIT, copyright EPFL-DESL",
        "used_for": "150 kW: arrivals, stay, energy; state of charge at arrival and departure",
    },
]


@dataclass(frozen=True, slots=True)
class RawSession:
    """One session of the raw files; local wall-clock times, as the week's rhythm is local."""

    connector: str
    power_kw: int
    start: datetime
    stay_min: float
    energy_wh: float
    soc_arrival_pct: float | None = None
    soc_departure_pct: float | None = None


def read_sessions(path: Path) -> Iterator[RawSession]:
    """Read one of the raw files (csv.gz); sessions that are no use are left out."""
    with gzip.open(path, "rt", newline="") as file:
        for row in csv.DictReader(file):
            session = _fast_session(row) if "energy_wh" in row else _council_session(row)
            if session is not None:
                yield session


def _council_session(row: dict[str, str]) -> RawSession | None:
    if row["flag"] or not row["end"] or not row["kwh"]:
        return None
    start, end = datetime.fromisoformat(row["start"]), datetime.fromisoformat(row["end"])
    energy_wh = float(row["kwh"]) * 1000
    if energy_wh <= 0 or end <= start:
        return None
    stay_min = (end - start) / timedelta(minutes=1)
    connector = f"{row['station_id']}/{row['connector']}"
    return RawSession(connector, int(float(row["kw_max"])), start, stay_min, energy_wh)


def _fast_session(row: dict[str, str]) -> RawSession | None:
    if not (row["energy_wh"] and row["soc_arrival"] and row["soc_departure"] and row["stay_min"]):
        return None
    arrival, departure = float(row["soc_arrival"]), float(row["soc_departure"])
    if float(row["energy_wh"]) <= 0 or not 0 < arrival < departure <= 100:  # noqa: PLR2004
        return None
    return RawSession(
        row["ccs"],
        150,
        datetime.fromisoformat(row["start"]),
        float(row["stay_min"]),
        float(row["energy_wh"]),
        arrival,
        departure,
    )


def distil(folder: Path) -> dict[str, Any]:
    """Return the profile: the shape of profile.json."""
    council = [*read_sessions(folder / _DUNDEE), *read_sessions(folder / _PERTH)]
    fast = list(read_sessions(folder / _EPFL))
    classes = {
        str(power_kw): power_class([one for one in council if one.power_kw == power_kw])
        for power_kw in (7, 22, 50)
    }
    classes["150"] = power_class(fast)
    return {
        "sources": SOURCES,
        "about": "quantiles are at 0, 5 ... 100 %; hours of the week begin on Monday 00:00, local",
        "classes": classes,
        "soc_arrival_pct": quantiles([one.soc_arrival_pct or 0 for one in fast]),
        "soc_departure_pct": quantiles([one.soc_departure_pct or 0 for one in fast]),
    }


def power_class(sessions: Sequence[RawSession]) -> dict[str, Any]:
    """Return rates and quantiles of the sessions of one class of power."""
    by_hour = [0] * _HOURS_A_WEEK
    for one in sessions:
        by_hour[one.start.weekday() * 24 + one.start.hour] += 1
    stays = [one.stay_min for one in sessions]
    energies = [one.energy_wh for one in sessions]
    return {
        "sessions": len(sessions),
        "sessions_a_week_and_connector": round(_weekly_rate(sessions), 2),
        "share_by_hour_of_week": [round(count / len(sessions), 6) for count in by_hour],
        "stay_min": quantiles(stays),
        "energy_wh": [round(one) for one in quantiles(energies)],
        "rank_correlation": round(rank_correlation(stays, energies), 3),
    }


def _weekly_rate(sessions: Sequence[RawSession]) -> float:
    """Sessions a week of a connector, while it was in use: from its first session to its last."""
    spans: dict[str, tuple[datetime, datetime, int]] = {}
    for one in sessions:
        first, last, count = spans.get(one.connector, (one.start, one.start, 0))
        spans[one.connector] = (min(first, one.start), max(last, one.start), count + 1)
    weeks = sum(max((last - first) / timedelta(weeks=1), 1.0) for first, last, _ in spans.values())
    return sum(count for _, _, count in spans.values()) / weeks


def quantiles(values: Sequence[float], count: int = _QUANTILES) -> list[float]:
    """Return `count` quantiles from least to most, interpolated."""
    ordered = sorted(values)
    result = []
    for step in range(count):
        position = step / (count - 1) * (len(ordered) - 1)
        below = int(position)
        above = min(below + 1, len(ordered) - 1)
        value = ordered[below] + (position - below) * (ordered[above] - ordered[below])
        result.append(round(value, 2))
    return result


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Return Spearman's rho (ties in order of appearance, which many values make harmless)."""
    ranks_1, ranks_2 = _ranks(first), _ranks(second)
    count = len(first)
    distance = sum((a - b) ** 2 for a, b in zip(ranks_1, ranks_2, strict=True))
    return 1 - 6 * distance / (count * (count * count - 1))


def _ranks(values: Sequence[float]) -> list[int]:
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0] * len(values)
    for rank, at in enumerate(order):
        ranks[at] = rank
    return ranks


def is_ascending(values: Sequence[float]) -> bool:
    """Whether the values never fall, as quantiles must."""
    return all(a <= b for a, b in pairwise(values))
