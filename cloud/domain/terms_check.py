"""Whether terms can be kept: each refusal names its field, and says what would do."""

from itertools import pairwise
from typing import Final

from cloud.domain.errors import NotValid
from cloud.domain.terms import OpenHours, RefundStep, Terms
from cloud.domain.windows import GRANULE

_GRANULE_S: Final = int(GRANULE.total_seconds())
_DAY_MIN: Final = 24 * 60
_LONGEST_S: Final = 7 * 24 * 3600
_FARTHEST_S: Final = 730 * 24 * 3600
_WHOLE_PCT: Final = 100
_MOST_MINOR: Final = 10**7
_MOST: Final = 500
"""Blackouts, or bays that are not booked."""

BOUNDS: Final[dict[str, tuple[int, int]]] = {
    "min_s": (_GRANULE_S, _LONGEST_S),
    "max_s": (_GRANULE_S, _LONGEST_S),
    "buffer_s": (0, 4 * 3600),
    "ahead_s": (3600, _FARTHEST_S),
    "hold_s": (60, 3600),
    "max_live_per_driver": (1, 100),
    "max_live_in_series": (0, 200),
    "protect_s": (0, 2 * 3600),
    "grace_s": (60, 4 * 3600),
    "confirm_s": (30, 3600),
    "fix_s": (0, 24 * 3600),
    "overstay_grace_s": (0, 4 * 3600),
    "overstay_per_minute_minor": (0, _MOST_MINOR),
    "no_show_fee_minor": (0, _MOST_MINOR),
}
"""What each may be, both ends included; seconds, counts and minor units."""
_ON_GRANULES: Final = ("min_s", "max_s", "buffer_s")


def check(terms: Terms) -> None:
    """Refuse terms that no booking could keep.

    Raises:
        NotValid: the subject is the field.
    """
    for name, (least, most) in BOUNDS.items():
        if not least <= getattr(terms, name) <= most:
            raise NotValid(name, f"`{name}` is from {least} to {most}.")
    for name in _ON_GRANULES:
        if getattr(terms, name) % _GRANULE_S:
            raise NotValid(name, f"`{name}` is in whole quarters of an hour: {_GRANULE_S} s each.")
    if terms.min_s > terms.max_s:
        raise NotValid("min_s", "The shortest booking is not longer than the longest, `max_s`.")
    _check_hours(terms.hours)
    _check_refunds(terms.refunds)
    _check_calendar(terms)


def _check_hours(hours: tuple[OpenHours, ...]) -> None:
    for one in hours:
        if not 0 <= one.weekday <= 6:  # noqa: PLR2004 - Monday to Sunday
            raise NotValid("hours", "A weekday is from 0, Monday, to 6, Sunday.")
        if not 0 <= one.opens_min < _DAY_MIN or not 0 < one.closes_min <= 2 * _DAY_MIN:
            raise NotValid("hours", "Hours are minutes since midnight; the end may be up to 2880.")
        if not one.opens_min < one.closes_min <= one.opens_min + _DAY_MIN:
            raise NotValid("hours", "Hours end after they begin, and within a day.")
    ordered = sorted(hours, key=lambda one: (one.weekday, one.opens_min))
    for one, after in pairwise(ordered):
        if one.weekday == after.weekday and after.opens_min < one.closes_min:
            raise NotValid("hours", "Two opening hours of one weekday overlap.")


def _check_refunds(refunds: tuple[RefundStep, ...]) -> None:
    ordered = sorted(refunds, key=lambda one: one.before_s)
    for one in ordered:
        if one.before_s < 0 or not 0 <= one.refund_pct <= _WHOLE_PCT:
            raise NotValid(
                "refunds", "A step gives 0 to 100 percent back, so long before the start."
            )
    for one, after in pairwise(ordered):
        if one.before_s == after.before_s or one.refund_pct > after.refund_pct:
            raise NotValid(
                "refunds", "A longer notice gives at least as much back as a shorter one."
            )


def _check_calendar(terms: Terms) -> None:
    if len(terms.blackouts) > _MOST or len(terms.unbookable_bays) > _MOST:
        raise NotValid(
            "blackouts", f"There are at most {_MOST} blackouts and bays not to be booked."
        )
    for one in terms.blackouts:
        if one.starts_at >= one.ends_at:
            raise NotValid("blackouts", "A blackout ends after it begins.")
