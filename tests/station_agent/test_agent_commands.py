"""Commands: at most once, never late, always answered."""

import asyncio
from datetime import timedelta

import pytest

from contracts.commands import Command, ResetCharger
from contracts.events import CommandOutcome
from contracts.wire import encode
from station_agent.commands import Commands
from station_agent.ports import CommandResult
from tests.station_agent.fakes import NOON, FakeGateway, FakeMemory, ManualClock, until

REQUEST = ResetCharger(charger_id="C1")


def a_command(command_id="c1", station="dundee", lives_s=30.0, issued_at=NOON, *, is_patient=False):
    return encode(
        Command(
            station=station,
            id=command_id,
            issued_at=issued_at,
            expires_at=issued_at + timedelta(seconds=lives_s),
            is_patient=is_patient,
            request=REQUEST,
        )
    )


class House:
    """Commands, running, with all they need."""

    def __init__(self, memory=None):
        self.gateway = FakeGateway()
        self.memory = memory or FakeMemory()
        self.clock = ManualClock()
        self.commands = Commands("dundee", self.gateway, self.memory, self.clock)
        self.running = asyncio.create_task(self.commands.run())

    @property
    def answers(self):
        return [(fact.command_id, fact.outcome) for fact in self.memory.facts]

    async def stop(self):
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)


@pytest.fixture
async def house():
    made = House()
    yield made
    await made.stop()


async def test_a_command_is_carried_out_and_answered(house):
    house.gateway.result = CommandResult(CommandOutcome.REJECTED, {"status": "Rejected"})
    house.commands.take(a_command())
    await until(lambda: house.answers)

    assert house.gateway.executed == [(REQUEST, 30)]
    assert house.answers == [("c1", CommandOutcome.REJECTED)]
    assert house.memory.facts[0].answer == {"status": "Rejected"}


async def test_a_repeated_command_is_carried_out_once(house):
    house.commands.take(a_command())
    house.commands.take(a_command())
    await until(lambda: house.answers)
    house.commands.take(a_command())
    house.commands.take(a_command("c2"))
    await until(lambda: len(house.answers) == 2)

    assert len(house.gateway.executed) == 2


async def test_a_command_is_not_carried_out_again_after_a_restart(house):
    house.commands.take(a_command())
    await until(lambda: house.answers)
    again = House(house.memory)
    again.commands.take(a_command())
    again.commands.take(a_command("c2"))
    await until(lambda: len(again.answers) == 2)

    assert len(again.gateway.executed) == 1
    await again.stop()


async def test_it_is_on_disk_that_a_command_was_begun_before_the_charger_hears_it(house):
    house.gateway.gate.clear()
    house.commands.take(a_command())
    await until(lambda: house.gateway.executed)

    assert list(house.memory.kept("command")) == ["c1"]


async def test_a_command_cut_off_by_a_restart_is_answered_and_not_repeated(house):
    house.gateway.gate.clear()
    house.commands.take(a_command())
    await until(lambda: house.gateway.executed)
    again = House(house.memory)
    await until(lambda: again.answers)
    again.commands.take(a_command())
    again.commands.take(a_command("c2"))
    await until(lambda: len(again.answers) == 2)

    assert again.answers[0] == ("c1", CommandOutcome.TIMED_OUT)
    assert len(again.gateway.executed) == 1
    await again.stop()


@pytest.mark.parametrize("late_s", [30, 600])
async def test_a_command_after_its_deadline_is_never_carried_out(house, late_s):
    """P13."""
    house.clock.advance(late_s)
    house.commands.take(a_command())
    await until(lambda: house.answers)

    assert house.answers == [("c1", CommandOutcome.EXPIRED)]
    assert house.gateway.executed == []


async def test_a_clock_that_is_behind_gives_no_more_time_than_was_given(house):
    house.clock.advance(-3_600)
    house.commands.take(a_command())
    await until(lambda: house.gateway.executed)

    assert house.gateway.executed == [(REQUEST, 30)]


@pytest.mark.parametrize("payload", [b"", b"{}", b"\xff", a_command(station="other")])
async def test_what_is_no_command_of_ours_disturbs_nothing(house, payload):
    house.commands.take(payload)
    house.commands.take(a_command("good"))
    await until(lambda: house.answers)

    assert house.answers == [("good", CommandOutcome.ACCEPTED)]


async def test_while_the_disk_refuses_nothing_is_carried_out_and_the_answer_follows(house):
    house.memory.is_refusing = True
    house.commands.take(a_command())
    await asyncio.sleep(0.01)
    assert house.gateway.executed == []
    house.memory.is_refusing = False
    house.clock.advance(1)
    await until(lambda: house.answers)

    assert house.answers == [("c1", CommandOutcome.FAILED)]


async def test_more_commands_than_can_run_are_refused(house, monkeypatch):
    monkeypatch.setattr("station_agent.commands._MAX_RUNNING", 2)
    house.gateway.gate.clear()
    for number in range(3):
        house.commands.take(a_command(f"c{number}"))
    await until(lambda: house.answers)

    assert house.answers == [("c2", CommandOutcome.FAILED)]


async def test_one_slow_charger_does_not_hold_up_another(house):
    house.gateway.gate.clear()
    house.commands.take(a_command("slow"))
    await until(lambda: house.gateway.executed)
    house.gateway.gate.set()
    house.gateway.gate = asyncio.Event()
    house.gateway.gate.set()
    house.commands.take(a_command("quick"))
    await until(lambda: len(house.answers) == 2)

    assert set(house.answers) == {(n, CommandOutcome.ACCEPTED) for n in ("slow", "quick")}


async def test_what_is_remembered_of_commands_is_forgotten_a_day_after(house):
    house.commands.take(a_command("old"))
    await until(lambda: house.answers)
    house.clock.advance(86_400 + 31)
    house.commands.take(a_command("new", issued_at=house.clock.now()))
    await until(lambda: len(house.answers) == 2)

    assert list(house.memory.kept("command")) == ["new"]


@pytest.mark.parametrize("outcome", [CommandOutcome.CHARGER_OFFLINE, CommandOutcome.EXPIRED])
async def test_a_patient_command_the_charger_has_not_heard_may_come_again(house, outcome):
    house.gateway.result = CommandResult(outcome)
    house.commands.take(a_command(is_patient=True))
    await until(lambda: house.answers)
    assert house.memory.kept("command") == {}
    house.gateway.result = CommandResult(CommandOutcome.ACCEPTED)
    house.commands.take(a_command(is_patient=True))
    await until(lambda: len(house.answers) == 2)
    house.commands.take(a_command(is_patient=True))
    house.commands.take(a_command("c2"))
    await until(lambda: len(house.answers) == 3)

    assert [outcome_ for _, outcome_ in house.answers[:2]] == [outcome, CommandOutcome.ACCEPTED]
    assert len(house.gateway.executed) == 3


async def test_an_impatient_command_to_a_charger_that_is_away_ends_there(house):
    house.gateway.result = CommandResult(CommandOutcome.CHARGER_OFFLINE)
    house.commands.take(a_command())
    await until(lambda: house.answers)
    house.commands.take(a_command())
    house.commands.take(a_command("c2"))
    await until(lambda: len(house.answers) == 2)

    assert len(house.gateway.executed) == 2


async def test_a_patient_command_is_not_refused_for_others_that_run(house, monkeypatch):
    monkeypatch.setattr("station_agent.commands._MAX_RUNNING", 1)
    house.gateway.gate.clear()
    house.commands.take(a_command("c1"))
    house.commands.take(a_command("c2", is_patient=True))
    await until(lambda: house.answers)
    house.gateway.gate.set()
    house.commands.take(a_command("c2", is_patient=True))
    await until(lambda: len(house.answers) == 3)

    assert house.answers[0] == ("c2", CommandOutcome.EXPIRED)
    assert ("c2", CommandOutcome.ACCEPTED) in house.answers


async def test_patient_commands_of_a_charger_are_begun_one_after_another(house):
    house.gateway.gate.clear()
    for name in ("c1", "c2", "c3"):
        house.commands.take(a_command(name, is_patient=True))
    await until(lambda: house.gateway.executed)
    again = House(house.memory)
    await until(lambda: again.answers)
    for name in ("c1", "c2", "c3"):
        again.commands.take(a_command(name, is_patient=True))
    await until(lambda: len(again.answers) == 3)

    assert again.answers == [
        ("c1", CommandOutcome.TIMED_OUT),
        ("c2", CommandOutcome.ACCEPTED),
        ("c3", CommandOutcome.ACCEPTED),
    ]
    assert len(house.gateway.executed) == 1
    await again.stop()
