"""How a reservation stands, by its state and the clock."""

from datetime import UTC, datetime, timedelta

import pytest

from cloud.domain.reservations import Status, Trouble
from cloud.web import words
from cloud.web.standing import Phase, Refund, refunds, standing
from tests.cloud.web.booking_fakes import a_quote, a_reservation

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""The booking begins at 14:00, is kept from 13:45 on and waited for until 14:15; it ends at 15:00."""


def at(hour: int, minute: int = 0) -> datetime:
    return NOW.replace(hour=hour, minute=minute)


def phase(now: datetime = NOW, *, is_paying: bool = False, **changes) -> Phase:
    return standing(a_reservation(NOW, **changes), now, is_paying=is_paying).phase


def test_a_hold_is_confirmed_then_paid_for_and_lapses():
    held = {"state": "held"}

    assert phase(**held) is Phase.CODE
    assert phase(**held, is_confirmed=True) is Phase.PAY
    assert phase(**held, is_confirmed=True, is_paying=True) is Phase.PAYING
    assert phase(NOW + timedelta(minutes=10), **held) is Phase.LAPSED


def test_a_booking_is_kept_and_then_waited_for():
    assert phase(at(13, 44)) is Phase.BOOKED
    assert phase(at(13, 45)) is Phase.KEPT
    assert phase(at(14)) is Phase.AWAITED


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_a_phase_with_words(status):
    shown = phase(state=status.value)

    assert words.PHASE[shown.value]


@pytest.mark.parametrize("shown", list(Phase))
def test_every_phase_has_words(shown):
    assert words.PHASE[shown.value]


@pytest.mark.parametrize("trouble", list(Trouble))
def test_every_trouble_has_words_and_a_lost_bay_is_said_first(trouble):
    is_lost = trouble not in {Trouble.NONE, Trouble.SILENT}

    assert (phase(trouble=trouble.value) is Phase.ENDANGERED) == is_lost
    assert phase(trouble=trouble.value, state="charging") is Phase.CHARGING
    assert trouble is Trouble.NONE or words.TROUBLE[trouble.value]


@pytest.mark.parametrize(
    ("now", "kept_minor"), [(at(13), 0), (at(13, 1), 50), (at(14), 50), (at(14, 1), 100)]
)
def test_canceling_costs_by_the_terms_it_was_made_on(now, kept_minor):
    assert standing(a_reservation(NOW), now).cancel_minor == kept_minor


def test_canceling_a_hold_costs_nothing():
    held = a_reservation(NOW, state="held")

    assert standing(held, at(14, 1)).cancel_minor == 0


def test_until_when_canceling_is_free_is_said_while_it_is_so():
    assert standing(a_reservation(NOW), at(12, 59)).free_until == at(13)
    assert standing(a_reservation(NOW), at(13)).free_until is None
    never = a_reservation(NOW, quote=a_quote(refunds=[]))
    assert standing(never, NOW).free_until is None


@pytest.mark.parametrize(
    ("state", "now", "can"),
    [
        ("booked", at(13, 44), False),
        ("booked", at(13, 45), True),
        ("booked", at(14, 59), True),
        ("booked", at(15), False),
        ("arrived", at(14), False),
        ("held", at(14), False),
    ],
)
def test_one_checks_in_from_when_the_bay_is_kept_to_the_end(state, now, can):
    assert standing(a_reservation(NOW, state=state), now).can_check_in is can


def test_the_end_can_be_changed_within_the_terms_and_not_into_the_past():
    stands = standing(a_reservation(NOW), NOW)
    late = standing(a_reservation(NOW, state="charging"), at(14, 50))
    longest = a_reservation(NOW, ends_at=at(18))

    assert stands.new_ends == [(30, at(15, 30)), (15, at(15, 15)), (-15, at(14, 45))]
    assert [minutes for minutes, _ in late.new_ends] == [30, 15]
    assert [minutes for minutes, _ in standing(longest, NOW).new_ends] == [-15]
    assert standing(a_reservation(NOW, state="finished"), NOW).new_ends == []


def test_only_what_has_not_begun_can_be_moved():
    assert standing(a_reservation(NOW), at(13, 59)).can_move
    assert not standing(a_reservation(NOW), at(14)).can_move
    assert not standing(a_reservation(NOW, state="arrived"), NOW).can_move


def test_each_minute_of_an_overstay_that_was_begun_is_counted():
    since = {"state": "overstaying", "overstay_since": at(15, 10)}

    assert standing(a_reservation(NOW, **since), at(15, 10)).overstay_minor == 0
    assert standing(a_reservation(NOW, **since), at(15, 12)).overstay_minor == 40
    later = at(15, 12) + timedelta(seconds=1)
    assert standing(a_reservation(NOW, **since), later).overstay_minor == 60
    left = a_reservation(NOW, **since, left_at=at(15, 12))
    assert standing(left, at(20)).overstay_minor == 40
    assert standing(a_reservation(NOW), at(20)).overstay_minor == 0


def test_the_page_looks_again_when_the_clock_alone_changes_what_is_said():
    booked = a_reservation(NOW)

    assert standing(booked, NOW).changes_at == at(13)
    assert standing(booked, at(13)).changes_at == at(13, 45)
    assert standing(booked, at(14, 20)).changes_at == at(15)
    assert standing(booked, at(15)).changes_at is None


def test_what_canceling_costs_is_said_from_now_on_and_what_is_alike_once():
    costly = a_quote()
    free = a_quote(
        refunds=[
            {"before_s": 3600, "refund_pct": 100, "kept_minor": 0},
            {"before_s": 0, "refund_pct": 50, "kept_minor": 0},
        ]
    )
    first = Refund(at(13), 0, is_start=False)
    second = Refund(at(14), 50, is_start=True)

    assert refunds(costly, at(14), NOW) == [first, second]
    assert refunds(costly, at(14), at(13)) == [second]
    assert refunds(costly, at(14), at(14)) == []
    assert refunds(free, at(14), NOW) == [Refund(at(14), 0, is_start=True)]
    assert refunds({}, at(14), NOW) == []
