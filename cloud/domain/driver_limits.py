"""How much one driver may have reserved at a time, all stations together.

Pure. That two asked for at once are counted one after the other is the database's to see to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cloud.domain.errors import BookedElsewhere, TooManyInAll
from cloud.domain.reservations import Reservation
from cloud.domain.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The house's; a station's own terms say how many of them may be there."""

    single: int = 10
    in_series: int = 60
    """Counted apart from those that are of none."""


def most_here(terms: Terms, wanted: Reservation) -> int:
    """Return how many of its kind a driver may have at the station at a time."""
    return terms.max_live_in_series if wanted.series_id else terms.max_live_per_driver


def check_number(
    wanted: Reservation, others: Sequence[Reservation], limits: Limits, terms: Terms
) -> None:
    """Refuse one more than a driver may have; a station that allows more by itself is not overruled.

    Raises:
        TooManyInAll: they have as many.
    """
    of_house = limits.in_series if wanted.series_id else limits.single
    alike = [one for one in others if bool(one.series_id) == bool(wanted.series_id)]
    if len(alike) >= max(of_house, most_here(terms, wanted)):
        raise TooManyInAll(wanted.user_id)


def check_places(wanted: Reservation, others: Sequence[Reservation]) -> None:
    """Refuse to have a driver at two stations at a time.

    Several bays of one station are fine, as many as its terms allow: families come with two cars.

    Raises:
        BookedElsewhere: with the reservations they have there.
    """
    there = [
        one.id
        for one in others
        if one.station_id != wanted.station_id and one.window.overlaps(wanted.window)
    ]
    if there:
        raise BookedElsewhere(wanted.station_id, reservation_ids=there)
