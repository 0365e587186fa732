"""What the ledger says of each outcome: it sums to zero, and accounts end where they began."""

from collections import Counter
from dataclasses import replace
from itertools import product

import pytest

from cloud.domain import postings as rules
from cloud.domain.ledger import Entry, Posting, chained
from cloud.domain.payments import NEXT, UNDONE, Ask, Method, PaymentStatus, Purpose, StepKind
from cloud.domain.postings import driver, outcome, sale
from tests.cloud.builders import NOON, a_payment, a_reservation


def sums(*postings) -> dict[str, int]:
    accounts = Counter()
    for posting in postings:
        for entry in posting.entries:
            accounts[entry.account] += entry.amount_minor
    return {account: amount for account, amount in accounts.items() if amount}


def posted(payment, kind, amount, earned_by="driver/u-1", *, is_success=True):
    return outcome(payment, Ask(kind, amount), f"s-{kind}", earned_by, is_success=is_success)


KEPT = a_payment(status=PaymentStatus.AUTHORISED, authorised_minor=1_000)
WALLET = a_payment(
    method=Method.WALLET,
    provider="wallet",
    status=PaymentStatus.AUTHORISED,
    authorised_minor=1_000,
)


@pytest.mark.parametrize(("row", "method"), list(product(NEXT, Method)))
def test_whatever_a_gateway_answers_the_lines_sum_to_zero(row, method):
    status, kind, is_success = row
    payment = a_payment(status=status, method=method, authorised_minor=1_000)

    posting = posted(payment, kind, 400, is_success=is_success)

    assert posting is None or sum(one.amount_minor for one in posting.entries) == 0
    if is_success:
        assert posting is not None


@pytest.mark.parametrize(("status", "kind"), list(UNDONE))
def test_what_a_bank_takes_back_leaves_the_books_as_before_it_was_granted(status, kind):
    before = a_payment(authorised_minor=1_000 if kind is StepKind.AUTHORISE else 0)
    granted = posted(replace(before, authorised_minor=0), kind, 1_000)
    payment = replace(before, status=status)
    back = rules.undone(payment, Ask(kind, 1_000), "s-1", "driver/u-1")

    assert sums(granted) != {}
    assert sums(granted, back) == {}


def test_a_card_pays_a_part_of_what_was_kept_and_gets_some_back():
    postings = [
        posted(a_payment(), StepKind.AUTHORISE, 1_000),
        posted(KEPT, StepKind.CAPTURE, 700),
        posted(KEPT, StepKind.REFUND, 200),
    ]

    assert sums(postings[0]) == {"authorised/sandbox": 1_000, "promised/u-1": -1_000}
    assert sums(*postings) == {"gateway/sandbox": 500, "driver/u-1": -500}
    assert [one.kind for one in postings] == ["authorised", "captured", "refunded"]


@pytest.mark.parametrize("last", [(StepKind.VOID, True), (StepKind.CAPTURE, False)])
def test_what_was_kept_and_not_taken_leaves_no_trace(last):
    kind, is_success = last
    postings = [
        posted(a_payment(), StepKind.AUTHORISE, 1_000),
        posted(KEPT, kind, 700, is_success=is_success),
    ]

    assert sums(*postings) == {}
    assert postings[1].kind == "released"


def test_a_wallet_keeps_and_pays_from_what_is_in_it():
    new = a_payment(method=Method.WALLET, provider="wallet")
    postings = [
        posted(new, StepKind.AUTHORISE, 1_000),
        posted(WALLET, StepKind.CAPTURE, 700),
        posted(WALLET, StepKind.REFUND, 100),
    ]

    assert sums(postings[0]) == {"wallet/u-1": 1_000, "wallet_hold/u-1": -1_000}
    assert sums(*postings) == {"wallet/u-1": 600, "driver/u-1": -600}


def test_a_topup_is_owed_to_the_wallet_and_a_month_earned_by_the_plan():
    topup = a_payment(purpose=Purpose.TOPUP, subject="t-1")
    month = a_payment(purpose=Purpose.SUBSCRIPTION, subject="m-1/1")

    paid_in = posted(topup, StepKind.CHARGE, 2_000, "wallet/u-1")
    fee = posted(month, StepKind.CHARGE, 999, "subscription/plan")

    assert sums(paid_in) == {"gateway/sandbox": 2_000, "wallet/u-1": -2_000}
    assert sums(fee) == {"gateway/sandbox": 999, "subscription/plan": -999}
    assert (paid_in.reservation_id, fee.reservation_id) == (None, None)
    assert posted(KEPT, StepKind.VOID, 0).reservation_id == "r-1"


def test_a_sale_says_what_is_owed_and_to_whom_and_a_later_one_the_difference():
    reservation = a_reservation()
    shares = {"revenue/greenmarket": 500, "tax/GB": 100}

    first = sale(reservation, 0, shares)
    less = sale(reservation, 1, {"revenue/greenmarket": -50, "tax/GB": -10})
    moved = sale(reservation, 2, {"revenue/greenmarket": 10, "tax/GB": -10})

    owed = driver(reservation.user_id)
    assert sums(first) == {owed: 600, "revenue/greenmarket": -500, "tax/GB": -100}
    assert sums(first, less)[owed] == 540
    assert owed not in sums(moved)
    assert len({first.cause, less.cause, moved.cause}) == 3


def test_what_is_no_double_entry_is_refused():
    lines = {"book": "b", "cause": "c", "kind": "k", "currency": "GBP"}
    for entries in ((), (Entry("a", 1),), (Entry("a", 1), Entry("b", -2))):
        with pytest.raises(ValueError, match="sum to zero"):
            Posting(**lines, entries=entries)


@pytest.mark.parametrize(
    "change",
    [
        {"cause": "other"},
        {"book": "other"},
        {"kind": "other"},
        {"currency": "EUR"},
        {"user_id": "other"},
        {"reservation_id": "other"},
        {"payment_id": "other"},
        {"entries": (Entry("a", 6), Entry("b", -6))},
        {"entries": (Entry("a", 5), Entry("c", -5))},
    ],
)
def test_a_hash_changes_with_all_that_a_transaction_says(change):
    known = {"book": "b", "cause": "c", "kind": "k", "currency": "GBP"}
    lines = {"entries": (Entry("a", 5), Entry("b", -5))}
    before = chained("0", Posting(**known, **lines), 1, NOON)

    assert chained("0", Posting(**(known | lines | change)), 1, NOON) != before
    assert chained("1", Posting(**known, **lines), 1, NOON) != before
    assert chained("0", Posting(**known, **lines), 2, NOON) != before
