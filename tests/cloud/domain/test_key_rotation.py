"""A charger that changes keys is never locked out, and never has more than one key too many."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.errors import IllegalTransition
from cloud.domain.key_rotation import (
    NEXT,
    OPEN,
    Happening,
    Rotation,
    Status,
    advance,
    login_of,
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
    assert login_of(replace(refused, seen_salt=NEW)) is Happening.CAME_WITH_NEW


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

    assert login_of(a_rotation(status=status, seen_salt=seen_salt, seen_at=seen_at)) is expected


@given(st.lists(st.sampled_from(["took", "refused", "took, unheard", "unheard", "error"])))
def test_f13_the_key_a_charger_has_is_always_one_its_station_takes(answers):
    """The charger's side is played beside: `has` is the key it holds."""
    rotation, has = a_rotation(), OLD
    for answer in answers:
        if rotation.status is not Status.ANNOUNCED:
            break
        rotation = advance(rotation, Happening.ASKED, NOON)
        has = NEW if answer.startswith("took") else has
        happened = {
            "took": Happening.SAID_YES,
            "refused": Happening.SAID_NO,
            "error": Happening.COULD_NOT,
        }.get(answer, Happening.ANSWER_LOST)
        rotation = advance(rotation, happened, NOON)
        good = {OLD, NEW} if rotation.is_open else {OLD}
        assert has in good
        came = replace(rotation, seen_salt=has, seen_at=NOON + timedelta(seconds=1))
        shown = login_of(came) if rotation.is_open else None
        after = advance(came, shown, NOON) if shown else came
        if after.status is Status.DONE:
            assert has == NEW
        if after.status is Status.REFUSED:
            assert has == OLD
