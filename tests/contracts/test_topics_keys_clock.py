"""Topics name their station and nobody else's; keys are checked, not compared; clocks agree."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import topics
from contracts.clock import FastClock, SystemClock, clock_from
from contracts.ids import is_identity, is_slug, same_token
from contracts.keys import hash_key, is_key, new_key, new_salt
from contracts.topics import Channel

SPELLED = {
    topics.events: "baywatt/1/dundee/events",
    topics.acks: "baywatt/1/dundee/acks",
    topics.link: "baywatt/1/dundee/link",
    topics.commands: "baywatt/1/dundee/commands",
    topics.plan: "baywatt/1/dundee/plan",
    topics.availability: "baywatt/1/availability/dundee",
    topics.changes: "baywatt/1/changes/dundee",
}


@pytest.mark.parametrize(("spell", "topic"), list(SPELLED.items()), ids=SPELLED.values())
def test_every_topic_is_spelled_as_the_broker_rules_say_and_names_its_station(spell, topic):
    assert spell("dundee") == topic
    assert topics.station_of(topic) == "dundee"


def test_the_filters_cover_all_stations():
    assert [topics.every(one) for one in Channel] == [f"baywatt/1/+/{one}" for one in Channel]
    assert topics.everything() == "baywatt/1/#"
    assert topics.every_change() == "baywatt/1/changes/+"
    assert topics.shared("ingest", topics.every(Channel.EVENTS)) == (
        "$share/ingest/baywatt/1/+/events"
    )


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "baywatt",
        "baywatt/2/dundee/events",
        "baywatt/1/Dundee/events",
        "baywatt/1//events",
        "baywatt/1/dundee/events/more",
        "baywatt/1/+/events",
        "/baywatt/1/a",
        "zigbee2mqtt/gm-1",
    ],
)
def test_a_foreign_topic_is_nobodys(topic):
    assert topics.station_of(topic) is None


@pytest.mark.slow
@given(st.text())
def test_any_text_is_a_topic_of_somebody_or_nobody(text):
    station = topics.station_of(text)

    assert station is None or is_slug(station)


@pytest.mark.parametrize(
    ("text", "is_a_slug", "is_an_identity"),
    [
        ("dundee-greenmarket-1", True, True),
        ("DD-GREEN-01", False, True),
        ("a" * 48, True, True),
        ("a" * 64, False, False),
        ("", False, False),
        ("a b", False, False),
        ("a\n", False, False),
        ("../a", False, False),
        ("-a", False, True),
    ],
)
def test_names_are_written_as_the_wire_allows(text, is_a_slug, is_an_identity):
    assert is_slug(text) is is_a_slug
    assert is_identity(text) is is_an_identity


@pytest.mark.parametrize("token", ["04a2B3", " 04A2B3 ", "04A2B3\x10\x0e", "04a2b3\n"])
def test_tokens_are_the_same_whatever_the_case_and_the_rubbish_around(token):
    assert same_token(token) == same_token("04A2B3")


def test_a_key_is_known_by_its_hash_under_its_own_salt_only():
    key, salt, other = new_key(), new_salt(), new_salt()

    assert is_key(salt, hash_key(salt, key), key)
    assert not is_key(salt, hash_key(salt, key), new_key())
    assert not is_key(other, hash_key(salt, key), key)
    assert len(key) == 40


ORIGIN = "2026-05-04T10:00:00Z"


def test_fast_clocks_of_one_speed_and_origin_agree_and_run_ahead():
    one, two = clock_from(f"fast:1000:{ORIGIN}"), clock_from(f"fast:1000:{ORIGIN}")

    assert abs(one.now() - two.now()) < timedelta(seconds=1000)
    assert one.real_s(600) == 0.6


def test_a_fast_clock_starts_at_its_origin():
    before = datetime.now(UTC)
    clock = FastClock(60, before)

    assert before <= clock.now() <= before + 60 * (datetime.now(UTC) - before)


async def test_a_fast_clock_sleeps_its_own_seconds():
    clock = FastClock(1_000_000, datetime.now(UTC))
    began = clock.monotonic()
    await clock.sleep(10_000)

    assert clock.monotonic() - began >= 10_000


def test_the_system_clock_is_the_machines():
    clock = clock_from("system")

    assert isinstance(clock, SystemClock)
    assert clock.now().tzinfo is UTC
    assert clock.real_s(3) == 3


@pytest.mark.parametrize("spec", ["", "slow", "fast", "fast:10", "fast:x:2026-05-04T10:00:00Z"])
def test_a_clock_nobody_knows_is_refused(spec):
    with pytest.raises(ValueError, match=r"clock|float"):
        clock_from(spec)


def test_an_origin_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        clock_from("fast:10:2026-05-04T10:00:00")
