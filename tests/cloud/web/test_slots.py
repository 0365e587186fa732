"""At which quarter hours one can begin, and the day as a ribbon."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cloud.domain.calendar import Slot
from cloud.domain.windows import Window
from cloud.services.calendars import RunView
from cloud.web import slots

DAY = Window(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))
HOUR = timedelta(hours=1)


def at(hour: float) -> datetime:
    return DAY.starts_at + hour * HOUR


def runs(*parts: tuple[float, str]) -> list[RunView]:
    """Return a calendar of parts, each from its hour to the next one's, the last to 30 o'clock."""
    ends = [*(begins for begins, _ in parts[1:]), 30]
    return [
        RunView(
            starts_at=at(begins), ends_at=at(until), slot=Slot(slot), bays_free=int(slot == "free")
        )
        for (begins, slot), until in zip(parts, ends, strict=True)
    ]


def starts(calendars: dict[str, list[RunView]], hours: float = 1, **more) -> list[float]:
    found = slots.starts(calendars, DAY, hours * HOUR, **more)
    return [(one - DAY.starts_at) / HOUR for one in found]


def test_one_can_begin_where_it_is_free_until_the_end():
    free_from_9_to_11 = {"a": runs((0, "closed"), (9, "free"), (11, "taken"))}

    assert starts(free_from_9_to_11) == [9, 9.25, 9.5, 9.75, 10]
    assert starts(free_from_9_to_11, hours=2) == [9]
    assert starts(free_from_9_to_11, hours=3) == []


def test_the_buffer_may_lie_where_it_is_closed_but_not_in_what_is_taken():
    quarter = HOUR / 4
    before_taken = {"a": runs((0, "closed"), (9, "free"), (10, "taken"))}
    before_closed = {"a": runs((0, "closed"), (9, "free"), (10, "closed"))}

    assert starts(before_taken, buffer=quarter) == []
    assert starts(before_closed, buffer=quarter) == [9]


def test_of_several_bays_one_has_to_be_free_for_the_whole_time():
    one_then_other = {
        "a": runs((0, "closed"), (9, "free"), (10, "taken")),
        "b": runs((0, "taken"), (10, "free"), (11, "taken")),
    }

    assert starts(one_then_other) == [9, 10]
    assert starts(one_then_other, hours=2) == []


def test_what_is_to_be_moved_is_not_in_its_own_way():
    own_from_9_to_10 = {"a": runs((0, "closed"), (9, "taken"), (10, "free"), (10.5, "closed"))}

    assert starts(own_from_9_to_10) == []
    assert starts(own_from_9_to_10, own=Window(at(9), at(10))) == [9, 9.25, 9.5]


def test_a_booking_may_go_on_past_midnight():
    assert starts({"a": runs((0, "closed"), (23, "free"))}, hours=2)[-1] == 23.75


def test_the_ribbon_is_free_where_one_bay_is_and_closed_where_all_are():
    pieces = slots.ribbon(
        [runs((0, "closed"), (6, "free"), (12, "taken")), runs((0, "closed"), (18, "free"))], DAY
    )

    assert [(one.slot, one.begins, one.length) for one in pieces] == [
        ("closed", 0, 250),
        ("free", 250, 250),
        ("taken", 500, 250),
        ("free", 750, 250),
    ]


def test_what_is_chosen_is_drawn_in_its_day_and_cut_at_midnight():
    assert slots.piece_of(Window(at(6), at(12)), DAY) == slots.Piece(250, 250, "chosen")
    assert slots.piece_of(Window(at(18), at(30)), DAY) == slots.Piece(750, 250, "chosen")


def test_who_waits_can_wait_for_what_is_taken_but_not_for_what_is_closed():
    calendar = [runs((0, "closed"), (12, "taken"), (12.5, "free"), (13, "closed"))]

    assert slots.open_starts(calendar, DAY) == [at(12), at(12.25), at(12.5), at(12.75)]


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)]
)
def test_a_day_is_as_long_as_the_clocks_at_the_station_make_it(day, hours):
    assert slots.day_window(day, ZoneInfo("Europe/London")).duration == hours * HOUR


def test_durations_are_those_the_station_allows():
    assert slots.durations(1800, 4 * 3600) == [30, 45, 60, 90, 120, 180, 240]
    assert slots.durations(10 * 3600, 12 * 3600) == [600]
    assert slots.nearest(100, [30, 90, 120]) == 90
