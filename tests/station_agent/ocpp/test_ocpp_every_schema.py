"""Every schema of every version, broken in every way it can be, and kept to in any way (FAULTS P02, P14)."""

import asyncio
import json
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from contracts import commands
from contracts.events import CommandOutcome, MessageQuarantined, OddityObserved
from station_agent.ocpp.answering import Answering, Services, Timing
from station_agent.ocpp.handshake import VERSIONS
from station_agent.ocpp.judging import outcome_of
from station_agent.ocpp.rpc import MAX_FRAME_BYTES, Call, Rpc
from station_agent.ocpp.versions import CommandContext, Outbound, Untranslatable
from tests.station_agent.ocpp.fakes import NOW, FakeAuthorizer, FakeClock, FakeOutbox, a_view
from tests.support.schema_payloads import CODES, Spoiled, fitting, fullest, spoiled

pytestmark = pytest.mark.slow

ACTIONS = [
    pytest.param(subprotocol, action, id=f"{subprotocol}-{action}")
    for subprotocol, version in VERSIONS.items()
    for action in sorted(version.schemas.actions)
]
SERVED = [
    pytest.param(subprotocol, action, id=f"{subprotocol}-{action}")
    for subprotocol, version in VERSIONS.items()
    for action in sorted(version.routes)
]
ASKED = ACTIONS + [one for one in SERVED if one.values not in {two.values for two in ACTIONS}]
"""With those that are sent and never answered."""
few = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
    database=None,
)


class Answered(NamedTuple):
    """What a charger got, and what the outbox."""

    reply: list[Any]
    facts: list[Any]

    @property
    def is_flagged(self) -> bool:
        """Whether it is told that the message was odd."""
        return any(
            isinstance(one, MessageQuarantined)
            or (isinstance(one, OddityObserved) and one.oddity == "payload_mended")
            for one in self.facts
        )


async def say(subprotocol: str, action: str, payload: dict[str, Any]) -> Answered:
    """Let a charger say this, and nothing before it."""
    version, outbox = VERSIONS[subprotocol], FakeOutbox()
    rpc = Rpc(version.dialect)
    services = Services(outbox, outbox, FakeAuthorizer(), FakeClock(), Timing())
    answering = Answering(version, a_view(outbox), rpc, services)
    frame = json.dumps([2, "1", action, payload]).encode()
    received = rpc.receive(frame)
    assert isinstance(received, Call), received
    reply = await answering.reply(received, frame)
    assert reply is not None
    return Answered(json.loads(reply), outbox.facts)


def cases_of(definition: dict[str, Any]) -> list[Spoiled]:
    """Return what can be wrong of what fits into a frame."""
    fit = MAX_FRAME_BYTES - 200
    return [case for case in spoiled(definition) if len(json.dumps(case.payload)) < fit]


@pytest.mark.parametrize(("subprotocol", "action"), ASKED)
async def test_p02_whatever_is_wrong_with_a_message_is_answered_with_its_code(subprotocol, action):
    version = VERSIONS[subprotocol]
    route = version.routes.get(action)
    for case in cases_of(version.schemas.request(action).definition):
        answered = await say(subprotocol, action, case.payload)

        code = CODES[subprotocol][case.wrong] if route else "NotSupported"
        if route is not None and route.is_forgiving:
            assert (answered.reply[0] == 3) is case.is_soft, case
        if answered.reply[0] == 4:
            assert answered.reply[1:3] == ["1", code], case
            assert len(answered.reply) == 5
            assert route is None or route.last_resort is None
        else:
            assert route is not None
            assert route.is_lenient or route.is_forgiving, case
            assert version.schemas.response(action).fits(answered.reply[2]), case
            assert answered.is_flagged, case


@pytest.mark.parametrize(("subprotocol", "action"), SERVED)
@few
@given(data=st.data())
def test_p02_what_fits_is_never_refused(subprotocol, action, data):
    version = VERSIONS[subprotocol]
    payload = data.draw(fitting(version.schemas.request(action).definition))

    answered = asyncio.run(say(subprotocol, action, payload))

    assert answered.reply[:2] == [3, "1"], answered.reply
    assert version.schemas.response(action).misfit(answered.reply[2]) is None


@pytest.mark.parametrize(("subprotocol", "action"), ACTIONS)
def test_p02_a_call_of_ours_that_breaks_its_schema_never_leaves(subprotocol, action):
    version = VERSIONS[subprotocol]
    definition = version.schemas.request(action).definition
    context = CommandContext("CP-1", FakeOutbox())
    for case in cases_of(definition):
        request = commands.CallCharger(charger_id="CP-1", action=action, payload=case.payload)
        with pytest.raises(Untranslatable):
            version.translate(request, context)


@pytest.mark.parametrize(("subprotocol", "action"), ACTIONS)
def test_p02_an_answer_that_breaks_its_schema_teaches_nothing_and_harms_nothing(
    subprotocol, action
):
    version = VERSIONS[subprotocol]
    asked = Outbound(action, fullest(version.schemas.request(action).definition))
    definition = version.schemas.response(action).definition
    for case in cases_of(definition):
        facts = version.learn(asked, case.payload, "CP-1", NOW)
        outcome = outcome_of(action, case.payload, definition)
        lacks_its_word = "status" in definition.get("required", ()) and not isinstance(
            case.payload.get("status"), str
        )

        assert not facts
        assert outcome is None or (outcome in CommandOutcome and not lacks_its_word), case


@pytest.mark.parametrize(
    ("subprotocol", "action"),
    [
        pytest.param(subprotocol, action, id=f"{subprotocol}-{action}")
        for subprotocol, version in VERSIONS.items()
        for action in sorted(version.learnt)
    ],
)
@few
@given(data=st.data())
def test_p02_any_answer_that_fits_to_any_call_that_fits_is_learnt_from(subprotocol, action, data):
    version = VERSIONS[subprotocol]
    asked = data.draw(fitting(version.schemas.request(action).definition))
    answer = data.draw(fitting(version.schemas.response(action).definition))

    facts = version.learn(Outbound(action, asked), answer, "CP-1", NOW)

    assert all(one.charger_id == "CP-1" for one in facts)


@pytest.mark.parametrize("subprotocol", sorted(VERSIONS))
async def test_p02_nothing_of_it_is_logged_as_an_error_of_ours(subprotocol):
    version = VERSIONS[subprotocol]
    with capture_logs() as logs:
        for action in version.routes:
            for case in cases_of(version.schemas.request(action).definition)[::7]:
                await say(subprotocol, action, case.payload)

    assert [one for one in logs if one["log_level"] == "error"] == []
