"""Distances on the globe, and boxes around a point."""

from math import asin, cos, radians, sin, sqrt
from typing import Final

EARTH_RADIUS_M: Final = 6_371_008.8
"""Mean radius (IUGG)."""
_METRES_PER_DEGREE: Final = 111_195.0
_POLAR: Final = 89.0


def distance_m(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """Return the great-circle distance in metres (haversine; good to 0.5 %)."""
    north, to_north = radians(latitude), radians(to_latitude)
    half_north = (to_north - north) / 2
    half_east = radians(to_longitude - longitude) / 2
    chord = sin(half_north) ** 2 + cos(north) * cos(to_north) * sin(half_east) ** 2
    return 2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, chord)))


def box_around(
    latitude: float, longitude: float, radius_m: float
) -> tuple[float, float, float, float]:
    """Return (south, west, north, east) of a box that holds the whole circle.

    `west` is greater than `east` where it crosses the date line.
    """
    reach = radius_m / _METRES_PER_DEGREE * 1.001
    south, north = max(latitude - reach, -90.0), min(latitude + reach, 90.0)
    if max(abs(south), abs(north)) > _POLAR:
        return south, -180.0, north, 180.0
    aside = reach / cos(radians(max(abs(south), abs(north))))
    if aside >= 180.0:  # noqa: PLR2004 - all the way round
        return south, -180.0, north, 180.0
    return south, _wrapped(longitude - aside), north, _wrapped(longitude + aside)


def _wrapped(longitude: float) -> float:
    return (longitude + 180.0) % 360.0 - 180.0
