"""Chargers of every version tell a session as it truly was."""

import itertools

import pytest

from simulator.chargers.evse import State
from simulator.chargers.spec import EndCause
from simulator.journal import Kind
from tests.simulator.builders import SCHEMAS, a_car, a_charger, a_world
from tests.simulator.fakes import FakeCsms

pytestmark = pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])


def _a_connected_charger(version, **more):
    world, journal = a_world()
    charger = a_charger(world, version, **more)
    csms = FakeCsms(SCHEMAS[version])
    csms.connect(charger.line)
    return world, journal, charger, csms


def _registers(csms, version):
    if version == "1.6":
        starts = [payload["meterStart"] for payload in csms.told("StartTransaction")]
        samples = [
            int(payload["meterValue"][0]["sampledValue"][0]["value"])
            for payload in csms.told("MeterValues")
        ]
        stops = [payload["meterStop"] for payload in csms.told("StopTransaction")]
        return [*starts, *samples, *stops]
    return [
        payload["meterValue"][0]["sampledValue"][0]["value"]
        for payload in csms.told("TransactionEvent")
    ]


def test_a_charger_boots_before_it_says_anything_else(version):
    _, _, _, csms = _a_connected_charger(version, evses=2)

    assert csms.actions()[0] == "BootNotification"
    assert csms.actions().count("StatusNotification") == (3 if version == "1.6" else 2)


def test_a_session_is_told_from_plug_to_unplug_with_its_exact_energy(version):
    world, journal, charger, csms = _a_connected_charger(version)
    charger.plug_in(1, a_car())
    charger.present(1, "TOKEN-1")
    world.run_for(600)
    charger.present(1, "TOKEN-1")
    world.run_for(10)
    charger.unplug(1)

    registers = _registers(csms, version)
    (ended,) = journal.of(Kind.SESSION_ENDED)
    assert registers == sorted(registers)
    assert registers[-1] - registers[0] == ended.register_wh - ended.meter_start_wh
    assert 8_000 < registers[-1] - registers[0] <= 50_000 * 600 / 3600
    assert charger.evses[1].state is State.FREE


def test_samples_come_at_the_interval_and_can_be_set_anew(version):
    world, _, charger, csms = _a_connected_charger(version, sample_s=60)
    charger.plug_in(1, a_car())
    charger.present(1, "TOKEN-1")
    world.run_for(181)
    before = len(_registers(csms, version))
    charger.sample_every(10)
    world.run_for(100)

    assert before == 1 + 3
    assert len(_registers(csms, version)) - before == 10


def test_a_full_car_suspends_and_draws_nothing_more(version):
    world, _, charger, csms = _a_connected_charger(version)
    charger.plug_in(1, a_car(soc_pct=79, limit_pct=80))
    charger.present(1, "TOKEN-1")
    world.run_for(1_800)
    full = _registers(csms, version)[-1]
    world.run_for(1_800)

    assert charger.evses[1].state is State.SUSPENDED_BY_CAR
    assert _registers(csms, version)[-1] == full


def test_a_refused_token_starts_nothing(version):
    world, journal, charger, csms = _a_connected_charger(version)
    csms.accepts = False
    answers = []
    charger.plug_in(1, a_car())
    charger.present(1, "NOBODY", answers.append)
    world.run_for(10)

    assert answers == [False]
    assert journal.of(Kind.SESSION_BEGUN) == []


def test_a_token_found_invalid_after_an_offline_start_ends_the_session(version):
    world, journal = a_world()
    charger = a_charger(world, version)
    csms = FakeCsms(SCHEMAS[version], accepts=False)
    charger.plug_in(1, a_car())
    charger.present(1, "STRANGER")
    world.run_for(100)
    csms.connect(charger.line)
    world.run_for(10)

    (ended,) = journal.of(Kind.SESSION_ENDED)
    assert ended.body["cause"] == EndCause.REFUSED


def test_what_happened_offline_is_told_in_order_afterwards(version):
    world, journal = a_world()
    charger = a_charger(world, version)
    charger.plug_in(1, a_car())
    charger.present(1, "TOKEN-1")
    world.run_for(300)
    charger.unplug(1)
    backlog = charger.line.backlog
    csms = FakeCsms(SCHEMAS[version])
    csms.connect(charger.line)
    world.run_for(1)

    (ended,) = journal.of(Kind.SESSION_ENDED)
    registers = _registers(csms, version)
    assert backlog == len(registers) == 1 + 10 + 1
    assert registers == sorted(registers)
    assert registers[-1] - registers[0] == ended.register_wh - ended.meter_start_wh
    assert charger.line.backlog == 0


def test_unplugging_ends_the_session(version):
    world, journal, charger, _ = _a_connected_charger(version)
    charger.plug_in(1, a_car())
    charger.present(1, "TOKEN-1")
    world.run_for(60)
    charger.unplug(1)

    (ended,) = journal.of(Kind.SESSION_ENDED)
    assert ended.body["cause"] == EndCause.UNPLUGGED


def test_a_fault_ends_the_session_and_is_reported_until_repaired(version):
    world, journal, charger, csms = _a_connected_charger(version)
    charger.plug_in(1, a_car())
    charger.present(1, "TOKEN-1")
    world.run_for(60)
    charger.break_down(1, "GroundFailure")
    word = "status" if version == "1.6" else "connectorStatus"
    told = csms.told("StatusNotification")[-1][word]
    charger.repair(1)

    assert told == "Faulted"
    assert len(journal.of(Kind.SESSION_ENDED)) == 1
    assert csms.told("StatusNotification")[-1][word] != "Faulted"


def test_two_evses_of_a_charger_charge_side_by_side(version):
    world, journal, charger, _ = _a_connected_charger(version, evses=2)
    for evse_id in (1, 2):
        charger.plug_in(evse_id, a_car())
        charger.present(evse_id, f"TOKEN-{evse_id}")
    world.run_for(300)

    assert len({entry.session_ref for entry in journal.of(Kind.SESSION_BEGUN)}) == 2
    assert all(evse.state is State.CHARGING for evse in charger.evses.values())


def test_one_call_is_in_flight_at_a_time(version):
    world, _ = a_world()
    charger = a_charger(world, version, evses=2)
    csms = FakeCsms(SCHEMAS[version], is_mute=True)
    csms.connect(charger.line)
    world.run_for(5)

    assert csms.actions() == ["BootNotification"]


def test_the_same_seed_gives_the_same_world(version):
    def tale():
        world, journal, charger, csms = _a_connected_charger(version)
        charger.plug_in(1, a_car())
        charger.present(1, "TOKEN-1")
        world.run_for(300)
        charger.unplug(1)
        return csms.calls, journal.entries

    first, second = tale(), tale()

    assert first == second


def test_sequence_numbers_have_no_gap(version):
    world, _, charger, csms = _a_connected_charger(version)
    charger.plug_in(1, a_car(soc_pct=79, limit_pct=80))
    charger.present(1, "TOKEN-1")
    world.run_for(1_000)
    charger.unplug(1)

    numbers = [payload["seqNo"] for payload in csms.told("TransactionEvent")]
    assert numbers == list(itertools.islice(itertools.count(), len(numbers)))
    assert bool(numbers) is (version != "1.6")


def test_states_are_told_ahead_of_what_was_kept_and_again_after_it(version):
    world, _ = a_world()
    charger = a_charger(world, version)
    charger.plug_in(1, a_car())
    charger.present(1, "TOKEN-1")
    world.run_for(100)
    csms = FakeCsms(SCHEMAS[version])
    csms.connect(charger.line)
    world.run_for(1)

    kept = {"StartTransaction", "MeterValues", "TransactionEvent"}
    order = ["kept" if action in kept else action for action in csms.actions()]
    told = [word for word, _ in itertools.groupby(order)]
    assert told == ["BootNotification", "StatusNotification", "kept", "StatusNotification"]
