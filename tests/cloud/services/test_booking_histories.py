"""Whatever happens to a station's bookings in whatever order: no bay is promised twice."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cloud.domain.errors import (
    BayAlreadyBooked,
    IllegalTransition,
    NotBookable,
    Refused,
    TooManyReservations,
)
from cloud.domain.reservations import LIVE, NEXT, Happening, Status
from cloud.services.booking_ports import Told
from cloud.services.changing import NewTimes
from cloud.services.packing import is_movable
from tests.cloud.builders import BAY, NOON
from tests.cloud.services.bookings import COMBO, OTHER_BAY, Bookings
from tests.cloud.services.rig import a_rig

QUARTER = timedelta(minutes=15)
BAYS = (BAY, OTHER_BAY)
DRIVERS = 4

bays = st.sampled_from([BAY, OTHER_BAY, None, None])
starts = st.integers(2, 10)
lengths = st.integers(2, 6)
numbers = st.integers(0, 10_000)


class History(RuleBasedStateMachine):
    """Two bays, four drivers, three hours, and everything that can be done."""

    url = None

    def __init__(self):
        super().__init__()
        self.rig = a_rig(self.url())
        self.bookings = Bookings(self.rig)
        self.rig.execute("UPDATE bays SET status = 'AVAILABLE'")
        self.drivers = [self.bookings.add_driver(f"u-{number}") for number in range(DRIVERS)]
        self.ids = []

    def teardown(self):
        self.rig.engine.dispose()

    # --- what is done ----------------------------------------------------------------------------

    @initialize(buffer=st.integers(0, 1), most_live=st.integers(1, 3))
    def set_terms(self, buffer, most_live):
        self.most_live = most_live
        terms = {"buffer_s": buffer * 900, "max_live_per_driver": most_live, "fix_s": 0}
        self.bookings.set_terms(**terms, protect_s=0)

    @rule(start=starts, length=lengths, driver=st.integers(0, DRIVERS - 1))
    def hold_any(self, start, length, driver):
        self.hold(None, start, length, driver)

    @rule(bay_id=bays, start=starts, length=lengths, driver=st.integers(0, DRIVERS - 1))
    def hold_and_pay(self, bay_id, start, length, driver):
        held = self.hold(bay_id, start, length, driver)
        if held is not None:
            assert self.bookings.pay(held)

    @rule(bay_id=bays, start=starts, length=lengths, driver=st.integers(0, DRIVERS - 1))
    def hold_one(self, bay_id, start, length, driver):
        self.hold(bay_id, start, length, driver)

    def hold(self, bay_id, start, length, driver):
        before = self.live()
        window = {"start_s": start * 900, "lasts_s": length * 900}
        viewer = self.drivers[driver]
        try:
            held = self.bookings.hold(bay_id=bay_id, viewer=viewer, standard=COMBO, **window)
        except BayAlreadyBooked:
            starts_at, ends_at = self.asked(start, length)
            assert not self.could_have(before, bay_id, starts_at, ends_at)
        except NotBookable:
            assert self.asked(start, length)[0] < self.rig.clock.now()
        except TooManyReservations:
            mine = [one for one in before if one.user_id == viewer.user_id]
            assert len(mine) >= self.most_live
        else:
            self.ids.append(held.reservation_id)
            return held.reservation_id
        return None

    @precondition(lambda self: self.ids)
    @rule(number=numbers)
    def pay(self, number):
        before = self.pick(number)

        is_booked = self.bookings.pay(before.id)

        assert is_booked is (before.status is Status.HELD)

    @precondition(lambda self: self.ids)
    @rule(number=numbers)
    def cancel(self, number):
        before = self.pick(number)
        self.refused_or(
            lambda: self.bookings.service.cancel(self.driver_of(before), before.id),
            before,
            Happening.CANCELED_BY_DRIVER,
        )

    @precondition(lambda self: self.ids)
    @rule(number=numbers, happening=st.sampled_from(Happening))
    def happen(self, number, happening):
        before = self.pick(number)
        self.refused_or(
            lambda: self.bookings.advance(before.id, happening, Told(happening)), before, happening
        )

    @precondition(lambda self: self.ids)
    @rule(number=numbers, bay_id=bays, start=st.none() | starts, length=st.none() | lengths)
    def change(self, number, bay_id, start, length):
        before = self.pick(number)
        starts_at = before.starts_at if start is None else self.at(start)
        ends_at = None if length is None else starts_at + length * QUARTER
        new = NewTimes(starts_at=starts_at, ends_at=ends_at, bay_id=bay_id)
        try:
            self.bookings.service.change(self.driver_of(before), before.id, new)
        except Refused:
            assert self.bookings.reservation(before.id) == before

    @precondition(lambda self: self.ids)
    @rule(number=numbers)
    def check_in(self, number):
        before = self.pick(number)
        try:
            here = self.bookings.service.check_in(self.driver_of(before), before.id)
        except IllegalTransition:
            assert self.bookings.reservation(before.id) == before
        else:
            assert here.arrived_by == "app" or before.status is not Status.BOOKED

    @rule(minutes=st.integers(1, 12))
    def pass_by(self, minutes):
        self.rig.clock.pass_by(timedelta(minutes=minutes))
        for one in self.live():
            self.bookings.expire(one.id)

    @precondition(lambda self: self.ids)
    @rule(number=numbers)
    def bind(self, number):
        before = self.pick(number)
        now = self.rig.clock.now()
        with self.rig.open_work() as work:
            self.bookings.packer.bind(work, before, now)
            work.commit()

        is_due = before.fixed_at is not None and before.fixed_at <= now
        if is_due and before.status in {Status.HELD, Status.BOOKED}:
            assert not self.bookings.reservation(before.id).is_flexible

    # --- what must hold --------------------------------------------------------------------------

    @invariant()
    def the_slots_are_those_of_the_live_reservations(self):
        assert self.bookings.slots() == self.bookings.expected_slots()

    @invariant()
    def no_two_live_reservations_of_a_bay_overlap(self):
        live = self.live()
        for one, two in product(live, live):
            is_other = one.id != two.id and one.bay_id == two.bay_id
            assert not (is_other and one.kept.overlaps(two.kept))

    @invariant()
    def nobody_has_more_than_one_may(self):
        for driver in self.drivers:
            mine = [one for one in self.live() if one.user_id == driver.user_id]
            assert len(mine) <= self.most_live

    @invariant()
    def what_is_over_is_settled_once(self):
        over = sorted(one.id for one in self.bookings.all() if not one.is_live)
        assert sorted(self.bookings.settling.settled) == over

    @invariant()
    def no_hold_outlives_its_time(self):
        now = self.rig.clock.now()
        holds = [one for one in self.live() if one.status is Status.HELD]
        assert all(one.held_until > now for one in holds)

    # --- how it is looked at ---------------------------------------------------------------------

    def at(self, quarters):
        return self.asked(quarters, 0)[0]

    def asked(self, start, length):
        starts_at = NOON + start * QUARTER
        return starts_at, starts_at + length * QUARTER

    def live(self):
        return [one for one in self.bookings.all() if one.status in LIVE]

    def pick(self, number):
        return self.bookings.reservation(self.ids[number % len(self.ids)])

    def driver_of(self, reservation):
        return next(one for one in self.drivers if one.user_id == reservation.user_id)

    def refused_or(self, do, before, happening):
        """Do it; it is as the table says, or refused and nothing has changed."""
        if (before.status, happening) in NEXT:
            do()
            status = self.bookings.reservation(before.id).status
            assert status is NEXT[before.status, happening]
            return
        with pytest.raises(IllegalTransition):
            do()
        assert self.bookings.reservation(before.id) == before

    def could_have(self, live, bay_id, starts_at, ends_at):
        """Whether there is any way to seat all, with the newcomer: by trying everything."""
        now = self.rig.clock.now()
        buffer_s = live[0].buffer_s if live else 0
        asked = replace(live[0], id="ask", starts_at=starts_at, ends_at=ends_at, buffer_s=buffer_s)
        near = [one for one in live if one.ends_at > now - timedelta(hours=6)]
        choices = [BAYS if is_movable(one, now) else (one.bay_id,) for one in near]
        wanted = BAYS if bay_id is None else (bay_id,)
        for seats in product(wanted, *choices):
            seated = list(zip([asked, *near], seats, strict=True))
            if all(
                one is two or bay != other or not one.kept.overlaps(two.kept)
                for one, bay in seated
                for two, other in seated
            ):
                return True
        return False


def histories(url, examples, steps):
    machine = type("Histories", (History,), {"url": staticmethod(url)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


def test_random_histories_never_promise_a_bay_twice(databases):
    histories(databases.sqlite, examples=20, steps=25)


@pytest.mark.real
def test_random_histories_never_promise_a_bay_twice_on_mariadb(databases):
    histories(databases.mariadb, examples=3, steps=20)


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_many_long_random_histories_never_promise_a_bay_twice(databases, kind):
    histories(getattr(databases, kind), examples=100, steps=60)
