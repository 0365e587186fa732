"""Distances, and boxes that hold a whole circle."""

from math import asin, atan2, cos, degrees, radians, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.geo import EARTH_RADIUS_M, box_around, distance_m


def test_dundee_to_aberdeen():
    assert distance_m(56.462, -2.9707, 57.1497, -2.0943) == pytest.approx(93_400, rel=0.01)


def test_the_same_place_is_no_distance_and_the_other_side_is_half_way_round():
    assert distance_m(10, 20, 10, 20) == 0
    assert distance_m(0, 0, 0, 180) == pytest.approx(3.14159 * EARTH_RADIUS_M, rel=1e-4)


@given(st.floats(-89.9, 89.9), st.floats(-180, 179.99), st.floats(1, 2e6), st.floats(0, 6.283))
def test_every_point_of_the_circle_is_in_the_box(latitude, longitude, radius_m, bearing):
    angle, north = radius_m / EARTH_RADIUS_M, radians(latitude)
    to_north = asin(sin(north) * cos(angle) + cos(north) * sin(angle) * cos(bearing))
    east = atan2(sin(bearing) * sin(angle) * cos(north), cos(angle) - sin(north) * sin(to_north))
    to_latitude = degrees(to_north)
    to_longitude = (longitude + degrees(east) + 180) % 360 - 180

    south, west, north_edge, east_edge = box_around(latitude, longitude, radius_m)

    assert south <= to_latitude <= north_edge
    if west <= east_edge:
        assert west - 1e-9 <= to_longitude <= east_edge + 1e-9
    else:
        assert to_longitude >= west - 1e-9 or to_longitude <= east_edge + 1e-9


@pytest.mark.parametrize("radius_m", [995_000, 1_000_000])
def test_near_a_pole_the_box_goes_all_the_way_round(radius_m):
    assert box_around(80, 10, radius_m)[1::2] == (-180, 180)
