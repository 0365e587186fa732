"""What is nearest to a point, in rings, so that what is near costs nothing of what is far."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol, TypeVar

from cloud.domain.geo import box_around, distance_m
from cloud.services.fact_ports import Box

EVERYWHERE_M: Final = 20_100_000.0
_RADII_M: Final = (3_000.0, 15_000.0, 75_000.0, 400_000.0)


class Placed(Protocol):
    """Something that is somewhere."""

    @property
    def id(self) -> str:
        """Its name: of two that are equally far the lesser comes first."""
        ...

    @property
    def latitude(self) -> float:
        """In degrees, north positive."""
        ...

    @property
    def longitude(self) -> float:
        """In degrees, east positive."""
        ...


_Thing = TypeVar("_Thing", bound=Placed)


def rings(
    read: Callable[[Box], Iterable[_Thing]],
    latitude: float,
    longitude: float,
    last_m: float = EVERYWHERE_M,
) -> Iterator[tuple[float, _Thing]]:
    """Yield things with their distance in metres, nearest first; each ring is read when it comes.

    Args:
        read: returns what is in an area.
        latitude: of the point.
        longitude: of the point.
        last_m: nothing further away.
    """
    radii = [radius for radius in _RADII_M if radius < last_m] + [last_m]
    inner_m = -1.0
    for outer_m in radii:
        ring = [
            (distance_m(latitude, longitude, one.latitude, one.longitude), one)
            for one in read(Box(*box_around(latitude, longitude, outer_m)))
        ]
        for away_m, thing in sorted(ring, key=lambda pair: (pair[0], pair[1].id)):
            if inner_m < away_m <= outer_m:
                yield away_m, thing
        inner_m = outer_m
