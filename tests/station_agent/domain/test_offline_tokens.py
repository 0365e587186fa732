"""Who may charge, by the plan alone."""

from datetime import timedelta

import pytest

from contracts.plan import OfflinePolicy, Plan, PlannedReservation, TokenGrant
from station_agent.domain.tokens import (
    Refusal,
    Word,
    by_plan,
    by_policy,
    is_reserved_for_another,
    orders_from,
)
from tests.station_agent.fakes import NOON

HOUR = timedelta(hours=1)


def a_plan(**kwargs):
    return Plan(station="dundee", version=1, issued_at=NOON, **kwargs)


def a_reservation(bay_id="b1", **more):
    return PlannedReservation(
        reservation_id="r",
        bay_id=bay_id,
        **{"token": "ALICE", "starts_at": NOON, "ends_at": NOON + HOUR} | more,
    )


@pytest.mark.parametrize(
    ("grant", "word"),
    [
        (TokenGrant(token="T"), Word()),
        (TokenGrant(token="T", is_valid=False), Word(Refusal.BLOCKED)),
        (TokenGrant(token="T", valid_until=NOON), Word(Refusal.EXPIRED)),
        (TokenGrant(token="T", valid_until=NOON + HOUR), Word(None, None, NOON + HOUR)),
        (TokenGrant(token="T", parent_token="P"), Word(None, "P")),
        (TokenGrant(token="OTHER"), None),
    ],
)
def test_the_plan_knows_what_it_grants(grant, word):
    assert by_plan(orders_from(a_plan(tokens=[grant])), "T", ["b1"], NOON) == word


@pytest.mark.parametrize("written", ["04aabb", " 04AABB ", "04AaBb\x10\x0e"])
def test_a_token_is_known_however_a_charger_writes_it(written):
    """QUIRKS 18 and 19."""
    orders = orders_from(a_plan(tokens=[TokenGrant(token="04AABB")]))

    assert by_plan(orders, written, [], NOON) == Word()


def test_without_a_plan_nobody_is_known_and_nobody_accepted():
    orders = orders_from(None)

    assert by_plan(orders, "T", ["b1"], NOON) is None
    assert by_policy(orders) == Word(Refusal.UNKNOWN)


def test_the_policy_may_be_to_charge_first():
    assert by_policy(orders_from(a_plan(offline_policy=OfflinePolicy.ACCEPT))) == Word()


@pytest.mark.parametrize(
    ("token", "bays", "is_reserved"),
    [
        ("BOB", ["b1"], True),
        ("alice", ["b1"], False),
        ("BOB", ["b2"], False),
        ("BOB", ["b1", "b2"], False),
        ("BOB", [], False),
    ],
)
def test_a_reserved_bay_is_for_its_token_only(token, bays, is_reserved):
    orders = orders_from(a_plan(reservations=[a_reservation()]))

    assert is_reserved_for_another(orders, bays, token, None, NOON) is is_reserved


def test_where_all_bays_it_may_mean_are_reserved_a_token_is_refused():
    orders = orders_from(a_plan(reservations=[a_reservation(), a_reservation(bay_id="b2")]))

    assert is_reserved_for_another(orders, ["b1", "b2"], "BOB", None, NOON)


@pytest.mark.parametrize(
    ("offset_s", "is_reserved"), [(-1, False), (0, True), (3599, True), (3600, False)]
)
def test_a_reservation_holds_from_its_start_until_just_before_its_end(offset_s, is_reserved):
    orders = orders_from(a_plan(reservations=[a_reservation()]))
    now = NOON + timedelta(seconds=offset_s)

    assert is_reserved_for_another(orders, ["b1"], "BOB", None, now) is is_reserved


def test_a_token_of_the_same_parent_meets_the_reservation():
    orders = orders_from(
        a_plan(
            reservations=[a_reservation()],
            tokens=[TokenGrant(token="ALICE", parent_token="FLEET")],
        )
    )

    assert not is_reserved_for_another(orders, ["b1"], "BOB", "fleet", NOON)
    assert is_reserved_for_another(orders, ["b1"], "BOB", "other", NOON)


def test_who_has_a_reservation_now_may_charge_though_not_granted_otherwise():
    orders = orders_from(a_plan(reservations=[a_reservation()]))

    assert by_plan(orders, "Alice", ["b1"], NOON) == Word()
    assert by_plan(orders, "Alice", ["b2"], NOON) is None
    assert by_plan(orders, "Alice", ["b1"], NOON + HOUR) is None


@pytest.mark.parametrize(
    ("offset_s", "is_kept"), [(-601, False), (-600, True), (-1, True), (3599, True), (3600, False)]
)
def test_a_bay_is_kept_from_when_the_plan_says_so(offset_s, is_kept):
    early = NOON - timedelta(minutes=10)
    orders = orders_from(a_plan(reservations=[a_reservation(protect_from=early)]))
    now = NOON + timedelta(seconds=offset_s)

    assert is_reserved_for_another(orders, ["b1"], "BOB", None, now) is is_kept
    assert by_plan(orders, "ALICE", ["b1"], now) == (Word() if is_kept else None)


def test_who_is_still_there_and_who_comes_next_may_both_charge_while_their_times_overlap():
    """The next driver's protection begins before the one before has to be gone."""
    following = a_reservation(
        token="CAROL", starts_at=NOON + HOUR, ends_at=NOON + 2 * HOUR, protect_from=NOON + HOUR / 2
    )
    orders = orders_from(a_plan(reservations=[a_reservation(), following]))
    both = NOON + HOUR * 0.75

    refused = [
        one
        for one in ("ALICE", "BOB", "CAROL")
        if is_reserved_for_another(orders, ["b1"], one, None, both)
    ]
    assert refused == ["BOB"]
