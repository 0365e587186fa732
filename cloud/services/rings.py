"""Stations by their distance from a point, in rings, so that near ones cost nothing of far ones."""

from collections.abc import Iterator
from typing import Final

from cloud.domain.geo import box_around, distance_m
from cloud.domain.stations import Station
from cloud.services.fact_ports import Box
from cloud.services.ports import UnitOfWork

EVERYWHERE_M: Final = 20_100_000.0
_RADII_M: Final = (3_000.0, 15_000.0, 75_000.0, 400_000.0)


def rings(
    work: UnitOfWork, latitude: float, longitude: float, last_m: float = EVERYWHERE_M
) -> Iterator[tuple[float, Station]]:
    """Yield stations with their distance in metres, nearest first; each ring is read when it comes."""
    radii = [radius for radius in _RADII_M if radius < last_m] + [last_m]
    inner_m = -1.0
    for outer_m in radii:
        ring = [
            (distance_m(latitude, longitude, one.latitude, one.longitude), one)
            for one in work.stations.within(Box(*box_around(latitude, longitude, outer_m)))
        ]
        for away_m, station in sorted(ring, key=lambda pair: (pair[0], pair[1].id)):
            if inner_m < away_m <= outer_m:
                yield away_m, station
        inner_m = outer_m
