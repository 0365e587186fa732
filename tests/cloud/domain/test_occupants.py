"""Who is in a bay, as one of its reservations sees it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cloud.domain.evidence import Evidence, InBay
from cloud.domain.kept import current, is_hold_over, is_kept, protected_from
from cloud.domain.occupants import in_bay, is_theirs, own_session, reservation_word, seen_by
from cloud.domain.policy import Policy
from cloud.domain.reconcile import (
    AgentSays,
    ChargerSays,
    ConnectorSays,
    ReservationSays,
    SensorSays,
    SessionSays,
    Situation,
    Status,
    every_combination,
)
from cloud.domain.reservations import LIVE
from cloud.domain.reservations import Status as Standing
from cloud.domain.witnesses import find
from tests.cloud.builders import NOON, a_bay, a_connector, a_reservation, a_scene, a_session, after
from tests.cloud.domain.test_reconcile import said

HERE = [Standing.ARRIVED, Standing.CHARGING, Standing.FINISHED, Standing.OVERSTAYING]


def booked(**more):
    """Booked for noon to one; the bay is kept from a quarter to."""
    return a_reservation(**({"start_s": 0, "status": Standing.BOOKED} | more))


def seen(*, words=None, **more) -> Evidence:
    known = {"occupied_since": after(-3600), "plugged_since": after(-3600)}
    return Evidence(said=said(**(words or {})), **(known | more))


def who(evidence, reservation=None, others=(), at=NOON) -> InBay:
    return in_bay(evidence, reservation or booked(), others, at).who


OCCUPIED = {"sensor": SensorSays.OCCUPIED}
PLUGGED = {"connector": ConnectorSays.PLUGGED}
FAULTED = {"connector": ConnectorSays.FAULTED}
ENDED = {"session": SessionSays.ENDED}
CHARGING = {"session": SessionSays.CHARGING, "connector": ConnectorSays.CHARGING}
NO_SENSOR = {"sensor": SensorSays.ABSENT}


@pytest.mark.slow
def test_somebody_can_be_said_to_be_there_for_every_combination_of_words_and_every_status():
    sessions = [None, a_session(user_id="u-ada"), a_session(token="OTHER")]
    for words in every_combination():
        if words.reservation is ReservationSays.NONE:
            for status in LIVE:
                for session in sessions:
                    evidence = Evidence(said=words, session=session)

                    assert who(evidence, booked(status=status)) in InBay


# --- when a bay is kept ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at_s", "kept"), [(-901, False), (-900, True), (0, True), (3599, True), (3600, False)]
)
def test_a_bay_is_kept_from_the_protection_to_the_end(at_s, kept):
    assert is_kept(booked(), after(at_s)) is kept


def test_a_bay_is_kept_for_who_is_there_however_late_it_is():
    assert all(is_kept(booked(status=status), after(90_000)) for status in HERE)


def test_a_hold_keeps_the_bay_until_it_expires_and_what_is_over_keeps_nothing():
    held = booked(status=Standing.HELD, held_until=after(60))

    assert is_kept(held, after(59))
    assert not is_kept(held, after(60))
    assert is_hold_over(held, after(60))
    assert not is_hold_over(booked(held_until=NOON), after(60))
    assert is_kept(booked(status=Standing.HELD, held_until=None), NOON)
    assert not is_kept(booked(status=Standing.CANCELED), NOON)


def test_the_terms_of_the_reservation_say_from_when():
    assert protected_from(booked(terms={"protect_s": 60})) == after(-60)


def test_the_bay_is_whose_car_is_there_then_whose_time_it_is_then_whose_it_will_be():
    there = booked(id="there", start_s=-7200, status=Standing.OVERSTAYING)
    now = booked(id="now")
    next_ = booked(id="next", start_s=7200)
    lapsed = booked(id="lapsed", start_s=3600, status=Standing.HELD, held_until=after(-1))
    past = booked(id="past", start_s=-7200)

    assert current([there, now, next_], NOON) is there
    assert current([past, now, next_], NOON) is now
    assert current([past, lapsed, next_], NOON) is next_
    assert current([past], NOON) is None


# --- sessions --------------------------------------------------------------------------------------


def test_a_session_is_theirs_by_what_it_was_begun_for_or_else_by_their_name():
    mine, yours = booked(), booked(id="r-2", user_id="u-bob")

    assert is_theirs(a_session(reservation_id="r-1"), mine)
    assert not is_theirs(a_session(reservation_id="r-2", user_id="u-ada"), mine)
    assert is_theirs(a_session(user_id="u-ada"), mine)
    assert not is_theirs(a_session(user_id="u-ada"), yours)
    assert not is_theirs(a_session(), mine)


@pytest.mark.parametrize(
    ("session", "words", "expected"),
    [
        ({"reservation_id": "r-1", "started_at": after(-60)}, CHARGING, InBay.OURS),
        ({"user_id": "u-ada", "started_at": after(-60)}, CHARGING, InBay.OURS),
        # over already, when we hear of it
        ({"user_id": "u-ada", "started_at": after(-60), "ended_at": after(-9)}, {}, InBay.OURS),
        # a walk-in of theirs from before: once the slot has begun
        ({"user_id": "u-ada", "started_at": after(-7200), "state_at": NOON}, CHARGING, InBay.OURS),
        (
            {"user_id": "u-ada", "started_at": after(-7200), "ended_at": after(1)},
            ENDED,
            InBay.OURS,
        ),
        # of days ago, delivered now (T04)
        ({"user_id": "u-ada", "started_at": after(-3e5)}, {}, InBay.EMPTY),
        ({"user_id": "u-ada", "started_at": after(-3e5)}, CHARGING, InBay.STILL_THERE),
        (
            {"user_id": "u-ada", "started_at": after(-3e5), "ended_at": after(-2e5)},
            {},
            InBay.EMPTY,
        ),
        # of the next slot, or of somebody else
        ({"user_id": "u-ada", "started_at": after(3600)}, {}, InBay.EMPTY),
        ({"token": "OTHER", "started_at": after(-60)}, CHARGING, InBay.STRANGER),
        ({"token": "OTHER", "started_at": after(-901)}, CHARGING, InBay.OUTSTAYING),
    ],
)
def test_whose_session_it_is(session, words, expected):
    assert who(seen(words=words, session=a_session(**session))) is expected


def test_before_the_slot_a_walk_in_of_theirs_is_their_car_and_no_start_yet():
    session = a_session(user_id="u-ada", started_at=after(-7200), state_at=after(-120))

    assert who(seen(words=CHARGING, session=session), at=after(-60)) is InBay.STILL_THERE


def test_their_session_counts_however_silent_the_station_is():
    session = a_session(reservation_id="r-1")
    silent = {"agent": AgentSays.SILENT} | CHARGING

    assert who(seen(words=silent, session=session), booked(status=Standing.CHARGING)) is InBay.OURS


def test_a_late_session_of_theirs_is_found_beside_the_newest():
    theirs = a_session(id="s-0", reservation_id="r-1", ended_at=after(-5))
    evidence = seen(session=a_session(token="OTHER"), late_sessions=(theirs,))

    assert in_bay(evidence, booked(), (), NOON).session is theirs
    assert own_session(evidence, booked(session_id="s-0")) is theirs
    assert own_session(evidence, booked()) is None


# --- nobody known ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"agent": AgentSays.SILENT}, InBay.UNKNOWN),
        ({"agent": AgentSays.NEVER_HEARD}, InBay.UNKNOWN),
        ({"charger": ChargerSays.SILENT}, InBay.UNKNOWN),
        ({"charger": ChargerSays.NEVER_HEARD}, InBay.UNKNOWN),
        ({"connector": ConnectorSays.NOTHING}, InBay.UNKNOWN),
        ({"charger": ChargerSays.ABSENT}, InBay.OUT_OF_ORDER),
        (FAULTED, InBay.OUT_OF_ORDER),
        ({"connector": ConnectorSays.UNAVAILABLE}, InBay.OUT_OF_ORDER),
        ({"sensor": SensorSays.SILENT}, InBay.UNSEEN),
        ({"sensor": SensorSays.SUSPECT}, InBay.UNSEEN),
        ({"sensor": SensorSays.NEVER_HEARD}, InBay.UNSEEN),
        ({}, InBay.EMPTY),
        # a driver may stand there and be unable to plug in
        (NO_SENSOR, InBay.UNSEEN),
        ({"connector": ConnectorSays.RESERVED}, InBay.EMPTY),
    ],
)
def test_where_nobody_stands_the_witnesses_say_how_sure_that_is(words, expected):
    assert who(seen(words=words)) is expected


def test_somebody_who_came_while_the_bay_was_kept_may_be_the_driver_for_a_while():
    evidence = seen(words=OCCUPIED, occupied_since=after(-60))

    early = in_bay(evidence, booked(), (), after(119))
    late = in_bay(evidence, booked(), (), after(120))

    assert (early.who, early.recheck_at) == (InBay.SOMEBODY, after(120))
    assert late.who is InBay.STRANGER


def test_the_same_goes_for_a_cable_nobody_named_and_for_a_session_without_a_token():
    cable = seen(words=PLUGGED, plugged_since=after(-60))
    nameless = seen(words=CHARGING, session=a_session(started_at=after(-60)))

    assert who(cable) is who(nameless) is InBay.SOMEBODY
    assert who(cable, at=after(200)) is who(nameless, at=after(200)) is InBay.STRANGER


@pytest.mark.parametrize("since", [None, after(-901)])
def test_somebody_who_stood_there_before_is_the_driver_before(since):
    assert who(seen(words=OCCUPIED, occupied_since=since)) is InBay.OUTSTAYING


def test_a_car_whose_session_has_ended_is_its_drivers():
    mine = a_session(user_id="u-ada", started_at=after(-7200), ended_at=after(-60))
    yours = a_session(token="OTHER", started_at=after(-7200), ended_at=after(-60))

    assert who(seen(words=OCCUPIED | ENDED, session=mine)) is InBay.STILL_THERE
    assert who(seen(words=OCCUPIED | ENDED, session=yours)) is InBay.OUTSTAYING
    assert who(seen(words=ENDED, session=mine)) is InBay.EMPTY


def test_who_has_said_that_they_are_there_is_who_stands_there():
    arrived = booked(status=Standing.ARRIVED)
    evidence = seen(words=OCCUPIED, occupied_since=after(-9000))
    other = a_session(token="OTHER", started_at=after(-60))

    assert who(evidence, arrived) is InBay.SOMEBODY
    assert who(seen(words=CHARGING, session=other), arrived) is InBay.STRANGER


# --- the driver before ---------------------------------------------------------------------------


def test_the_driver_before_may_stay_until_their_time_is_over():
    before = booked(id="r-0", user_id="u-bob", start_s=-3600, status=Standing.CHARGING)
    theirs = a_session(reservation_id="r-0", token="BOB", started_at=after(-3600))
    evidence = seen(words=CHARGING, session=theirs)

    found = in_bay(evidence, booked(), (before,), after(-60))

    assert (found.who, found.recheck_at) == (InBay.BEFORE, NOON)
    assert who(evidence, others=(before,), at=NOON) is InBay.OUTSTAYING


def test_who_stands_in_anothers_slot_is_for_that_one_to_see_to():
    before = booked(id="r-0", user_id="u-bob", start_s=-3600)
    evidence = seen(words=OCCUPIED, occupied_since=after(-120))

    assert who(evidence, others=(before,), at=after(-60)) is InBay.BEFORE
    assert who(evidence, others=(before,), at=NOON) is InBay.SOMEBODY


def test_a_driver_is_not_in_the_way_of_themselves():
    before = booked(id="r-0", start_s=-3600, status=Standing.OVERSTAYING)
    theirs = a_session(reservation_id="r-0", started_at=after(-3600))

    plugged = seen(words=CHARGING, session=theirs)
    assert who(plugged, others=(before,), at=NOON) is InBay.OWN_BEFORE
    assert who(seen(words=OCCUPIED), others=(before,), at=NOON) is InBay.OWN_BEFORE
    stranger = seen(words=CHARGING, session=replace(theirs, reservation_id=None, token="OTHER"))
    assert who(stranger, others=(before,), at=NOON) is InBay.OUTSTAYING


def test_a_car_that_stayed_from_a_slot_of_theirs_that_is_over_is_their_own():
    stayed = a_session(
        user_id="u-ada", reservation_id="r-0", started_at=after(-7200), ended_at=after(-60)
    )

    assert who(seen(words=OCCUPIED | ENDED, session=stayed)) is InBay.STILL_THERE


def test_a_session_another_slot_is_charged_by_is_not_this_ones_too():
    before = booked(id="r-0", start_s=-3600, status=Standing.CHARGING, session_id="s-1")
    theirs = a_session(user_id="u-ada", started_at=after(-800), state_at=NOON)

    assert who(seen(words=CHARGING, session=theirs)) is InBay.OURS
    assert who(seen(words=CHARGING, session=theirs), others=(before,)) is InBay.OWN_BEFORE


def test_who_comes_after_is_not_before():
    next_ = booked(id="r-2", start_s=3600)

    assert who(seen(words=OCCUPIED, occupied_since=after(-1)), others=(next_,)) is InBay.SOMEBODY


# --- after charging --------------------------------------------------------------------------------

OWN = a_session(
    reservation_id="r-1", started_at=after(-1800), ended_at=after(-600), user_id="u-ada"
)


AN_HOUR_AGO = after(-3600)


def left(words, session=OWN, since=AN_HOUR_AGO, **more):
    done = booked(status=Standing.FINISHED, session_id="s-1", **more)
    evidence = seen(words=words, session=session, occupied_since=since, plugged_since=since)
    return in_bay(evidence, done, (), NOON)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"connector": ConnectorSays.FINISHING} | OCCUPIED | ENDED, InBay.STILL_THERE),
        (OCCUPIED | ENDED, InBay.STILL_THERE),
        (FAULTED | OCCUPIED, InBay.STILL_THERE),
        # the cable is in, whatever the sensor says
        ({"connector": ConnectorSays.FINISHING}, InBay.STILL_THERE),
        (PLUGGED | NO_SENSOR, InBay.STILL_THERE),
        ({}, InBay.EMPTY),
        (FAULTED, InBay.EMPTY),
        (NO_SENSOR, InBay.EMPTY),
        ({"sensor": SensorSays.SILENT}, InBay.UNSEEN),
        (FAULTED | NO_SENSOR, InBay.OUT_OF_ORDER),
        ({"connector": ConnectorSays.NOTHING} | NO_SENSOR, InBay.UNKNOWN),
        ({"agent": AgentSays.SILENT}, InBay.UNKNOWN),
    ],
)
def test_whether_the_car_is_still_there_once_its_session_is_over(words, expected):
    assert left(words).who is expected


def test_who_came_after_it_had_ended_is_another():
    assert left(OCCUPIED, since=after(-300)).who is InBay.STRANGER
    assert left(OCCUPIED, session=None, since=after(-300)).who is InBay.STILL_THERE
    assert left(OCCUPIED, since=None).who is InBay.STILL_THERE


# --- a cable that is left behind -----------------------------------------------------------------

EMPTY = {"sensor": SensorSays.EMPTY}
AT_CABLE = [ConnectorSays.PLUGGED, ConnectorSays.FINISHING, ConnectorSays.PREPARING]


@pytest.mark.parametrize("connector", AT_CABLE)
def test_whose_car_was_seen_to_leave_has_left_though_the_cable_is_in(connector):
    words = {"connector": connector} | ENDED
    gone = left(words | EMPTY, since=after(-300))

    assert (gone.who, gone.since) == (InBay.EMPTY, after(-300))
    assert left(words | OCCUPIED, since=after(-300)).who is InBay.STRANGER
    assert left(words | EMPTY, since=after(-700)).who is InBay.STILL_THERE
    assert left(words | EMPTY, since=after(-300), session=None).who is InBay.STILL_THERE


@pytest.mark.parametrize("connector", AT_CABLE)
def test_a_cable_the_driver_before_left_is_nobodys_car_and_who_comes_then_is_somebody(connector):
    cable = {"connector": connector} | ENDED
    theirs = replace(OWN, user_id="u-bob", reservation_id="r-0")
    long_in = {"session": theirs, "plugged_since": after(-1_000)}
    empty = seen(words=cable | EMPTY, occupied_since=after(-300), **long_in)
    come = seen(words=cable | OCCUPIED, occupied_since=after(-60), **long_in)

    assert who(empty) is InBay.EMPTY
    assert in_bay(come, booked(), (), NOON).since == after(-60)
    assert who(come) is InBay.SOMEBODY


def test_a_cable_the_driver_left_is_nobodys_car_and_who_comes_then_is_the_driver():
    words = PLUGGED | ENDED
    mine = {"session": replace(OWN, reservation_id="r-0"), "plugged_since": after(-1_000)}

    assert who(seen(words=words | EMPTY, occupied_since=after(-300), **mine)) is InBay.EMPTY
    assert who(seen(words=words | OCCUPIED, occupied_since=after(-60), **mine)) is (
        InBay.STILL_THERE
    )


def test_a_cable_of_which_no_session_is_known_is_nobodys_car_either_once_one_was_seen_to_leave():
    empty = seen(words=PLUGGED | EMPTY, occupied_since=after(-300), plugged_since=after(-4_000))
    come = replace(empty, said=said(**PLUGGED | OCCUPIED), occupied_since=after(-60))
    just_plugged = replace(empty, plugged_since=after(-60))

    assert who(empty) is InBay.EMPTY
    assert who(come) is InBay.SOMEBODY
    assert who(just_plugged) is InBay.SOMEBODY


def test_who_stayed_with_a_cable_and_was_seen_all_the_time_is_the_driver_before():
    words = PLUGGED | OCCUPIED | ENDED
    theirs = replace(OWN, user_id="u-bob", reservation_id="r-0")

    assert who(seen(words=words, session=theirs)) is InBay.OUTSTAYING
    assert who(seen(words=words | EMPTY, session=theirs)) is InBay.OUTSTAYING


def test_another_session_means_that_the_car_has_left_unless_it_is_older():
    other = a_session(id="s-2", token="OTHER", started_at=after(-300))
    older = replace(other, started_at=after(-7200))
    over = booked(status=Standing.OVERSTAYING, session_id="s-1")

    newest = seen(words=CHARGING, session=other, late_sessions=(OWN,))
    oldest = seen(words=CHARGING, session=older, late_sessions=(OWN,))

    assert who(newest, over) is InBay.STRANGER
    assert who(oldest, over) is InBay.STILL_THERE
    assert left(CHARGING, session=other, arrived_at=after(-900)).who is InBay.STRANGER


def test_a_second_session_of_theirs_goes_on():
    again = a_session(id="s-2", reservation_id="r-1", started_at=after(-60))

    assert left(CHARGING, session=again).who is InBay.OURS


# --- seen empty ------------------------------------------------------------------------------------


CHARGER_COUNTS = booked(terms={"is_charger_witness": True})


def empty(at_s, reservation=None, **more):
    return in_bay(seen(**more), reservation or booked(), (), after(at_s))


def test_a_charger_alone_proves_an_empty_bay_where_the_terms_say_so():
    assert empty(900, words=NO_SENSOR).who is InBay.UNSEEN
    assert empty(900, CHARGER_COUNTS, words=NO_SENSOR).who is InBay.EMPTY


def test_who_only_says_that_they_are_there_has_the_grace_to_be_seen():
    said_so = booked(status=Standing.ARRIVED, arrived_by="app", arrived_at=after(600))
    seen_there = replace(said_so, arrived_by="sensor")

    assert empty(700, said_so).who is InBay.SAID_SO
    assert empty(900, said_so).who is InBay.EMPTY_NOW
    assert empty(1500, said_so).who is InBay.SAID_SO
    assert empty(1500, seen_there).who is InBay.EMPTY
    assert empty(1500, replace(said_so, doubted_at=after(700))).who is InBay.EMPTY_NOW
    assert seen_by(said_so) == after(1500)
    assert seen_by(replace(said_so, arrived_at=after(-600))) == after(900)
    assert seen_by(replace(said_so, arrived_at=None)) == after(900)


def test_an_empty_bay_is_proof_once_it_was_seen_so_through_the_grace():
    assert empty(60).who is InBay.EMPTY
    assert empty(60).recheck_at == after(900)
    assert empty(900).who is InBay.EMPTY


@pytest.mark.parametrize(
    "more",
    [
        {"occupied_since": after(60)},
        {"words": NO_SENSOR, "plugged_since": after(60), "reservation": CHARGER_COUNTS},
        {"is_awaited": True, "found_since": after(60)},
    ],
)
def test_the_grace_is_counted_anew_from_when_somebody_left_or_the_bay_was_seen_again(more):
    assert empty(900, **more).who is InBay.EMPTY_NOW
    assert empty(900, **more).recheck_at == after(960)
    assert empty(960, **more).who is InBay.EMPTY


def test_a_bay_that_was_in_doubt_during_the_slot_proves_nothing():
    doubted = booked(doubted_at=after(1))

    assert empty(899, doubted).who is InBay.EMPTY
    assert empty(3599, doubted).who is InBay.EMPTY_NOW


def test_a_slot_shorter_than_the_grace_proves_nothing_at_its_end():
    short = booked(terms={"grace_s": 7200})

    assert empty(3599, short).who is InBay.EMPTY
    assert empty(3600, short).who is InBay.EMPTY_NOW


# --- the reservation's word --------------------------------------------------------------------------


def word(evidence, reservation, at=NOON, others=()):
    return reservation_word(evidence, reservation, others, at)


def test_a_reservation_says_nothing_before_the_bay_is_kept():
    assert word(seen(), None) == (ReservationSays.NONE, None)
    assert word(seen(), booked(), after(-901)) == (ReservationSays.NONE, after(-900))


@pytest.mark.parametrize("status", sorted(HERE))
def test_who_has_come_is_met(status):
    assert word(seen(), booked(status=status)) == (ReservationSays.MET, None)


@pytest.mark.parametrize(
    ("words", "since_s", "expected"),
    [
        ({}, -3600, ReservationSays.AWAITED),
        (FAULTED, -3600, ReservationSays.AWAITED),
        (OCCUPIED, -60, ReservationSays.ARRIVING),
        (OCCUPIED, -181, ReservationSays.TAKEN),
        (OCCUPIED, -3600, ReservationSays.TAKEN),
    ],
)
def test_what_a_reservation_says_of_its_bay(words, since_s, expected):
    assert word(seen(words=words, occupied_since=after(since_s)), booked())[0] is expected


def test_what_a_reservation_says_changes_by_time_alone_when_its_hold_expires():
    held = booked(status=Standing.HELD, held_until=after(240))

    assert word(seen(), held)[1] == after(240)
    assert word(seen(), booked())[1] == after(900)


def test_a_walk_in_in_a_kept_bay_is_published_with_whose_it_is():
    session = a_session(started_at=after(-7200), token="OTHER")
    scene = a_scene(
        bay=a_bay(is_occupied=True),
        session=session,
        connectors=(a_connector("charging"),),
        reservations=(booked(start_s=600), booked(id="r-2", start_s=7200)),
    )

    finding = find(scene, Policy(), NOON)

    assert (finding.situation, finding.status) == (Situation.CHARGING, Status.CHARGING)
    assert finding.reason == (
        "A car is charging. From 12:10 UTC the bay is promised to somebody else."
    )
    assert finding.reserved_until == after(4200)
    assert finding.next_reservation_at == after(600)


def test_a_bay_is_looked_at_again_when_it_begins_to_be_kept():
    finding = find(a_scene(reservations=(booked(start_s=1800),)), Policy(), NOON)

    assert (finding.status, finding.recheck_at) == (Status.AVAILABLE, after(900))
    assert (finding.reserved_until, finding.next_reservation_at) == (None, after(1800))


def test_a_reservation_of_next_week_is_not_told_with_the_bay():
    finding = find(a_scene(reservations=(booked(start_s=7 * 86_400),)), Policy(), NOON)

    assert finding.next_reservation_at is None


def test_a_bay_without_connectors_has_no_instants():
    scene = a_scene(connectors=(), reservations=(booked(),))

    assert find(scene, Policy(), NOON + timedelta(seconds=1)).status is Status.UNKNOWN


# --- at another bay, and out of hearing ----------------------------------------------------------------

AWAY = a_session(id="s-2", reservation_id="r-1", bay_id="greenmarket-2", started_at=after(-60))


@pytest.mark.parametrize("status", [Standing.CHARGING, Standing.FINISHED])
def test_who_charges_at_another_bay_is_there_and_keeps_this_one_as_awaited(status):
    away = booked(status=status, session_id="s-2")
    evidence = seen(late_sessions=(AWAY,), elsewhere=(AWAY,))

    found = in_bay(evidence, away, (), NOON)
    assert (found.who, found.session) == (InBay.ELSEWHERE, AWAY)
    assert word(evidence, away) == (ReservationSays.AWAITED, away.ends_at)
    taken = replace(evidence, said=said(**OCCUPIED), occupied_since=after(-60))
    next_ = booked(id="r-2", user_id="u-bob")
    assert who(taken, next_, others=(replace(away, starts_at=after(-3600)),)) is InBay.SOMEBODY


def test_whose_session_at_another_bay_is_over_left_there():
    over = replace(AWAY, ended_at=after(-10))
    found = in_bay(
        seen(words=OCCUPIED, late_sessions=(over,)),
        booked(status=Standing.FINISHED, session_id="s-2"),
        (),
        NOON,
    )

    assert (found.who, found.since) == (InBay.EMPTY, after(-10))


def test_who_charges_here_is_here_and_who_overstays_too():
    here = a_session(reservation_id="r-1", started_at=after(-600))
    both = seen(words=CHARGING, session=here, late_sessions=(AWAY,), elsewhere=(AWAY,))
    alone = seen(words=OCCUPIED | ENDED, session=OWN, late_sessions=(AWAY,), elsewhere=(AWAY,))

    assert who(both, booked(status=Standing.CHARGING, session_id="s-1")) is InBay.OURS
    assert who(alone, booked(status=Standing.OVERSTAYING, session_id="s-1")) is InBay.STILL_THERE


@pytest.mark.parametrize(
    ("words", "is_lost"),
    [
        ({"agent": AgentSays.SILENT}, True),
        ({"charger": ChargerSays.SILENT}, False),
        ({"charger": ChargerSays.SILENT} | NO_SENSOR, True),
    ],
)
def test_a_bay_is_lost_from_sight_where_no_sensor_looks_at_it_either(words, is_lost):
    found = in_bay(seen(words=words, unheard_since=after(-90)), booked(), (), NOON)

    assert (found.who, found.since) == (InBay.UNKNOWN, after(-90))
    assert (found.unheard_since, found.lost_at) == (after(-90), after(-90) if is_lost else None)
