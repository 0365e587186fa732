"""A token that begins at several stations at once: each was told yes, and the cloud sees it too late."""

from itertools import permutations

import pytest

from cloud.adapters.sql import tables
from tests.cloud.builders import STATION, after
from tests.cloud.services.rig import CHARGER, Agent, begun, connected, over, said

OVER = "over_session_limit"


@pytest.fixture
def agents(big_rig):
    rig = big_rig
    rig.execute("UPDATE stations SET max_sessions_per_token = 1")
    return [rig.agent, *(Agent(rig, f"{STATION}-{number}") for number in (2, 3))]


def start(agents, number, at_s=0, **more):
    """Return what agent `number`, from 0, tells of a charge that begins."""
    name = CHARGER if number == 0 else f"{CHARGER}-{number + 1}"
    more = {"session_id": f"s-{number}", "charger_id": name, "transaction_id": "7"} | more
    facts = (
        connected(charger_id=name),
        said("charging", after(at_s), charger_id=name),
        begun(after(at_s), **more),
    )
    agent = agents[number]
    return agent.incoming(agent.batch(*facts))


def flags(rig):
    return {one.id: OVER in (one.flags or ()) for one in rig.rows(tables.sessions)}


def is_told(rig):
    keys = (key.split("/") for key in rig.open_alerts())
    return [charger for rule, *rest in keys if rest[-1] == OVER for charger in rest[:-1]]


def test_the_start_that_goes_over_the_limit_is_flagged_and_somebody_is_told(big_rig, agents):
    for number in (0, 1):
        big_rig.ingest.apply(start(agents, number, number))

    assert flags(big_rig) == {"s-0": False, "s-1": True}
    assert is_told(big_rig) == [f"{CHARGER}-2"]
    row = next(one for one in big_rig.rows(tables.alerts) if OVER in one.key)
    assert row.severity == "minor"
    assert "s-1 is charge 2 of 1" in row.detail


@pytest.mark.parametrize("order", list(permutations((0, 1))))
def test_of_two_that_come_together_the_later_is_over(big_rig, agents, order):
    incoming = [start(agents, number, number) for number in order]
    big_rig.ingest.apply_all(incoming)

    assert flags(big_rig) == {"s-0": False, "s-1": True}


def test_a_limit_of_two_lets_two(big_rig, agents):
    big_rig.execute("UPDATE charging_tokens SET max_sessions = 2")
    for number in (0, 1, 2):
        big_rig.ingest.apply(start(agents, number, number))

    assert flags(big_rig) == {"s-0": False, "s-1": False, "s-2": True}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE charging_tokens SET max_sessions = 0",
        "UPDATE stations SET max_sessions_per_token = 0",
        "DELETE FROM charging_tokens",
    ],
)
def test_where_nothing_limits_nothing_is_over(big_rig, agents, change):
    big_rig.execute(change)
    for number in (0, 1):
        big_rig.ingest.apply(start(agents, number, number))

    assert flags(big_rig) == {"s-0": False, "s-1": False}
    assert is_told(big_rig) == []


@pytest.mark.parametrize("is_together", [True, False])
def test_what_is_over_by_then_does_not_count(big_rig, agents, is_together):
    big_rig.pass_by(60)
    first = agents[0]
    big_rig.ingest.apply(start(agents, 0))
    ended = first.incoming(first.batch(over(2_000, after(20), session_id="s-0")))
    second = start(agents, 1, 30)
    if is_together:
        big_rig.ingest.apply_all([second, ended])
    else:
        big_rig.ingest.apply(ended)
        big_rig.ingest.apply(second)

    assert flags(big_rig) == {"s-0": False, "s-1": False}


def test_another_card_and_the_next_charge_at_the_same_plug_are_no_more(big_rig, agents):
    big_rig.pass_by(60)
    big_rig.ingest.apply(start(agents, 0))
    big_rig.ingest.apply(start(agents, 0, 30, session_id="s-9", transaction_id="8"))
    big_rig.ingest.apply(start(agents, 1, 40, token="other"))

    assert not any(flags(big_rig).values())
