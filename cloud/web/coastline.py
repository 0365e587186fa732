"""The coastline of an area, cut out of Natural Earth's land (TopoJSON, 1:10 million).

The whole file is 775 KB compressed; what a city's map needs of it is a few.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import log10
from pathlib import Path
from typing import Any, Final

LAND_FILE: Final = Path(__file__).parent / "static" / "vendor" / "land-10m.json"

_SCREEN_PX: Final = 2400
_LEAST_POINTS: Final = 4
"""Of a closed ring: RFC 7946, section 3.1.6."""

Point = tuple[float, float]
"""Longitude, latitude, in degrees."""


@dataclass(frozen=True, slots=True)
class Box:
    """An area in degrees, on whole tenths so that few different ones are ever asked for."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def around(cls, places: Sequence[tuple[float, float]]) -> "Box":
        """Return the area of these (latitude, longitude) and as much again on each side."""
        latitudes, longitudes = zip(*places, strict=True)
        margin = max(0.6, max(latitudes) - min(latitudes), max(longitudes) - min(longitudes))
        return cls(
            west=max(-180, round(min(longitudes) - margin * 1.6, 1)),
            south=max(-85, round(min(latitudes) - margin, 1)),
            east=min(180, round(max(longitudes) + margin * 1.6, 1)),
            north=min(85, round(max(latitudes) + margin, 1)),
        )


def outline(box: Box) -> dict[str, Any]:
    """Return the land within the box as a GeoJSON MultiPolygon, no finer than a screen can show.

    Where the file is missing (the pages' set-up has not run) there is no land to show.
    """
    step = max(box.east - box.west, box.north - box.south) / _SCREEN_PX
    digits = max(1, 1 - round(log10(step)))
    polygons = []
    for rings in land():
        cut = [_thinned(_clipped(ring, box), step) for ring in rings]
        kept = [ring for ring in cut if len(ring) >= _LEAST_POINTS]
        if kept and len(cut[0]) >= _LEAST_POINTS:
            polygons.append(
                [[[round(x, digits), round(y, digits)] for x, y in ring] for ring in kept]
            )
    return {"type": "MultiPolygon", "coordinates": polygons}


@cache
def land(file: Path = LAND_FILE) -> list[list[list[Point]]]:
    """Return all land polygons of a file, each as its outer ring and its holes."""
    try:
        topology = json.loads(file.read_bytes())
    except FileNotFoundError:
        return []
    return list(decode(topology, "land"))


def decode(topology: dict[str, Any], name: str) -> Iterator[list[list[Point]]]:
    """Yield the polygons of a TopoJSON object (TopoJSON format specification 1.0, section 2.1)."""
    arcs = [list(_unpacked(arc, topology["transform"])) for arc in topology["arcs"]]
    yield from _polygons(topology["objects"][name], arcs)


def _unpacked(arc: Iterable[Sequence[int]], transform: dict[str, Any]) -> Iterator[Point]:
    """Undo delta coding and quantisation."""
    (scale_x, scale_y), (left, bottom) = transform["scale"], transform["translate"]
    x = y = 0
    for delta_x, delta_y in arc:
        x += delta_x
        y += delta_y
        yield x * scale_x + left, y * scale_y + bottom


def _polygons(geometry: dict[str, Any], arcs: list[list[Point]]) -> Iterator[list[list[Point]]]:
    match geometry["type"]:
        case "GeometryCollection":
            for part in geometry["geometries"]:
                yield from _polygons(part, arcs)
        case "MultiPolygon":
            for polygon in geometry["arcs"]:
                yield [_ring(ring, arcs) for ring in polygon]
        case "Polygon":
            yield [_ring(ring, arcs) for ring in geometry["arcs"]]


def _ring(indices: list[int], arcs: list[list[Point]]) -> list[Point]:
    """Join arcs; a negative index is the arc of its complement, backwards. Shared ends are one point."""
    ring: list[Point] = []
    for index in indices:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        ring.extend(arc[1:] if ring else arc)
    return ring


def _clipped(ring: list[Point], box: Box) -> list[Point]:
    """Cut a ring at the four sides of a box, one after the other (Sutherland and Hodgman)."""
    longitudes = [x for x, _ in ring]
    latitudes = [y for _, y in ring]
    if max(longitudes) < box.west or min(longitudes) > box.east:
        return []
    if max(latitudes) < box.south or min(latitudes) > box.north:
        return []
    for axis, limit, sign in (
        (0, box.west, 1),
        (0, box.east, -1),
        (1, box.south, 1),
        (1, box.north, -1),
    ):
        ring = _cut(ring, axis, limit, sign)
    return ring


def _cut(ring: list[Point], axis: int, limit: float, sign: int) -> list[Point]:
    """Keep what lies on one side: coordinates of `axis` beyond `limit` where `sign` is 1, below where -1."""
    kept: list[Point] = []
    for before, after in pairwise([*ring[-1:], *ring]):
        was_in = (before[axis] - limit) * sign >= 0
        is_in = (after[axis] - limit) * sign >= 0
        if was_in != is_in:
            share = (limit - before[axis]) / (after[axis] - before[axis])
            kept.append(
                (
                    before[0] + share * (after[0] - before[0]),
                    before[1] + share * (after[1] - before[1]),
                )
            )
        if is_in:
            kept.append(after)
    return kept


def _thinned(ring: list[Point], step: float) -> list[Point]:
    """Drop points closer than `step` to the one before; close the ring."""
    kept: list[Point] = []
    for point in ring:
        if not kept or max(abs(point[0] - kept[-1][0]), abs(point[1] - kept[-1][1])) >= step:
            kept.append(point)
    return [*kept, kept[0]] if kept else []
