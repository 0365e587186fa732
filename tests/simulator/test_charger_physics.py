"""Whatever is done to a charger, its meter and its cars obey physics."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.chargers.evse import State
from simulator.journal import Kind
from tests.simulator.builders import SCHEMAS, a_car, a_charger, a_world
from tests.simulator.fakes import FakeCsms

deeds = st.one_of(
    st.tuples(st.just("plug"), st.floats(0, 100)),
    st.tuples(st.just("unplug"), st.none()),
    st.tuples(st.just("token"), st.sampled_from(["A", "B"])),
    st.tuples(st.just("fault"), st.none()),
    st.tuples(st.just("repair"), st.none()),
    st.tuples(st.just("power cut"), st.none()),
    st.tuples(st.just("link"), st.booleans()),
    st.tuples(st.just("wait"), st.floats(0, 1_500)),
)


def _do(deed, charger, csms, world):
    name, value = deed
    match name:
        case "plug":
            charger.plug_in(1, a_car(soc_pct=value))
        case "unplug":
            charger.unplug(1)
        case "token":
            charger.present(1, value)
        case "fault":
            charger.break_down(1, "OverVoltage")
        case "repair":
            charger.repair(1)
        case "power cut":
            charger.lose_power(5)
        case "link" if value and not charger.line.is_connected:
            csms.connect(charger.line)
        case "link" if not value:
            charger.line.closed()
        case "wait":
            world.run_for(value)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
@settings(deadline=None, max_examples=60)
@given(st.lists(deeds, max_size=25))
def test_registers_grow_powers_stay_in_bounds_and_energy_adds_up(version, story):
    world, journal = a_world()
    charger = a_charger(world, version)
    csms = FakeCsms(SCHEMAS[version])
    evse = charger.evses[1]
    register_wh = evse.register_wh
    for deed in story:
        _do(deed, charger, csms, world)
        reading = evse.read(world.now())
        assert reading.register_wh >= register_wh
        assert 0 <= reading.power_w <= evse.spec.max_power_w
        assert reading.soc_pct is None or 0 <= reading.soc_pct <= 100
        assert (evse.session is None) or evse.car is not None or evse.state is State.PREPARING
        register_wh = reading.register_wh

    begun, ended = journal.of(Kind.SESSION_BEGUN), journal.of(Kind.SESSION_ENDED)
    assert len(begun) - len(ended) == (evse.session is not None)
    assert [one.session_ref for one in ended] == [one.session_ref for one in begun[: len(ended)]]
    for one in ended:
        assert one.register_wh >= one.meter_start_wh


def test_nothing_flows_without_a_session():
    world, _ = a_world()
    charger = a_charger(world)
    before_wh = charger.evses[1].register_wh
    charger.plug_in(1, a_car())
    world.run_for(3_600)

    assert charger.evses[1].read(world.now()).register_wh == before_wh


def test_a_charging_limit_is_kept_to_at_once():
    world, _ = a_world()
    charger = a_charger(world)
    csms = FakeCsms("v16")
    csms.connect(charger.line)
    charger.plug_in(1, a_car(soc_pct=10))
    charger.present(1, "A")
    world.run_for(60)
    profile = {
        "chargingProfileId": 7,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 11_000.0}],
        },
    }
    answer = csms.ask("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile})
    world.run_for(1)
    limited_w = charger.evses[1].read(world.now()).power_w
    csms.ask("ClearChargingProfile", {"id": 7})
    world.run_for(1)

    assert answer[2] == {"status": "Accepted"}
    assert limited_w == 11_000
    assert charger.evses[1].read(world.now()).power_w == 50_000


def test_a_limit_of_nothing_suspends_by_the_charger():
    world, _ = a_world()
    charger = a_charger(world, "2.0.1")
    csms = FakeCsms("v201")
    csms.connect(charger.line)
    charger.plug_in(1, a_car(soc_pct=10))
    charger.present(1, "A")
    profile = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [
            {
                "id": 1,
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0.0}],
            }
        ],
    }
    csms.ask("SetChargingProfile", {"evseId": 0, "chargingProfile": profile})
    world.run_for(1)

    last = csms.told("TransactionEvent")[-1]
    assert last["triggerReason"] == "ChargingStateChanged"
    assert last["transactionInfo"]["chargingState"] == "SuspendedEVSE"
    assert charger.evses[1].read(world.now()).power_w == 0
