"""What follows for a reservation rests on what was seen: of silence, and of their own car, nobody pays."""

from datetime import timedelta

import pytest

from cloud.adapters.sql import tables
from cloud.domain.policy import Policy
from cloud.domain.reservations import Happening, Status, Trouble
from contracts.batch import Beat
from contracts.events import AgentStarted
from tests.cloud.builders import BAY, CHARGER, NOON, after
from tests.cloud.services.promises import OTHER_BAY, Promises
from tests.cloud.services.rig import a_rig, begun, connected, metered, over, said, seen, state

BOB = {"user_id": "u-bob", "token": "04bbbb"}
FEE = 25
HOUR = 3_600


@pytest.fixture
def rig(databases):
    made = a_rig(databases.sqlite(), policy=Policy(stale_after=timedelta(minutes=6)))
    yield made
    made.engine.dispose()


@pytest.fixture
def kept(rig):
    return a_keeper(rig, overstay_per_minute_minor=FEE, no_show_fee_minor=500)


def a_keeper(rig, **terms):
    """Return a rig whose agent beats seldom enough for slots of hours."""
    made = Promises(rig, **terms)
    made.beats_every_s = 300
    return made


def silence(kept, until_s):
    """Let the station be silent until so many seconds after noon, with a look now and then."""
    left_s = until_s - kept_s(kept)
    for part_s in (400, left_s / 2 - 200, left_s / 2 - 200):
        kept.clock.pass_by(timedelta(seconds=part_s))
        kept.rig.tick()


def kept_s(kept):
    return (kept.clock.now() - NOON).total_seconds()


def plugged_in(at_s, **more):
    at = after(at_s)
    facts = (begun(at, **more), state("charging", at, session_id=more.get("session_id", "s-1")))
    return (*facts, seen(True, at), said("charging", at))


# --- a driver's own next slot -------------------------------------------------------------------------


def test_one_session_through_two_slots_of_ones_own_is_nobody_in_the_way_and_billed_once(kept):
    kept.book(0)
    kept.book(HOUR)
    kept.tell(*plugged_in(0))
    kept.until(HOUR + 1)
    first, second = kept.get("r-1"), kept.get("r-2")
    assert (first.status, second.status) == (Status.CHARGING, Status.ARRIVED)
    assert (second.bay_id, second.trouble) == (BAY, Trouble.NONE)

    kept.until(5_000)
    kept.tell(over(20_000, after(5_000)), said("finishing", after(5_000)))
    kept.until(2 * HOUR + 590)
    assert kept.get("r-1").status is Status.FINISHED
    assert {"overstay_started", "moved", "offer", "failed"}.isdisjoint(kept.told())

    kept.until(2 * HOUR + 601)
    assert kept.get("r-1").overstay_since == after(2 * HOUR + 600)
    kept.until(8_100)
    kept.tell(said("free", after(8_100)), seen(False, after(8_100)))
    kept.until(8_200)
    assert kept.get("r-1").status is kept.get("r-2").status is Status.FULFILLED
    # 19 kWh at 50 and 5 minutes, once
    assert kept.till.due == {"r-1": 950 + 5 * FEE, "r-2": 0}
    assert kept.told().count("overstay_started") == 1


def test_two_slots_of_ones_own_with_a_session_each_are_billed_each_by_its_own(kept):
    kept.book(0)
    kept.book(HOUR)
    kept.tell(*plugged_in(0))
    kept.until(3_400)
    kept.tell(over(11_000, after(3_400)), said("finishing", after(3_400)))
    kept.until(3_700)
    assert kept.get("r-2").status is Status.ARRIVED
    kept.tell(begun(after(3_700), session_id="s-2", transaction_id="8", meter_start_wh=11_000))
    kept.tell(state("charging", after(3_701), session_id="s-2"), said("charging", after(3_701)))
    assert kept.get("r-1").status is Status.FULFILLED
    assert (kept.get("r-2").status, kept.get("r-2").session_id) == (Status.CHARGING, "s-2")

    kept.until(7_000)
    kept.tell(over(15_000, after(7_000), session_id="s-2"), said("free", after(7_000)))
    kept.tell(seen(False, after(7_000)))
    kept.until(7_100)
    assert kept.get("r-2").status is Status.FULFILLED
    assert kept.till.due == {"r-1": 500, "r-2": 200}


def test_a_walk_in_that_reaches_into_two_slots_of_ones_own_is_billed_to_the_first(kept):
    kept.book(1_800)
    kept.book(1_800 + HOUR)
    kept.tell(*plugged_in(0))
    kept.until(1_790)
    kept.tell(state("charging", after(1_790)))
    kept.until(6_000)
    assert (kept.get("r-1").status, kept.get("r-2").status) == (Status.CHARGING, Status.ARRIVED)
    kept.tell(over(11_000, after(6_000)), said("free", after(6_000)), seen(False, after(6_000)))
    kept.until(10_000)

    assert kept.till.due == {"r-1": 500, "r-2": 0}


def test_an_overstay_that_reaches_a_later_slot_of_ones_own_ends_where_that_begins(kept):
    kept.book(0)
    kept.book(2 * HOUR)
    kept.tell(*plugged_in(0))
    kept.until(3_000)
    kept.tell(over(11_000, after(3_000)), said("finishing", after(3_000)))
    kept.until(2 * HOUR + 60)
    assert kept.get("r-2").status is Status.ARRIVED
    told = kept.told().count("overstay_continues")
    kept.until(3 * HOUR - 60)
    kept.tell(said("free", after(3 * HOUR - 60)), seen(False, after(3 * HOUR - 60)))
    kept.until(3 * HOUR + 700)

    # from 13:10 to 14:00
    assert kept.till.due == {"r-1": 500 + 50 * FEE, "r-2": 0}
    assert kept.told().count("overstay_continues") == told


# --- what nobody saw ----------------------------------------------------------------------------------


def stays(kept, until_s):
    """Charge from noon to ten to one, and stay."""
    kept.book(0)
    kept.tell(*plugged_in(0))
    kept.until(3_000)
    kept.tell(over(11_000, after(3_000)), said("finishing", after(3_000)))
    kept.until(until_s)


def power_returns(kept, at_s):
    """Have an agent begin again after a power cut, its chargers and sensors to be heard from."""
    kept.beats = {"silent_sensors": ["gm-1", "gm-2"]}
    started = AgentStarted(observed_at=after(at_s - 90), agent_version="2")
    kept.tell(started, beat=Beat(**kept.beats))
    kept.until(at_s + 30)
    kept.tell(connected(after(at_s + 30)))


def everything_speaks(kept, at_s, *, is_there):
    kept.beats = {}
    word = "preparing" if is_there else "free"
    kept.tell(said(word, after(at_s)), seen(is_there, after(at_s)), beat=Beat())


@pytest.mark.parametrize(("dark_s", "minutes"), [(HOUR + 120, 0), (HOUR + 1_800, 20)])
def test_who_left_while_the_power_was_cut_left_when_they_were_last_seen(kept, dark_s, minutes):
    stays(kept, dark_s)
    silence(kept, 4 * HOUR)
    power_returns(kept, 4 * HOUR)
    kept.until(4 * HOUR + 60)
    everything_speaks(kept, 4 * HOUR + 60, is_there=False)
    kept.until(4 * HOUR + 800)

    assert kept.get().status is Status.FULFILLED
    assert kept.get().left_at <= after(dark_s)
    assert kept.till.due == {"r-1": 500 + minutes * FEE}
    assert ("overstay_started" in kept.told()) is (minutes > 0)


def test_a_house_that_was_down_knows_no_more_of_who_left_than_one_that_heard_nothing(kept):
    stays(kept, HOUR + 120)
    kept.clock.pass_by(timedelta(hours=3))
    at_s = 4 * HOUR + 120
    power_returns(kept, at_s)
    kept.until(at_s + 60)
    everything_speaks(kept, at_s + 60, is_there=False)
    kept.until(at_s + 800)

    assert kept.till.due == {"r-1": 500}


def test_what_an_agent_saw_while_it_was_cut_off_counts(kept):
    stays(kept, HOUR + 120)
    silence(kept, 3 * HOUR)
    kept.tell(beat=Beat(outbox_depth=2))
    assert kept.get().status is Status.FINISHED
    kept.tell(said("free", after(2 * HOUR)), seen(False, after(2 * HOUR)), beat=Beat())
    kept.until(3 * HOUR + 700)

    assert kept.get().left_at == after(2 * HOUR)
    # from 13:10 to 14:00, as they were not told in time
    assert kept.till.due == {"r-1": 500 + 50 * FEE}
    assert "overstay_started" not in kept.told()


def test_who_is_still_there_after_a_silence_overstays_and_pays_for_what_was_watched(kept):
    stays(kept, HOUR + 120)
    silence(kept, 3 * HOUR)
    kept.tell(beat=Beat())
    kept.until(3 * HOUR + 590)
    assert kept.get().status is Status.FINISHED
    kept.until(3 * HOUR + 610)
    assert (kept.get().status, kept.get().overstay_since) == (Status.OVERSTAYING, after(4_200))


@pytest.mark.parametrize(("dark_s", "minutes"), [(HOUR + 120, 60), (HOUR + 1_200, 10 + 60)])
def test_the_time_of_a_power_cut_is_nobodys_overstay(kept, dark_s, minutes):
    stays(kept, dark_s)
    silence(kept, 4 * HOUR)
    power_returns(kept, 4 * HOUR)
    kept.until(4 * HOUR + 60)
    everything_speaks(kept, 4 * HOUR + 60, is_there=True)
    kept.until(5 * HOUR)
    assert kept.get().status is Status.OVERSTAYING
    kept.tell(said("free", after(5 * HOUR)), seen(False, after(5 * HOUR)))
    kept.until(5 * HOUR + 60)

    billed = (kept.till.due["r-1"] - 500) / FEE
    assert minutes - 2 <= billed <= minutes


def test_a_bay_seen_empty_after_a_power_cut_is_nobodys_overstay_whoever_comes_next(kept):
    kept.book(0)
    kept.book(HOUR)
    kept.tell(*plugged_in(0))
    kept.until(3_000)
    kept.tell(over(11_000, after(3_000)), said("finishing", after(3_000)))
    kept.until(HOUR + 60)
    assert kept.get("r-2").status is Status.ARRIVED
    silence(kept, 3 * HOUR)
    power_returns(kept, 3 * HOUR)
    kept.until(3 * HOUR + 60)
    everything_speaks(kept, 3 * HOUR + 60, is_there=False)
    kept.book(3 * HOUR + 500)
    kept.until(3 * HOUR + 500)
    kept.tell(*plugged_in(3 * HOUR + 500, session_id="s-2", transaction_id="8"))
    kept.until(4 * HOUR)
    kept.tell(over(15_000, after(4 * HOUR), session_id="s-2"), said("free", after(4 * HOUR)))
    kept.tell(seen(False, after(4 * HOUR)))
    kept.until(4 * HOUR + 3_000)

    assert kept.till.due["r-2"] == 0
    assert kept.get("r-2").overstay_since is None


def test_nobody_is_told_of_an_overstay_that_nobody_sees(kept):
    stays(kept, HOUR + 700)
    assert kept.told()[-1] == "overstay_started"
    silence(kept, 12 * HOUR)

    assert kept.told()[-1] == "overstay_started"


@pytest.mark.parametrize("word", ["charging", "suspended_by_car"])
def test_a_session_nobody_will_hear_of_any_more_ends_with_its_last_word(kept, word):
    kept.book(0)
    kept.tell(*plugged_in(0))
    kept.until(1_990)
    kept.tell(metered(11_000, after(1_980)), state(word, after(1_990)))
    silence(kept, 2 * HOUR)
    kept.clock.pass_by(timedelta(hours=70))
    kept.rig.tick()
    assert kept.get().status is Status.CHARGING
    assert "overstay_started" not in kept.told()

    kept.clock.pass_by(timedelta(hours=2))
    kept.rig.tick()
    assert kept.get().status is Status.FULFILLED
    assert kept.get().left_at <= after(1_990)
    assert kept.till.due == {"r-1": 500}
    assert kept.rig.rows(tables.bay_slots) == []

    late = (over(99_000, after(HOUR)), said("free", after(HOUR)), seen(False, after(HOUR)))
    kept.tell(*late, beat=Beat())
    kept.until(kept_s(kept) + 120)
    assert kept.rig.row(tables.sessions, id="s-1").ended_at == after(HOUR)
    assert (kept.get().status, kept.till.times) == (Status.FULFILLED, {"r-1": 1})
    assert kept.status() == "AVAILABLE"


def test_the_same_goes_for_a_charger_that_is_never_heard_again_at_a_station_that_is(kept):
    kept.book(0)
    kept.tell(*plugged_in(0))
    kept.until(1_990)
    kept.tell(metered(11_000, after(1_980)))
    kept.beats = {"silent_chargers": [CHARGER]}
    kept.tell(beat=Beat(**kept.beats))
    kept.clock.pass_by(timedelta(hours=71))
    kept.agent.beat(**kept.beats)
    kept.rig.tick()
    assert kept.get().status is Status.CHARGING

    kept.clock.pass_by(timedelta(hours=2))
    kept.agent.beat(**kept.beats)
    kept.rig.tick()
    assert (kept.get().status, kept.till.due) == (Status.FULFILLED, {"r-1": 500})


def test_a_station_that_comes_back_in_time_has_its_session_go_on(kept):
    kept.book(0)
    kept.tell(*plugged_in(0))
    kept.until(1_990)
    silence(kept, 2 * HOUR)
    kept.tell(over(21_000, after(3_000)), said("free", after(3_100)), seen(False, after(3_100)))
    kept.until(2 * HOUR + 700)

    assert (kept.get().status, kept.get().left_at) == (Status.FULFILLED, after(3_100))
    assert kept.till.due == {"r-1": 1_000}


# --- their word alone ---------------------------------------------------------------------------------


def check_in(kept, at_s):
    kept.act("r-1", Happening.CHECKED_IN, arrived_at=after(at_s), arrived_by="app")


def test_who_says_that_they_are_there_and_is_never_seen_is_a_no_show(kept):
    kept.book()
    kept.until(1_500)
    check_in(kept, 1_500)
    kept.until(1_679)
    assert "not_seen" not in kept.told()
    kept.until(1_681)
    assert kept.told().count("not_seen") == 1

    kept.until(2_690)
    assert kept.get().status is Status.ARRIVED
    kept.until(2_701)
    assert (kept.get().status, kept.till.due) == (Status.NO_SHOW, {"r-1": 500})
    assert kept.status() == "AVAILABLE"
    assert kept.told()[-1] == "no_show"


def test_who_says_so_late_has_the_grace_from_then_on(kept):
    kept.book()
    kept.until(2_600)
    check_in(kept, 2_600)
    kept.until(3_490)
    assert kept.get().status is Status.ARRIVED
    kept.until(3_510)
    assert kept.get().status is Status.NO_SHOW


def test_who_says_so_and_is_seen_has_come_for_good(kept):
    kept.book()
    kept.until(1_500)
    check_in(kept, 1_500)
    kept.until(1_600)
    kept.tell(seen(True, after(1_600)))
    assert kept.get().arrived_by == "sensor"
    kept.until(2_000)
    kept.tell(seen(False, after(2_000)))
    kept.until(5_390)
    assert kept.get().status is Status.ARRIVED

    kept.until(6_100)
    assert kept.get().status is Status.FULFILLED
    assert "not_seen" not in kept.told()


def without_a_sensor(kept):
    kept.rig.execute("DELETE FROM sensors WHERE id = 'gm-1'")
    kept.rig.execute(
        "UPDATE bays SET has_sensor = 0, is_occupied = NULL WHERE id = 'greenmarket-1'"
    )


def a_silent_sensor(kept):
    kept.beats = {"silent_sensors": ["gm-1"]}
    kept.agent.beat(**kept.beats)


@pytest.mark.parametrize("blind", [without_a_sensor, a_silent_sensor])
def test_the_word_of_a_driver_stands_where_nobody_can_see(kept, blind):
    blind(kept)
    kept.book()
    kept.until(1_500)
    check_in(kept, 1_500)
    kept.until(5_390)
    assert kept.get().status is Status.ARRIVED
    kept.until(6_100)

    assert (kept.get().status, kept.till.due) == (Status.FULFILLED, {"r-1": 0})


# --- a bay nobody looks at ----------------------------------------------------------------------------


def test_a_charger_nobody_plugged_into_does_not_prove_that_nobody_came(kept):
    without_a_sensor(kept)
    kept.book()
    kept.until(6_100)

    assert (kept.get().status, kept.till.due) == (Status.FAILED, {"r-1": 0})


def test_a_charger_nobody_plugged_into_proves_it_where_the_terms_say_so(rig):
    kept = a_keeper(rig, no_show_fee_minor=500, is_charger_witness=True)
    without_a_sensor(kept)
    kept.book()
    kept.until(2_701)

    assert (kept.get().status, kept.till.due) == (Status.NO_SHOW, {"r-1": 500})


# --- at another's bay ---------------------------------------------------------------------------------


def elsewhere(kept):
    """Have Ada charge at the bay that Bob has from one o'clock, and not at her own."""
    kept.book()
    kept.book(HOUR, bay_id=OTHER_BAY, **BOB)
    kept.until(1_900)
    kept.tell(
        seen(True, after(1_890), bay_id=OTHER_BAY, sensor_ids=["gm-2"]),
        begun(after(1_890), evse_id=2),
        state("charging", after(1_890)),
        said("charging", after(1_890), evse_id=2),
    )


def test_who_charges_at_anothers_bay_pays_by_their_own_reservation(kept):
    elsewhere(kept)
    ada = kept.get()
    assert (ada.status, ada.bay_id, ada.session_id) == (Status.CHARGING, BAY, "s-1")
    session = kept.rig.row(tables.sessions, id="s-1")
    assert (session.reservation_id, session.tariff_id) == ("r-1", ada.tariff_id)
    assert kept.status() == "RESERVED"

    kept.until(3_000)
    assert kept.get().status is Status.CHARGING
    kept.tell(
        over(11_000, after(3_000), evse_id=2),
        said("free", after(3_000), evse_id=2),
        seen(False, after(3_000), bay_id=OTHER_BAY, sensor_ids=["gm-2"]),
    )
    kept.until(3_060)
    assert (kept.get().status, kept.get().left_at) == (Status.FULFILLED, after(3_000))
    assert kept.till.due == {"r-1": 500}
    assert kept.status() == "AVAILABLE"


def test_who_charges_at_anothers_bay_for_too_long_does_not_keep_their_own(kept):
    elsewhere(kept)
    kept.until(5_401)

    assert kept.get("r-2").trouble is Trouble.STILL_OCCUPIED
    assert kept.get().status is Status.CHARGING
    assert kept.status() == "AVAILABLE"
    kept.book(5_400, **BOB)
    kept.tell(seen(True, after(5_401)))
    kept.until(5_700)
    kept.tell(over(11_000, after(5_700), evse_id=2))
    kept.until(5_800)
    assert kept.till.due["r-1"] == 500


def test_a_second_car_at_another_bay_is_charged_for_too(kept):
    kept.book(0)
    kept.book(2 * HOUR, bay_id=OTHER_BAY, **BOB)
    kept.tell(*plugged_in(0))
    kept.until(1_000)
    kept.tell(over(11_000, after(1_000)), said("free", after(1_000)), seen(False, after(1_000)))
    kept.tell(begun(after(1_010), session_id="s-2", transaction_id="8", evse_id=2))
    kept.until(2_000)
    assert (kept.get().status, kept.get().session_id) == (Status.CHARGING, "s-2")
    kept.tell(over(6_000, after(2_000), session_id="s-2", evse_id=2))
    kept.until(2_060)

    assert kept.till.due == {"r-1": 500 + 250}
