"""Drivers come, charge and go as people do."""

from datetime import timedelta

import pytest

from simulator import site
from simulator.chargers.evse import Reservation, State
from simulator.drivers import Driver, Pace, Traffic, Visit, block
from simulator.journal import Kind
from simulator.profile import shipped
from simulator.scenarios.stations import CORNER, TOKENS
from tests.simulator.builders import SCHEMAS, a_car, a_world
from tests.simulator.fakes import FakeCsms

FAST_BAY = "sim-corner-4"


def _a_place(*, accepts=True):
    world, journal = a_world()
    place = site.build(world, CORNER, lambda _: None)
    for charger in place.chargers.values():
        FakeCsms(SCHEMAS[charger.spec.version], accepts=accepts).connect(charger.line)
    return world, journal, place


def _deeds(journal):
    return [entry.body["what"] for entry in journal.of(Kind.DRIVER)]


def test_a_visit_goes_from_parking_to_leaving():
    world, journal, place = _a_place()
    bay = place.bays[FAST_BAY]
    gone = []
    Driver(world, bay, Visit(a_car(), "T", 600), lambda: gone.append(True)).arrive()
    world.run_for(60)
    during = (bay.is_occupied, bay.evse.state)
    world.run_for(1_200)

    assert during == (True, State.CHARGING)
    assert _deeds(journal) == ["parks", "plugs in", "charges", "comes back", "leaves"]
    assert (bay.is_occupied, bay.evse.state, gone) == (False, State.FREE, [True])


@pytest.mark.parametrize("unplugs_only", [False, True])
def test_a_driver_ends_by_token_or_by_pulling_the_cable(unplugs_only):
    world, journal, place = _a_place()
    visit = Visit(a_car(), "T", 300, unplugs_only=unplugs_only)
    Driver(world, place.bays[FAST_BAY], visit).arrive()
    world.run_for(1_000)

    (ended,) = journal.of(Kind.SESSION_ENDED)
    assert ended.body["cause"] == ("unplugged" if unplugs_only else "local")


def test_a_refused_driver_leaves_without_a_session():
    world, journal, place = _a_place(accepts=False)
    driver = Driver(world, place.bays[FAST_BAY], Visit(a_car(), "T", 600))
    driver.arrive()
    world.run_for(200)

    assert driver.was_refused
    assert journal.of(Kind.SESSION_BEGUN) == []
    assert not place.bays[FAST_BAY].is_occupied


def test_a_driver_before_a_broken_charger_drives_on():
    world, journal, place = _a_place()
    bay = place.bays[FAST_BAY]
    Driver(world, bay, Visit(a_car(), "T", 600)).arrive()
    bay.charger.break_down(bay.spec.evse_id, "OverVoltage")
    world.run_for(200)

    assert _deeds(journal) == ["parks", "cannot plug in", "leaves"]


def test_two_vehicles_never_stand_in_one_bay():
    world, _, place = _a_place()
    bay = place.bays[FAST_BAY]
    block(world, bay, "van", 60)
    with pytest.raises(ValueError, match="van stands in"):
        block(world, bay, "lorry", 60)
    world.run_for(61)

    assert not bay.is_occupied


def test_traffic_comes_at_its_rate_and_is_turned_away_where_it_finds_no_room():
    world, journal, place = _a_place()
    bays = list(place.bays.values())
    traffic = Traffic(world, bays, TOKENS, shipped(), Pace(rush=10, haste=3, blocker_ratio=0.1))
    traffic.start()
    world.run_for(24 * 3600)
    expected = sum(
        10 * shipped().classes[name].sessions_a_week_and_connector / 7
        for name in ("22", "22", "50", "150")
    )

    assert traffic.arrivals == pytest.approx(expected, rel=0.35)
    assert 0 < traffic.turned_away < traffic.arrivals
    came = [one for one in journal.of(Kind.OCCUPANCY) if one.body["is_occupied"]]
    assert len(came) == traffic.arrivals - traffic.turned_away
    assert any(one.body["vehicle"].startswith("van") for one in came)


def test_a_token_is_used_in_one_place_at_a_time():
    world, journal, place = _a_place()
    bays = list(place.bays.values())
    traffic = Traffic(world, bays, ["ONLY"], shipped())
    came = [traffic.send_one_to(bay) for bay in bays]
    world.run_for(200)

    assert came == [True, False, False, False]
    assert len(journal.of(Kind.SESSION_BEGUN)) == 1


def test_cars_charge_for_about_what_their_drivers_wanted():
    world, journal, place = _a_place()
    bay = place.bays[FAST_BAY]
    traffic = Traffic(world, [bay], TOKENS, shipped(), Pace(rush=40))
    traffic.start()
    world.run_for(14 * 3600)
    energies = [
        entry.register_wh - entry.meter_start_wh for entry in journal.of(Kind.SESSION_ENDED)
    ]

    assert len(energies) > 12
    assert 12_000 < sorted(energies)[len(energies) // 2] < 32_000


@pytest.mark.parametrize(("blocker_ratio", "came"), [(0, False), (1, True)])
def test_a_van_takes_a_bay_that_its_charger_keeps_for_somebody(blocker_ratio, came):
    world, _, place = _a_place()
    bay = place.bays[FAST_BAY]
    bay.charger.reserve(
        bay.spec.evse_id, Reservation(7, "SOMEBODY", world.now() + timedelta(hours=1))
    )
    traffic = Traffic(world, [bay], TOKENS, shipped(), Pace(blocker_ratio=blocker_ratio))

    assert traffic.send_one_to(bay) is came
