"""Calendars are public, true of what can be booked, and say nothing of who has."""

from datetime import timedelta

import msgspec
import pytest

from cloud.domain.errors import NotFound, NotValid
from cloud.domain.terms import Blackout, OpenHours, Terms
from cloud.services.booking_ports import PlugWish
from cloud.services.calendars import CalendarService
from tests.cloud.builders import NOON, after
from tests.cloud.services.rig import DRIVER
from tests.cloud.services.town import TYPE_2, Town

HOUR = timedelta(hours=1)


@pytest.fixture
def town(rig):
    made = Town(rig)
    made.station("near", bays=2)
    return made


@pytest.fixture
def calendars(rig):
    return CalendarService(rig.open_work, rig.clock, rig.policy)


def said(found):
    """Return runs as hours after noon, what they are, and in how many bays they are free."""
    return [
        ((one.starts_at - NOON) / HOUR, (one.ends_at - NOON) / HOUR, str(one.slot), one.bays_free)
        for one in found
    ]


def day(calendars, hours=6, **more):
    return calendars.station("near", NOON, NOON + hours * HOUR, **more)


def test_a_station_is_free_where_one_of_its_bays_is(town, calendars):
    town.book("near-1", 1, 3)
    town.book("near-2", 2, 4)
    view = day(calendars)

    assert said(view.runs) == [
        (0, 1, "free", 2),
        (1, 2, "free", 1),
        (2, 3, "taken", 0),
        (3, 4, "free", 1),
        (4, 6, "free", 2),
    ]
    assert [one.bay_id for one in view.bays] == ["near-1", "near-2"]
    assert said(view.bays[0].runs) == [(0, 1, "free", 1), (1, 3, "taken", 0), (3, 6, "free", 1)]
    assert (view.granule_s, view.min_s, view.timezone) == (900, 1_800, "UTC")


def test_a_bays_calendar_is_its_own(town, calendars):
    town.book("near-1", 1, 3)

    view = calendars.bay("near-2", NOON, NOON + 6 * HOUR)
    assert [one.bay_id for one in view.bays] == ["near-2"]
    assert said(view.runs) == [(0, 6, "free", 1)]


def test_terms_close_it_and_buffers_are_taken(town, calendars):
    town.terms(
        "near",
        Terms(
            hours=(OpenHours(weekday=6, opens_min=12 * 60, closes_min=16 * 60),),
            blackouts=(Blackout(starts_at=after(0), ends_at=after(3_600), bay_id="near-2"),),
        ),
    )
    town.book("near-1", 1, 2, buffer_s=900)

    one, two = day(calendars).bays
    assert said(one.runs) == [
        (0, 1, "free", 1),
        (1, 2.25, "taken", 0),
        (2.25, 4, "free", 1),
        (4, 6, "closed", 0),
    ]
    assert said(two.runs) == [(0, 1, "closed", 0), (1, 4, "free", 1), (4, 6, "closed", 0)]


def test_what_is_over_or_too_far_ahead_is_closed(town, calendars):
    town.terms("near", Terms(ahead_s=7_200))
    town.pass_by(timedelta(minutes=20))

    assert said(day(calendars, hours=4).runs) == [
        (0, 0.25, "closed", 0),
        (0.25, 2.25, "free", 2),
        (2.25, 4, "closed", 0),
    ]


def test_a_bay_that_is_not_known_to_be_free_is_taken_for_now(town, calendars):
    town.is_now("near-1", "UNKNOWN")
    town.is_now("near-2", "OUTOFORDER")
    one, two = day(calendars, hours=26).bays

    assert (one.status, said(one.runs)) == ("UNKNOWN", [(0, 1, "taken", 0), (1, 26, "free", 1)])
    assert (two.status, said(two.runs)) == (
        "OUTOFORDER",
        [(0, 24, "taken", 0), (24, 26, "free", 1)],
    )


def test_only_bays_with_the_plug_count(town, calendars):
    town.bay("near", standard=TYPE_2)
    view = day(calendars, wish=PlugWish(standards=frozenset({TYPE_2})))

    assert [one.bay_id for one in view.bays] == ["near-3"]
    none = day(calendars, wish=PlugWish(min_power_w=10**6))
    assert (said(none.runs), none.bays) == ([(0, 6, "closed", 0)], [])


def test_nobody_is_named(town, calendars):
    booked = town.book("near-1", 1, 3, id="somebodys", token="somebodys-token")
    text = msgspec.json.encode(day(calendars)).decode()

    for secret in (DRIVER, booked.id, booked.token):
        assert secret not in text


def test_without_a_range_it_is_a_week_from_now(town, calendars):
    town.rig.clock.pass_by(timedelta(minutes=7))
    view = calendars.station("near")

    assert (view.starts_at, view.ends_at) == (NOON, NOON + timedelta(days=7))


@pytest.mark.parametrize("days", [0, -1, 31.1])
def test_a_range_is_one_and_not_longer_than_a_month(town, calendars, days):
    with pytest.raises(NotValid):
        calendars.station("near", NOON, NOON + timedelta(days=days))


def test_what_is_not_there_has_no_calendar(town, calendars):
    with pytest.raises(NotFound):
        calendars.station("far")
    with pytest.raises(NotFound):
        calendars.bay("near-9")
