"""Where a payment stands and what follows: every row of the table, and never a minor unit too many."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.alerts.snapshots import PaymentSnapshot
from cloud.domain.alerts.stuck_payment import StuckPaymentRule
from cloud.domain.payments import (
    LOUD_AFTER,
    NEXT,
    PAUSES,
    STATE,
    UNDONE,
    Allotment,
    Ask,
    ImpossibleOutcome,
    Method,
    PaymentStatus,
    StepKind,
    StepState,
    allotted,
    forgiven_minor,
    moved,
    next_step,
    open_step,
    pause_after,
    undone,
)
from cloud.domain.policy import Policy
from tests.cloud.builders import NOON, a_payment, a_step

AMOUNT = 1_000


@pytest.mark.parametrize(
    ("status", "kind", "is_success"), list(product(PaymentStatus, StepKind, [True, False]))
)
def test_every_outcome_is_in_the_table_or_impossible(status, kind, is_success):
    payment = a_payment(status=status)

    if (status, kind, is_success) in NEXT:
        after = moved(payment, Ask(kind, 5), "ref", is_success=is_success)
        assert after.status is NEXT[status, kind, is_success]
    else:
        with pytest.raises(ImpossibleOutcome):
            moved(payment, Ask(kind, 5), "ref", is_success=is_success)


@pytest.mark.parametrize(("status", "kind"), list(product(PaymentStatus, StepKind)))
def test_whatever_a_bank_takes_back_is_in_the_table_or_impossible(status, kind):
    payment = a_payment(status=status, captured_minor=9, refunded_minor=7)

    if (status, kind) in UNDONE:
        after, state = undone(payment, Ask(kind, 5))
        assert (after.status, state) == UNDONE[status, kind]
        assert after.refunded_minor == (2 if kind is StepKind.REFUND else 7)
    else:
        with pytest.raises(ImpossibleOutcome):
            undone(payment, Ask(kind, 5))


@pytest.mark.parametrize(("kind", "is_success"), list(product(StepKind, [True, False])))
def test_every_step_ends_somewhere(kind, is_success):
    assert STATE[kind, is_success] is not StepState.PENDING
    assert (STATE[kind, is_success] is StepState.DONE) is is_success


def test_what_is_declined_moves_nothing():
    for status, kind, is_success in NEXT:
        if not is_success:
            payment = a_payment(status=status, authorised_minor=7, captured_minor=5)
            after = moved(payment, Ask(kind, 5), "other", is_success=False)
            assert replace(after, status=status) == payment


def test_amounts_follow_what_the_gateway_says():
    new = a_payment()
    kept = moved(new, Ask(StepKind.AUTHORISE, 1_000), "ref-1", is_success=True)
    taken = moved(kept, Ask(StepKind.CAPTURE, 700), "", is_success=True)
    back = moved(taken, Ask(StepKind.REFUND, 200), "", is_success=True)
    more = moved(back, Ask(StepKind.REFUND, 100), "", is_success=True)
    charged = moved(new, Ask(StepKind.CHARGE, 300), "ref-2", is_success=True)

    assert (kept.authorised_minor, kept.gateway_ref) == (1_000, "ref-1")
    assert (taken.captured_minor, taken.gateway_ref) == (700, "ref-1")
    assert (back.kept_minor, more.kept_minor) == (500, 400)
    assert (charged.captured_minor, charged.gateway_ref) == (300, "ref-2")
    assert moved(kept, Ask(StepKind.VOID, 1_000), "", is_success=True).is_over


AUTHORISED = {"status": PaymentStatus.AUTHORISED, "authorised_minor": AMOUNT}
CAPTURED = {"status": PaymentStatus.CAPTURED, "captured_minor": 700}


@pytest.mark.parametrize(
    ("payment", "step"),
    [
        (a_payment(), None),
        (a_payment(due_minor=500), None),
        (a_payment(**AUTHORISED), None),
        (a_payment(**AUTHORISED, due_minor=0), Ask(StepKind.VOID, AMOUNT)),
        (a_payment(**AUTHORISED, due_minor=700), Ask(StepKind.CAPTURE, 700)),
        (a_payment(**AUTHORISED, due_minor=1_500), Ask(StepKind.CAPTURE, AMOUNT)),
        (a_payment(status=PaymentStatus.AUTHORISED, due_minor=0), None),
        (a_payment(**CAPTURED, due_minor=700), None),
        (a_payment(**CAPTURED, due_minor=900), None),
        (a_payment(**CAPTURED, due_minor=100), Ask(StepKind.REFUND, 600)),
        (a_payment(**CAPTURED, refunded_minor=600, due_minor=100), None),
        (a_payment(status=PaymentStatus.VOIDED, due_minor=0), None),
        (a_payment(status=PaymentStatus.DECLINED, due_minor=500), None),
    ],
)
def test_the_next_step_takes_what_is_due_and_gives_the_rest_back(payment, step):
    assert next_step(payment) == step


def test_what_is_due_is_borne_by_the_oldest_first_and_what_is_missing_is_said():
    declined = a_payment(id="p-0", status=PaymentStatus.DECLINED)
    first = a_payment(id="p-1", **AUTHORISED)
    extra = a_payment(id="p-2", status=PaymentStatus.CAPTURED, captured_minor=300, amount_minor=300)

    allotment = allotted([declined, first, extra], 1_500)

    assert [(one.id, one.due_minor) for one in allotment.payments] == [("p-1", 1_000), ("p-2", 300)]
    assert allotment.missing_minor == 200


def test_a_payment_whose_due_amount_is_known_bears_no_more():
    on_its_way = a_payment(**AUTHORISED, due_minor=400)

    allotment = allotted([on_its_way], 900)

    assert allotment.payments[0].due_minor == 400
    assert allotment.missing_minor == 500


@pytest.mark.parametrize(
    ("status", "due", "missing", "method", "forgiven"),
    [
        (PaymentStatus.CAPTURED, 500, 29, Method.CARD, 29),
        (PaymentStatus.CAPTURED, 500, 30, Method.CARD, 0),
        (PaymentStatus.CAPTURED, 500, 29, Method.WALLET, 0),
        (PaymentStatus.CAPTURED, 20, 0, Method.CARD, 0),
        (PaymentStatus.AUTHORISED, 29, 0, Method.CARD, 29),
        (PaymentStatus.AUTHORISED, 30, 0, Method.CARD, 0),
        (PaymentStatus.AUTHORISED, 29, 1, Method.CARD, 0),
        (PaymentStatus.AUTHORISED, 29, 0, Method.WALLET, 0),
    ],
)
def test_what_no_card_can_be_charged_with_is_forgiven(status, due, missing, method, forgiven):
    payment = a_payment(status=status, due_minor=due, method=method)

    assert forgiven_minor(Allotment((payment,), missing), payment, 30) == forgiven


def test_nobody_owes_less_than_nothing():
    with pytest.raises(ValueError, match="nobody"):
        allotted([], -1)


ANSWERS = st.lists(st.booleans(), max_size=12)


@given(st.lists(st.integers(0, 2_000), min_size=1, max_size=6), ANSWERS)
def test_whatever_is_due_in_turn_never_more_is_taken_or_given_back_than_there_is(dues, answers):
    """The steps of one payment, with a gateway that sometimes says no where it may not."""
    payment = moved(a_payment(), Ask(StepKind.AUTHORISE, AMOUNT), "ref", is_success=True)
    is_spotless = True
    for due in dues:
        allotment = allotted([payment], due)
        payment = allotment.payments[0] if allotment.payments else payment
        ask = next_step(payment)
        while ask is not None:
            is_success = answers.pop() if answers else True
            is_spotless = is_spotless and is_success
            if ask.kind is StepKind.CAPTURE:
                assert ask.amount_minor <= payment.authorised_minor
            payment = moved(payment, ask, "ref", is_success=is_success)
            assert 0 <= payment.refunded_minor <= payment.captured_minor
            assert payment.captured_minor <= payment.authorised_minor
            ask = next_step(payment) if is_success else None
        if is_spotless:
            assert payment.kept_minor == payment.due_minor <= due


def test_pauses_grow_and_the_last_one_lasts_for_ever():
    pauses = [pause_after(attempts) for attempts in range(20)]

    assert pauses == sorted(pauses)
    assert pauses[1] == PAUSES[0]
    assert pauses[-1] == PAUSES[-1]
    # R06: found within a minute, although the first attempts know nothing
    assert sum(PAUSES[:5], timedelta()) < timedelta(seconds=60)
    assert len(PAUSES) > LOUD_AFTER


def test_the_open_step_is_the_one_nobody_knows_the_outcome_of():
    done, waiting = a_step(id="s-1", state=StepState.DONE), a_step(id="s-2")

    assert open_step([done, waiting]) is waiting
    assert open_step([done]) is None


def stuck(**more):
    policy = Policy()
    return StuckPaymentRule().check(
        PaymentSnapshot("greenmarket", "r-1", a_step(**more)), policy, NOON
    )


def test_a_gateway_that_stays_silent_is_an_alert_after_a_minute_and_a_wrong_no_at_once():
    quiet = stuck(attempts=LOUD_AFTER - 1)
    silent = stuck(attempts=LOUD_AFTER, last_error="no answer")
    refused = stuck(kind=StepKind.REFUND, state=StepState.FAILED, last_error="closed")
    done = stuck(attempts=LOUD_AFTER, state=StepState.DONE)

    assert [len(one.raised) for one in (quiet, silent, refused, done)] == [0, 1, 1, 0]
    assert silent.raised[0].key == done.scope
    assert silent.raised[0].detail == "no answer"
    assert (silent.raised[0].severity, refused.raised[0].severity) == ("minor", "major")
