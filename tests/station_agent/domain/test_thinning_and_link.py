"""What may be dropped, and whether the cloud can be asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station_agent.domain.link import Link
from station_agent.domain.thinning import CHATTER, DROP_ORDER, TELEMETRY, Head, expendable

HEADS = st.builds(
    Head,
    kind=st.sampled_from(["meter_sampled", "session_started", "oddity_observed"]),
    session_id=st.sampled_from([None, "a", "b"]),
)


def test_the_first_and_last_sample_of_a_session_stay():
    facts = [Head("meter_sampled", "a")] * 5 + [Head("meter_sampled", "b")]

    assert expendable(facts, TELEMETRY) == {1, 2, 3}


def test_samples_outside_any_session_may_all_go():
    assert expendable([Head("meter_sampled")] * 3, TELEMETRY) == {0, 1, 2}


def test_a_sample_that_is_a_part_of_a_sum_stays():
    facts = [Head("meter_sampled", "a", 20)] * 5 + [Head("meter_sampled", None, 20)] * 2

    assert expendable(facts, TELEMETRY) == {5, 6}


@given(st.lists(HEADS), st.sampled_from(DROP_ORDER))
def test_only_what_is_asked_for_goes_and_sessions_keep_their_ends(facts, kinds):
    going = expendable(facts, kinds)

    assert {facts[index].kind for index in going} <= kinds
    for session in ("a", "b"):
        samples = [i for i, f in enumerate(facts) if f == Head("meter_sampled", session)]
        assert not {*samples[:1], *samples[-1:]} & going


def test_nothing_is_dropped_that_a_bill_or_a_bay_rests_on():
    for kind in ("session_started", "session_ended", "command_answered", "message_quarantined"):
        assert kind not in TELEMETRY | CHATTER


@pytest.mark.parametrize(
    ("heard_at", "now", "is_on"), [(None, 1e6, True), (100, 145, True), (100, 145.1, False)]
)
def test_a_connected_cloud_counts_as_there_while_it_answers(heard_at, now, is_on):
    link = Link(patience_s=45)
    link.connect()
    if heard_at is not None:
        link.hear(heard_at)

    assert link.is_on(now) is is_on


def test_a_cut_link_is_off_and_a_new_one_has_the_benefit_of_the_doubt():
    link = Link(patience_s=45)
    assert not link.is_on(0)
    link.connect()
    link.hear(1)
    link.disconnect()
    assert not link.is_on(1)
    link.connect()

    assert link.is_on(1e6)
