"""Every served message, tampered with anywhere: answered as allowed, stored as storable, never a crash."""

import asyncio
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station_agent.ocpp.answering import Answering, Services, Timing
from station_agent.ocpp.handshake import VERSIONS
from station_agent.ocpp.rpc import Call, Refused, Rpc
from tests.station_agent.ocpp.fakes import FakeAuthorizer, FakeClock, FakeOutbox, a_view

GOLDEN = Path(__file__).parents[2] / "golden"
MESSAGES = {
    subprotocol: [
        (file.stem, case["request"])
        for file in sorted((GOLDEN / subprotocol).glob("*.json"))
        for case in json.loads(file.read_text())
    ]
    for subprotocol in VERSIONS
}
TRANSACTION = {"StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent"}
WRONG = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 2**31, 2**63, -(2**63) - 1, 10**40, 1e308, -0.0]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=40),
    st.sampled_from(
        ["", " ", "x" * 3000, "\0", "NaN", "1e309", "9999-12-31T23:59:59-14:00", "\U0001f50c"]
    ),
    st.lists(st.none() | st.integers() | st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


def places(node: Any, path: tuple = ()) -> list[tuple]:
    """Return the path of every value within a payload."""
    found = [path] if path else []
    if isinstance(node, dict):
        for key, value in node.items():
            found += places(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            found += places(value, (*path, index))
    return found


@st.composite
def tampered(draw, subprotocol: str) -> tuple[str, dict]:
    """Draw a message with one to three values replaced, removed or added."""
    action, request = draw(st.sampled_from(MESSAGES[subprotocol]))
    payload = copy.deepcopy(request)
    for _ in range(draw(st.integers(1, 3))):
        found = places(payload)
        if not found:
            payload[draw(st.text(max_size=5))] = draw(WRONG)
            continue
        *way, last = draw(st.sampled_from(found))
        node = payload
        for step in way:
            node = node[step]
        if draw(st.booleans()):
            node[last] = draw(WRONG)
        elif isinstance(node, dict):
            del node[last]
            node |= draw(st.dictionaries(st.text(max_size=5), WRONG, max_size=1))
    return action, payload


async def answers_to(subprotocol: str, action: str, payload: dict) -> list[list]:
    """Return the replies to the message, said twice under two ids."""
    version = VERSIONS[subprotocol]
    outbox, rpc = FakeOutbox(), Rpc(version.dialect)
    services = Services(outbox, outbox, FakeAuthorizer(), FakeClock(), Timing())
    answering = Answering(version, a_view(outbox), rpc, services)
    replies = []
    for message_id in ("1", "2"):
        frame = json.dumps([2, message_id, action, payload]).encode()
        received = rpc.receive(frame)
        assert isinstance(received, Call | Refused)
        reply = await answering.reply(received, frame)
        assert reply is not None
        replies.append(json.loads(reply))
    return replies


@pytest.mark.parametrize("subprotocol", sorted(VERSIONS))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_p02_p14_whatever_is_tampered_with_the_answer_is_an_allowed_one(subprotocol, data):
    action, payload = data.draw(tampered(subprotocol))
    version = VERSIONS[subprotocol]

    for reply in asyncio.run(answers_to(subprotocol, action, payload)):
        if reply[0] == 3:
            assert version.schemas.response(action).misfit(reply[2]) is None
        else:
            assert reply[2] in set(version.dialect.codes.values()) - {"InternalError"}
            assert action not in TRANSACTION
