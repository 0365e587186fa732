"""A key changed from afar: the plan has both while it is under way, and one when it is over (F13)."""

from dataclasses import replace

import pytest

from cloud.adapters.sql import tables
from cloud.domain.access import Role, Viewer
from cloud.domain.errors import NotAllowed, NotFound
from cloud.domain.key_rotation import MOST_ASKED, rest_after
from cloud.services.alerting import Alerting
from cloud.services.commands import CommandService
from cloud.services.key_rotations import KeyMaker, KeyRotationService
from cloud.services.plans import PlanService
from cloud.services.shelf import TariffShelf
from contracts.commands import ResetCharger, SetChargerKey, decode_command
from contracts.events import (
    ChargerBooted,
    ChargerConnected,
    CommandAnswered,
    CommandOutcome,
    SessionEnded,
    SessionStarted,
)
from contracts.keys import is_key
from contracts.plan import decode_plan
from tests.cloud.builders import CHARGER, STATION

STAFF = Viewer("staff", Role.MAINTENANCE)
OLD_SALT, OLD_HASH = "0" * 32, "f" * 64


class Change:
    """A rig with the services a change of keys needs.

    Each call is of services made anew, as if the process had been killed in between.
    """

    def __init__(self, rig) -> None:
        self.rig = rig
        self.keys = KeyMaker(b"secret")
        rig.execute(f"UPDATE chargers SET key_salt = '{OLD_SALT}', key_hash = '{OLD_HASH}'")
        rig.pass_by(300)
        self.came(OLD_SALT)

    @property
    def service(self) -> KeyRotationService:
        rig = self.rig
        alerting = Alerting(rig.policy, "https://bays.example", ("boss@bays.example",))
        return KeyRotationService(
            rig.open_work, rig.clock, self.keys, rig.policy.stale_after, alerting
        )

    def start(self, viewer=STAFF):
        return self.service.start(viewer, CHARGER)

    def tick(self) -> None:
        """Do what the clock does: what is due, then plans, then commands."""
        rig = self.rig
        replace(rig.deadlines, rotating=self.service).do_due()
        PlanService(rig.open_work, rig.broker, rig.clock, TariffShelf()).publish_changed()
        commands = CommandService(
            rig.open_work, rig.broker, rig.clock, rig.policy.stale_after, fill=self.keys.fill
        )
        commands.hand_over_unsent()
        commands.expire_overdue()

    def came(self, salt) -> None:
        self.rig.agent.tell(
            ChargerConnected(
                charger_id=CHARGER,
                ocpp_version="1.6",
                security_profile=1,
                key_salt=salt,
                observed_at=self.rig.clock.now(),
            ),
        )

    def booted(self) -> None:
        now = self.rig.clock.now()
        self.rig.agent.tell(
            ChargerBooted(charger_id=CHARGER, vendor="V", model="M", observed_at=now)
        )

    def answered(self, outcome, **answer) -> None:
        fact = CommandAnswered(
            command_id=self.sent()[-1].id,
            outcome=outcome,
            answer=answer,
            observed_at=self.rig.clock.now(),
        )
        self.rig.agent.tell(fact)

    def sent(self) -> list:
        """Return the commands sent, each once."""
        sent = self.rig.broker.published
        found = [decode_command(body) for topic, body, _ in sent if topic.endswith("/commands")]
        return list({one.id: one for one in found}.values())

    def asked(self) -> list:
        return [one for one in self.sent() if isinstance(one.request, SetChargerKey)]

    def resets(self) -> list:
        return [one for one in self.sent() if isinstance(one.request, ResetCharger)]

    def passes(self, seconds) -> None:
        self.rig.pass_by(seconds, is_heard=True)
        self.tick()

    def to_reset(self) -> None:
        """Go on to where the charger is asked to boot."""
        self.start()
        self.tick()
        self.answered(CommandOutcome.ACCEPTED, status="RebootRequired")
        self.tick()

    def credential(self):
        PlanService(
            self.rig.open_work, self.rig.broker, self.rig.clock, TariffShelf()
        ).publish_all()
        plans = [
            body
            for topic, body, _ in self.rig.broker.published
            if topic.endswith(f"{STATION}/plan")
        ]
        return next(one for one in decode_plan(plans[-1]).chargers if one.charger_id == CHARGER)

    @property
    def status(self) -> str:
        return self.service.get(STAFF, CHARGER).status


@pytest.fixture
def change(rig):
    return Change(rig)


def test_the_new_key_takes_over_when_the_charger_comes_with_it(change):
    before = change.credential()
    change.start()
    change.tick()
    both = change.credential()
    key = change.asked()[-1].request.key
    change.answered(CommandOutcome.ACCEPTED)
    change.tick()
    taken = change.status
    change.came(both.next_salt)
    change.tick()
    after = change.credential()

    assert (both.salt, both.key_hash) == (before.salt, before.key_hash)
    assert is_key(both.next_salt, both.next_key_hash, key)
    assert taken == "taken"
    assert change.status == "done"
    assert (after.salt, after.next_salt) == (both.next_salt, "")
    assert is_key(after.salt, after.key_hash, key)


def test_a_key_is_kept_nowhere_in_the_database(change):
    change.start()
    change.tick()
    key = change.asked()[-1].request.key
    rows = [str(row) for table in tables.metadata.sorted_tables for row in change.rig.rows(table)]

    assert len(key) == 40
    assert not any(key in row for row in rows)


def test_a_charger_that_says_no_keeps_its_key(change):
    before = change.credential()
    change.start()
    change.tick()
    change.answered(CommandOutcome.REJECTED)
    change.tick()
    after = change.credential()

    assert change.status == "refused"
    assert (after.salt, after.next_salt) == (before.salt, "")


def test_a_lost_answer_leaves_both_keys_good_and_the_same_key_is_sent_again(change):
    change.start()
    change.tick()
    change.answered(CommandOutcome.TIMED_OUT)
    change.tick()
    meanwhile = change.credential()
    change.rig.pass_by(20, is_heard=True)
    change.tick()
    first, second = change.asked()

    assert meanwhile.next_salt
    assert (first.request.salt, first.request.key) == (second.request.salt, second.request.key)
    assert first.id != second.id


def test_a_no_after_a_lost_answer_is_settled_by_the_next_login(change):
    change.start()
    change.tick()
    change.answered(CommandOutcome.TIMED_OUT)
    change.tick()
    change.rig.pass_by(20, is_heard=True)
    change.tick()
    change.answered(CommandOutcome.REJECTED)
    change.tick()
    doubted = change.status
    change.rig.pass_by(1)
    change.came(OLD_SALT)
    change.tick()

    assert doubted == "doubted"
    assert change.status == "refused"
    assert not change.credential().next_salt


def test_a_charger_that_took_it_unheard_settles_it_by_coming(change):
    change.start()
    change.tick()
    change.came(change.credential().next_salt)
    change.tick()

    assert change.status == "done"


def test_a_charger_that_is_away_is_asked_when_it_comes(change):
    change.rig.execute("UPDATE chargers SET is_connected = 0")
    change.start()
    change.tick()
    none_yet = list(change.asked())
    change.came(OLD_SALT)
    change.tick()

    assert none_yet == []
    assert len(change.asked()) == 1


def test_a_second_start_goes_on_with_the_first(change):
    change.start()
    change.tick()
    first = change.credential().next_salt
    change.start()
    change.tick()

    assert change.credential().next_salt == first
    assert len(change.asked()) == 1


def test_one_that_takes_the_key_at_its_next_boot_is_asked_to_boot(change):
    change.to_reset()
    (reset,) = change.resets()
    change.answered(CommandOutcome.ACCEPTED, status="Accepted")
    change.passes(40)
    change.came(change.credential().next_salt)
    change.tick()

    assert reset.request.reset == "soft"
    assert change.status == "done"
    assert len(change.asked()) == 1


def test_one_that_comes_by_the_old_key_before_it_boots_is_not_asked_for_the_key_again(change):
    change.to_reset()
    change.answered(CommandOutcome.ACCEPTED, status="Accepted")
    for _ in range(3):
        change.passes(25)
        change.came(OLD_SALT)
        change.tick()

    assert (change.status, len(change.asked()), len(change.resets())) == ("taken", 1, 1)
    assert change.credential().next_salt


def test_one_that_boots_by_the_old_key_is_asked_for_the_key_again_less_and_less_often(change):
    change.to_reset()
    change.passes(40)
    change.came(OLD_SALT)
    change.booted()
    change.passes(20)
    tried = change.status
    change.passes(15)
    early = len(change.asked())
    change.passes(30)

    assert (tried, early) == ("announced", 1)
    assert len(change.asked()) == 2


def test_nobody_charging_is_sent_away_for_a_key(change):
    session = {
        "session_id": "s-1",
        "charger_id": CHARGER,
        "evse_id": 1,
        "transaction_id": "1",
    }
    now = change.rig.clock.now()
    change.rig.agent.tell(SessionStarted(**session, connector_id=1, observed_at=now))
    change.to_reset()
    meanwhile = len(change.resets())
    change.rig.agent.tell(
        SessionEnded(**session, reason="Local", observed_at=change.rig.clock.now())
    )
    change.passes(301)

    assert (meanwhile, len(change.resets())) == (0, 1)


def test_one_that_never_boots_is_left_alone_and_somebody_is_told(change):
    change.to_reset()
    for _ in range(MOST_ASKED + 2):
        change.passes(6 * 3_600)
    told = change.rig.open_alerts()

    assert len(change.resets()) == MOST_ASKED - 1
    assert told == [f"security_event/{CHARGER}/key_waits_for_boot"]
    assert change.status == "taken"
    assert change.credential().next_salt


def test_one_that_cannot_change_its_key_is_given_up_and_somebody_is_told(change):
    before = change.credential()
    change.start()
    change.tick()
    for number in range(1, MOST_ASKED + 2):
        if change.status == "sent":
            change.answered(CommandOutcome.FAILED, code="NotSupported")
            change.tick()
        change.passes(rest_after(number).total_seconds())
    after = change.credential()
    (alert,) = change.rig.rows(tables.alerts)

    assert len(change.asked()) == MOST_ASKED
    assert change.status == "refused"
    assert (after.salt, after.next_salt) == (before.salt, "")
    assert alert.key == f"security_event/{CHARGER}/key_not_taken"
    assert len(change.rig.rows(tables.messages)) > 0


def test_a_station_that_is_silent_is_not_asked(change):
    change.rig.pass_by(600)
    change.start()
    change.tick()
    meanwhile = list(change.asked())
    change.rig.pass_by(1, is_heard=True)
    change.rig.pass_by(15, is_heard=True)
    change.tick()

    assert meanwhile == []
    assert len(change.asked()) == 1


def test_drivers_start_none_and_what_was_never_started_is_not_there(change):
    with pytest.raises(NotAllowed):
        change.start(Viewer("driver", Role.DRIVER))
    with pytest.raises(NotFound):
        change.service.get(STAFF, CHARGER)


def test_s03_a_charger_that_came_better_protected_never_has_to_less(change):
    change.rig.agent.tell(
        ChargerConnected(
            charger_id=CHARGER,
            ocpp_version="1.6",
            security_profile=2,
            observed_at=change.rig.clock.now(),
        )
    )
    raised = change.credential().security_profile
    change.came(OLD_SALT)

    assert (raised, change.credential().security_profile) == (2, 2)
