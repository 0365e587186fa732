"""kill -9 and power cuts at random moments: what was answered is there, in order, without gaps."""

import random
import shutil
from pathlib import Path

import msgspec
import pytest

from contracts.clock import SystemClock
from contracts.events import Event
from station_agent.outbox import Outbox
from tests.support.processes import PYTHON, Program
from tests.support.waiting import eventually

pytestmark = pytest.mark.real

VICTIM = Path(__file__).with_name("outbox_victim.py")
EVENT = msgspec.json.Decoder(Event)


def acknowledged(program):
    """Return the last number each caller was told is on disk."""
    last = {}
    for line in program.log_text().splitlines():
        words = line.split()
        if len(words) == 2 and line.endswith(words[1]):
            last[words[0]] = int(words[1])
    return last


async def recorded(path):
    outbox = Outbox(path, SystemClock())
    facts = []
    while batch := await outbox.read(len(facts)):
        facts += [EVENT.decode(body) for body in batch]
    head = outbox.head_seq
    answers = {
        fact.charger_id: outbox.answer_to(fact.charger_id, f"m{fact.energy_wh}", b"\x01")
        for fact in facts
    }
    await outbox.close()
    assert head == len(facts)
    assert set(answers.values()) <= {b"[]"}
    return facts


def check(facts, last):
    for caller, number in last.items():
        numbers = [fact.energy_wh for fact in facts if fact.charger_id == f"C{caller}"]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) in {number, number + 1}


@pytest.mark.parametrize("seed", range(5))
async def test_what_was_answered_survives_a_kill(tmp_path, seed):
    """F01, F15."""
    path = tmp_path / "agent.db"
    lines = random.Random(seed).randint(1, 3_000)
    program = Program("victim", [PYTHON, VICTIM, path], log_dir=tmp_path)
    program.start()
    eventually(lambda: program.log_text().count("\n") >= lines, 30)
    program.kill()

    check(await recorded(path), acknowledged(program))


async def test_what_was_answered_is_in_the_files_as_a_power_cut_would_leave_them(tmp_path):
    """F15: the files as they are at a moment, with no help of the process that wrote them."""
    path = tmp_path / "agent.db"
    program = Program("victim", [PYTHON, VICTIM, path], log_dir=tmp_path)
    program.start()
    for cut in range(5):
        count = 300 * (cut + 1)
        eventually(lambda count=count: program.log_text().count("\n") >= count, 30)
        last = acknowledged(program)
        copy = tmp_path / f"cut-{cut}"
        copy.mkdir()
        program.freeze()
        for file in tmp_path.glob("agent.db*"):
            shutil.copyfile(file, copy / file.name)
        program.thaw()
        facts = await recorded(copy / "agent.db")
        for caller, number in last.items():
            numbers = [fact.energy_wh for fact in facts if fact.charger_id == f"C{caller}"]
            assert numbers == list(range(1, len(numbers) + 1))
            assert len(numbers) >= number
    program.kill()
