"""When a charge is expected to end, as far as its car tells."""

from datetime import datetime, timedelta
from typing import Final

_FULL_PCT: Final = 100.0
_TAPER_PCT: Final = 80.0
_TAPERED_POWER: Final = 0.4
"""Above 80 % a battery takes about this part of its power, on average (constant voltage phase)."""
_LEARNT_PCT: Final = 2.0
"""So much must have been charged before its energy says how large the battery is."""
_LEAST_POWER_W: Final = 300.0
_LONGEST: Final = timedelta(hours=24)


def expected_end_at(
    *,
    now: datetime,
    soc_start_pct: float | None,
    soc_pct: float | None,
    charged_wh: int,
    power_w: float | None,
) -> datetime | None:
    """Return when the car will be full at its present power; null where it cannot be known.

    Args:
        now: the instant of the sample all else is of.
        soc_start_pct: the first state of charge told.
        soc_pct: the latest.
        charged_wh: energy between the two.
        power_w: the latest power.
    """
    if soc_pct is None or soc_start_pct is None or power_w is None:
        return None
    if soc_pct >= _FULL_PCT:
        return now
    learnt_pct = soc_pct - soc_start_pct
    if learnt_pct < _LEARNT_PCT or charged_wh <= 0 or power_w < _LEAST_POWER_W:
        return None
    wh_per_pct = charged_wh / learnt_pct
    left = timedelta(hours=_hours_left(soc_pct, wh_per_pct, power_w))
    return now + left if left <= _LONGEST else None


def _hours_left(soc_pct: float, wh_per_pct: float, power_w: float) -> float:
    flat_wh = max(_TAPER_PCT - soc_pct, 0.0) * wh_per_pct
    taper_wh = (_FULL_PCT - max(soc_pct, _TAPER_PCT)) * wh_per_pct
    # already in the taper the power has fallen by itself
    taper_w = (
        power_w * _TAPERED_POWER if soc_pct < _TAPER_PCT else power_w * (1 + _TAPERED_POWER) / 2
    )
    return flat_wh / power_w + taper_wh / taper_w
