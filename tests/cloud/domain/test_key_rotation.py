"""A charger that changes keys is never locked out, and never has more than one key too many."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.errors import IllegalTransition
from cloud.domain.key_rotation import (
    ASK_AGAIN_AFTER,
    LONGEST_REST,
    NEXT,
    OPEN,
    Happening,
    Rotation,
    Status,
    advance,
    login_of,
    rest_after,
)
from tests.cloud.builders import NOON

OLD, NEW = "a" * 32, "b" * 32


def a_rotation(**changes) -> Rotation:
    return replace(
        Rotation(charger_id="CP-1", salt=NEW, key_hash="h", started_at=NOON, changed_at=NOON),
        **changes,
    )


@pytest.mark.parametrize(("status", "happening"), list(product(Status, Happening)))
def test_every_pair_is_in_the_table_or_refused(status, happening):
    start = a_rotation(status=status)

    if (status, happening) in NEXT:
        assert advance(start, happening, NOON).status is NEXT[status, happening]
    else:
        with pytest.raises(IllegalTransition):
            advance(start, happening, NOON)


def test_what_is_over_stays_over():
    assert {start for start, _ in NEXT} == OPEN
    assert not a_rotation(status=Status.DONE).is_open


def test_a_no_after_a_lost_answer_is_doubted_until_the_charger_comes():
    lost = advance(a_rotation(status=Status.SENT), Happening.ANSWER_LOST, NOON)
    refused = advance(advance(lost, Happening.ASKED, NOON), Happening.SAID_NO, NOON)

    assert refused.status is Status.DOUBTED
    assert refused.is_open
    assert login_of(replace(refused, seen_salt=NEW), None) is Happening.CAME_WITH_NEW


def test_a_charger_that_may_have_the_new_key_is_not_given_up_before_it_comes():
    sure, unsure = a_rotation(), a_rotation(is_unsure=True)

    assert advance(sure, Happening.GIVEN_UP, NOON).status is Status.REFUSED
    assert advance(unsure, Happening.GIVEN_UP, NOON).status is Status.DOUBTED


def test_what_follows_a_yes_is_reckoned_from_the_yes():
    taken = advance(a_rotation(status=Status.SENT), Happening.SAID_YES_AT_BOOT, NOON)
    later = advance(taken, Happening.RESET, NOON + timedelta(minutes=5))

    assert (taken.status, taken.needs_boot) == (Status.TAKEN, True)
    assert (later.status, later.needs_boot, later.changed_at) == (Status.TAKEN, True, NOON)
    assert later.asked == taken.asked + 1


def test_it_is_asked_less_and_less_often():
    rests = [rest_after(asked) for asked in range(1, 20)]

    assert rests[0] == ASK_AGAIN_AFTER
    assert all(later == min(2 * rest, LONGEST_REST) for rest, later in pairwise(rests))
    assert rests[-1] == LONGEST_REST


@pytest.mark.parametrize(
    ("needs_boot", "seen_after_s", "booted_after_s", "expected"),
    [
        (False, 5, None, Happening.CAME_WITH_OLD),
        (False, 5, 2, Happening.CAME_WITH_OLD),
        (False, 5, 6, Happening.BOOTED_WITH_OLD),
        (True, 5, None, None),
        (True, 5, 2, None),
        (True, 5, 5, Happening.BOOTED_WITH_OLD),
        (True, -5, 6, None),
    ],
)
def test_only_a_boot_after_its_login_shows_that_the_charger_keeps_the_old_key(
    needs_boot, seen_after_s, booted_after_s, expected
):
    taken = a_rotation(
        status=Status.TAKEN,
        needs_boot=needs_boot,
        seen_salt=OLD,
        seen_at=NOON + timedelta(seconds=seen_after_s),
    )
    booted_at = None if booted_after_s is None else NOON + timedelta(seconds=booted_after_s)

    assert login_of(taken, booted_at) is expected


@pytest.mark.parametrize(
    ("status", "seen_salt", "seen_after_s", "expected"),
    [
        (Status.TAKEN, NEW, 1, Happening.CAME_WITH_NEW),
        (Status.SENT, NEW, -1, Happening.CAME_WITH_NEW),
        (Status.TAKEN, OLD, 1, Happening.CAME_WITH_OLD),
        (Status.DOUBTED, OLD, 1, Happening.CAME_WITH_OLD),
        (Status.TAKEN, OLD, -1, None),
        (Status.ANNOUNCED, OLD, 1, None),
        (Status.SENT, OLD, 1, None),
    ],
)
def test_only_a_login_since_the_last_step_shows_the_old_key(
    status, seen_salt, seen_after_s, expected
):
    seen_at = NOON + timedelta(seconds=seen_after_s)

    came = a_rotation(status=status, seen_salt=seen_salt, seen_at=seen_at)
    assert login_of(came, None) is expected


ANSWERS = ["took", "takes at boot", "refused", "took, unheard", "unheard", "error"]
HEARD = {
    "took": Happening.SAID_YES,
    "takes at boot": Happening.SAID_YES_AT_BOOT,
    "refused": Happening.SAID_NO,
    "error": Happening.COULD_NOT,
}


@given(st.lists(st.tuples(st.sampled_from(ANSWERS), st.booleans())), st.booleans())
def test_f13_the_key_a_charger_has_is_always_one_its_station_takes(steps, is_given_up):
    """The charger's side is played beside: `has` is the key it holds, `will_have` the one after a boot."""
    rotation, has, will_have = a_rotation(), OLD, OLD
    for answer, does_boot in steps:
        if rotation.status is not Status.ANNOUNCED:
            break
        rotation = advance(rotation, Happening.ASKED, NOON)
        will_have = NEW if answer.startswith(("take", "took")) else has
        has = NEW if answer.startswith("took") else has
        rotation = advance(rotation, HEARD.get(answer, Happening.ANSWER_LOST), NOON)
        assert has == OLD or rotation.is_open
        has = will_have if does_boot else has
        came = replace(rotation, seen_salt=has, seen_at=NOON + timedelta(seconds=1))
        booted_at = NOON + timedelta(seconds=2) if does_boot else None
        shown = login_of(came, booted_at) if rotation.is_open else None
        rotation = advance(came, shown, NOON) if shown else came
        if rotation.status is Status.ANNOUNCED and is_given_up:
            rotation = advance(rotation, Happening.GIVEN_UP, NOON)
        if rotation.status is Status.DONE:
            assert has == NEW
        if rotation.status is Status.REFUSED:
            assert {has, will_have} == {OLD}
