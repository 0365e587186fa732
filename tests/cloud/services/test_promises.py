"""Promises held against facts and time, in the transactions in which these come."""

from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from cloud.adapters.sql import tables
from cloud.adapters.sql.reservations import SqlReservations
from cloud.domain.billing import simple_id
from cloud.domain.reservations import Happening, Status, Trouble
from cloud.services.plans import PlanService
from cloud.services.ports import TransactionLost
from cloud.services.shelf import TariffShelf
from contracts import events
from contracts.batch import Beat
from contracts.plan import decode_plan
from tests.cloud.builders import BAY, NOON, after
from tests.cloud.services.promises import OTHER_BAY, Promises
from tests.cloud.services.rig import begun, connected, metered, over, said, seen, state


@pytest.fixture
def kept(rig):
    return Promises(rig)


def test_a_driver_comes_charges_stays_and_leaves(kept):
    booked = kept.book()
    assert kept.status() == "AVAILABLE"

    kept.until(900)
    assert (kept.status(), kept.rig.bay().situation) == ("RESERVED", "awaited")

    kept.until(1_200)
    assert kept.told() == ["reminder"]

    kept.until(1_700)
    kept.tell(seen(True, after(1_690)))
    assert kept.rig.bay().situation == "arriving"
    assert (kept.get().arrived_at, kept.get().arrived_by) == (after(1_690), "sensor")

    kept.until(1_740)
    kept.tell(begun(after(1_730)), state("charging", after(1_735)), said("charging", after(1_735)))
    charging = kept.get()
    assert (charging.status, charging.session_id) == (Status.CHARGING, "s-1")
    session = kept.rig.row(tables.sessions, id="s-1")
    assert (session.reservation_id, session.tariff_id) == (booked.id, booked.tariff_id)
    assert kept.status() == "CHARGING"

    kept.until(3_000)
    kept.tell(metered(20_000, after(2_990), soc_pct=79.0))
    kept.tell(metered(21_000, after(2_999), soc_pct=80.5))
    assert kept.told() == ["reminder", "session_started", "target_reached"]

    kept.until(4_900)
    kept.tell(over(26_000, after(4_890)), said("finishing", after(4_890)))
    assert kept.get().status is Status.FINISHED
    assert kept.status() == "BLOCKED"

    kept.until(5_000)
    kept.tell(said("free", after(4_990)), seen(False, after(4_995)))
    kept.until(5_060)
    done = kept.get()
    assert (done.status, done.left_at) == (Status.FULFILLED, after(4_995))
    assert kept.till.due == {"r-1": 1_250}
    assert kept.till.times == {"r-1": 1}
    assert kept.status() == "AVAILABLE"
    assert kept.told()[3:] == ["slot_ending", "session_ended", "receipt"]
    assert kept.rig.rows(tables.bay_slots) == []
    kept.until(12_000)
    assert kept.due_at() is None


# --- not coming --------------------------------------------------------------------------------------


def test_who_does_not_come_is_a_no_show_once_the_bay_was_seen_empty_through_the_grace(kept):
    kept.book()
    kept.until(2_690)
    assert kept.get().status is Status.BOOKED

    kept.until(2_701)
    assert kept.get().status is Status.NO_SHOW
    assert kept.status() == "AVAILABLE"
    assert kept.rig.rows(tables.bay_slots) == []
    assert kept.told() == ["reminder", "no_show"]
    assert len(kept.waiting.freed_) == 1


def test_somebody_who_came_and_left_begins_the_grace_anew(kept):
    kept.book()
    kept.until(2_000)
    kept.tell(seen(True, after(2_000)))
    assert kept.get().arrived_by == "sensor"
    kept.until(2_100)
    kept.tell(seen(False, after(2_100)))
    assert kept.get().arrived_by == ""

    kept.until(2_980)
    assert kept.get().status is Status.BOOKED
    kept.until(3_001)
    assert kept.get().status is Status.NO_SHOW


def silence_of_the_sensor(kept):
    kept.tell(silent_sensor(after(2_000)))
    kept.until(2_200)
    kept.tell(heard_sensor(after(2_200)))


def silence_of_the_station(kept):
    kept.until(2_200, is_heard=False)


def a_fault(kept):
    kept.tell(said("faulted", after(2_000), error_code="GroundFailure"))
    kept.until(2_100)
    kept.tell(said("free", after(2_100)))


def a_stranger(kept):
    kept.tell(seen(True, after(2_000)))
    kept.until(2_400)
    kept.tell(seen(False, after(2_400)))


@pytest.mark.parametrize(
    "happens", [silence_of_the_sensor, silence_of_the_station, a_fault, a_stranger]
)
def test_nobody_is_a_no_show_where_the_bay_was_not_there_or_not_seen_all_the_time(kept, happens):
    kept.rig.execute("UPDATE bays SET evse_id = NULL WHERE id = 'greenmarket-2'")
    kept.book()
    kept.until(2_000)
    happens(kept)
    kept.until(5_390)
    assert kept.get().status is Status.BOOKED
    assert kept.get().trouble is Trouble.NONE

    kept.until(6_100)
    assert kept.get().status is Status.FAILED
    assert kept.till.due == {"r-1": 0}
    assert kept.told()[-1] == "failed"


def silent_sensor(at):
    return events.SensorFellSilent(sensor_id="gm-1", bay_id=BAY, observed_at=at)


def heard_sensor(at):
    return events.SensorHeardAgain(sensor_id="gm-1", bay_id=BAY, observed_at=at)


def test_a_station_nobody_heard_while_the_house_was_down_proves_nothing(kept):
    kept.book()
    kept.until(2_000)
    kept.clock.pass_by(timedelta(seconds=900))
    kept.agent.tell(said("free", after(2_800)), beat=Beat())
    kept.rig.tick()

    assert kept.get().status is Status.BOOKED
    assert kept.get().doubted_at == after(2_900)


def test_an_agent_with_much_to_tell_is_heard_out_before_anybody_is_a_no_show(kept):
    kept.book()
    kept.until(2_690)
    kept.agent.tell(beat=Beat(outbox_depth=5_000))
    kept.rig.pass_by(20)
    kept.rig.tick()
    assert kept.get().status is Status.BOOKED

    kept.tell(begun(after(2_500)), beat=Beat())
    assert kept.get().status is Status.CHARGING


def test_t09_the_word_of_a_sensor_that_was_not_heard_since_the_agent_began_proves_nothing(kept):
    kept.book()
    kept.until(1_700)
    kept.beats = {"silent_sensors": ["gm-1"]}
    kept.tell(
        events.AgentStarted(observed_at=after(1_700), agent_version="2"),
        connected(after(1_700)),
        said("free", after(1_700)),
        beat=Beat(**kept.beats),
    )
    assert kept.rig.bay().situation == "awaited_unseen"

    kept.until(2_800)
    assert kept.get().status is Status.BOOKED
    assert kept.get().doubted_at == after(1_800)


def test_t10_a_sensor_that_sees_no_car_where_the_driver_charges_ends_nothing(kept):
    kept.book()
    kept.until(1_850)
    kept.tell(begun(after(1_850)), state("charging", after(1_850)), said("charging", after(1_850)))
    kept.tell(seen(True, after(1_850)), seen(False, after(1_850)))
    kept.until(2_000)

    assert kept.get().status is Status.CHARGING
    assert kept.rig.bay().situation == "charging_unseen"
    assert kept.rig.open_alerts() == ["suspect_sensor/greenmarket-1"]


# --- stolen, broken, still occupied ------------------------------------------------------------------


def test_r14_a_van_in_a_promised_bay_has_the_driver_moved_at_once_and_staff_alerted(kept):
    kept.book()
    kept.until(1_300)
    kept.tell(seen(True, after(1_300)))
    kept.until(1_470)
    assert kept.get().bay_id == BAY
    kept.until(1_481)

    moved = kept.get()
    assert (moved.bay_id, moved.moved_from, moved.trouble) == (OTHER_BAY, BAY, Trouble.NONE)
    assert kept.status(OTHER_BAY) == "RESERVED"
    assert kept.status() == "BLOCKED"
    assert kept.told() == ["reminder", "moved"]
    assert "stolen_bay/greenmarket-1" in kept.rig.open_alerts()
    assert {one.bay_id for one in kept.rig.rows(tables.bay_slots)} == {OTHER_BAY}

    kept.tell(seen(False, after(1_480)))
    assert "stolen_bay/greenmarket-1" not in kept.rig.open_alerts()
    kept.until(1_900)
    kept.tell(begun(after(1_890), evse_id=2))
    assert kept.get().status is Status.CHARGING


def test_r14_within_30_s_of_the_van_where_the_terms_are_that_short(rig):
    kept = Promises(rig, confirm_s=20)
    kept.book()
    kept.until(1_300)
    kept.tell(seen(True, after(1_300)))
    kept.until(1_330)

    assert kept.told() == ["reminder", "moved"]


def test_r14_where_no_bay_is_equal_the_driver_is_offered_others_and_pays_nothing(kept):
    kept.tell(said("faulted", NOON, evse_id=2))
    kept.book()
    kept.until(1_300)
    kept.tell(seen(True, after(1_300)))
    kept.until(1_481)

    (offer,) = kept.rig.rows(tables.offers)
    assert (offer.kind, offer.reservation_id, offer.state) == ("reschedule", "r-1", "open")
    assert len(offer.options) >= 1
    assert offer.expires_at == after(2_700)
    assert kept.told() == ["reminder", "offer"]
    assert kept.get().trouble is Trouble.STOLEN
    assert kept.rig.bay().situation == "taken"
    assert "stolen_bay/greenmarket-1" in kept.rig.open_alerts()

    kept.until(2_690)
    assert kept.get().status is Status.BOOKED
    kept.until(2_701)
    assert (kept.get().status, kept.get().reason) == (Status.FAILED, "bay_lost")
    assert kept.till.due == {"r-1": 0}
    assert kept.rig.rows(tables.offers)[0].state == "expired"
    assert kept.told() == ["reminder", "offer", "failed"]


def stolen_at(kept, seconds, **more):
    """Book, and have a van take the bay and stay."""
    kept.book(**more)
    kept.until(seconds)
    kept.tell(seen(True, after(seconds)))
    kept.until(seconds + 181)


def test_d10_who_chose_a_strong_bay_is_offered_a_weaker_one_and_not_moved_there(kept):
    kept.rig.execute("UPDATE connectors SET max_power_w = 75000 WHERE evse_id = 2")
    stolen_at(kept, 1_300)

    assert (kept.get().bay_id, kept.get().trouble) == (BAY, Trouble.STOLEN)
    (offer,) = kept.rig.rows(tables.offers)
    assert OTHER_BAY in {one["bay_id"] for one in offer.options}
    assert kept.told() == ["reminder", "offer"]


@pytest.mark.parametrize(
    ("agreed_minor", "bay_id", "minor"), [(1_000, OTHER_BAY, 1_000), (1_200, OTHER_BAY, 1_000)]
)
def test_d10_who_is_moved_unasked_is_quoted_anew(kept, agreed_minor, bay_id, minor):
    stolen_at(kept, 1_300, quote={"energy_wh": 20_000, "total_minor": agreed_minor})

    assert (kept.get().bay_id, kept.get().tariff_id) == (bay_id, "kwh:GBP:50")
    assert kept.get().quote["total_minor"] == minor


def test_d10_nobody_is_moved_unasked_to_where_it_costs_more_than_agreed(kept):
    stolen_at(kept, 1_300, quote={"energy_wh": 20_000, "total_minor": 999})

    assert (kept.get().bay_id, kept.get().trouble) == (BAY, Trouble.STOLEN)
    assert kept.get().quote["total_minor"] == 999
    assert kept.told() == ["reminder", "offer"]


def test_where_there_is_nothing_to_offer_the_driver_is_told_once_and_moved_when_there_is(kept):
    kept.tell(said("faulted", NOON, evse_id=2))
    kept.finding_nothing()
    kept.book()
    kept.until(1_300)
    kept.tell(seen(True, after(1_300)))
    kept.until(1_900)
    assert kept.told() == ["reminder", "bay_blocked"]

    kept.tell(said("free", after(1_900), evse_id=2))
    kept.until(1_970)
    assert kept.get().bay_id == OTHER_BAY
    assert kept.told() == ["reminder", "bay_blocked", "moved"]


def test_a_bay_that_is_free_again_is_theirs_and_a_driver_who_was_there_all_along_is_met(kept):
    kept.tell(said("faulted", NOON, evse_id=2))
    kept.book()
    kept.until(1_300)
    kept.tell(seen(True, after(1_300)))
    kept.until(1_500)
    assert kept.get().trouble is Trouble.STOLEN

    kept.tell(seen(False, after(1_500)))
    assert kept.get().trouble is Trouble.NONE
    kept.tell(seen(True, after(1_510)))
    kept.until(1_720)
    assert kept.get().trouble is Trouble.STOLEN

    kept.act("r-1", Happening.CHECKED_IN, arrived_at=after(1_720), arrived_by="app")
    assert (kept.get().status, kept.get().trouble) == (Status.ARRIVED, Trouble.NONE)
    assert kept.rig.rows(tables.offers)[0].state == "expired"
    assert kept.rig.bay().situation == "driver_there"


def test_a_bay_that_breaks_before_the_slot_has_the_driver_moved_within_30_s(kept):
    kept.book()
    kept.until(600)
    kept.tell(said("faulted", after(600), error_code="GroundFailure"))
    assert kept.get().bay_id == BAY
    kept.until(901)

    assert kept.get().bay_id == OTHER_BAY
    assert kept.told() == ["moved"]


def test_a_walk_in_in_a_kept_bay_is_published_as_charging_with_whose_it_is(kept):
    kept.tell(said("faulted", NOON, evse_id=2))
    kept.book()
    kept.tell(seen(True, NOON), begun(NOON, token="OTHER"), state("charging", NOON))
    kept.tell(said("charging", NOON))
    kept.until(901)

    bay = kept.rig.bay()
    assert bay.status == "CHARGING"
    assert bay.reason.endswith("From 12:30 UTC the bay is promised to somebody else.")
    assert kept.get().trouble is Trouble.STILL_OCCUPIED
    assert kept.told() == ["offer"]


def test_r15_who_overstays_pays_by_the_minute_and_the_next_driver_is_moved(rig):
    kept = Promises(rig, overstay_per_minute_minor=25)
    kept.book(0, user_id="u-bob", token="04bbbb")
    kept.book(3_600)
    kept.tell(seen(True, NOON), begun(NOON, token="04BBBB"), state("charging", NOON))
    kept.until(3_000)
    kept.tell(over(11_000, after(3_000)), said("finishing", after(3_000)))
    kept.until(3_590)
    assert (kept.get("r-2").bay_id, kept.told("u-bob").count("overstay_started")) == (BAY, 0)

    kept.until(3_601)
    assert kept.get("r-2").bay_id == OTHER_BAY
    assert kept.told() == ["reminder", "moved"]
    assert "stolen_bay/greenmarket-1" in kept.rig.open_alerts()
    kept.until(4_201)
    assert (kept.get().status, kept.get().overstay_since) == (Status.OVERSTAYING, after(4_200))
    assert kept.told("u-bob")[-1] == "overstay_started"
    kept.until(5_101)
    assert kept.told("u-bob")[-1] == "overstay_continues"

    kept.until(5_541)
    kept.tell(said("free", after(5_541)), seen(False, after(5_541)))
    kept.until(5_600)
    # 10 kWh at 50, and 23 minutes begun at 25
    assert kept.get().status is Status.FULFILLED
    assert kept.till.due["r-1"] == 500 + 23 * 25


def test_a_session_that_outlives_its_slot_has_the_next_driver_moved_and_costs_no_overstay(kept):
    kept.book(0, user_id="u-bob", token="04bbbb")
    kept.book(3_600)
    kept.tell(seen(True, NOON), begun(NOON, token="04BBBB"), state("charging", NOON))
    kept.tell(said("charging", NOON))
    kept.until(5_400)

    assert kept.get().status is Status.CHARGING
    assert kept.get("r-2").bay_id == OTHER_BAY


def test_a_cable_left_behind_is_nobodys_car_and_the_next_drivers_arrival_is_their_own(rig):
    kept = Promises(rig, overstay_per_minute_minor=25)
    kept.book(0, user_id="u-bob", token="04bbbb")
    kept.book(3_600)
    kept.tell(seen(True, NOON), begun(NOON, token="04BBBB"), state("charging", NOON))
    kept.until(3_000)
    kept.tell(over(11_000, after(3_000)), said("finishing", after(3_000)))
    kept.until(3_060)
    kept.tell(seen(False, after(3_060)))
    kept.until(3_500)
    assert (kept.get().status, kept.till.due) == (Status.FULFILLED, {"r-1": 500})
    kept.until(3_650)
    assert (kept.get("r-2").status, kept.get("r-2").bay_id) == (Status.BOOKED, BAY)
    kept.tell(seen(True, after(3_650)))
    kept.until(3_680)

    come = kept.get("r-2")
    assert (come.status, come.bay_id, come.trouble) == (Status.BOOKED, BAY, Trouble.NONE)
    assert not {"moved", "trouble"} & set(kept.told())
    kept.tell(begun(after(3_700), session_id="s-2", transaction_id="8"))
    kept.until(3_720)
    assert (kept.get("r-2").status, kept.get("r-2").bay_id) == (Status.CHARGING, BAY)


# --- silence ---------------------------------------------------------------------------------------


def test_a_station_silent_through_a_slot_costs_nobody_anything(kept):
    kept.book()
    kept.until(1_700)
    kept.until(5_500, is_heard=False)
    assert (kept.get().status, kept.get().trouble) == (Status.BOOKED, Trouble.SILENT)
    assert kept.status() == "UNKNOWN"

    kept.tell(said("free", after(5_500)), beat=Beat())
    kept.until(6_080)
    assert kept.get().status is Status.BOOKED
    kept.until(6_110)
    assert (kept.get().status, kept.get().reason) == (Status.FAILED, "never_seen")
    assert kept.till.due == {"r-1": 0}


def test_a_station_that_is_never_heard_again_costs_nobody_anything_after_three_days(kept):
    kept.book()
    kept.until(1_700)
    kept.until(5_500, is_heard=False)
    kept.clock.pass_by(timedelta(hours=71))
    kept.rig.tick()
    assert kept.get().status is Status.BOOKED
    kept.clock.pass_by(timedelta(hours=1))
    kept.rig.tick()

    assert kept.get().status is Status.FAILED


def test_facts_that_come_late_say_what_became_of_the_slot(kept):
    kept.book()
    kept.until(1_700)
    kept.until(5_500, is_heard=False)
    kept.tell(said("free", after(5_400)), beat=Beat())
    kept.until(5_700)
    kept.tell(
        begun(after(1_900), is_offline=True),
        over(9_000, after(3_900), is_offline=True),
        beat=Beat(),
    )

    assert kept.get().status is Status.FULFILLED
    assert kept.till.due == {"r-1": 400}
    assert kept.get().left_at == after(3_900)


def test_t04_an_old_offline_session_moves_no_reservation_and_no_bay(kept):
    kept.book()
    kept.until(1_850)
    before = kept.rig.bay()
    three_days = 3 * 86_400
    kept.tell(
        begun(after(1_850 - three_days), session_id="old", is_offline=True),
        metered(9_000, after(1_950 - three_days), session_id="old"),
    )
    assert kept.get().status is Status.BOOKED
    kept.tell(over(9_000, after(5_450 - three_days), session_id="old", is_offline=True))

    assert kept.get().status is Status.BOOKED
    assert kept.get().arrived_at is None
    assert (kept.rig.bay().status, kept.rig.bay().situation) == (before.status, before.situation)
    assert kept.rig.row(tables.sessions, id="old").reservation_id is None
    kept.until(2_701)
    assert kept.get().status is Status.NO_SHOW


def test_t04_an_old_session_of_somebody_who_has_just_come_is_none_of_their_reservation(kept):
    kept.book()
    kept.until(1_000)
    kept.act("r-1", Happening.CHECKED_IN, arrived_at=after(1_000), arrived_by="app")
    kept.tell(begun(after(-99_000)), over(9_000, after(-90_000)))

    assert kept.get().status is Status.ARRIVED
    assert kept.rig.row(tables.sessions, id="s-1").reservation_id is None


# --- early, elsewhere, and flexible ------------------------------------------------------------------


def test_a_driver_may_start_early_once_the_bay_is_kept(kept):
    kept.book()
    kept.until(1_000)
    kept.tell(seen(True, after(990)), begun(after(1_000)), said("charging", after(1_000)))

    assert kept.get().status is Status.CHARGING


def test_a_card_of_the_same_account_meets_the_reservation_the_station_names(kept):
    kept.book()
    kept.until(1_900)
    kept.tell(begun(after(1_890), token="04CCCC", reservation_id="r-1"))

    assert kept.get().status is Status.CHARGING
    assert kept.rig.row(tables.sessions, id="s-1").reservation_id == "r-1"


def test_a_walk_in_of_theirs_becomes_their_reservations_when_the_slot_begins(kept):
    kept.book()
    kept.tell(seen(True, NOON), begun(NOON), state("charging", NOON), said("charging", NOON))
    kept.until(1_790)
    assert kept.get().status is Status.BOOKED
    assert kept.get().trouble is Trouble.NONE

    kept.tell(state("charging", after(1_790)))
    kept.until(1_801)
    assert (kept.get().status, kept.get().session_id) == (Status.CHARGING, "s-1")
    kept.until(2_000)
    kept.tell(over(9_000, after(2_000)), said("finishing", after(2_000)))
    assert kept.rig.row(tables.sessions, id="s-1").reservation_id == "r-1"
    assert kept.get().status is Status.FINISHED


def test_who_plugs_in_at_another_bay_takes_the_reservation_along(kept):
    kept.book()
    kept.until(1_900)
    kept.tell(begun(after(1_890), evse_id=2), said("charging", after(1_890), evse_id=2))

    assert (kept.get().status, kept.get().bay_id) == (Status.CHARGING, OTHER_BAY)
    assert kept.status() == "AVAILABLE"
    assert {one.bay_id for one in kept.rig.rows(tables.bay_slots)} == {OTHER_BAY}


def test_a_charge_told_of_late_and_at_once_costs_what_was_agreed_on(kept):
    kept.book(quote={"discounts": {"ENERGY": 20}})
    kept.until(2_400)
    charging = begun(after(1_850)), state("charging", after(1_850)), said("charging", after(1_850))
    kept.tell(*charging, metered(11_000, after(2_390)))

    assert kept.rig.row(tables.sessions, id="s-1").cost_minor == 10 * 50 * 80 // 100


def test_each_session_of_a_reservation_costs_what_it_adds(kept):
    kept.book(quote={"discounts": {"ENERGY": 20}})
    kept.until(2_400)
    kept.tell(begun(after(1_850)), state("charging", after(1_850)), said("charging", after(1_850)))
    kept.tell(metered(11_000, after(2_390)))
    kept.tell(over(11_000, after(2_395)), said("finishing", after(2_395)))
    kept.until(2_500)
    kept.tell(begun(after(2_450), session_id="s-2", meter_start_wh=11_000))
    kept.tell(said("charging", after(2_450)))
    kept.until(3_000)
    kept.tell(metered(16_000, after(2_990), session_id="s-2"))
    kept.tell(over(16_000, after(2_995), session_id="s-2"), said("free", after(2_996)))
    kept.tell(seen(False, after(2_998)))
    kept.until(5_500)

    costs = [one.cost_minor for one in kept.rig.rows(tables.sessions)]
    assert costs == [400, 200]
    assert kept.till.due["r-1"] == sum(costs)


def test_a_reservation_is_bound_to_its_bay_when_its_time_has_come(kept):
    kept.book(7_200, is_flexible=True, fixed_at=after(3_000))
    kept.until(2_990)
    assert kept.get().is_flexible
    kept.until(3_001)

    assert not kept.get().is_flexible


# --- holds -----------------------------------------------------------------------------------------


def test_a_hold_keeps_a_bay_and_gives_it_free_when_it_expires(kept):
    kept.book(600, status=Status.HELD, held_until=after(300), booked_at=None)
    assert kept.status() == "RESERVED"

    kept.until(299)
    assert kept.get().status is Status.HELD
    kept.until(300)
    assert kept.get().status is Status.REJECTED
    assert kept.status() == "AVAILABLE"
    assert kept.rig.rows(tables.bay_slots) == []


def test_the_clock_wakes_when_a_hold_expires(kept):
    kept.book(9_000, status=Status.HELD, held_until=after(1.5), booked_at=None)

    assert kept.rig.deadlines.next_due_at() == after(1.5)


def test_a_bay_says_until_when_it_is_reserved_and_what_comes_next(kept):
    kept.book()
    kept.book(7_200)
    kept.until(901)

    bay = kept.rig.bay()
    assert (bay.reserved_until, bay.next_reservation_at) == (after(5_400), after(1_800))
    view = next(
        one
        for one in kept.rig.availability.station("greenmarket").station.bays
        if one.bay_id == BAY
    )
    assert (view.reserved_until, view.next_reservation_at) == (after(5_400), after(1_800))


# --- what agents are told ----------------------------------------------------------------------------


def planned(kept):
    """Return the reservations of the plans that were sent since the last time."""
    sent = [payload for topic, payload, _ in kept.rig.broker.published if topic.endswith("/plan")]
    kept.rig.broker.published.clear()
    return [[one.reservation_id for one in decode_plan(payload).reservations] for payload in sent]


def test_a_plan_carries_the_paid_reservations_of_the_next_days(kept):
    plans = PlanService(kept.open_work, kept.rig.broker, kept.clock, TariffShelf())
    plans.publish_changed()
    planned(kept)
    kept.book(7_200, status=Status.HELD, held_until=after(600), booked_at=None)
    plans.publish_changed()
    assert planned(kept) == []

    kept.act("r-1", Happening.PAID, booked_at=NOON, held_until=None)
    plans.publish_changed()
    (payload,) = [one for topic, one, _ in kept.rig.broker.published if topic.endswith("/plan")]
    (told,) = decode_plan(payload).reservations
    assert (told.reservation_id, told.reservation_number, told.bay_id) == ("r-1", 1, BAY)
    assert (told.token, told.protect_from) == ("04aabb", after(7_200 - 900))
    assert (told.starts_at, told.ends_at) == (after(7_200), after(10_800))

    kept.act("r-1", Happening.CANCELED_BY_DRIVER)
    planned(kept)
    plans.publish_changed()
    assert planned(kept) == [[]]


def test_a_plan_says_what_a_promise_was_agreed_to_cost_where_it_costs_another_now(kept):
    plans = PlanService(kept.open_work, kept.rig.broker, kept.clock, TariffShelf())
    kept.book(7_200, tariff_id=simple_id("GBP", 50))
    kept.book(14_400, tariff_id=simple_id("GBP", 45))
    plans.publish_all()

    (payload,) = [one for topic, one, _ in kept.rig.broker.published if topic.endswith("/plan")]
    plan = decode_plan(payload)
    assert plan.tariff_text == "0.50 GBP per kWh."
    told = {one.reservation_id: one.tariff_text for one in plan.reservations}
    assert told == {"r-1": "", "r-2": "0.45 GBP per kWh."}


def test_a_plan_is_not_sent_again_for_what_it_does_not_say(kept):
    kept.book()
    kept.until(1_700)
    before = kept.rig.row(tables.stations, id="greenmarket").plan_version
    kept.tell(begun(after(1_690)), said("charging", after(1_690)))
    assert kept.get().status is Status.CHARGING

    assert kept.rig.row(tables.stations, id="greenmarket").plan_version == before


def test_a_plan_is_sent_again_as_days_go_by(kept):
    plans = PlanService(kept.open_work, kept.rig.broker, kept.clock, TariffShelf())
    kept.book(3 * 86_400 + 7 * 3_600)
    plans.publish_changed()
    assert planned(kept) == [[]]

    kept.clock.pass_by(timedelta(hours=5))
    plans.publish_changed()
    assert planned(kept) == []
    kept.clock.pass_by(timedelta(hours=1))
    plans.publish_changed()
    assert planned(kept) == [["r-1"]]


# --- what goes wrong ---------------------------------------------------------------------------------


def test_facts_are_kept_though_a_promise_cannot_and_the_clock_goes_on_with_the_rest(rig):
    kept = Promises(rig, grace_s=120)
    kept.book()
    kept.book(bay_id=OTHER_BAY, user_id="u-bob", token="04bbbb")
    kept.until(1_910)
    kept.rig.execute("UPDATE reservations SET tariff_id = 'lost' WHERE id = 'r-1'")
    with capture_logs() as logs:
        kept.agent.tell(begun(after(1_850)), over(9_000, after(1_860)))
        assert kept.rig.row(tables.sessions, id="s-1").ended_at == after(1_860)
        kept.until(1_921)
    assert kept.get().is_live
    assert kept.get("r-2").status is Status.NO_SHOW
    said_ = {one["event"] for one in logs}
    assert {"ingest.promises_postponed", "deadlines.failed"} <= said_

    kept.rig.execute("UPDATE reservations SET tariff_id = 'kwh:GBP:50' WHERE id = 'r-1'")
    kept.until(1_985)
    assert kept.get().status is Status.FULFILLED


class Contended:
    """See Promises: somebody else is always at one of several bays, and at one of them for good."""

    def __init__(self, keeper):
        self.keeper = keeper

    def keep(self, work, board, bay_id):
        if len(board.bays) > 1 or bay_id == OTHER_BAY:
            raise TransactionLost("somebody else was faster")
        return self.keeper.keep(work, board, bay_id)


def test_what_cannot_be_done_together_for_others_at_it_is_done_one_by_one(kept):
    kept.book()
    kept.book(bay_id=OTHER_BAY, user_id="u-bob", token="04bbbb")
    kept.until(2_690)
    contended = replace(kept.rig.settling, promises=Contended(kept.keeper))
    kept.rig.pass_by(11)
    done = replace(kept.rig.deadlines, settling=contended).do_due()

    assert done >= 1
    assert (kept.get().status, kept.get("r-2").status) == (Status.NO_SHOW, Status.BOOKED)
    kept.rig.tick()
    assert kept.get("r-2").status is Status.NO_SHOW


def test_every_message_doubled_has_one_effect(kept):
    kept.book()
    kept.until(1_850)
    batch = kept.agent.batch(begun(after(1_850)), said("charging", after(1_850)))
    for _ in range(3):
        kept.rig.ingest.apply(kept.agent.incoming(batch))

    assert kept.log() == ["booked", "plugged_in"]
    assert kept.told() == ["reminder", "session_started"]


def test_samples_alone_load_nothing_of_reservations(kept, monkeypatch):
    kept.book()
    kept.until(1_850)
    kept.tell(begun(after(1_850)), said("charging", after(1_850)))
    asked = []
    monkeypatch.setattr(SqlReservations, "_live", lambda *wanted: asked.append(wanted) or [])
    kept.agent.tell(metered(2_000, after(1_860)), metered(3_000, after(1_870)))

    assert asked == []
