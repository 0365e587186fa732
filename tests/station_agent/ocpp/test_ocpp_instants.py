"""Chargers' clocks are believed where they can be, and flagged where they cannot."""

from datetime import timedelta

import pytest

from station_agent.ocpp.instants import Told, read_kept, read_live, write
from tests.station_agent.ocpp.fakes import NOW

LONG_AGO = NOW - timedelta(days=30)


def at(**ago) -> str:
    return write(NOW - timedelta(**ago))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "0",
        "nonsense",
        "1970-01-01T00:00:00Z",
        "2000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "2026-13-01T00:00:00Z",
    ],
)
def test_quirk_37_an_unusable_time_is_replaced_by_ours(text):
    assert read_live(text, NOW) == Told(NOW, "clock_unusable")
    assert read_kept(text, NOW, LONG_AGO) == Told(NOW, "clock_unusable")


def test_a_live_message_may_leave_its_time_out():
    assert read_live(None, NOW) == Told(NOW)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T12:00:30Z",
        "2026-11-22T12:00:30+00:00",
        "2026-11-22T13:00:30.000+01:00",
        "2026-11-22T12:00:30",
        " 2026-11-22T12:00:30Z ",
    ],
)
def test_quirk_37_zones_and_their_absence_are_read(text):
    assert read_live(text, NOW) == Told(NOW + timedelta(seconds=30))


@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
def test_t05_a_skewed_live_time_is_replaced_by_ours_and_flagged(hours):
    assert read_live(at(hours=hours), NOW) == Told(NOW, "clock_skewed")


def test_t05_the_future_is_never_believed():
    assert read_kept("2099-01-01T00:00:00Z", NOW, LONG_AGO) == Told(NOW, "clock_skewed")


def test_t04_what_happened_before_the_connection_is_history():
    told = read_kept(at(days=3), NOW, NOW - timedelta(minutes=5))

    assert told == Told(NOW - timedelta(days=3), is_late=True)


def test_a_lag_within_the_connection_is_skew_and_not_history():
    told = read_kept(at(hours=1), NOW, NOW - timedelta(hours=2))

    assert told == Told(NOW - timedelta(hours=1), "clock_skewed")


def test_instants_are_written_in_milliseconds_and_utc():
    assert write(NOW + timedelta(microseconds=1_500)) == "2026-11-22T12:00:00.001Z"
