"""Answers of chargers, judged."""

import pytest

from contracts import commands
from contracts.events import CommandOutcome
from contracts.plan import Registration
from station_agent.ocpp import v16, v21, v201
from station_agent.ocpp.connection import NotAnswered
from station_agent.ocpp.connections import Connections
from station_agent.ocpp.gateway import Gateway
from station_agent.ocpp.rpc import Answered, AnsweredWithError
from station_agent.ports import UNREADABLE
from tests.station_agent.ocpp.fakes import NOW, FakeClock, FakeOutbox, a_view

RESET = commands.ResetCharger(charger_id="CP-1")


class FakeConnection:
    """Answers each call as it is told."""

    def __init__(self, answer, version=v16.VERSION) -> None:
        self.version = version
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
        (Answered({}), CommandOutcome.FAILED),
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


def called(action, payload=None):
    return commands.CallCharger(charger_id="CP-1", action=action, payload=payload or {})


RESERVE = commands.ReserveEvse(
    charger_id="CP-1", evse_id=1, reservation_number=7, token="A", until_at=NOW
)
PLACE = {"component": {"name": "C"}, "variable": {"name": "V"}}
SET = called("SetVariables", {"setVariableData": [PLACE | {"attributeValue": "1"}]})
YES = {"attributeStatus": "Accepted"}


@pytest.mark.parametrize(
    ("version", "request_", "answer"),
    [
        (v16, RESERVE, {}),
        (v201, RESERVE, {"status": None}),
        (v21, RESERVE, {"status": ["Accepted"]}),
        (v201, RESERVE, {"statusInfo": {"reasonCode": "Accepted"}}),
        (v201, RESET, {}),
        (v201, commands.StartSession(charger_id="CP-1", evse_id=1, token="A"), {}),
        (v16, called("ChangeConfiguration", {"key": "a", "value": "b"}), {}),
        (v201, SET, {}),
        (v201, SET, {"setVariableResult": []}),
        (v201, SET, {"setVariableResult": "Accepted"}),
        (v201, SET, {"setVariableResult": ["Accepted"]}),
        (v201, SET, {"setVariableResult": [YES, {}]}),
        (v201, SET, {"setVariableResult": [YES, {"attributeStatus": 1}]}),
    ],
)
async def test_an_answer_without_the_status_it_must_have_promises_nothing_and_is_kept(
    version, request_, answer
):
    result = await a_gateway(FakeConnection(Answered(answer), version.VERSION)).execute(request_, 5)

    assert result.outcome is CommandOutcome.FAILED
    assert result.answer["code"] == UNREADABLE
    assert result.answer["description"] == "the charger's answer cannot be read"
    assert result.answer["details"] == answer


@pytest.mark.parametrize(
    ("version", "request_", "answer"),
    [
        (v16, called("GetConfiguration"), {}),
        (v16, called("GetLocalListVersion"), {"versionNumber": 3}),
        (
            v16,
            called("ChangeConfiguration", {"key": "a", "value": "b"}),
            {"setVariableResult": [YES]},
        ),
        (v201, SET, {"status": "Accepted"}),
        (v201, SET, {"setVariableResult": [YES | PLACE]}),
        (v201, called("GetVariables", {"getVariableData": [PLACE]}), {"configurationKey": []}),
        (v201, called("GetVariables", {"getVariableData": [PLACE]}), {"getVariableResult": []}),
        (v201, commands.TellCost(charger_id="CP-1", transaction_id="t", total="1"), {}),
    ],
)
async def test_where_no_status_is_due_or_it_is_anothers_the_answer_is_taken(
    version, request_, answer
):
    result = await a_gateway(FakeConnection(Answered(answer), version.VERSION)).execute(request_, 5)

    assert result.outcome is CommandOutcome.ACCEPTED
    assert result.answer == answer


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        (["Accepted", "RebootRequired"], CommandOutcome.ACCEPTED),
        (["Accepted", "UnknownVariable"], CommandOutcome.REJECTED),
    ],
)
async def test_several_results_mean_yes_if_all_do(words, outcome):
    results = [{"attributeStatus": word} for word in words]
    connection = FakeConnection(Answered({"setVariableResult": results}), v201.VERSION)

    assert (await a_gateway(connection).execute(SET, 5)).outcome is outcome
