"""What becomes of the money for a booking far ahead, instant by instant."""

from datetime import timedelta
from itertools import product

import pytest

from cloud.domain.payments import Method, PaymentStatus
from cloud.domain.reauthorisation import Holding, Move, next_move, pay_until
from cloud.domain.reservations import Status
from tests.cloud.builders import NOON, a_payment, a_reservation, after

DAY_S = 86_400
HOLDING = Holding()
START = after(20 * DAY_S)


def a_booking(**more):
    known = {"status": Status.BOOKED, "authorised_minor": 1_000, "start_s": 20 * DAY_S}
    return a_reservation(**(known | more))


def move(status, hours_before, *, created_at=NOON, **more):
    payment = a_payment(status=status, created_at=created_at, **more)
    return next_move(a_booking(), [payment], HOLDING, START - timedelta(hours=hours_before))


AUTHORISED, DECLINED, VOIDED = (
    PaymentStatus.AUTHORISED,
    PaymentStatus.DECLINED,
    PaymentStatus.VOIDED,
)


@pytest.mark.parametrize(
    ("status", "hours_before", "what", "again_before"),
    [
        (AUTHORISED, 25, Move.WAIT, 24),
        (VOIDED, 25, Move.WAIT, 24),
        (DECLINED, 25, Move.WAIT, 24),
        (AUTHORISED, 24, Move.ASK, 24 - 1 / 60),
        (VOIDED, 24, Move.ASK, 24 - 1 / 60),
        (PaymentStatus.NEW, 24, Move.WAIT, 24 - 1 / 60),
        (DECLINED, 24, Move.WAIT, 2),
        (DECLINED, 2, Move.RELEASE, None),
        (VOIDED, 1, Move.ASK, 1 - 1 / 60),
        (AUTHORISED, 0, Move.NOTHING, None),
        (DECLINED, 0, Move.NOTHING, None),
    ],
)
def test_what_is_done_and_when_it_is_looked_at_again(status, hours_before, what, again_before):
    at = None if again_before is None else START - timedelta(hours=again_before)

    assert move(status, hours_before) == (what, at)


def test_what_is_kept_since_lately_or_in_a_wallet_lasts():
    nothing = (Move.NOTHING, None)

    assert move(AUTHORISED, 24, created_at=START - timedelta(days=5)) == nothing
    assert move(AUTHORISED, 24, method=Method.WALLET) == nothing


@pytest.mark.parametrize("status", [one for one in Status if one is not Status.BOOKED])
def test_nothing_is_done_for_what_is_no_booking(status):
    payments = [a_payment(status=DECLINED)]

    assert next_move(a_booking(status=status), payments, HOLDING, START - timedelta(hours=1)) == (
        Move.NOTHING,
        None,
    )


def test_nothing_is_done_where_nothing_was_kept():
    now = START - timedelta(hours=1)

    assert next_move(a_booking(), [], HOLDING, now) == (Move.NOTHING, None)
    free = a_booking(authorised_minor=0)
    assert next_move(free, [a_payment(status=VOIDED)], HOLDING, now) == (Move.NOTHING, None)


def test_there_is_time_to_pay_however_late_the_card_was_declined():
    ends = [
        pay_until(a_booking(), START - timedelta(minutes=one), HOLDING) for one in (600, 100, 10)
    ]

    assert ends == [START - timedelta(minutes=one) for one in (120, 70, 0)]


@pytest.mark.parametrize(("status", "hours"), list(product(PaymentStatus, range(1, 40, 3))))
def test_whoever_looks_again_looks_later(status, hours):
    _, at = move(status, hours)

    assert at is None or at > START - timedelta(hours=hours)
