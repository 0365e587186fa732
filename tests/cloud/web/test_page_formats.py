"""Numbers and instants as a reader sees them."""

from datetime import UTC, datetime, timedelta

import pytest

from cloud.web.formats import NOTHING, Formats, age, duration, number, zone

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(milliseconds=900), ("now", 0)),
        (timedelta(seconds=-5), ("now", 0)),
        (timedelta(seconds=1), ("s", 1)),
        (timedelta(seconds=59), ("s", 59)),
        (timedelta(seconds=60), ("min", 1)),
        (timedelta(minutes=59, seconds=59), ("min", 59)),
        (timedelta(hours=23, minutes=59), ("h", 23)),
        (timedelta(hours=24), ("d", 1)),
    ],
)
def test_an_age_is_told_in_its_largest_whole_unit(ago, said):
    assert age(NOW - ago, NOW) == said


def test_what_was_never_heard_has_no_age():
    assert age(None, NOW) == ("never", 0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0:00"), (0, "0:00"), (61, "1:01"), (3600, "1:00:00"), (86_399, "23:59:59")],
)
def test_durations_tick_in_seconds(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("language", "power", "energy", "money", "distance"),
    [
        ("en", "41.3 kW", "1,234.56 kWh", "\xa31,234.05", "1.2 km"),
        ("de", "41,3 kW", "1.234,56 kWh", "1.234,05\xa0\xa3", "1,2 km"),
    ],
)
def test_figures_follow_the_language(language, power, energy, money, distance):
    shown = Formats(language)

    assert shown.power(41_320) == power
    assert shown.energy(1_234_560) == energy
    assert shown.money(123_405, "GBP") == money
    assert shown.distance(1_234) == distance


def test_power_that_was_not_reported_is_not_zero():
    assert Formats("en").power(None) == NOTHING
    assert Formats("en").power(0) == "0 kW"


def test_money_knows_currencies_without_a_minor_unit():
    assert Formats("en").money(500, "JPY") == "\xa5500"


def test_times_are_those_of_the_station():
    assert Formats("en").clock(NOW, "Europe/London") == "13:00"
    assert Formats("en").seconds(NOW, "Mars/Olympus") == "12:00:00"
    assert zone("../etc/passwd").key == "UTC"


@pytest.mark.parametrize(
    ("name", "painted"),
    [("1", "1"), ("Bay 12", "12"), ("A1", "A1"), ("North 3", "North 3"), ("Bay", "Bay")],
)
def test_a_bays_number_is_what_is_painted_there(name, painted):
    assert number(name) == painted
