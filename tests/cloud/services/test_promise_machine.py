"""Anything in any order on site and in the app: nobody pays for what they did not do (ADR 0009)."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from cloud.adapters.sql import tables
from cloud.domain.errors import BayAlreadyBooked, IllegalTransition
from cloud.domain.reservations import LIVE, Happening, Status, Trouble
from cloud.domain.windows import ceiling, granules
from contracts import events
from tests.cloud.builders import BAY, NOON
from tests.cloud.services.promises import OTHER_BAY, Promises, seen_at
from tests.cloud.services.rig import a_rig, begun, connected, over, said, state

BAYS = {BAY: 1, OTHER_BAY: 2}
PEOPLE = {"u-driver": "04aabb", "u-bob": "04bbbb"}
SENSORS = {BAY: "gm-1", OTHER_BAY: "gm-2"}
GRACE = timedelta(minutes=15)


def started(at):
    return events.AgentStarted(observed_at=at, agent_version="2")


bays, people, truths = st.sampled_from(sorted(BAYS)), st.sampled_from(sorted(PEOPLE)), st.booleans()


class Seen:
    """What was told of a bay: since when it has been seen empty, and when nobody could tell."""

    def __init__(self, now):
        self.is_occupied = self.is_silent = self.is_faulted = False
        self.session_id = None
        self.is_plugged = False
        self.car = ""
        """Whose, by the last session there."""
        self.empty_since = self.watched_at = now
        self.doubted_at = None
        self.there = []
        """From when to when somebody was seen there."""

    def note(self, now):
        """Take the instant into account, whatever has just changed."""
        is_empty = not (self.is_occupied or self.session_id)
        if not is_empty or self.is_silent or self.is_faulted:
            self.empty_since = now
        if self.is_silent or self.is_faulted:
            self.doubted_at = now

    @property
    def is_there(self):
        return bool(self.session_id or self.is_plugged or (self.is_occupied and not self.is_silent))

    def watch(self, now, *, is_dark=False):
        """Take down who was seen there since the last time, before anything changes."""
        if self.is_there and not is_dark:
            self.there.append((self.watched_at, now))
        self.watched_at = now

    def there_within(self, starts_at, ends_at):
        """Return for how long somebody was seen there."""
        parts = [min(b, ends_at) - max(a, starts_at) for a, b in self.there]
        return sum((one for one in parts if one > timedelta(0)), timedelta(0))


class Histories(RuleBasedStateMachine):
    """Facts, heartbeats or none, time, and what drivers do in the app."""

    databases = None

    @initialize()
    def begin(self):
        self.rig = a_rig(self.databases.sqlite())
        self.kept = Promises(self.rig, no_show_fee_minor=500, overstay_per_minute_minor=10)
        self.seen = {bay: Seen(self.rig.clock.now()) for bay in BAYS}
        self.sessions = 0
        self.paid_for = {}

    def teardown(self):
        if hasattr(self, "rig"):
            self.rig.engine.dispose()

    @property
    def now(self):
        return self.rig.clock.now()

    def watch(self, *, is_dark=False):
        for seen in self.seen.values():
            seen.watch(self.now, is_dark=is_dark)

    def tell(self, bay, *facts):
        self.seen[bay].note(self.now)
        self.kept.tell(*facts)

    # --- in the app ------------------------------------------------------------------------------

    @rule(bay=bays, who=people, in_s=st.integers(0, 5_400), slots=st.integers(2, 6))
    def book(self, bay, who, in_s, slots):
        starts_at = ceiling(self.now + timedelta(seconds=in_s))
        more = {"starts_at": starts_at, "ends_at": starts_at + slots * timedelta(minutes=15)}
        with suppress(BayAlreadyBooked):
            self.kept.book(bay_id=bay, user_id=who, token=PEOPLE[who], booked_at=self.now, **more)

    @rule(bay=bays, who=people)
    def hold(self, bay, who):
        starts_at = ceiling(self.now)
        more = {"starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=30)}
        until = self.now + timedelta(minutes=10)
        with suppress(BayAlreadyBooked):
            self.kept.book(
                bay_id=bay,
                user_id=who,
                status=Status.HELD,
                held_until=until,
                booked_at=None,
                **more,
            )

    @rule(
        number=st.integers(0, 9),
        happening=st.sampled_from(
            [Happening.CANCELED_BY_DRIVER, Happening.CANCELED_BY_OPERATOR, Happening.CHECKED_IN]
        ),
    )
    def act(self, number, happening):
        live = [one for one in self.reservations() if one.status in LIVE]
        if live:
            one = live[number % len(live)]
            more = {}
            if happening is Happening.CHECKED_IN:
                more = {"arrived_at": self.now, "arrived_by": "app"}
            with suppress(IllegalTransition):
                self.kept.act(one.id, happening, **more)
            self.rig.tick()

    @rule(bay=bays, who=people, slots=st.integers(1, 2), stays_s=st.integers(1_700, 6_000))
    def come_and_stay(self, bay, who, slots, stays_s):
        """Charge through one's slot, or two in a row, and stay longer than the charge."""
        starts_at = ceiling(self.now)
        for number in range(slots):
            at = starts_at + number * timedelta(minutes=30)
            more = {"starts_at": at, "ends_at": at + timedelta(minutes=30)}
            with suppress(BayAlreadyBooked):
                self.kept.book(bay_id=bay, user_id=who, token=PEOPLE[who], **more)
        self.pass_by((starts_at - self.now).total_seconds())
        self.sense(bay, is_occupied=True)
        self.plug_in(bay, who, is_seen=True)
        self.pass_by(1_000)
        self.end(bay, is_leaving=False)
        self.pass_by(stays_s)

    # --- on site ---------------------------------------------------------------------------------

    @rule(bay=bays, is_occupied=truths)
    def sense(self, bay, is_occupied):
        self.watch()
        self.seen[bay].note(self.now)
        self.seen[bay].is_occupied = is_occupied
        self.tell(bay, seen_at(bay, is_occupied, self.now))

    @rule(bay=bays)
    def lose_sensor(self, bay):
        self.watch()
        self.seen[bay].is_silent = not self.seen[bay].is_silent
        known = {"sensor_id": SENSORS[bay], "bay_id": bay, "observed_at": self.now}
        kind = events.SensorFellSilent if self.seen[bay].is_silent else events.SensorHeardAgain
        self.seen[bay].doubted_at = self.now
        self.tell(bay, kind(**known))

    @rule(bay=bays)
    def break_or_mend(self, bay):
        self.watch()
        if self.seen[bay].session_id is None:
            self.seen[bay].is_faulted = not self.seen[bay].is_faulted
            self.seen[bay].doubted_at = self.now
            self.seen[bay].is_plugged = False
            word = "faulted" if self.seen[bay].is_faulted else "free"
            self.tell(bay, said(word, self.now, evse_id=BAYS[bay]))

    @rule(bay=bays, who=st.sampled_from([*PEOPLE, "stranger"]), is_seen=truths)
    def plug_in(self, bay, who, is_seen):
        seen = self.seen[bay]
        if seen.session_id or seen.is_faulted:
            return
        self.watch()
        self.sessions += 1
        seen.car, seen.is_plugged = who, True
        seen.session_id, seen.is_occupied = f"s-{self.sessions}", seen.is_occupied or is_seen
        name, at = {"session_id": seen.session_id, "evse_id": BAYS[bay]}, self.now
        facts = [
            begun(at, token=PEOPLE.get(who, "0xother"), **name),
            state("charging", at, session_id=seen.session_id),
            said("charging", at, evse_id=BAYS[bay]),
        ]
        self.tell(bay, *([seen_at(bay, True, at)] if seen.is_occupied else []), *facts)

    @rule(bay=bays, is_leaving=truths)
    def end(self, bay, is_leaving):
        seen, at = self.seen[bay], self.now
        if seen.session_id is None:
            return
        self.watch()
        facts = [over(5_000, at, session_id=seen.session_id, evse_id=BAYS[bay])]
        seen.note(at)
        seen.session_id = None
        word = "free" if is_leaving or not seen.is_occupied else "finishing"
        seen.is_plugged = word == "finishing"
        facts.append(said(word, at, evse_id=BAYS[bay]))
        if is_leaving:
            seen.is_occupied = False
            facts.append(seen_at(bay, False, at))
        self.kept.tell(*facts)

    @rule(bay=bays, who=people, ago_h=st.integers(24, 72))
    def deliver_an_old_session(self, bay, who, ago_h):
        self.sessions += 1
        at = self.now - timedelta(hours=ago_h)
        name = {"session_id": f"old-{self.sessions}", "evse_id": BAYS[bay]}
        before = {one.id: one.status for one in self.reservations()}
        self.kept.agent.tell(
            begun(at, token=PEOPLE[who], is_offline=True, **name),
            over(9_000, at + timedelta(hours=1), **name),
        )
        assert {one.id: one.status for one in self.reservations()} == before

    @rule(seconds=st.integers(1, 1_500))
    def pass_by(self, seconds):
        start = self.now
        for seen in self.seen.values():
            seen.note(start)
        self.kept.until((start - NOON).total_seconds() + seconds)
        self.watch()
        for seen in self.seen.values():
            seen.note(self.now)

    @rule(seconds=st.integers(90, 2_000))
    def lose_the_station(self, seconds):
        start = self.now
        self.kept.until((start - NOON).total_seconds() + seconds, is_heard=False)
        self.watch()
        for seen in self.seen.values():
            seen.doubted_at = seen.empty_since = self.now
        self.kept.agent.beat()
        self.rig.tick()

    @rule(seconds=st.integers(120, 12_000), leaving=st.sets(bays))
    def cut_the_power(self, seconds, leaving):
        """Nobody sees anything, and whoever leaves meanwhile has left when it is seen again."""
        self.watch()
        self.rig.clock.pass_by(timedelta(seconds=seconds))
        self.rig.tick()
        self.watch(is_dark=True)
        at, facts = self.now, [started(self.now), connected(self.now)]
        for bay, seen in self.seen.items():
            if seen.session_id is not None:
                facts.append(over(5_000, at, session_id=seen.session_id, evse_id=BAYS[bay]))
                seen.session_id = None
            seen.is_plugged = seen.is_plugged and bay not in leaving
            seen.is_occupied = seen.is_occupied and bay not in leaving
            if not seen.is_faulted:
                word = "plugged" if seen.is_plugged else "free"
                facts.append(said(word, at, evse_id=BAYS[bay]))
            if not seen.is_silent:
                facts.append(seen_at(bay, seen.is_occupied, at))
            seen.doubted_at = seen.empty_since = at
        self.kept.tell(*facts)

    @rule()
    def lose_the_station_for_days(self):
        """Whoever is promised a bay there is told in the end, whatever became of them."""
        heard_at = self.now
        self.watch()
        for hours in (36, 35, 2, 1):
            self.rig.clock.pass_by(timedelta(hours=hours))
            self.rig.tick()
        for one in self.reservations():
            assert one.status not in LIVE or one.ends_at > heard_at
        self.watch(is_dark=True)
        for seen in self.seen.values():
            seen.doubted_at = seen.empty_since = self.now
        self.kept.agent.beat()
        self.rig.tick()

    # --- what must hold --------------------------------------------------------------------------

    def reservations(self):
        with self.rig.open_work(is_read_only=True) as work:
            rows = self.rig.rows(tables.reservations)
            return list(work.reservations.by_ids([one.id for one in rows]).values())

    @invariant()
    def a_no_show_was_seen_empty_through_the_grace_and_never_in_doubt(self):
        for one in self.new_ones(Status.NO_SHOW):
            seen = self.seen[one.bay_id]
            assert one.status_at - seen.empty_since >= GRACE - timedelta(seconds=1)
            assert seen.doubted_at is None or seen.doubted_at < one.starts_at

    def new_ones(self, status):
        for one in self.reservations():
            if one.status is status and self.paid_for.get(one.id) is not status:
                self.paid_for[one.id] = status
                yield one

    @invariant()
    def nobody_pays_for_what_we_did_not_keep(self):
        due = self.kept.till.due
        for one in self.reservations():
            if one.status in {Status.FAILED, Status.REJECTED}:
                assert due[one.id] == 0
            if one.status not in LIVE:
                assert self.kept.till.times[one.id] == 1

    @invariant()
    def nobody_pays_for_an_overstay_that_was_not_seen(self):
        for one in self.reservations():
            if one.status is Status.FULFILLED and one.overstay_since is not None:
                billed = max(one.left_at - one.overstay_since, timedelta(0))
                seen = self.seen[one.bay_id].there_within(one.ends_at, one.left_at)
                assert billed <= seen + timedelta(seconds=2)

    @invariant()
    def nobody_is_in_the_way_of_themselves(self):
        for one in self.reservations():
            seen = self.seen[one.bay_id]
            if one.status in LIVE and one.trouble in {Trouble.STOLEN, Trouble.STILL_OCCUPIED}:
                # of a cable left in an empty bay nobody says whose it is
                is_seen = seen.is_plugged and seen.is_occupied
                assert not (is_seen and seen.car == one.user_id)

    @invariant()
    def at_most_one_charges_in_a_bay(self):
        charging = [one.bay_id for one in self.reservations() if one.status is Status.CHARGING]

        assert len(charging) == len(set(charging))

    @invariant()
    def whoever_lives_is_looked_at_again_and_has_their_granules(self):
        due = {one.subject for one in self.rig.rows(tables.deadlines) if one.kind == "reservation"}
        taken = {(one.bay_id, one.starts_at) for one in self.rig.rows(tables.bay_slots)}
        live = [one for one in self.reservations() if one.status in LIVE]

        assert {one.id for one in live} <= due
        assert {(one.bay_id, at) for one in live for at in granules(one.kept)} == taken


@pytest.mark.parametrize("examples", [6, pytest.param(200, marks=pytest.mark.faults)])
def test_whatever_happens_in_whatever_order_nobody_pays_for_what_they_did_not_do(
    databases, examples
):
    class Machine(Histories):
        pass

    Machine.databases = databases
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            # new ones each time in the long run only: what one finds there is mended there
            derandomize=examples < 100,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
