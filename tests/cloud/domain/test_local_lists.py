"""A charger is sent what it has not; whole where nobody can tell what it has."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cloud.domain.local_lists import LocalList, Sending, answered, next_sending, sent

NOW = datetime(2026, 5, 4, 10, tzinfo=UTC)
YES, NO = {"is_valid": True}, {"is_valid": False}
MANY = {f"t{one}": YES for one in range(10)}
HELD = LocalList(charger_id="CP-1", is_kept=True, version=4, entries=MANY, changed_at=NOW)


@pytest.mark.parametrize("told", [None, 4])
def test_a_list_that_is_as_it_should_be_is_left_alone(told):
    assert next_sending(HELD, MANY, told) is None


def test_what_changed_is_sent_and_what_is_gone():
    wanted = {name: one for name, one in MANY.items() if name != "t0"} | {"t1": NO, "new": YES}

    sending = next_sending(HELD, wanted, 4)
    assert sending == Sending(5, is_whole=False, put={"t1": NO, "new": YES}, gone={"t0": YES})


@pytest.mark.parametrize(
    ("held", "told", "version"),
    [
        (replace(HELD, version=0, entries={}), None, 1),
        (replace(HELD, version=0, entries={}), 7, 8),
        (HELD, 0, 5),
        (HELD, 9, 10),
        (HELD, -1, 5),
    ],
)
def test_a_charger_with_another_list_than_we_think_gets_all(held, told, version):
    assert next_sending(held, MANY, told) == Sending(version, is_whole=True, put=MANY)


def test_a_token_of_another_type_would_stay_beside_itself_so_the_whole_is_sent():
    wanted = MANY | {"t1": YES | {"token_type": "eMAID"}}

    assert next_sending(HELD, wanted, 4) == Sending(5, is_whole=True, put=wanted)
    of_type = replace(HELD, entries=wanted)
    assert next_sending(of_type, wanted | {"t1": NO | {"token_type": "eMAID"}}, 4).is_whole is False


def test_where_most_changed_the_whole_is_sent():
    assert next_sending(HELD, dict.fromkeys(MANY, NO), 4) == Sending(
        5, is_whole=True, put=dict.fromkeys(MANY, NO)
    )


def test_a_list_that_was_taken_is_held_and_of_one_refused_nothing_is_known():
    sending = sent(HELD, {"a": YES}, "c-1", NOW)
    taken = answered(sending, is_taken=True, version=6, now=NOW)
    refused = answered(sending, is_taken=False, version=4, now=NOW)

    assert sending.is_sending
    assert (taken.version, taken.entries, taken.is_sending) == (6, {"a": YES}, False)
    assert (refused.version, refused.entries, refused.is_sending) == (0, {}, False)
