"""Answers of chargers, judged."""

import pytest

from contracts import commands
from contracts.events import CommandOutcome
from contracts.plan import Registration
from station_agent.ocpp import v16
from station_agent.ocpp.connection import NotAnswered
from station_agent.ocpp.connections import Connections
from station_agent.ocpp.gateway import Gateway, outcome_of
from station_agent.ocpp.rpc import Answered, AnsweredWithError
from tests.station_agent.ocpp.fakes import FakeClock, FakeOutbox, a_view

RESET = commands.ResetCharger(charger_id="CP-1")


class FakeConnection:
    """Answers each call as it is told."""

    version = v16.VERSION

    def __init__(self, answer) -> None:
        self.charger = a_view(FakeOutbox())
        self.answer = answer
        self.calls: list[tuple] = []

    async def call(self, action, payload, timeout_s, on_answer):
        self.calls.append((action, payload, timeout_s))
        answer = self.answer(action, payload) if callable(self.answer) else self.answer
        if isinstance(answer, Answered):
            await on_answer(answer.payload)
        return answer


def a_gateway(connection: FakeConnection | None) -> Gateway:
    connections = Connections(FakeClock(), 60)
    if connection is not None:
        connections.put(connection)
    return Gateway(connections, FakeOutbox(), FakeOutbox(), FakeClock())


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answered({"status": "Accepted"}), CommandOutcome.ACCEPTED),
        (Answered({"status": "Scheduled"}), CommandOutcome.ACCEPTED),
        (Answered({}), CommandOutcome.ACCEPTED),
        (Answered({"status": "Rejected"}), CommandOutcome.REJECTED),
        (Answered({"status": "UnlockFailed"}), CommandOutcome.REJECTED),
        (Answered({"status": "Nonsense"}), CommandOutcome.REJECTED),
        (AnsweredWithError("NotSupported", "", {}), CommandOutcome.FAILED),
        (NotAnswered(was_sent=True), CommandOutcome.TIMED_OUT),
        (NotAnswered(was_sent=False), CommandOutcome.EXPIRED),
    ],
)
async def test_each_answer_has_its_outcome(answer, outcome):
    connection = FakeConnection(answer)

    result = await a_gateway(connection).execute(RESET, 5)

    assert result.outcome is outcome
    assert connection.calls == [("Reset", {"type": "Soft"}, 5)]


async def test_a_charger_that_is_not_there_is_offline():
    result = await a_gateway(None).execute(RESET, 5)

    assert result.outcome is CommandOutcome.CHARGER_OFFLINE


async def test_b03_fr_03_nothing_is_sent_to_who_was_rejected():
    connection = FakeConnection(Answered({"status": "Accepted"}))
    gateway = a_gateway(connection)
    connection.charger.talk.registration = Registration.REJECTED
    refused = await gateway.execute(RESET, 5)
    calls = list(connection.calls)
    connection.charger.talk.registration = Registration.PENDING
    taken = await gateway.execute(RESET, 5)

    assert refused.outcome is CommandOutcome.FAILED
    assert refused.answer["code"] == "NotLetIn"
    assert calls == []
    assert taken.outcome is CommandOutcome.ACCEPTED


async def test_what_cannot_be_said_in_the_chargers_version_fails_unsent():
    connection = FakeConnection(Answered({}))
    request = commands.CallCharger(charger_id="CP-1", action="GetVariables")

    result = await a_gateway(connection).execute(request, 5)

    assert result.outcome is CommandOutcome.FAILED
    assert result.answer["code"] == "NotTranslatable"
    assert "GetVariables" in result.answer["description"]
    assert connection.calls == []


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        (["Accepted", "RebootRequired"], CommandOutcome.ACCEPTED),
        (["Accepted", "UnknownVariable"], CommandOutcome.REJECTED),
    ],
)
def test_several_results_mean_yes_if_all_do(words, outcome):
    results = [{"attributeStatus": word} for word in words]

    assert outcome_of({"setVariableResult": results}) is outcome
