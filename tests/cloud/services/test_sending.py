"""What leaves the house: publications, plans, messages, telemetry; all of it again after a crash."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from cloud.adapters.sql import tables
from cloud.domain.access import Role, Viewer
from cloud.services.commands import MAX_PATIENCE, CommandService
from cloud.services.fact_ports import Message
from cloud.services.fleet import NOBODY, AskFleet, FleetService
from cloud.services.fleet_ports import Selector
from cloud.services.messages import MessageService, NotSent
from cloud.services.plans import PlanService
from cloud.services.ports import DatabaseAway
from cloud.services.publishing import Publisher
from cloud.services.shelf import TariffShelf
from cloud.services.sweeping import SweepService
from cloud.services.telemetry import TelemetryAway, TelemetryRefused, TelemetryService, lines_of
from contracts.batch import Beat
from contracts.commands import ResetCharger, ResetKind
from contracts.plan import decode_plan
from tests.cloud.builders import BAY, CHARGER, NOON, STATION, after
from tests.cloud.services.rig import a_rig, begun, connected, metered, said, seen


@pytest.fixture
def sweeps(rig):
    commands = CommandService(rig.open_work, rig.broker, rig.clock, rig.policy.stale_after)
    plans = PlanService(rig.open_work, rig.broker, rig.clock, TariffShelf())
    fleet = FleetService(rig.open_work, rig.clock, timedelta(seconds=80))
    return SweepService(rig.open_work, rig.clock, rig.publisher, plans, commands, fleet)


def live(rig):
    return rig.agent.tell(connected(), said("free"), seen(False), beat=Beat())


def topics(rig) -> list[str]:
    return [topic for topic, *_ in rig.broker.published]


# --- availability ------------------------------------------------------------------------------------


def test_a_change_is_published_and_its_station_retained_and_both_noted(rig):
    rig.publisher.publish(live(rig).changes)

    availability = [one for one in rig.broker.published if "availability" in one[0]]
    assert topics(rig).count("baywatt/1/changes/greenmarket") == 3
    ((topic, payload, is_retained),) = availability
    assert (topic, is_retained) == ("baywatt/1/availability/greenmarket", True)
    assert msgspec.json.decode(payload)["station"]["bays"][0]["status"] == "AVAILABLE"
    assert rig.bay().published_version == rig.bay().changed_version


def test_what_a_crash_kept_back_is_published_by_the_sweep_once(rig, sweeps):
    live(rig)

    assert sweeps.publish_unpublished() == 1
    assert sweeps.publish_unpublished() == 0
    assert topics(rig).count("baywatt/1/changes/greenmarket") == 2


def test_a_database_that_goes_away_while_publishing_leaves_it_to_the_sweep(rig, monkeypatch):
    changes = live(rig).changes

    def away(*args, **more):
        raise DatabaseAway("gone")

    monkeypatch.setattr(type(rig.availability), "stations", away)
    rig.publisher.publish(changes)

    assert rig.bay().published_version < rig.bay().changed_version


def test_what_live_stations_offer_is_said_again_and_of_silent_ones_not(rig, sweeps):
    live(rig)
    first, at_once = sweeps.refresh_availability(), sweeps.refresh_availability()
    rig.pass_by(26, is_heard=True)
    again = sweeps.refresh_availability()
    rig.pass_by(100)

    assert (first, at_once, again, sweeps.refresh_availability()) == (1, 0, 1, 0)


def test_to_a_broker_that_may_have_forgotten_everything_is_said(rig, sweeps):
    sweeps.say_everything()

    assert topics(rig) == ["baywatt/1/greenmarket/plan", "baywatt/1/availability/greenmarket"]


# --- plans -------------------------------------------------------------------------------------------


def test_a_plan_is_sent_when_what_it_is_made_of_changes(rig, sweeps):
    rig.execute(f"UPDATE chargers SET key_salt = 'aa', key_hash = 'bb' WHERE id = '{CHARGER}'")
    sent, again = sweeps.publish_plans(), sweeps.publish_plans()
    rig.execute("UPDATE stations SET plan_version = plan_version + 1, offline_policy = 'accept'")
    changed = sweeps.publish_plans()

    plans = [decode_plan(payload) for _, payload, _ in rig.broker.published]
    assert (sent, again, changed) == (1, 0, 1)
    assert [plan.version for plan in plans] == [1, 2]
    assert [plan.offline_policy for plan in plans] == ["refuse", "accept"]
    assert plans[0].chargers[0].key_hash == "bb"
    assert [one.token for one in plans[0].tokens] == ["04aabb"]
    assert [plan.tariff_text for plan in plans] == ["0.50 GBP per kWh."] * 2


def test_a_plan_says_how_its_tokens_are_shown_and_what_they_may_run(rig, sweeps):
    rig.execute("UPDATE charging_tokens SET token_type = 'eMAID', max_sessions = 3")
    rig.execute("UPDATE stations SET max_sessions_per_token = 1")
    sweeps.publish_plans()

    (plan,) = [decode_plan(payload) for _, payload, _ in rig.broker.published]
    (token,) = plan.tokens
    assert (token.token, token.token_type) == ("04aabb", "eMAID")
    assert (plan.max_sessions_per_token, token.max_sessions) == (1, 3)


def test_old_things_are_forgotten_a_little_at_a_time(rig, sweeps):
    live(rig)
    facts = len(rig.rows(tables.event_log))
    rig.clock.pass_by(timedelta(days=91))

    assert sweeps.forget() == facts
    assert sweeps.forget() == 0
    assert rig.rows(tables.event_log) == []


def test_what_was_asked_of_chargers_is_kept_a_year_and_longer_only_while_it_goes_on(rig, sweeps):
    staff = Viewer(user_id="staff", role=Role.ADMIN)
    reset = ResetCharger(charger_id=CHARGER, reset=ResetKind.SOFT)
    ask = AskFleet(
        Selector(charger_ids=(CHARGER,)), ResetCharger(charger_id=NOBODY, reset=ResetKind.SOFT)
    )
    live(rig)
    alone = sweeps.commands.issue(staff, reset, timedelta(seconds=30))
    over = sweeps.fleet.issue(staff, ask).fleet_command_id
    sweeps.advance_fleet()
    sweeps.fleet.abort(staff, over)
    rig.clock.pass_by(timedelta(days=2))
    sweeps.tend_commands()
    rig.clock.pass_by(timedelta(days=364))
    open_one = sweeps.fleet.issue(staff, replace(ask, keep=MAX_PATIENCE)).fleet_command_id
    sweeps.advance_fleet()
    rig.clock.pass_by(timedelta(days=1))
    while sweeps.forget():
        rig.clock.pass_by(timedelta(minutes=5))

    assert [row.id for row in rig.rows(tables.fleet_commands)] == [open_one]
    assert {row.fleet_command_id for row in rig.rows(tables.fleet_targets)} == {open_one}
    left = rig.rows(tables.commands)
    assert {row.fleet_command_id for row in left} == {open_one}
    assert alone.command_id not in {row.id for row in left}


def test_messages_are_kept_a_year_and_longer_only_while_they_wait(rig, sweeps):
    queued(
        rig,
        a_message(channel="app"),
        a_message(id="m-2", idempotency_key="k-2"),
    )
    rig.clock.pass_by(timedelta(days=364))
    young = sweeps.forget()
    rig.clock.pass_by(timedelta(days=2))

    assert (young, sweeps.forget()) == (0, 1)
    assert [row.id for row in rig.rows(tables.messages)] == ["m-2"]


# --- messages -----------------------------------------------------------------------------------------


class Post:
    """See Channel; fails as often as told."""

    def __init__(self, *failures: NotSent) -> None:
        self.failures = list(failures)
        self.sent: list[str] = []

    def send(self, message: Message) -> str:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(message.recipient)
        return ""


def a_message(**more) -> Message:
    known = {
        "id": "m-1",
        "idempotency_key": "k-1",
        "channel": "mail",
        "recipient": "a@bays.example",
        "subject": "Hello",
        "body": "There",
        "created_at": NOON,
    }
    return Message(**(known | more))


def queued(rig, *messages) -> None:
    with rig.open_work() as work:
        work.messages.add(messages)
        work.commit()


def test_the_same_cause_told_twice_is_sent_once(rig):
    post = Post()
    queued(rig, a_message())
    queued(rig, a_message(id="m-2"), a_message(id="m-3", idempotency_key="k-3", recipient="b@x.y"))
    courier = MessageService(rig.open_work, rig.clock, {"mail": post})

    assert (courier.deliver(), courier.deliver()) == (2, 0)
    assert sorted(post.sent) == ["a@bays.example", "b@x.y"]
    assert {one.sent_at for one in courier.mailbox()} == {NOON}


def test_what_could_not_be_sent_is_tried_again_with_growing_patience(rig):
    post = Post(NotSent("away"), NotSent("still away"))
    queued(rig, a_message())
    courier = MessageService(rig.open_work, rig.clock, {"mail": post})

    waits = []
    for _ in range(400):
        if courier.deliver():
            waits.append((rig.clock.now() - NOON).total_seconds())
        rig.pass_by(1)

    assert post.sent == ["a@bays.example"]
    assert waits[0] == 0
    assert waits[1] < waits[2] - waits[1]
    assert courier.mailbox()[0].attempts == 3


def test_what_can_never_be_sent_is_given_up_and_kept_with_its_error(rig):
    queued(rig, a_message(), a_message(id="m-2", idempotency_key="k-2", channel="pigeon"))
    post = Post(NotSent("no such mailbox", is_final=True))
    courier = MessageService(rig.open_work, rig.clock, {"mail": post})
    courier.deliver()
    rig.pass_by(10**6)

    assert courier.deliver() == 0
    assert {one.last_error for one in courier.mailbox()} == {
        "no such mailbox",
        "there is no channel 'pigeon'",
    }


def test_a_message_whose_courier_died_is_taken_up_by_another(rig):
    queued(rig, a_message())
    with rig.open_work() as work:
        taken = work.messages.claim(rig.clock.now(), timedelta(minutes=2), 10)
        work.commit()
    post = Post()
    other = MessageService(rig.open_work, rig.clock, {"mail": post})
    at_once = other.deliver()
    rig.pass_by(121)

    assert len(taken) == 1
    assert (at_once, other.deliver()) == (0, 1)


# --- telemetry ------------------------------------------------------------------------------------------


class Points:
    """See Telemetry."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.error: Exception | None = None

    def write(self, lines: str) -> None:
        if self.error:
            raise self.error
        self.lines += lines.splitlines()


@pytest.fixture
def metering(database_url):
    made = a_rig(database_url, with_telemetry=True)
    yield made
    made.engine.dispose()


def test_samples_are_written_as_points_of_their_station_charger_and_evse():
    one = metered(1_500, after(0.25), power_w=7_000.5, session_id='s-"1"')

    assert lines_of(STATION, [one]) == (
        f"meter,station={STATION},charger={CHARGER},evse=1 "
        'energy_wh=1500i,power_w=7000.5,session="s-\\"1\\"" 1772366400250000'
    )
    assert lines_of(STATION, [metered(None, NOON)]) == ""


def test_all_a_charger_measures_is_in_its_point():
    others = {"Frequency": 50.0, "Power.Reactive.Import.L1-N": -42.5, 'a b,c="d"\n': 1.0}
    one = metered(None, NOON, interval_wh=20, export_wh=7, export_power_w=9.5, others=others)
    (line,) = lines_of(STATION, [one]).splitlines()

    assert line.split(" ")[1] == (
        "interval_wh=20i,export_wh=7i,export_power_w=9.5,Frequency=50.0,"
        'Power.Reactive.Import.L1-N=-42.5,a_b_c__d__=1.0,session="s-1"'
    )


def test_telemetry_is_deleted_only_once_it_is_written(metering):
    metering.agent.tell(connected(), begun(), metered(1_100, after(5)))
    metering.agent.tell(
        metered(1_200, after(9)), metered(9_000, after(9), session_id=None, evse_id=2)
    )
    points = Points()
    service = TelemetryService(metering.open_work, points)
    points.error = TelemetryAway("gone")
    with pytest.raises(TelemetryAway):
        service.forward()
    waiting = len(metering.rows(tables.telemetry_outbox))
    points.error = None

    assert waiting == 2
    assert (service.forward(), service.forward()) == (2, 0)
    assert len(points.lines) == 3
    assert metering.rows(tables.telemetry_outbox) == []


def test_points_the_database_refuses_hold_up_nothing(metering):
    metering.agent.tell(connected(), begun(), metered(1_100, after(5)))
    points = Points()
    points.error = TelemetryRefused("partial write: beyond retention")

    assert TelemetryService(metering.open_work, points).forward() == 1
    assert metering.rows(tables.telemetry_outbox) == []


def test_without_a_time_series_database_nothing_waits_for_one(rig):
    rig.agent.tell(connected(), begun(), metered(1_100, after(5)))

    assert rig.rows(tables.telemetry_outbox) == []
    assert rig.bay(BAY).session_id == "s-1"


def test_what_is_said_to_nobody_is_not_noted_as_published(rig, sweeps):
    is_heard = []
    rig.publisher = Publisher(rig.open_work, rig.availability, rig.broker, lambda: bool(is_heard))
    sweeps.publisher = rig.publisher
    rig.publisher.publish(live(rig).changes)
    deaf = (rig.bay().published_version, sweeps.publish_unpublished(), sweeps.publish_plans())
    is_heard.append(True)

    assert deaf == (0, 0, 0)
    assert (sweeps.publish_unpublished(), sweeps.publish_plans()) == (1, 1)
    assert rig.bay().published_version == rig.bay().changed_version
