"""Holding, paying, changing and ending reservations: who may what, when, and what follows."""

from datetime import timedelta

import msgspec
import pytest

from cloud.adapters.sql import tables
from cloud.domain.errors import (
    BayAlreadyBooked,
    BookedElsewhere,
    IllegalTransition,
    KeyReused,
    NotBookable,
    NotFound,
    NotValid,
    TooManyReservations,
)
from cloud.domain.reservations import Happening, Status
from cloud.domain.windows import Window
from cloud.services.booking_ports import NewReservation, Told
from cloud.services.changing import NewTimes
from cloud.services.idempotency import Once
from contracts import topics
from tests.cloud.builders import BAY, NOON, STATION, after
from tests.cloud.services.bookings import (
    COMBO,
    HOUR,
    ME,
    OTHER_BAY,
    OWNING,
    STAFF,
    STRANGER,
    Bookings,
)
from tests.cloud.services.rig import DRIVER, OWNER, TOKEN, a_rig

SOON = 600
DAY = 86_400


@pytest.fixture
def rig(databases):
    # what MariaDB does otherwise is seen in its histories and races
    made = a_rig(databases.sqlite(), stations=2)
    yield made
    made.engine.dispose()


@pytest.fixture
def bookings(rig):
    return Bookings(rig)


def pass_by(bookings, seconds):
    bookings.rig.clock.pass_by(timedelta(seconds=seconds))


def published(bookings):
    """Return the reservations that viewers were told of, as (id, state)."""
    found = []
    for topic, payload, _ in bookings.rig.broker.published:
        if topic == topics.changes(STATION):
            change = msgspec.json.decode(payload)
            if change["change"] == "reservation":
                found.append((change["subject"], change["view"]["state"]))
    return found


# --- holding -------------------------------------------------------------------------------------


def test_a_hold_keeps_the_bay_until_it_lapses_and_says_what_it_costs(bookings):
    held = bookings.hold(energy_wh=20_000, standard=COMBO, min_power_w=50_000)

    assert (held.status, held.state) == ("PENDING", "held")
    assert held.held_until == NOON + timedelta(minutes=10)
    assert held.server_now == NOON
    assert held.quote["total_minor"] == 600
    assert held.quote["authorise_minor"] == 700
    assert bookings.deadline(held.reservation_id) == held.held_until
    assert bookings.slots() == bookings.expected_slots()
    assert len(bookings.slots()) == 4
    assert bookings.heard.codes == [held.reservation_id]
    assert bookings.log(held.reservation_id) == ["held"]
    assert published(bookings) == [(held.reservation_id, "held")]
    assert bookings.reservation(held.reservation_id).token == TOKEN


def test_what_it_would_cost_is_said_before_and_nothing_is_kept(bookings):
    asked = {"bay_id": BAY, "starts_at": after(HOUR), "ends_at": after(2 * HOUR)}
    new = NewReservation(station_id=STATION, energy_wh=20_000, **asked)

    said = bookings.service.quote("", new)

    assert (said.reservation_id, said.state) == ("", "held")
    assert said.quote["total_minor"] == 600
    assert said.terms["hold_s"] == 600
    assert bookings.all() == []
    assert not bookings.slots()
    held = bookings.hold(energy_wh=20_000)
    assert held.quote == said.quote
    assert bookings.service.quote(DRIVER, new).quote == said.quote


def test_who_has_no_card_gets_a_token_of_the_app_once(bookings):
    new = bookings.add_driver("u-new")

    first = bookings.hold(viewer=new)
    second = bookings.hold(start_s=3 * HOUR, viewer=new)

    tokens = {bookings.reservation(one.reservation_id).token for one in (first, second)}
    assert len(tokens) == 1
    assert tokens.pop().startswith("app")
    assert bookings.rig.row(tables.charging_tokens, user_id="u-new").is_valid


def test_a_card_that_will_not_last_is_passed_over(bookings):
    new = bookings.add_driver("u-new")
    card = {"user_id": "u-new", "created_at": NOON, "label": "card"}
    bookings.rig.insert(
        tables.charging_tokens,
        {"token": "aa", "is_valid": False, "valid_until": None, **card},
        {"token": "bb", "is_valid": True, "valid_until": after(HOUR + 1), **card},
        {"token": "cc", "is_valid": True, "valid_until": after(DAY), **card},
    )

    held = bookings.hold(viewer=new)

    assert bookings.reservation(held.reservation_id).token == "cc"


def test_who_comes_second_hears_what_is_free_instead(bookings):
    bookings.hold()
    other = bookings.add_driver("u-other")

    with pytest.raises(BayAlreadyBooked) as refused:
        bookings.hold(start_s=HOUR + 1_800, viewer=other)

    assert len(refused.value.alternatives) == 5
    assert refused.value.alternatives[0].price_minor == 600
    assert refused.value.subject == BAY
    assert len(bookings.all()) == 1


def test_the_same_request_twice_holds_once(bookings):
    once = Once(DRIVER, "key-12345", b"body")

    first = bookings.hold(once=once)
    again = bookings.hold(once=once)

    assert again == first
    assert len(bookings.all()) == 1
    assert bookings.heard.codes == [first.reservation_id]
    with pytest.raises(KeyReused):
        bookings.hold(start_s=5 * HOUR, once=Once(DRIVER, "key-12345", b"another"))


def test_what_does_not_fit_the_terms_is_refused_with_its_field(bookings):
    with pytest.raises(NotBookable) as off:
        bookings.hold(start_s=HOUR + 60)
    with pytest.raises(NotBookable) as nowhere:
        bookings.hold(bay_id="greenmarket-9")
    with pytest.raises(NotBookable) as plug:
        bookings.hold(standard="CHADEMO")
    with pytest.raises(NotFound):
        bookings.hold(station_id="nowhere")

    assert (off.value.subject, nowhere.value.subject) == ("starts_at", "bay_id")
    assert plug.value.subject == "standard"
    assert "greenmarket-1, greenmarket-2" in nowhere.value.detail


def test_r10_a_driver_has_as_many_reservations_as_one_may(bookings):
    bookings.set_terms(max_live_per_driver=1)
    first = bookings.hold()

    with pytest.raises(TooManyReservations):
        bookings.hold(start_s=5 * HOUR)
    bookings.service.cancel(ME, first.reservation_id)

    assert bookings.hold(start_s=5 * HOUR).status == "PENDING"


THERE = {"station_id": "greenmarket-2", "bay_id": "greenmarket-2-1"}


def test_r10_nobody_has_two_stations_at_a_time_but_two_bays_of_one(bookings):
    here = bookings.hold()
    second = bookings.hold(bay_id=OTHER_BAY)
    with pytest.raises(BookedElsewhere) as refused:
        bookings.hold(start_s=HOUR + 1_800, **THERE)
    both = {here.reservation_id, second.reservation_id}
    assert set(refused.value.reservation_ids) == both

    later = bookings.hold(start_s=2 * HOUR, **THERE)
    with pytest.raises(BookedElsewhere):
        bookings.service.change(ME, later.reservation_id, NewTimes(starts_at=after(HOUR)))
    with pytest.raises(BookedElsewhere):
        bookings.service.change(ME, here.reservation_id, NewTimes(ends_at=after(3 * HOUR)))
    assert bookings.slots() == bookings.expected_slots()
    for name in both:
        bookings.service.cancel(ME, name)
    bookings.service.change(ME, later.reservation_id, NewTimes(starts_at=after(HOUR)))


@pytest.mark.parametrize("viewer", [STAFF, OWNING])
def test_r10_who_books_for_others_has_any_number_of_stations_at_a_time(bookings, viewer):
    bookings.hold(viewer=viewer)

    assert bookings.hold(viewer=viewer, **THERE).status == "PENDING"


# --- paying --------------------------------------------------------------------------------------


def test_paying_turns_a_hold_into_a_booking_the_station_hears_of(bookings):
    held = bookings.hold()
    version = bookings.plan_version()

    assert bookings.pay(held.reservation_id)

    booked = bookings.service.get(held.reservation_id, ME)
    assert (booked.status, booked.booked_at, booked.held_until) == ("RESERVED", NOON, None)
    assert booked.authorised_minor == 700
    assert bookings.plan_version() == version + 1
    assert bookings.heard.looked == [BAY]
    assert [(one.kind, one.user_id) for one in bookings.heard.told] == [("booked", DRIVER)]
    assert bookings.log(held.reservation_id) == ["held", "paid"]


def test_a_booking_far_ahead_does_not_touch_the_plan(bookings):
    version = bookings.plan_version()

    bookings.book(start_s=4 * DAY)

    assert bookings.plan_version() == version


def test_money_for_what_is_no_hold_any_more_must_go_back(bookings):
    held = bookings.hold()
    bookings.service.cancel(ME, held.reservation_id)

    assert not bookings.pay(held.reservation_id)
    assert not bookings.pay("r-unknown")


def test_a_second_payment_of_a_booking_must_go_back(bookings):
    booked = bookings.book()

    assert not bookings.pay(booked.reservation_id)


def test_a_declined_card_leaves_the_hold_for_another_try(bookings):
    held = bookings.hold()

    for _ in range(2):
        with bookings.rig.open_work() as work:
            bookings.advancer.declined(work, held.reservation_id, "No funds.", NOON)
            work.commit()

    assert bookings.service.get(held.reservation_id, ME).state == "held"
    assert bookings.log(held.reservation_id) == ["held", *["payment_declined"] * 2]
    assert [one.kind for one in bookings.heard.told] == ["payment_failed"] * 2
    assert bookings.heard.told[0].cause != bookings.heard.told[1].cause
    assert bookings.pay(held.reservation_id)
    with bookings.rig.open_work() as work:
        assert bookings.advancer.declined(work, held.reservation_id, "", NOON) == ()


def test_a_hold_lapses_when_its_time_is_over_and_not_before(bookings):
    held = bookings.hold()

    pass_by(bookings, 599)
    bookings.expire(held.reservation_id)
    assert bookings.service.get(held.reservation_id, ME).state == "held"
    pass_by(bookings, 1)
    bookings.expire(held.reservation_id)
    bookings.expire(held.reservation_id)

    over = bookings.service.get(held.reservation_id, ME)
    assert (over.status, over.reason, over.is_live) == ("REJECTED", "hold_expired", False)
    assert bookings.slots() == {}
    assert bookings.settling.settled == [held.reservation_id]
    assert bookings.heard.freed_ == [(STATION, Window(held.starts_at, held.ends_at))]
    assert bookings.heard.told == []
    assert not bookings.pay(held.reservation_id)


def test_a_booking_does_not_lapse(bookings):
    booked = bookings.book()

    pass_by(bookings, SOON)
    bookings.expire(booked.reservation_id)

    assert bookings.service.get(booked.reservation_id, ME).state == "booked"


# --- canceling -----------------------------------------------------------------------------------


def test_a_driver_cancels_and_the_bay_is_free(bookings):
    booked = bookings.book()
    version = bookings.plan_version()

    canceled = bookings.service.cancel(ME, booked.reservation_id, note="ill")

    assert (canceled.status, canceled.reason) == ("CANCELED", "canceled_by_driver")
    assert canceled.due_minor == 0
    assert bookings.slots() == {}
    assert bookings.plan_version() == version + 1
    assert bookings.heard.told[-1].kind == "canceled"
    assert bookings.service.log(booked.reservation_id, STAFF).entries[-1].note == "ill"
    with pytest.raises(IllegalTransition):
        bookings.service.cancel(ME, booked.reservation_id)


@pytest.mark.parametrize("viewer", [OWNING, STAFF])
def test_owner_and_staff_cancel_and_nobody_pays(bookings, viewer):
    booked = bookings.book()

    canceled = bookings.service.cancel(viewer, booked.reservation_id)

    assert (canceled.status, canceled.reason) == ("FAILED", "canceled_by_operator")
    assert bookings.heard.told[-1].kind == "failed"


def test_nobody_else_sees_changes_or_cancels_a_reservation(bookings):
    booked = bookings.book()
    its = booked.reservation_id

    for refused in (
        lambda: bookings.service.get(its, STRANGER),
        lambda: bookings.service.log(its, STRANGER),
        lambda: bookings.service.log(its, ME),
        lambda: bookings.service.cancel(STRANGER, its),
        lambda: bookings.service.change(STAFF, its, NewTimes(bay_id=OTHER_BAY)),
        lambda: bookings.service.check_in(OWNING, its),
        lambda: bookings.service.get("r-unknown", STAFF),
    ):
        with pytest.raises(NotFound):
            refused()


def test_after_arrival_nothing_can_be_canceled(bookings):
    booked = bookings.book()
    pass_by(bookings, HOUR)
    bookings.service.check_in(ME, booked.reservation_id)

    with pytest.raises(IllegalTransition):
        bookings.service.cancel(ME, booked.reservation_id)


# --- checking in ---------------------------------------------------------------------------------


def test_a_driver_checks_in_from_when_the_bay_is_kept_until_the_slot_is_over(bookings):
    booked = bookings.book()
    its = booked.reservation_id

    pass_by(bookings, HOUR - 901)
    with pytest.raises(IllegalTransition, match="from Sun 01 Mar 12:45"):
        bookings.service.check_in(ME, its)
    pass_by(bookings, 1)
    here = bookings.service.check_in(ME, its)
    pass_by(bookings, 60)
    again = bookings.service.check_in(ME, its)

    assert (here.state, here.arrived_by) == ("arrived", "app")
    assert again.arrived_at == here.arrived_at == after(HOUR - 900)
    assert bookings.log(its) == ["held", "paid", "checked_in"]


def test_nobody_checks_in_after_the_slot_or_without_having_paid(bookings):
    held = bookings.hold()
    booked = bookings.book(bay_id=OTHER_BAY)

    pass_by(bookings, HOUR)
    with pytest.raises(IllegalTransition):
        bookings.service.check_in(ME, held.reservation_id)
    pass_by(bookings, HOUR)
    with pytest.raises(IllegalTransition, match="ended at"):
        bookings.service.check_in(ME, booked.reservation_id)


# --- changing ------------------------------------------------------------------------------------


def test_a_longer_stay_takes_more_granules_and_is_quoted_anew(bookings):
    booked = bookings.book()
    bookings.quoting.per_hour_minor = 800

    longer = bookings.service.change(
        ME, booked.reservation_id, NewTimes(ends_at=booked.ends_at + timedelta(minutes=30))
    )

    assert longer.quote["total_minor"] == 1_200
    assert (longer.tariff_id, longer.authorised_minor) == ("t-1", 700)
    assert len(bookings.slots()) == 6
    assert bookings.slots() == bookings.expected_slots()
    assert bookings.log(booked.reservation_id)[-1] == "extended"


def test_a_shorter_stay_gives_granules_free(bookings):
    booked = bookings.book()

    bookings.service.change(
        ME, booked.reservation_id, NewTimes(ends_at=booked.ends_at - timedelta(minutes=30))
    )

    assert len(bookings.slots()) == 2
    assert bookings.heard.freed_ == [(STATION, Window(booked.starts_at, booked.ends_at))]
    assert bookings.log(booked.reservation_id)[-1] == "shortened"


def test_a_move_keeps_the_duration_and_takes_the_other_bay(bookings):
    booked = bookings.book()
    version = bookings.plan_version()

    moved = bookings.service.change(
        ME, booked.reservation_id, NewTimes(starts_at=after(3 * HOUR), bay_id=OTHER_BAY)
    )

    assert (moved.starts_at, moved.ends_at) == (after(3 * HOUR), after(4 * HOUR))
    assert moved.bay_name == "2"
    assert bookings.slots() == bookings.expected_slots()
    assert bookings.plan_version() == version + 1
    assert set(bookings.heard.looked[-2:]) == {BAY, OTHER_BAY}
    assert moved.version > booked.version


def test_a_change_into_somebody_elses_time_leaves_all_as_it_was(bookings):
    booked = bookings.book()
    other = bookings.add_driver("u-other")
    bookings.book(start_s=2 * HOUR, viewer=other)
    before = bookings.slots()

    with pytest.raises(BayAlreadyBooked) as refused:
        bookings.service.change(
            ME, booked.reservation_id, NewTimes(ends_at=booked.ends_at + timedelta(minutes=15))
        )

    assert len(refused.value.alternatives) == 5
    assert bookings.slots() == before


def test_a_change_of_nothing_says_so(bookings):
    booked = bookings.book()

    with pytest.raises(NotBookable, match="what is to change"):
        bookings.service.change(ME, booked.reservation_id, NewTimes(bay_id=BAY))
    with pytest.raises(NotBookable, match="no such bay"):
        bookings.service.change(ME, booked.reservation_id, NewTimes(bay_id="x"))


def test_it_cannot_be_moved_away_once_canceling_would_cost(bookings):
    booked = bookings.book(start_s=2 * HOUR)
    its = booked.reservation_id
    bookings.rig.execute("UPDATE bays SET status = 'AVAILABLE'")
    pass_by(bookings, HOUR + 60)

    with pytest.raises(NotBookable, match="too late to begin later"):
        bookings.service.change(ME, its, NewTimes(starts_at=after(4 * HOUR)))
    earlier = bookings.service.change(ME, its, NewTimes(starts_at=after(HOUR + 900)))

    assert earlier.starts_at == after(HOUR + 900)


def test_who_has_arrived_may_only_stay_longer_or_shorter(bookings):
    booked = bookings.book()
    its = booked.reservation_id
    bookings.rig.execute(f"UPDATE bays SET status = 'CHARGING' WHERE id = '{BAY}'")
    pass_by(bookings, HOUR)
    bookings.service.check_in(ME, its)
    pass_by(bookings, 600)

    with pytest.raises(IllegalTransition, match="only the end"):
        bookings.service.change(ME, its, NewTimes(starts_at=after(3 * HOUR)))
    with pytest.raises(IllegalTransition, match="the bay stays"):
        bookings.service.change(ME, its, NewTimes(bay_id=OTHER_BAY))
    longer = bookings.service.change(ME, its, NewTimes(ends_at=after(2 * HOUR + 900)))

    assert longer.ends_at == after(2 * HOUR + 900)
    assert longer.state == "arrived"


def test_what_is_over_cannot_be_changed(bookings):
    booked = bookings.book()
    bookings.service.cancel(ME, booked.reservation_id)

    with pytest.raises(IllegalTransition):
        bookings.service.change(ME, booked.reservation_id, NewTimes(ends_at=after(3 * HOUR)))


# --- lists ---------------------------------------------------------------------------------------


def test_each_sees_their_own_list(bookings):
    other = bookings.add_driver("u-other")
    mine = [bookings.book(start_s=hours * HOUR).reservation_id for hours in (1, 2, 3)]
    theirs = bookings.book(start_s=4 * HOUR, viewer=other).reservation_id
    owners = bookings.hold(start_s=6 * HOUR, viewer=OWNING).reservation_id
    bookings.service.cancel(ME, mine[0])

    def ids(viewer, **more):
        listed = bookings.service.list(viewer, **more)
        return [one.reservation_id for one in listed.reservations]

    assert ids(ME) == [mine[2], mine[1], mine[0]]
    assert ids(ME, is_live=False) == [mine[0]]
    assert ids(other) == [theirs]
    assert ids(OWNING) == [owners, theirs, *reversed(mine)]
    assert ids(OWNING, is_own=True) == [owners]
    assert ids(STAFF, station_id="greenmarket-2") == []
    assert ids(STRANGER) == []


def test_a_list_goes_on_where_it_ended(bookings):
    booked = [bookings.book(start_s=hours * HOUR).reservation_id for hours in (1, 2, 3)]

    first = bookings.service.list(ME, limit=2)
    rest = bookings.service.list(ME, limit=2, cursor=first.next_cursor)

    assert [one.reservation_id for one in first.reservations] == booked[:0:-1]
    assert [one.reservation_id for one in rest.reservations] == booked[:1]
    assert rest.next_cursor is None
    with pytest.raises(NotValid):
        bookings.service.list(ME, cursor="nonsense")


# --- moving on -----------------------------------------------------------------------------------


def test_whoever_ends_a_reservation_settles_it_tells_its_driver_and_frees_the_bay(bookings):
    booked = bookings.book()
    its = booked.reservation_id
    pass_by(bookings, HOUR + 1_000)

    bookings.advance(its, Happening.SEEN_EMPTY_AFTER_GRACE, Told("no_show"))

    over = bookings.reservation(its)
    assert (over.status, over.due_minor) == (Status.NO_SHOW, 0)
    assert bookings.settling.settled == [its]
    assert [one.kind for one in bookings.heard.told] == ["booked", "no_show"]
    assert bookings.heard.freed_ == [(STATION, Window(after(HOUR + 900), after(2 * HOUR)))]
    assert bookings.slots() == {}


def test_staying_live_settles_and_frees_nothing(bookings):
    booked = bookings.book()

    bookings.advance(booked.reservation_id, Happening.PLUGGED_IN, Told("plugged_in"))

    assert bookings.settling.settled == []
    assert bookings.heard.freed_ == []
    assert bookings.reservation(booked.reservation_id).status is Status.CHARGING


def test_an_owner_books_like_anybody(bookings):
    booked = bookings.book(viewer=OWNING)

    assert booked.user_id == OWNER
    assert bookings.service.cancel(OWNING, booked.reservation_id).status == "CANCELED"
