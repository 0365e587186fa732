"""Series: all or none, or what can be had; one code, and each its own reservation."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from cloud.domain.errors import (
    BayAlreadyBooked,
    BookedElsewhere,
    NotBookable,
    NotFound,
    TooManyReservations,
)
from cloud.domain.series import Series
from cloud.services.idempotency import Once
from cloud.services.series import NewSeries, SeriesService
from tests.cloud.builders import BAY, STATION
from tests.cloud.services.bookings import HOUR, ME, OTHER_BAY, Bookings, LaterHere
from tests.cloud.services.rig import DRIVER, a_rig

DAY = 86_400


@pytest.fixture
def rig(databases):
    made = a_rig(databases.sqlite(), stations=2)
    yield made
    made.engine.dispose()


@pytest.fixture
def bookings(rig):
    return Bookings(rig)


@pytest.fixture
def series(bookings, rig):
    return SeriesService(
        open_work=rig.open_work,
        clock=rig.clock,
        publisher=rig.publisher,
        holder=bookings.holder,
        finding=LaterHere(),
    )


def new(count=3, **more):
    """Return a series at one o'clock, every day from tomorrow on."""
    days = Series(
        weekdays=frozenset(range(7)),
        begins=time(13),
        duration=timedelta(hours=1),
        first_day=date(2026, 3, 2),
        count=count,
    )
    return NewSeries(**({"station_id": STATION, "bay_id": BAY, "series": days} | more))


def test_each_window_is_a_hold_of_its_own_and_one_code_is_sent(bookings, series):
    made = series.hold(ME, new())

    assert [one.starts_at.day for one in made.reservations] == [2, 3, 4]
    assert {one.series_id for one in made.reservations} == {made.series_id}
    assert made.skipped == []
    assert bookings.slots() == bookings.expected_slots()
    assert len(bookings.slots()) == 12
    assert bookings.heard.codes == [made.reservations[0].reservation_id]


def test_one_window_that_is_taken_undoes_all(bookings, series):
    other = bookings.add_driver("u-other")
    bookings.book(start_s=2 * DAY + HOUR, viewer=other)

    with pytest.raises(BayAlreadyBooked, match="2026-03-03T13:00Z") as refused:
        series.hold(ME, new())

    assert len(refused.value.alternatives) == 5
    assert refused.value.alternatives[0].starts_at.day == 3
    assert len(bookings.all()) == 1


def test_what_cannot_be_had_is_left_out_if_so_wanted(bookings, series):
    other = bookings.add_driver("u-other")
    bookings.book(start_s=2 * DAY + HOUR, viewer=other)
    bookings.set_terms(ahead_s=4 * DAY + 2 * HOUR)

    made = series.hold(ME, new(count=5, skips_conflicts=True))

    assert [one.starts_at.day for one in made.reservations] == [2, 4, 5]
    assert [(one.starts_at.day, one.code) for one in made.skipped] == [
        (3, "bay_already_booked"),
        (6, "not_bookable"),
    ]
    assert bookings.slots() == bookings.expected_slots()


def test_any_bay_will_do_for_a_series_without_one(bookings, series):
    other = bookings.add_driver("u-other")
    bookings.book(start_s=2 * DAY + HOUR, viewer=other)

    made = series.hold(ME, new(bay_id=None))

    assert [one.bay_id for one in made.reservations] == [BAY, OTHER_BAY, BAY]
    assert all(one.is_flexible for one in made.reservations)


def test_where_nothing_can_be_had_the_reason_is_said(bookings, series):
    bookings.set_terms(ahead_s=HOUR)

    with pytest.raises(NotBookable, match="too far ahead"):
        series.hold(ME, new(skips_conflicts=True))
    with pytest.raises(NotBookable, match="In the window from 2026-03-02T13:00Z") as refused:
        series.hold(ME, new())
    with pytest.raises(NotBookable, match="No day fits"):
        series.hold(ME, new(count=0))
    with pytest.raises(NotFound):
        series.hold(ME, new(station_id="nowhere"))

    assert refused.value.subject == "duration_s"


def test_r10_a_series_leaves_out_when_its_driver_is_elsewhere(bookings, series):
    there = "greenmarket-2"
    other = bookings.hold(start_s=2 * DAY + HOUR, station_id=there, bay_id=f"{there}-1")
    made = series.hold(ME, new(skips_conflicts=True))

    assert [one.starts_at.day for one in made.reservations] == [2, 4]
    assert [(one.starts_at.day, one.code) for one in made.skipped] == [(3, "booked_elsewhere")]
    with pytest.raises(BookedElsewhere, match="2026-03-03T13:00Z") as refused:
        series.hold(ME, new(bay_id=OTHER_BAY))
    assert refused.value.reservation_ids == [other.reservation_id]


def test_r10_a_series_is_counted_by_itself(bookings, series):
    bookings.set_terms(max_live_per_driver=1, max_live_in_series=3)
    bookings.hold()

    series.hold(ME, new())
    with pytest.raises(TooManyReservations):
        series.hold(ME, new(count=1, bay_id=OTHER_BAY))


@pytest.mark.parametrize(
    ("zone", "first_day"),
    [
        ("Europe/London", date(2026, 3, 28)),
        ("Europe/London", date(2026, 10, 24)),
        ("America/New_York", date(2026, 3, 7)),
        ("America/New_York", date(2026, 10, 31)),
        ("Australia/Lord_Howe", date(2026, 4, 4)),
        ("Australia/Lord_Howe", date(2026, 10, 3)),
        ("Europe/London", date(2028, 2, 28)),
    ],
)
def test_t07_nights_across_a_change_of_clocks_are_as_long_as_all_and_do_not_overlap(
    bookings, series, zone, first_day
):
    bookings.rig.execute(f"UPDATE stations SET timezone = '{zone}'")
    bookings.rig.clock.at = datetime.combine(first_day, time(0), UTC) - timedelta(days=10)
    bookings.set_terms(max_s=24 * HOUR, max_live_in_series=6)
    nights = {"weekdays": frozenset(range(7)), "first_day": first_day, "count": 3}

    early = Series(begins=time(1, 30), duration=timedelta(hours=3), **nights)
    late = Series(begins=time(6), duration=timedelta(hours=18), **nights)
    made = [
        one
        for one_series in (early, late)
        for one in series.hold(ME, new(series=one_series)).reservations
    ]

    lengths = [one.ends_at - one.starts_at for one in made]
    assert lengths == [timedelta(hours=3)] * 3 + [timedelta(hours=18)] * 3
    assert len(bookings.slots()) == 3 * (3 + 18) * 4
    assert bookings.slots() == bookings.expected_slots()


def test_the_same_request_twice_makes_one_series(bookings, series):
    once = Once(DRIVER, "key-series", b"body")

    first = series.hold(ME, new(), once)

    assert series.hold(ME, new(), once) == first
    assert len(bookings.all()) == 3


def test_a_whole_series_is_canceled_from_one_day_on(bookings, series):
    made = series.hold(ME, new())
    ids = [one.reservation_id for one in made.reservations]
    for one in ids:
        bookings.pay(one)

    bookings.service.cancel(ME, ids[1], is_whole_series=True)

    assert [bookings.reservation(one).status for one in ids] == ["booked", "canceled", "canceled"]
    assert sorted(bookings.settling.settled) == sorted(ids[1:])
