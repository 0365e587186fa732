"""What follows for a reservation: the table walked whole, and when its steps are ripe."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from cloud.domain.evidence import InBay, Seen
from cloud.domain.notices import NoticeKind
from cloud.domain.policy import Policy
from cloud.domain.promise_look import Look, slot_end, taken_up_at
from cloud.domain.promise_notices import has_reached_target
from cloud.domain.promise_steps import (
    IN_DANGER,
    LEADS_TO,
    TABLE,
    TROUBLES,
    Phase,
    Step,
    phase,
    step_of,
)
from cloud.domain.promise_table import document
from cloud.domain.promises import give_up_at, judge
from cloud.domain.reservations import HERE, LIVE, NEXT, Happening, Status, Trouble
from tests.cloud.builders import NOON, a_reservation, a_session, after

POLICY = Policy()
CELLS = list(product(sorted(LIVE), Phase, InBay))


def booked(**more):
    """Booked for noon to one."""
    return a_reservation(**({"start_s": 0, "status": Status.BOOKED} | more))


def judged(reservation, who, at=NOON, *, since=None, own=None, **more):
    known = {"slot_ends_at": reservation.ends_at, "own": own}
    seen = more.pop("seen", None) or Seen(who, since, more.pop("session", None))
    return judge(Look(reservation=reservation, seen=seen, **(known | more)), POLICY, at)


# --- the table -------------------------------------------------------------------------------------


def test_the_table_has_a_step_for_every_status_that_lives_every_phase_and_everybody():
    assert set(TABLE) == LIVE
    for status, in_phase, who in CELLS:
        assert step_of(status, in_phase, who) in Step


def test_every_step_but_what_the_owner_does_is_somewhere_in_the_table():
    assert {step_of(*cell) for cell in CELLS} == set(Step) - {Step.WITHDRAWN}


@pytest.mark.parametrize(("status", "in_phase", "who"), CELLS)
def test_what_a_step_leads_to_is_allowed_where_it_stands(status, in_phase, who):
    happening = LEADS_TO.get(step_of(status, in_phase, who))

    if happening is not None and (status, happening) != (Status.OVERSTAYING, Happening.OVERSTAYED):
        assert (status, happening) in NEXT


@pytest.mark.parametrize(("status", "in_phase", "who"), CELLS)
def test_a_no_show_is_seen_after_the_grace_or_is_none(status, in_phase, who):
    if step_of(status, in_phase, who) is Step.NO_SHOW:
        assert status in {Status.BOOKED, Status.ARRIVED}
        # whom nobody has seen yet says nothing that counts
        assert who is InBay.SAID_SO or (status, who) == (Status.BOOKED, InBay.EMPTY)
        assert in_phase in {Phase.LATE, Phase.PAST}


@pytest.mark.parametrize("in_phase", [Phase.OPEN, Phase.LATE])
def test_whatever_is_not_seen_to_be_theirs_during_the_slot_troubles_or_waits(in_phase):
    harmless = {Step.WAIT, Step.DOUBT, Step.ARRIVAL, Step.CHECK_IN, Step.MEET, Step.NO_SHOW}
    for who in InBay:
        step = step_of(Status.BOOKED, in_phase, who)

        assert step in harmless or step in TROUBLES


def test_nobody_is_troubled_before_the_bay_is_kept_for_them():
    for who in InBay:
        assert step_of(Status.BOOKED, Phase.FAR, who) is Step.WAIT


def test_who_has_come_pays_for_what_they_had_and_who_was_let_down_does_not():
    for status, in_phase, who in CELLS:
        happening = LEADS_TO.get(step_of(status, in_phase, who))
        if happening in {Happening.BAY_LOST, Happening.NEVER_SEEN}:
            assert status in {Status.BOOKED, Status.ARRIVED}


def test_the_document_is_written_from_the_code():
    written = Path(__file__).parents[3] / "docs" / "promises.md"

    assert written.read_text() == document()


@pytest.mark.parametrize(
    ("at_s", "expected"),
    [
        (-901, Phase.FAR),
        (-900, Phase.PROTECTED),
        (0, Phase.OPEN),
        (899, Phase.OPEN),
        (900, Phase.LATE),
        (3600, Phase.PAST),
    ],
)
def test_a_slot_has_phases(at_s, expected):
    assert phase(booked(), after(at_s)) is expected


# --- every judgement -------------------------------------------------------------------------------


@pytest.mark.parametrize("at_s", [-3600, -900, -600, 0, 900, 1800, 3000, 3600, 4200, 300_000])
@pytest.mark.parametrize("status", sorted(LIVE))
def test_something_is_always_due_later(status, at_s):
    own = a_session(started_at=after(0), ended_at=after(600), charging_ended_at=after(600))
    for who, trouble in product(InBay, Trouble):
        reservation = booked(status=status, trouble=trouble, trouble_at=NOON)
        verdict = judged(reservation, who, after(at_s), own=own)

        assert verdict.due_at > after(at_s)
        assert verdict.happening is None or (status, verdict.happening) in NEXT


def test_a_hold_expires_at_its_time():
    held = booked(status=Status.HELD, held_until=after(-300), start_s=3600)

    assert judged(held, InBay.EMPTY, after(-301)).happening is None
    assert judged(held, InBay.EMPTY, after(-301)).due_at == after(-300)
    assert judged(held, InBay.EMPTY, after(-300)).happening is Happening.HOLD_EXPIRED
    assert judged(replace(held, held_until=None), InBay.EMPTY).happening is None


# --- coming ----------------------------------------------------------------------------------------


def test_somebody_who_came_counts_as_the_driver_until_it_is_known_better():
    came = judged(booked(), InBay.SOMEBODY, after(60), since=after(50))
    was_another = judged(booked(), InBay.STRANGER, after(240), since=after(50))
    left_again = judged(booked(), InBay.EMPTY, after(240))

    assert (came.arrived_at, came.happening, came.is_arrival_void) == (after(50), None, False)
    assert was_another.is_arrival_void
    assert left_again.is_arrival_void
    assert judged(booked(), InBay.SOMEBODY, after(60)).arrived_at == after(60)


def test_their_session_is_their_coming_also_before_the_start():
    session = a_session(id="s-9")
    early = judged(booked(), InBay.OURS, after(-600), since=after(-700), session=session)

    assert early.happening is Happening.PLUGGED_IN
    assert early.session is session
    assert early.arrived_at == after(-700)
    assert (NoticeKind.SESSION_STARTED, "session_started/r-1/s-9") in early.notices


def test_a_car_of_theirs_that_stands_there_checks_in():
    verdict = judged(booked(), InBay.STILL_THERE, since=after(-50))

    assert (verdict.happening, verdict.arrived_at) == (Happening.CHECKED_IN, after(-50))


# --- not coming --------------------------------------------------------------------------------------


def test_nobody_comes_and_it_was_seen():
    assert judged(booked(), InBay.EMPTY, after(899)).happening is None
    assert judged(booked(), InBay.EMPTY, after(899)).due_at == after(900)
    no_show = judged(booked(), InBay.EMPTY, after(900))
    assert no_show.happening is Happening.SEEN_EMPTY_AFTER_GRACE


def test_a_station_that_has_more_to_tell_is_heard_out_first():
    behind = judged(booked(), InBay.EMPTY, after(900), is_behind=True)

    assert behind.happening is None
    assert behind.due_at == after(960)


def test_who_only_says_that_they_came_is_told_and_then_a_no_show():
    said_so = booked(status=Status.ARRIVED, arrived_by="app", arrived_at=after(-60))
    early = judged(said_so, InBay.SAID_SO, after(119))
    told_ = judged(said_so, InBay.SAID_SO, after(120))
    gone = judged(said_so, InBay.SAID_SO, after(900))

    assert (early.notices, early.due_at) == ((), after(120))
    assert [kind for kind, _ in told_.notices] == [NoticeKind.NOT_SEEN]
    assert (told_.happening, gone.happening) == (None, Happening.SEEN_EMPTY_AFTER_GRACE)


@pytest.mark.parametrize("who", [InBay.SOMEBODY, InBay.STILL_THERE, InBay.OWN_BEFORE])
def test_who_said_so_and_was_seen_has_come(who):
    said_so = booked(status=Status.ARRIVED, arrived_by="app", arrived_at=after(-60))

    assert judged(said_so, who, after(60)).is_seen_there
    assert not judged(replace(said_so, arrived_by="plug"), who, after(60)).is_seen_there
    assert not judged(said_so, InBay.SAID_SO, after(60)).is_seen_there


@pytest.mark.parametrize("who", [InBay.EMPTY_NOW, InBay.UNSEEN])
def test_who_was_not_seen_missing_is_not_charged_for_it(who):
    waiting = judged(booked(), who, after(3600))
    given_up = judged(booked(), who, after(4200))

    assert (waiting.happening, waiting.due_at) == (None, after(4200))
    assert given_up.happening is Happening.NEVER_SEEN


def test_facts_that_come_late_are_waited_for_from_when_the_station_is_back():
    back = booked(doubted_at=after(7200))

    assert judged(back, InBay.EMPTY_NOW, after(7799)).happening is None
    assert judged(back, InBay.EMPTY_NOW, after(7800)).happening is Happening.NEVER_SEEN
    assert judged(back, InBay.EMPTY_NOW, after(7800), is_behind=True).happening is None


def test_a_station_that_stays_silent_is_given_up_after_three_days():
    days = 3600 + 72 * 3600

    waiting = judged(booked(), InBay.UNKNOWN, after(days - 1))
    assert (waiting.happening, waiting.trouble) == (None, Trouble.SILENT)
    assert judged(booked(), InBay.UNKNOWN, after(days)).happening is Happening.NEVER_SEEN


@pytest.mark.parametrize("who", [InBay.UNSEEN, InBay.UNKNOWN, InBay.STRANGER, InBay.OUT_OF_ORDER])
def test_what_makes_a_slot_doubtful(who):
    in_danger = judged(booked(), who).trouble in IN_DANGER

    assert judged(booked(), who, after(1)).is_doubted
    # who was told that the bay is lost may not come, before the slot too
    assert judged(booked(), who, after(-1)).is_doubted is in_danger


# --- danger ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "trouble"),
    [
        (InBay.STRANGER, Trouble.STOLEN),
        (InBay.OUTSTAYING, Trouble.STILL_OCCUPIED),
        (InBay.OUT_OF_ORDER, Trouble.OUT_OF_ORDER),
    ],
)
@pytest.mark.parametrize("status", [Status.BOOKED, Status.ARRIVED])
def test_a_bay_that_is_not_there_for_them_is_trouble_and_lost_if_they_choose_nothing(
    status, who, trouble
):
    fresh = judged(booked(status=status), who, after(-300))
    standing = booked(status=status, trouble=trouble, trouble_at=after(-300))
    late = booked(status=status, trouble=trouble, trouble_at=after(300))

    assert (fresh.trouble, fresh.happening) == (trouble, None)
    assert trouble in IN_DANGER
    assert fresh.due_at == after(-240)
    assert give_up_at(standing) == after(900)
    assert judged(standing, who, after(899)).happening is None
    assert judged(standing, who, after(900)).happening is Happening.BAY_LOST
    assert judged(late, who, after(1199)).happening is None


def test_a_slot_that_is_over_is_lost_once_there_is_nothing_to_choose_any_more():
    troubled = booked(trouble=Trouble.STOLEN, trouble_at=after(3000))

    assert judged(troubled, InBay.STRANGER, after(3600)).happening is None
    assert judged(troubled, InBay.STRANGER, after(3900)).happening is Happening.BAY_LOST
    assert judged(booked(), InBay.STRANGER, after(3600)).happening is Happening.BAY_LOST


def test_silence_is_trouble_of_which_nothing_follows():
    verdict = judged(booked(), InBay.UNKNOWN, after(60))

    assert (verdict.trouble, verdict.happening) == (Trouble.SILENT, None)
    assert give_up_at(booked(trouble=Trouble.SILENT, trouble_at=NOON)) is None
    assert give_up_at(booked(trouble=Trouble.STOLEN)) is None


def test_trouble_ends_with_its_reason():
    troubled = booked(trouble=Trouble.STOLEN, trouble_at=after(-300))

    assert judged(troubled, InBay.EMPTY, after(-200)).trouble is Trouble.NONE


def test_a_bay_its_owner_took_away_stays_so_whoever_is_there_unless_they_charge():
    withdrawn = booked(trouble=Trouble.WITHDRAWN, trouble_at=after(-9000))

    far, near = judged(withdrawn, InBay.EMPTY, after(-8000)), judged(withdrawn, InBay.EMPTY)
    assert far.trouble is near.trouble is Trouble.WITHDRAWN
    assert (far.due_at, near.due_at) == (after(-8000 + 3600), after(60))
    assert judged(withdrawn, InBay.EMPTY, after(900)).happening is Happening.BAY_LOST
    session = a_session()
    met = judged(withdrawn, InBay.OURS, after(60), session=session)
    assert (met.happening, met.trouble) == (Happening.PLUGGED_IN, Trouble.NONE)
    charging = replace(withdrawn, status=Status.CHARGING)
    assert judged(charging, InBay.OURS, after(60), own=session).trouble is Trouble.NONE


# --- staying ---------------------------------------------------------------------------------------


def charging(**more):
    known = {"status": Status.CHARGING, "session_id": "s-1", "arrived_at": NOON}
    return booked(**(known | more))


def a_charge(**more):
    return a_session(**({"started_at": NOON, "state_at": NOON} | more))


def test_a_session_that_is_over_finishes_and_is_told():
    own = a_charge(ended_at=after(600))
    verdict = judged(charging(), InBay.STILL_THERE, after(600), own=own)

    assert verdict.happening is Happening.SESSION_ENDED
    assert (NoticeKind.SESSION_ENDED, "session_ended/r-1/s-1") in verdict.notices


@pytest.mark.parametrize("state", ["charging", "suspended_by_charger"])
def test_a_car_that_charges_on_past_its_slot_does_not_overstay(state):
    verdict = judged(charging(), InBay.OURS, after(9000), own=a_charge(state=state))

    assert (verdict.happening, verdict.overstay_since) == (None, None)


@pytest.mark.parametrize(
    ("own", "since_s"),
    [
        # the slot ends after the charging: its end counts
        ({"state": "ended", "charging_ended_at": after(1800), "ended_at": after(2000)}, 4200),
        # it charged past the slot
        ({"state": "suspended_by_car", "charging_ended_at": after(4000)}, 4600),
        ({"state": "ended", "ended_at": after(4000)}, 4600),
        # plugged in and never charged
        ({"state": "plugged"}, 4200),
    ],
)
def test_overstay_begins_a_grace_after_slot_and_charging(own, since_s):
    finished = charging(status=Status.FINISHED)
    early = judged(finished, InBay.STILL_THERE, after(since_s - 1), own=a_charge(**own))
    late = judged(finished, InBay.STILL_THERE, after(since_s + 50), own=a_charge(**own))

    assert (early.happening, early.due_at) == (None, after(since_s))
    assert (late.happening, late.overstay_since) == (Happening.OVERSTAYED, after(since_s))
    assert (NoticeKind.OVERSTAY_STARTED, "overstay_started/r-1") in late.notices


def test_who_never_charged_overstays_too():
    arrived = booked(status=Status.ARRIVED, arrived_at=NOON)

    assert judged(arrived, InBay.SOMEBODY, after(4200)).happening is Happening.OVERSTAYED


def test_the_drivers_next_slot_is_theirs_to_stay_in():
    next_ = booked(id="r-2", start_s=3600)
    later = booked(id="r-3", start_s=10_800)
    other = booked(id="r-4", start_s=3600, user_id="u-bob")
    before = booked(id="r-0", start_s=-3600)

    assert slot_end(booked(), [later, next_, other, before]) == after(7200)
    assert slot_end(booked(), [other, before]) == after(3600)


def test_a_slot_that_follows_before_an_overstay_would_begin_follows_at_once():
    patient = booked(terms={"overstay_grace_s": 900})
    soon, later = booked(id="r-2", start_s=4500), booked(id="r-3", start_s=9900)

    assert slot_end(patient, [soon, later]) == after(8100)
    assert slot_end(booked(), [soon]) == after(3600)
    assert taken_up_at(patient, [soon, later], after(9901)) == after(9900)
    assert taken_up_at(booked(), [soon, later], after(4500)) == after(4500)
    assert taken_up_at(booked(), [soon, later], after(4499)) is None
    others = [replace(soon, user_id="u-bob"), replace(soon, status=Status.HELD)]
    assert taken_up_at(booked(), others, after(9000)) is None


def test_overstay_is_told_of_each_quarter_of_an_hour_and_begins_once():
    over = charging(status=Status.OVERSTAYING, overstay_since=after(4200))
    at_once = judged(over, InBay.STILL_THERE, after(4200))
    later = judged(over, InBay.STILL_THERE, after(4200 + 1900))

    assert (at_once.happening, at_once.notices, at_once.due_at) == (None, (), after(5100))
    assert later.notices == ((NoticeKind.OVERSTAY_CONTINUES, "overstay_continues/r-1/2"),)
    assert later.due_at == after(4200 + 2700)


def test_an_overstay_ends_where_a_later_slot_of_the_drivers_begins():
    over = charging(status=Status.OVERSTAYING, overstay_since=after(4200))
    known = {"own": OVER, "taken_up_at": after(7200)}
    stays = judged(over, InBay.STILL_THERE, after(7300), **known)
    leaves = judged(over, InBay.EMPTY, after(9000), since=after(8000), **known)

    assert stays.notices == ()
    assert leaves.left_at == after(7200)
    finished_late = a_charge(state="ended", ended_at=after(7000))
    later = {"own": finished_late, "taken_up_at": after(7200)}
    assert judged(finished(), InBay.STILL_THERE, after(9000), **later).happening is None


def test_an_overstay_is_none_while_nobody_hears_of_it():
    silent = Seen(InBay.OURS, NOON, unheard_since=after(4000))
    waiting = a_charge(state="suspended_by_car", charging_ended_at=after(1800))
    over = charging(status=Status.OVERSTAYING, overstay_since=after(4200))

    assert judged(charging(), None, after(9000), seen=silent, own=waiting).happening is None
    assert judged(over, None, after(9000), seen=silent, own=waiting).notices == ()
    assert judged(over, None, after(9000), seen=silent).due_at <= after(4000) + timedelta(hours=72)


def unseen(**more):
    return finished(**({"unseen_since": after(3700), "seen_again_at": after(9000)} | more))


def test_an_overstay_out_of_sight_begins_once_all_is_told_of_it():
    early = judged(unseen(), InBay.STILL_THERE, after(9599), own=OVER)
    behind = judged(unseen(), InBay.STILL_THERE, after(9600), own=OVER, is_behind=True)
    late = judged(unseen(), InBay.STILL_THERE, after(9600), own=OVER)

    assert (early.happening, early.due_at) == (None, after(9600))
    assert behind.happening is None
    assert (late.happening, late.overstay_since) == (Happening.OVERSTAYED, after(4200))
    dark = Seen(InBay.STILL_THERE, linked_at=after(8900))
    after_dark = judged(unseen(), None, after(9600), seen=dark, own=OVER)
    assert (after_dark.happening, after_dark.overstay_since) == (Happening.OVERSTAYED, after(9000))


@pytest.mark.parametrize(
    ("who", "linked_s", "left_s", "since_s"),
    [
        # the agent went on looking, and tells of it late
        (InBay.EMPTY, 0, 5000, 4200),
        # nobody looked: it left when it was last seen
        (InBay.EMPTY, 8900, 3700, None),
    ],
)
def test_who_left_out_of_sight_pays_for_what_somebody_saw(who, linked_s, left_s, since_s):
    seen = Seen(who, after(5000), linked_at=after(linked_s))
    verdict = judged(unseen(), None, after(9100), seen=seen, own=OVER)

    assert (verdict.happening, verdict.left_at) == (Happening.CAR_LEFT, after(left_s))
    assert verdict.overstay_since == (None if since_s is None else after(since_s))


def test_who_was_lost_from_sight_for_good_left_then_and_never_overstayed():
    lost = unseen(seen_again_at=None)
    at = after(3700) + timedelta(hours=72)
    seen = Seen(InBay.UNKNOWN, after(3800), unheard_since=after(3700), lost_at=after(3700))
    verdict = judged(lost, None, at + timedelta(seconds=100), seen=seen, own=OVER)

    assert (verdict.left_at, verdict.overstay_since) == (after(3700), None)
    no_word = judged(replace(lost, arrived_at=None), None, at + timedelta(hours=1), seen=seen)
    assert no_word.left_at == after(3700)


# --- leaving ---------------------------------------------------------------------------------------


def finished(**more):
    return charging(**({"status": Status.FINISHED} | more))


OVER = a_charge(state="ended", ended_at=after(600))


def test_a_bay_that_stays_empty_was_left_when_it_became_so():
    flicker = judged(finished(), InBay.EMPTY, after(729), since=after(700), own=OVER)
    left = judged(finished(), InBay.EMPTY, after(730), since=after(700), own=OVER)

    assert (flicker.happening, flicker.due_at) == (None, after(730))
    assert (left.happening, left.left_at) == (Happening.CAR_LEFT, after(700))


def test_nobody_left_before_their_session_was_over_or_will_have_tomorrow():
    unseen = judged(finished(), InBay.EMPTY, after(730), since=after(100), own=OVER)
    ahead = judged(finished(), InBay.STRANGER, after(730), since=after(900), own=OVER)
    nothing = judged(finished(session_id=None, arrived_at=None), InBay.UNSEEN, after(730))

    assert unseen.left_at == after(600)
    assert ahead.left_at == after(730)
    assert nothing.left_at == after(730)


def test_another_car_means_that_theirs_has_left():
    verdict = judged(finished(), InBay.STRANGER, after(701), since=after(700), own=OVER)

    assert (verdict.happening, verdict.left_at) == (Happening.CAR_LEFT, after(700))


def test_a_session_whose_stop_was_lost_is_over_an_hour_after_its_last_word():
    open_ = a_charge(sampled_at=after(600))

    early = judged(finished(), InBay.EMPTY, after(4199), since=after(700), own=open_)
    late = judged(finished(), InBay.EMPTY, after(4200), since=after(700), own=open_)

    assert early.happening is None
    assert (late.happening, late.left_at) == (Happening.CAR_LEFT, after(700))


def test_who_checked_in_and_was_not_seen_has_left_when_nobody_can_say_otherwise():
    arrived = booked(status=Status.ARRIVED, arrived_at=after(60))

    early = judged(arrived, InBay.EMPTY, after(4199), since=after(300))
    late = judged(arrived, InBay.EMPTY, after(4200), since=after(300))

    assert early.happening is None
    assert (late.happening, late.left_at) == (Happening.CAR_LEFT, after(300))


@pytest.mark.parametrize("since", [after(3000), None])
def test_who_was_never_seen_leaving_left_when_they_were_last_seen(since):
    over = finished(status=Status.OVERSTAYING, overstay_since=after(4200))
    patience = timedelta(hours=72)
    waiting = judged(over, InBay.UNKNOWN, after(5000), since=since, own=OVER)
    at = (since or after(5000)) + patience
    given_up = judged(over, InBay.UNKNOWN, at, since=after(3000), own=OVER)

    assert waiting.happening is None
    assert (given_up.happening, given_up.left_at) == (Happening.CAR_LEFT, after(3000))


# --- what is told ----------------------------------------------------------------------------------


def told(reservation, at_s, who=InBay.EMPTY, **more):
    return [kind for kind, _ in judged(reservation, who, after(at_s), **more).notices]


def test_a_driver_is_reminded_ten_minutes_before_unless_they_have_just_booked():
    assert told(booked(), -601) == []
    assert told(booked(), -600) == told(booked(), -1) == [NoticeKind.REMINDER]
    assert told(booked(), 0) == []
    assert told(booked(booked_at=after(-500)), -400) == []
    assert told(booked(booked_at=after(-5000)), -400) == [NoticeKind.REMINDER]
    assert told(booked(status=Status.ARRIVED), -400) == []


def test_a_reminder_is_of_its_slot():
    ((_, cause),) = judged(booked(), InBay.EMPTY, after(-60)).notices
    ((_, other),) = judged(booked(start_s=3600), InBay.EMPTY, after(3540)).notices

    assert cause != other


@pytest.mark.parametrize("status", sorted(HERE))
def test_the_end_of_the_slot_is_told_of_ten_minutes_before(status):
    there = booked(status=status)

    assert NoticeKind.SLOT_ENDING not in told(there, 2999, InBay.STILL_THERE)
    assert NoticeKind.SLOT_ENDING in told(there, 3000, InBay.STILL_THERE)
    assert NoticeKind.SLOT_ENDING not in told(there, 3600, InBay.STILL_THERE)


@pytest.mark.parametrize(
    ("session", "is_reached"),
    [
        ({"soc_pct": 79.9}, False),
        ({"soc_pct": 80.0}, True),
        ({"state": "suspended_by_car"}, True),
        ({}, False),
    ],
)
def test_the_target_is_told_of_once_it_is_reached(session, is_reached):
    own = a_charge(**session)

    assert has_reached_target(own) is is_reached
    assert (NoticeKind.TARGET_REACHED in told(charging(), 600, InBay.OURS, own=own)) is is_reached
    assert told(finished(), 600, InBay.STILL_THERE, own=own) == []


def test_a_flexible_reservation_is_looked_at_when_it_is_to_be_bound():
    flexible = booked(start_s=9000, is_flexible=True, fixed_at=after(1000))

    assert judged(flexible, InBay.EMPTY).due_at == after(1000)
    assert judged(replace(flexible, is_flexible=False), InBay.EMPTY).due_at == after(8100)


def test_the_recheck_of_who_is_there_is_due():
    seen = Seen(InBay.SOMEBODY, after(-60), recheck_at=after(120))

    assert judged(booked(), None, seen=seen).due_at == after(120)
