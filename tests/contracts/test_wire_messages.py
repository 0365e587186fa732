"""Messages survive the wire, newer peers, and bytes that are no message at all."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.batch import (
    Ack,
    AuthorizeAnswer,
    Batch,
    UnknownEvent,
    decode_ack,
    decode_batch,
)
from contracts.commands import Command, decode_command
from contracts.link import Link, decode_link
from contracts.plan import Plan, decode_plan
from contracts.wire import Broken, encode
from tests.contracts.strategies import any_valid

DECODERS = [decode_batch, decode_ack, decode_command, decode_link, decode_plan]


@pytest.mark.slow
@given(any_valid(Batch))
def test_any_batch_survives_the_wire(batch):
    assert decode_batch(encode(batch)) == batch


@given(any_valid(Command))
def test_any_command_survives_the_wire(command):
    assert decode_command(encode(command)) == command


@given(any_valid(Plan))
def test_any_plan_survives_the_wire(plan):
    assert decode_plan(encode(plan)) == plan


@given(any_valid(Link))
def test_any_link_survives_the_wire(link):
    assert decode_link(encode(link)) == link


@given(any_valid(Ack | AuthorizeAnswer))
def test_any_answer_of_the_cloud_survives_the_wire(answer):
    assert decode_ack(encode(answer)) == answer


@given(st.sampled_from(DECODERS), st.binary(max_size=200))
def test_bytes_that_are_no_message_are_broken_and_nothing_else(decode, payload):
    with pytest.raises(Broken):
        decode(payload)


ABUSE = {
    "empty": b"",
    "not utf-8": b'{"station": "\xff"}',
    "nothing but nesting": b"[" * 100_000,
    "deep nesting in a field": b'{"station":' + b"[" * 100_000,
    "infinite number": b'{"station": "s", "epoch": 1e999}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "nul": b"\x00",
    "a list": b"[]",
    "no object": b"null",
}


@pytest.mark.parametrize("payload", list(ABUSE.values()), ids=list(ABUSE))
@pytest.mark.parametrize("decode", DECODERS)
def test_abuse_is_broken_and_nothing_else(decode, payload):
    with pytest.raises(Broken):
        decode(payload)


def a_batch_with(*events: object) -> bytes:
    return json.dumps(
        {
            "station": "dundee-greenmarket",
            "epoch": 1,
            "first_seq": 1,
            "sent_at": "2026-05-04T10:15:00Z",
            "events": list(events),
        }
    ).encode()


STARTED = {
    "kind": "agent_started",
    "agent_version": "9",
    "observed_at": "2026-05-04T10:15:00Z",
}


def test_an_event_of_a_newer_peer_is_kept_as_it_came_and_its_neighbours_are_read():
    newer = {"kind": "bay_swept", "bay_id": "dundee-greenmarket-1", "leaves": [1, {"of": "oak"}]}

    batch = decode_batch(a_batch_with(STARTED, newer, STARTED))

    first, kept, last = batch.events
    assert first == last
    assert isinstance(kept, UnknownEvent)
    assert (kept.event_kind, kept.body) == ("bay_swept", newer)


def test_a_field_of_a_newer_peer_is_passed_over():
    batch = decode_batch(a_batch_with(STARTED | {"mood": "fine"}))

    assert encode(batch.events[0]) == msgspec.json.encode(STARTED)


@pytest.mark.parametrize(
    "broken",
    [
        {"kind": "agent_started", "agent_version": "9"},
        STARTED | {"observed_at": "2026-05-04T10:15:00"},
        STARTED | {"observed_at": "yesterday"},
        STARTED | {"agent_version": 9},
        {"kind": 7},
        {},
        7,
        None,
        "agent_started",
        [],
    ],
    ids=str,
)
def test_a_broken_event_keeps_its_place_and_its_bytes(broken):
    batch = decode_batch(a_batch_with(STARTED, broken, STARTED))

    assert len(batch.events) == 3
    assert isinstance(batch.events[1], UnknownEvent)
    assert batch.events[1].body == broken
    assert batch.events[1].error


@given(st.lists(st.just(STARTED) | st.dictionaries(st.text(), st.integers(0, 9)), max_size=6))
def test_however_many_events_are_broken_the_numbering_holds(events):
    assert len(decode_batch(a_batch_with(*events)).events) == len(events)


def test_an_event_that_is_not_even_text_keeps_its_place_too():
    rubbish = b'{"kind": "\xff"}'
    payload = a_batch_with(STARTED, "here", STARTED).replace(b'"here"', rubbish)

    first, kept, last = decode_batch(payload).events
    assert first == last
    assert isinstance(kept, UnknownEvent)
    assert kept.body == rubbish.decode(errors="replace")


def test_an_unknown_event_passed_on_is_read_again_as_what_it_was():
    first = decode_batch(a_batch_with({"kind": "bay_swept"}))

    assert decode_batch(encode(first)) == first


def test_an_instant_without_a_zone_breaks_the_envelope():
    with pytest.raises(Broken, match="sent_at"):
        decode_batch(a_batch_with().replace(b"10:15:00Z", b"10:15:00"))


@pytest.mark.parametrize("change", [("epoch", 0), ("first_seq", 0), ("station", "Not A Slug")])
def test_numbers_out_of_range_and_foreign_names_break_the_envelope(change):
    body = json.loads(a_batch_with()) | {change[0]: change[1]}

    with pytest.raises(Broken, match=change[0]):
        decode_batch(json.dumps(body).encode())


def test_a_reservation_of_an_older_cloud_is_kept_from_its_start_and_no_charger_is_told():
    older = {
        "reservation_id": "r-1",
        "bay_id": "b1",
        "token": "T",
        "starts_at": "2026-05-04T10:30:00Z",
        "ends_at": "2026-05-04T11:30:00Z",
    }
    plan = {"station": "s", "version": 1, "issued_at": "2026-05-04T10:15:00Z"}

    (kept,) = decode_plan(json.dumps(plan | {"reservations": [older]}).encode()).reservations

    assert kept.protected_from == kept.starts_at
    assert kept.reservation_number == 0
