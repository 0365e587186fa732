"""Every message of the wire has a golden file, read and written back equal.

A change that breaks one of these breaks stations in the field: they are updated later than the cloud.
"""

import json
from typing import get_args

import msgspec
import pytest

from contracts.batch import (
    Ack,
    AuthorizeAnswer,
    AuthorizeAsk,
    Batch,
    Beat,
    RelayAnswer,
    RelayAsk,
    UnknownEvent,
    decode_ack,
    decode_batch,
)
from contracts.commands import Command, Request, decode_command
from contracts.events import Event
from contracts.link import Link, decode_link
from contracts.plan import Plan, decode_plan
from contracts.wire import encode
from tests.support.processes import ROOT

GOLDEN = ROOT / "tests" / "golden" / "contracts"
EVENTS = sorted((GOLDEN / "events").glob("*.json"))
COMMANDS = sorted((GOLDEN / "commands").glob("*.json"))
ENVELOPES = {
    "batch": (Batch, decode_batch),
    "command": (Command, decode_command),
    "ack": (Ack, decode_ack),
    "authorize_answer": (AuthorizeAnswer, decode_ack),
    "relay_answer": (RelayAnswer, decode_ack),
    "link": (Link, decode_link),
    "plan": (Plan, decode_plan),
}


def kinds(union) -> set[str]:
    return {one.__struct_config__.tag for one in get_args(union)}


def test_every_event_and_command_has_a_golden_file_and_every_file_its_kind():
    assert {path.stem for path in EVENTS} == kinds(Event)
    assert {path.stem for path in COMMANDS} == kinds(Request)
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(ENVELOPES)


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_an_event_is_read_and_written_back_equal(path):
    message = msgspec.json.decode(path.read_bytes(), type=Event)

    assert json.loads(encode(message)) == json.loads(path.read_text())


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_a_command_is_read_and_written_back_equal(path):
    message = msgspec.json.decode(path.read_bytes(), type=Request)

    assert json.loads(encode(message)) == json.loads(path.read_text())


@pytest.mark.parametrize("name", list(ENVELOPES))
def test_an_envelope_is_read_and_written_back_equal(name):
    golden = (GOLDEN / f"{name}.json").read_bytes()
    kind, decode = ENVELOPES[name]

    message = decode(golden)

    assert isinstance(message, kind)
    assert json.loads(encode(message)) == json.loads(golden)


def test_the_golden_files_say_every_field_of_every_message():
    """Values differ from the defaults: what equals its default is not written."""
    said = {path.stem: json.loads(path.read_text()) for path in [*EVENTS, *COMMANDS]}
    missing = {
        f"{tag}.{name}"
        for kind in (*get_args(Event), *get_args(Request))
        for tag in [kind.__struct_config__.tag]
        for name in kind.__struct_encode_fields__
        if name not in said[tag]
    }

    assert missing == set()


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (Batch, ("batch",)),
        (Beat, ("batch", "beat")),
        (AuthorizeAsk, ("batch", "asks", 0)),
        (RelayAsk, ("batch", "relays", 0)),
        (UnknownEvent, ("batch", "events", 1)),
        (Command, ("command",)),
        (Ack, ("ack",)),
        (AuthorizeAnswer, ("authorize_answer",)),
        (RelayAnswer, ("relay_answer",)),
        (Link, ("link",)),
        (Plan, ("plan",)),
        (msgspec.inspect.type_info(Plan).fields[4].type.item_type.cls, ("plan", "tokens", 0)),
        (msgspec.inspect.type_info(Plan).fields[5].type.item_type.cls, ("plan", "reservations", 0)),
        (msgspec.inspect.type_info(Plan).fields[6].type.item_type.cls, ("plan", "power_limits", 0)),
        (msgspec.inspect.type_info(Plan).fields[7].type.item_type.cls, ("plan", "chargers", 0)),
    ],
)
def test_the_golden_envelopes_say_every_field_of_every_part(kind, path):
    part = json.loads((GOLDEN / f"{path[0]}.json").read_text())
    for step in path[1:]:
        part = part[step]

    assert set(kind.__struct_encode_fields__) <= set(part)
