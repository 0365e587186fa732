"""Who is told what, by which way and when."""

from datetime import UTC, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.notices import (
    DISTURBING,
    NEEDS,
    PASSING,
    URGENT,
    USUAL,
    Channel,
    NoticeKind,
    Preferences,
    Quiet,
    plan_of,
)

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Quiet(starts=time(22), ends=time(7))
NAP = Quiet(starts=time(13), ends=time(14, 30))


def berlin(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=BERLIN, fold=fold).astimezone(UTC)


def asleep(quiet=NIGHT, **more) -> Preferences:
    return Preferences(timezone="Europe/Berlin", quiet=quiet, **more)


def sent_at(kind, preferences, now) -> datetime | None:
    return dict(plan_of(kind, preferences, [Channel.MAIL], now)).get(Channel.MAIL)


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_every_kind_has_channels_and_says_what_it_needs(kind):
    assert USUAL[kind] <= DISTURBING
    assert USUAL[kind]
    assert NEEDS[kind]


def test_what_is_urgent_is_never_passed_over():
    assert URGENT.isdisjoint(PASSING)
    assert {kind for kind in URGENT if Channel.SMS in USUAL[kind]} == URGENT


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_by_default_a_notice_goes_its_usual_ways_to_the_inbox_and_to_programs_at_once(kind):
    now = berlin(2026, 3, 1, 12)

    assert plan_of(kind, Preferences(), set(Channel), now) == [
        (one, now) for one in Channel if one in USUAL[kind] | {Channel.APP, Channel.WEBHOOK}
    ]


def test_what_cannot_be_reached_is_not_tried():
    now = berlin(2026, 3, 1, 12)

    assert plan_of(NoticeKind.MOVED, Preferences(), [Channel.APP], now) == [(Channel.APP, now)]
    assert plan_of(NoticeKind.MOVED, Preferences(), [], now) == []


@pytest.mark.parametrize(("kind", "channel"), list(product(NoticeKind, sorted(DISTURBING))))
def test_each_kind_can_be_chosen_and_left_out_on_each_channel(kind, channel):
    now = berlin(2026, 3, 1, 12)
    on = Preferences(choices={kind: {channel: True}})
    off = Preferences(choices={kind: {channel: False}})

    assert plan_of(kind, on, [channel], now) == [(channel, now)]
    assert plan_of(kind, off, [channel], now) == []


def test_a_choice_for_one_kind_says_nothing_of_another():
    chosen = Preferences(choices={NoticeKind.BOOKED: {Channel.MAIL: False}})

    assert chosen.wants(NoticeKind.CANCELED, Channel.MAIL)
    assert chosen.wants(NoticeKind.BOOKED, Channel.PUSH)


def test_the_inbox_cannot_be_left_out():
    chosen = Preferences(choices={NoticeKind.BOOKED: {Channel.APP: False}})

    assert chosen.wants(NoticeKind.BOOKED, Channel.APP)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (berlin(2026, 3, 1, 21, 59), berlin(2026, 3, 1, 21, 59)),
        (berlin(2026, 3, 1, 22, 0), berlin(2026, 3, 2, 7, 0)),
        (berlin(2026, 3, 2, 3, 0), berlin(2026, 3, 2, 7, 0)),
        (berlin(2026, 3, 2, 6, 59), berlin(2026, 3, 2, 7, 0)),
        (berlin(2026, 3, 2, 7, 0), berlin(2026, 3, 2, 7, 0)),
        # a night of nine hours less one, and one more
        (berlin(2026, 3, 28, 23, 0), berlin(2026, 3, 29, 7, 0)),
        (berlin(2026, 10, 24, 23, 0), berlin(2026, 10, 25, 7, 0)),
    ],
)
def test_what_can_wait_waits_for_the_end_of_the_night(now, until):
    assert sent_at(NoticeKind.CANCELED, asleep(), now) == until


def test_a_slot_in_the_early_morning_that_was_lost_at_night_is_told_of_at_once():
    now = berlin(2026, 3, 1, 23)

    assert sent_at(NoticeKind.FAILED, asleep(), now) == now


def test_the_night_clocks_are_put_forward_is_an_hour_shorter():
    now = berlin(2026, 3, 28, 23, 0)
    spring = sent_at(NoticeKind.CANCELED, asleep(), now)
    autumn_now = berlin(2026, 10, 24, 23, 0)
    autumn = sent_at(NoticeKind.CANCELED, asleep(), autumn_now)

    assert spring - now == timedelta(hours=7)
    assert autumn - autumn_now == timedelta(hours=9)


@pytest.mark.parametrize(
    ("now", "until"),
    [(berlin(2026, 3, 1, 13, 15), berlin(2026, 3, 1, 14, 30)), (berlin(2026, 3, 1, 15, 0), None)],
)
def test_quiet_hours_may_lie_within_a_day(now, until):
    assert sent_at(NoticeKind.CANCELED, asleep(NAP), now) == (until or now)


def test_an_end_that_comes_twice_ends_the_quiet_each_time():
    quiet = Quiet(starts=time(1), ends=time(2, 30))
    first, second = berlin(2026, 10, 25, 2, 15), berlin(2026, 10, 25, 2, 15, fold=1)

    assert sent_at(NoticeKind.CANCELED, asleep(quiet), first) - first == timedelta(minutes=15)
    assert sent_at(NoticeKind.CANCELED, asleep(quiet), second) - second == timedelta(minutes=15)


def test_an_end_that_is_left_out_ends_the_quiet_after_the_gap():
    quiet = Quiet(starts=time(1), ends=time(2, 30))
    now = berlin(2026, 3, 29, 1, 30)

    assert sent_at(NoticeKind.CANCELED, asleep(quiet), now) == berlin(2026, 3, 29, 3, 30)


def test_an_end_left_out_inside_the_next_quiet_waits_for_the_day_after():
    quiet = Quiet(starts=time(3), ends=time(2, 30))
    now = berlin(2026, 3, 28, 3, 10)

    assert sent_at(NoticeKind.CANCELED, asleep(quiet), now) == berlin(2026, 3, 30, 2, 30)


@pytest.mark.parametrize("kind", sorted(URGENT))
def test_what_is_urgent_wakes_people_up(kind):
    now = berlin(2026, 3, 2, 3, 0)

    assert sent_at(kind, asleep(), now) == now


@pytest.mark.parametrize("kind", sorted(PASSING))
def test_what_is_of_no_use_in_the_morning_stays_in_the_inbox(kind):
    now = berlin(2026, 3, 2, 3, 0)

    assert sent_at(kind, asleep(), now) is None
    assert plan_of(kind, asleep(), [Channel.APP], now) == [(Channel.APP, now)]


def test_without_a_zone_nobody_knows_when_it_is_night():
    now = berlin(2026, 3, 2, 3, 0)

    assert sent_at(NoticeKind.CANCELED, Preferences(quiet=NIGHT), now) == now


@pytest.mark.parametrize("wall", [time(0), time(12), time(23, 59)])
def test_a_night_of_no_length_is_never(wall):
    assert not Quiet(starts=time(12), ends=time(12)).is_at(wall)


@given(
    starts=st.times(),
    ends=st.times(),
    zone=st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
    now=st.datetimes(
        min_value=datetime(2026, 1, 1),  # noqa: DTZ001 - Hypothesis wants naive bounds
        max_value=datetime(2027, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
)
def test_whatever_the_hours_a_message_is_sent_when_it_is_not_quiet(starts, ends, zone, now):
    quiet = Quiet(starts=starts, ends=ends)
    preferences = Preferences(timezone=zone, quiet=quiet)
    at = sent_at(NoticeKind.CANCELED, preferences, now)

    assert now <= at < now + timedelta(hours=51)
    assert not quiet.is_at(at.astimezone(ZoneInfo(zone)).time())
