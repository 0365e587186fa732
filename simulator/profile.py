"""When cars come, how long they stay and what they take, by class of power.

The shipped profile.json was distilled (distil.py) from public sessions; its sources and licences
stand in it. Raw session files can be drawn from instead.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from itertools import groupby
from math import sqrt
from pathlib import Path
from random import Random
from statistics import NormalDist
from typing import Final, Protocol

import msgspec

from simulator.distil import RawSession, power_class, quantiles, read_sessions

_CLASSES_KW: Final = (7, 22, 50, 150)
_NORMAL: Final = NormalDist()
_HOURS_A_WEEK: Final = 168


@dataclass(frozen=True, slots=True)
class Stay:
    """What one driver wants."""

    minutes: float
    energy_wh: float


class Profile(Protocol):
    """A source of arrivals."""

    def arrivals_an_hour(self, power_w: int, at: datetime) -> float:
        """Return how many cars come to a connector of this power in the hour around `at` (local)."""
        ...

    def stay(self, power_w: int, chance: Random) -> Stay:
        """Draw how long a car stays and what it takes."""
        ...

    def soc_arrival_pct(self, chance: Random) -> float:
        """Draw the state of charge a car comes with."""
        ...


class PowerClass(msgspec.Struct, frozen=True):
    """One class of profile.json."""

    sessions: int
    sessions_a_week_and_connector: float
    share_by_hour_of_week: list[float]
    stay_min: list[float]
    energy_wh: list[float]
    rank_correlation: float


class Source(msgspec.Struct, frozen=True):
    """Where the figures come from."""

    name: str
    licence: str
    used_for: str


class ShippedProfile(msgspec.Struct, frozen=True):
    """See Profile; the contents of profile.json."""

    sources: list[Source]
    about: str
    classes: dict[str, PowerClass]
    soc_arrival_pct_quantiles: list[float] = msgspec.field(name="soc_arrival_pct")
    soc_departure_pct_quantiles: list[float] = msgspec.field(name="soc_departure_pct")

    def arrivals_an_hour(self, power_w: int, at: datetime) -> float:
        """See Profile.arrivals_an_hour."""
        one = self._class_of(power_w)
        share = one.share_by_hour_of_week[at.weekday() * 24 + at.hour]
        return one.sessions_a_week_and_connector * share

    def stay(self, power_w: int, chance: Random) -> Stay:
        """See Profile.stay; long stays take more, as far as they did in the data."""
        one = self._class_of(power_w)
        rank = _NORMAL.cdf(first := chance.gauss())
        rho = one.rank_correlation
        other = _NORMAL.cdf(rho * first + sqrt(1 - rho * rho) * chance.gauss())
        return Stay(value_at(one.stay_min, rank), value_at(one.energy_wh, other))

    def soc_arrival_pct(self, chance: Random) -> float:
        """See Profile.soc_arrival_pct."""
        return value_at(self.soc_arrival_pct_quantiles, chance.random())

    def _class_of(self, power_w: int) -> PowerClass:
        return self.classes[str(class_kw(power_w))]


class RawProfile:
    """See Profile; draws whole sessions from raw files, so that what belongs together stays so."""

    def __init__(self, sessions: Sequence[RawSession]) -> None:
        self._by_class: dict[int, list[RawSession]] = {
            power_kw: list(members)
            for power_kw, members in groupby(
                sorted(sessions, key=_class_of_session), key=_class_of_session
            )
        }
        self._rates = {
            power_kw: power_class(members) for power_kw, members in self._by_class.items()
        }
        arrivals = [one.soc_arrival_pct for one in sessions if one.soc_arrival_pct is not None]
        self._soc = quantiles(arrivals) if arrivals else []

    def arrivals_an_hour(self, power_w: int, at: datetime) -> float:
        """See Profile.arrivals_an_hour."""
        kept = self._rates.get(class_kw(power_w))
        if kept is None:
            return shipped().arrivals_an_hour(power_w, at)
        share = kept["share_by_hour_of_week"][at.weekday() * 24 + at.hour]
        return float(kept["sessions_a_week_and_connector"] * share)

    def stay(self, power_w: int, chance: Random) -> Stay:
        """See Profile.stay; a class the files lack is drawn from the shipped profile."""
        members = self._by_class.get(class_kw(power_w))
        if not members:
            return shipped().stay(power_w, chance)
        one = chance.choice(members)
        return Stay(one.stay_min, one.energy_wh)

    def soc_arrival_pct(self, chance: Random) -> float:
        """See Profile.soc_arrival_pct."""
        if not self._soc:
            return shipped().soc_arrival_pct(chance)
        return value_at(self._soc, chance.random())


def load(files: Sequence[Path]) -> Profile:
    """Return the profile of raw files, or without any the shipped one."""
    if not files:
        return shipped()
    return RawProfile([one for path in files for one in read_sessions(path)])


@cache
def shipped() -> ShippedProfile:
    """Return the profile that comes with the project."""
    data = (resources.files("simulator") / "profile.json").read_bytes()
    return msgspec.json.decode(data, type=ShippedProfile)


def class_kw(power_w: int) -> int:
    """Return the class of power, in kW, that a connector belongs to."""
    edges = (11_001, 43_001, 75_001)
    return _CLASSES_KW[bisect_right(edges, power_w)]


def value_at(values: Sequence[float], rank: float) -> float:
    """Return the value at a rank (0 to 1) between evenly spaced quantiles."""
    position = min(max(rank, 0.0), 1.0) * (len(values) - 1)
    below = int(position)
    above = min(below + 1, len(values) - 1)
    return values[below] + (position - below) * (values[above] - values[below])


def _class_of_session(session: RawSession) -> int:
    return class_kw(session.power_kw * 1000)
