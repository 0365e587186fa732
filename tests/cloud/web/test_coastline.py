"""The coastline of an area is cut out whole, and is light."""

import gzip
import json
from itertools import pairwise

import pytest

from cloud.web import coastline
from cloud.web.coastline import Box, decode, outline

DUNDEE = [(56.4577, -2.9732), (56.4846, -3.04), (56.4676, -2.8727)]

# two triangles that share an edge, quantised by tenths
TOPOLOGY = {
    "type": "Topology",
    "transform": {"scale": [0.1, 0.1], "translate": [0, 0]},
    "arcs": [
        [[0, 0], [100, 100]],
        [[100, 100], [-100, 0], [0, -100]],
        [[0, 0], [100, 0], [0, 100]],
    ],
    "objects": {
        "land": {
            "type": "GeometryCollection",
            "geometries": [
                {"type": "Polygon", "arcs": [[0, 1]]},
                {"type": "MultiPolygon", "arcs": [[[2, -1]]]},
            ],
        }
    },
}


def contains(rings: list[list[list[float]]], x: float, y: float) -> bool:
    """Whether a point lies in a polygon: an odd number of edges to its right."""
    inside = False
    for ring in rings:
        for (x1, y1), (x2, y2) in pairwise(ring):
            if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
                inside = not inside
    return inside


def is_land(geometry: dict, latitude: float, longitude: float) -> bool:
    return any(contains(polygon, longitude, latitude) for polygon in geometry["coordinates"])


def test_arcs_are_joined_forwards_and_backwards():
    polygons = [
        [[round(x, 1), round(y, 1)] for x, y in rings[0]] for rings in decode(TOPOLOGY, "land")
    ]

    assert polygons[0] == [[0, 0], [10, 10], [0, 10], [0, 0]]
    assert polygons[1] == [[0, 0], [10, 0], [10, 10], [0, 0]]


@pytest.mark.parametrize(
    ("box", "corners"),
    [
        (Box(2, -5, 5, 20), {(2, 2), (5, 5), (5, 10), (2, 10)}),
        (Box(-50, -50, 50, 50), {(0, 0), (10, 10), (0, 10)}),
    ],
)
def test_land_is_cut_at_the_box(monkeypatch, box, corners):
    monkeypatch.setattr(coastline, "land", lambda: list(decode(TOPOLOGY, "land"))[:1])

    (rings,) = outline(box)["coordinates"]

    assert {tuple(point) for point in rings[0]} == corners
    assert rings[0][0] == rings[0][-1]


def test_land_outside_the_box_is_left_out(monkeypatch):
    monkeypatch.setattr(coastline, "land", lambda: list(decode(TOPOLOGY, "land")))

    assert outline(Box(20, 20, 30, 30))["coordinates"] == []


def test_without_the_vendors_file_there_is_no_land(tmp_path):
    nowhere = tmp_path / "none.json"

    assert coastline.land(nowhere) == []


def test_dundee_is_land_and_the_north_sea_is_not_in_a_few_kilobytes(client):
    answer = client.get("/map/land.json")
    land = answer.json()

    assert is_land(land, 56.4846, -3.04)
    assert is_land(land, 56.35, -3.0)
    assert not is_land(land, 56.45, -2.3)
    assert len(gzip.compress(answer.content)) < 10_000
    assert "max-age" in answer.headers["cache-control"]


def test_the_box_holds_all_places_with_a_margin():
    box = Box.around(DUNDEE)

    assert all(box.south < lat - 0.4 and lat + 0.4 < box.north for lat, _ in DUNDEE)
    assert all(box.west < lon - 0.4 and lon + 0.4 < box.east for _, lon in DUNDEE)


def test_the_whole_world_is_no_finer_than_a_screen():
    world = outline(Box(-180, -85, 180, 85))

    assert len(gzip.compress(json.dumps(world).encode())) < 250_000


def test_where_there_are_no_stations_no_land_is_fetched(client, parts):
    parts.found.clear()

    assert client.get("/map/land.json").json()["coordinates"] == []
