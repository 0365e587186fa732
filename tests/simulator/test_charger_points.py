"""Where sessions begin and end is a matter of configuration; whatever it is, the series is whole."""

from itertools import product

import pytest

from simulator.chargers.cards import Cards
from simulator.chargers.spec import Behaviour, Point
from tests.simulator.builders import MONDAY, a_car, a_charger, a_world
from tests.simulator.fakes import FakeCsms


def connected(version="2.0.1", **behaviour):
    world, _ = a_world()
    charger = a_charger(world, version, behaviour=Behaviour(**behaviour))
    csms = FakeCsms({"1.6": "v16", "2.0.1": "v201"}[version])
    csms.connect(charger.line)
    return world, charger, csms


@pytest.mark.parametrize(("start", "stop"), list(product(Point, Point)))
def test_a_visit_is_one_session_told_without_a_gap(start, stop):
    world, charger, csms = connected(starts_at=frozenset({start}), stops_at=frozenset({stop}))
    charger.park(1)
    charger.plug_in(1, a_car())
    world.run_for(10)
    charger.present(1, "TOKEN-1")
    world.run_for(120)
    charger.present(1, "TOKEN-1")
    world.run_for(5)
    charger.unplug(1)
    charger.leave(1)
    world.run_for(5)

    told = csms.told("TransactionEvent")
    kinds = [one["eventType"] for one in told]
    assert kinds[0] == "Started"
    assert kinds[-1] == "Ended"
    assert set(kinds[1:-1]) <= {"Updated"}
    assert [one["seqNo"] for one in told] == list(range(len(told)))
    assert len({one["transactionInfo"]["transactionId"] for one in told}) == 1
    charged = told[-1]["meterValue"][-1]["sampledValue"][0]["value"]
    assert charged > told[0]["meterValue"][-1]["sampledValue"][0]["value"]
    assert charger.is_idle()


def test_the_points_are_variables_of_the_device_model():
    _, charger, csms = connected()
    place = {"component": {"name": "TxCtrlr"}, "variable": {"name": "TxStartPoint"}}
    csms.ask(
        "SetVariables",
        {"setVariableData": [place | {"attributeValue": "Authorized,EVConnected"}]},
    )
    answer = csms.ask("GetVariables", {"getVariableData": [place]})

    assert charger.behaviour.starts_at == {Point.AUTHORIZED, Point.EV_CONNECTED}
    assert answer[2]["getVariableResult"][0]["attributeValue"] == "EVConnected,Authorized"
    bad = csms.ask("SetVariables", {"setVariableData": [place | {"attributeValue": "Sometimes"}]})
    assert bad[2]["setVariableResult"][0]["attributeStatus"] == "Rejected"


def test_the_car_that_comes_back_charges_on():
    world, charger, csms = connected(stops_at=frozenset({Point.AUTHORIZED}))
    charger.plug_in(1, a_car())
    charger.present(1, "TOKEN-1")
    world.run_for(60)
    car = charger.unplug(1)
    world.run_for(60)
    away = charger.evses[1].register_wh
    charger.plug_in(1, car)
    world.run_for(60)

    states = [one["transactionInfo"]["chargingState"] for one in csms.told("TransactionEvent")]
    assert charger.evses[1].register_wh > away
    assert list(dict.fromkeys(states)) == ["Charging", "Idle", "EVConnected"]
    assert states[-1] == "Charging"


@pytest.mark.parametrize(
    ("stop", "last"),
    [
        (Point.AUTHORIZED, ("Ended", "EVConnectTimeout")),
        (Point.PARKING_BAY, ("Updated", "EVConnectTimeout")),
    ],
)
def test_a_session_to_which_no_cable_comes_ends_or_goes_on_without_its_driver(stop, last):
    world, charger, csms = connected(
        starts_at=frozenset({Point.AUTHORIZED}), stops_at=frozenset({stop})
    )
    charger.present(1, "TOKEN-1")
    world.run_for(120)

    told = [(one["eventType"], one["triggerReason"]) for one in csms.told("TransactionEvent")]
    assert [one for one in told if one[1] == "EVConnectTimeout"] == [last]
    assert charger.is_idle() is (stop is Point.AUTHORIZED)
    assert charger.is_idle() or not charger.evses[1].session.is_authorized


def test_states_may_be_told_by_events_alone():
    world, charger, csms = connected(tells_states_by_event=True)
    charger.plug_in(1, a_car())
    world.run_for(5)

    events = [one["eventData"][0] for one in csms.told("NotifyEvent")]
    places = {(one["component"]["name"], one["variable"]["name"]) for one in events}
    assert csms.told("StatusNotification") == []
    assert places == {("Connector", "AvailabilityState")}
    assert [one["actualValue"] for one in events][-1] == "Occupied"


def test_a_full_car_ends_a_session_that_is_the_flow_of_energy():
    points = frozenset({Point.ENERGY_TRANSFER})
    world, charger, csms = connected(starts_at=points, stops_at=points)
    charger.plug_in(1, a_car(soc_pct=79.9, limit_pct=80))
    charger.present(1, "TOKEN-1")
    world.run_for(600)

    info = csms.told("TransactionEvent")[-1]["transactionInfo"]
    assert info["stoppedReason"] == "StoppedByEV"


def test_a_car_that_wants_nothing_yet_begins_once_it_does():
    world, charger, csms = connected(starts_at=frozenset({Point.ENERGY_TRANSFER}))
    car = a_car(soc_pct=50, limit_pct=40)
    charger.plug_in(1, car)
    charger.present(1, "TOKEN-1")
    world.run_for(30)
    assert csms.told("TransactionEvent") == []
    car.limit_pct = 90
    world.run_for(30)

    assert csms.told("TransactionEvent")[0]["triggerReason"] == "ChargingStateChanged"


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_meters_are_told_of_by_the_clock(version):
    world, charger, csms = connected(version, aligned_s=900, sample_s=0)
    world.run_for(1_000)
    charger.plug_in(1, a_car())
    charger.present(1, "TOKEN-1")
    world.run_for(1_000)

    assert world.now() > MONDAY
    numbers = [one.get("evseId", one.get("connectorId")) for one in csms.told("MeterValues")]
    assert numbers == ([1, 0, 1, 0] if version == "1.6" else [1, 0, 0])


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_an_end_repeats_what_was_sampled_signed_or_not(version):
    world, charger, csms = connected(version, repeats_samples=True, signs=True, sample_s=20)
    charger.plug_in(1, a_car())
    charger.present(1, "TOKEN-1")
    world.run_for(70)
    charger.unplug(1)

    if version == "1.6":
        values = csms.told("StopTransaction")[0]["transactionData"]
    else:
        values = csms.told("TransactionEvent")[-1]["meterValue"]
    assert len(values) == 4
    assert all("igned" in str(one) for one in values)


def test_cards_know_groups_masters_and_what_they_were_told():
    cards = Cards(master_group="Masters", asks_first=False)
    cards.note("one", is_accepted=True, group="Family")
    cards.note("TWO", is_accepted=True, group="family")
    cards.note("chief", is_accepted=True, group="MASTERS")
    cards.note("no", is_accepted=False)

    assert cards.are_together("ONE", "two")
    assert cards.are_together("no", "NO")
    assert not cards.are_together("one", "chief")
    assert cards.is_master("Chief")
    assert [cards.takes(one) for one in ("One", "no", "stranger")] == [True, False, False]
    assert cards.clear()
    assert not cards.takes("one")
