"""Batches take effect once, in order and whole; facts do what their kind says."""

import itertools
from datetime import timedelta

import msgspec
import pytest

from cloud.adapters.sql import tables
from cloud.adapters.sql.links import SqlLinks
from cloud.domain.access import Role, Viewer
from cloud.domain.cursor import Cursor
from cloud.services.change_views import ChangeKind
from cloud.services.facts import HANDLERS
from cloud.services.facts.memo import SessionMemo
from cloud.services.ports import TransactionLost
from contracts import events
from contracts.batch import Ack, Beat, UnknownEvent
from contracts.wire import encode
from tests.cloud.builders import BAY, CHARGER, NOON, STATION, a_session, after
from tests.cloud.services.rig import (
    DRIVER,
    TOKEN,
    Agent,
    begun,
    connected,
    metered,
    over,
    said,
    seen,
    state,
)

A_CHARGE = (
    connected(),
    said("free"),
    seen(False),
    seen(True, after(1)),
    said("preparing", after(2)),
    begun(after(3)),
    said("charging", after(4)),
    state("charging", after(4)),
    *(metered(1_000 + 100 * n, after(10 * n), power_w=36_000.0) for n in range(1, 30)),
    over(4_000, after(300)),
    said("finishing", after(301)),
)
"""A charge of 3,000 Wh: 39 facts."""


def test_every_fact_of_the_contract_has_its_use_case():
    kinds = {one.cls for one in msgspec.inspect.type_info(events.Event).types}

    assert kinds - {events.MeterSampled} | {UnknownEvent} == set(HANDLERS)


def test_a_charge_is_told_whole(rig):
    rig.clock.pass_by(timedelta(seconds=310))
    applied = rig.agent.tell(*A_CHARGE, beat=Beat())

    session = rig.row(tables.sessions, id="s-1")
    assert applied.acks == [Ack(station=STATION, epoch=1, committed_seq=len(A_CHARGE))]
    assert (session.energy_wh, session.cost_minor, session.state) == (3_000, 150, "ended")
    assert (session.user_id, session.bay_id, session.end_reason) == (DRIVER, BAY, "Local")
    assert session.flags is None
    assert len(rig.rows(tables.session_samples)) == 29
    assert len(rig.rows(tables.event_log)) == len(A_CHARGE) - 29
    assert rig.bay().situation == "finished_still_there"


@pytest.mark.parametrize("size", [1, 2, 7, 40])
def test_however_a_charge_is_cut_into_batches_it_adds_up_to_the_same(rig, size):
    rig.clock.pass_by(timedelta(seconds=310))
    for start in range(0, len(A_CHARGE), size):
        rig.agent.tell(*A_CHARGE[start : start + size])

    session = rig.row(tables.sessions, id="s-1")
    assert (session.energy_wh, session.state) == (3_000, "ended")
    assert rig.bay().situation == "finished_still_there"


def test_every_message_doubled_has_one_effect(rig):
    rig.clock.pass_by(timedelta(seconds=310))
    for fact in A_CHARGE:
        incoming = rig.agent.incoming(rig.agent.batch(fact))
        first, second = rig.ingest.apply(incoming), rig.ingest.apply(incoming)
        assert first.acks == second.acks
        assert (first.events, second.events) == (1, 0)

    assert rig.row(tables.sessions, id="s-1").energy_wh == 3_000
    assert len(rig.rows(tables.event_log)) == len(A_CHARGE) - 29


def test_a_gap_is_answered_with_the_cursor_and_has_no_effect(rig):
    rig.agent.tell(connected())
    rig.agent.batch(said("free"))

    applied = rig.agent.tell(said("charging", after(5)))

    assert applied.acks == [Ack(station=STATION, epoch=1, committed_seq=1)]
    assert len(rig.rows(tables.event_log)) == 1


def test_an_overlapping_batch_takes_effect_where_it_is_new(rig):
    rig.agent.tell(connected(), said("free"))
    rig.agent.next_seq = 2

    applied = rig.agent.tell(said("free"), said("charging", after(1)))

    assert (applied.events, applied.acks[0].committed_seq) == (1, 3)


def test_a_lost_disk_begins_a_new_epoch_at_one(rig):
    rig.agent.tell(connected(), said("free"))
    late = rig.agent.incoming(rig.agent.batch(said("faulted", after(9))))
    rig.agent.epoch, rig.agent.next_seq = 2, 1

    rig.agent.tell(said("charging", after(1)))
    stale = rig.ingest.apply(late)

    assert stale.acks == [Ack(station=STATION, epoch=2, committed_seq=1)]
    assert rig.row(tables.connectors, charger_id=CHARGER, evse_id=1).state == "charging"


def test_several_stations_are_applied_in_one_transaction(big_rig):
    agents = [Agent(big_rig, one) for one in ("greenmarket-3", "greenmarket", "greenmarket-2")]
    batches = [
        agent.incoming(agent.batch(connected(charger_id=CHARGER + agent.station_id[11:])))
        for agent in agents
    ]

    applied = big_rig.ingest.apply_all([*batches, *batches])

    assert sorted(ack.station for ack in applied.acks) == sorted(one.station_id for one in agents)
    assert {ack.committed_seq for ack in applied.acks} == {1}
    assert all(one.is_connected for one in big_rig.rows(tables.chargers))


def test_several_batches_of_a_station_are_applied_in_one_transaction(rig):
    parts = [rig.agent.incoming(rig.agent.batch(fact)) for fact in A_CHARGE]
    rig.clock.pass_by(timedelta(seconds=310))

    applied = rig.ingest.apply_all(parts)

    assert [ack.committed_seq for ack in applied.acks] == [len(A_CHARGE)]
    assert rig.row(tables.sessions, id="s-1").energy_wh == 3_000


def test_what_a_cursor_that_moved_meanwhile_costs_is_one_more_try(rig, monkeypatch):
    batch = rig.agent.incoming(rig.agent.batch(connected(), said("free")))
    tries, advance = itertools.count(), SqlLinks.advance

    def beaten(self, link, before):
        if next(tries) == 0:
            raise TransactionLost("somebody else was faster")
        advance(self, link, before)

    monkeypatch.setattr(SqlLinks, "advance", beaten)
    applied = rig.ingest.apply(batch)

    assert applied.acks[0].committed_seq == 2
    assert len(rig.rows(tables.event_log)) == 2


def test_two_workers_with_the_same_batch_apply_it_once(rig):
    workers = [rig.ingest, rig.new_ingest()]
    rig.clock.pass_by(timedelta(seconds=310))
    for number, fact in enumerate(A_CHARGE):
        incoming = rig.agent.incoming(rig.agent.batch(fact))
        workers[number % 2].apply(incoming)
        workers[(number + 1) % 2].apply(incoming)

    assert rig.row(tables.sessions, id="s-1").energy_wh == 3_000


def test_a_batch_on_another_stations_topic_is_refused_and_kept(rig):
    batch = rig.agent.batch(connected())
    stranger = msgspec.structs.replace(batch, station="somewhere-else")

    applied = rig.ingest.apply(rig.agent.incoming(stranger))

    assert applied.acks == []
    assert "somewhere-else" in applied.refused[0]
    assert len(rig.rows(tables.quarantine)) == 1


def test_bytes_that_are_no_batch_are_kept_and_hold_nothing_up(rig):
    rubbish = rig.agent.incoming(rig.agent.batch())
    rubbish = type(rubbish)(STATION, b"\x00{not json", rubbish.received_at)

    applied = rig.ingest.apply_all([rubbish, rig.agent.incoming(rig.agent.batch(connected()))])

    assert applied.acks[0].committed_seq == 1
    assert rig.rows(tables.quarantine)[0].payload.startswith("\x00{not")


def test_a_station_nobody_set_up_is_neither_acknowledged_nor_kept(rig):
    stranger = Agent(rig, "nowhere")

    applied = stranger.tell(connected())

    assert applied.acks == []
    assert rig.rows(tables.event_log) == rig.rows(tables.quarantine) == []


def test_facts_of_kinds_from_a_newer_agent_are_kept_and_counted(rig):
    payload = encode(rig.agent.batch(connected(), connected())).replace(
        b'"kind":"charger_connected"', b'"kind":"charger_levitated"', 1
    )
    incoming = type(rig.agent.incoming(rig.agent.batch()))(STATION, payload, NOON)

    applied = rig.ingest.apply(incoming)

    assert applied.acks[0].committed_seq == 2
    assert applied.ignored == {"unknown_event:charger_levitated": 1}
    assert [one.kind for one in rig.rows(tables.event_log)] == [
        "charger_levitated",
        "charger_connected",
    ]


def test_facts_of_another_stations_equipment_have_no_effect(big_rig):
    intruder = Agent(big_rig, "greenmarket-2")

    applied = intruder.tell(connected(), said("faulted"), seen(True), begun())

    assert applied.acks[0].committed_seq == 4
    assert not any(one.is_connected for one in big_rig.rows(tables.chargers))
    assert big_rig.rows(tables.sessions) == []
    assert big_rig.bay().is_occupied is None


def test_a_session_of_another_station_is_left_alone(big_rig):
    big_rig.agent.tell(connected(), begun())
    intruder = Agent(big_rig, "greenmarket-2")

    intruder.tell(over(9_999, after(5)), metered(5_000, after(3)))

    assert big_rig.row(tables.sessions, id="s-1").ended_at is None


def test_an_event_no_column_takes_is_quarantined_and_the_rest_flows(rig):
    poison = begun(session_id="s-\N{BLACK HEART SUIT}", token=None)
    batch = rig.agent.incoming(rig.agent.batch(connected(), poison, said("free")))

    applied = rig.ingest.apply_one_by_one(batch)

    assert applied.acks[-1].committed_seq == 3
    assert rig.row(tables.connectors, charger_id=CHARGER, evse_id=1).state == "free"
    if rig.engine.dialect.name != "sqlite":  # which takes any letter anywhere
        assert len(rig.rows(tables.quarantine)) == 1


def test_an_event_that_breaks_its_use_case_is_quarantined_and_the_rest_flows(rig, monkeypatch):
    def broken(board, fact, stamp):
        raise KeyError("a bug")

    monkeypatch.setitem(HANDLERS, events.ChargerBooted, broken)
    booted = events.ChargerBooted(charger_id=CHARGER, vendor="V", model="M", observed_at=NOON)
    batch = rig.agent.incoming(rig.agent.batch(connected(), booted, said("free")))

    with pytest.raises(KeyError):
        rig.ingest.apply(batch)
    applied = rig.ingest.apply_one_by_one(batch)

    assert [ack.committed_seq for ack in applied.acks] == [1, 2, 3]
    assert len(rig.rows(tables.quarantine)) == 1
    assert [one.kind for one in rig.rows(tables.event_log)][1] == "ChargerBooted"


# --- heartbeats ------------------------------------------------------------------------------------


def test_a_heartbeat_says_that_the_station_is_heard(rig):
    applied = rig.agent.beat(outbox_depth=3, agent_version="0.1.0")

    link = rig.row(tables.station_links, station_id=STATION)
    assert (link.heard_at, link.outbox_depth, link.is_silent) == (NOON, 3, False)
    heard = [one for one in applied.changes if one.change is ChangeKind.HEARD]
    assert heard[0].view.valid_until == after(90)


def test_the_first_word_of_a_silent_station_has_all_its_bays_judged(rig):
    applied = rig.agent.beat()

    changed = {one.subject for one in applied.changes if one.change is ChangeKind.BAY}
    assert changed == {BAY, "greenmarket-2"}
    assert rig.bay().situation == "charger_never_heard"


def test_a_charger_the_beat_calls_silent_makes_its_bays_unknown_until_it_is_heard(rig):
    rig.agent.tell(connected(), said("free"), seen(False), beat=Beat())
    rig.agent.beat(silent_chargers=[CHARGER])
    silent = rig.bay().situation
    rig.agent.tell(connected(after(5)))

    assert silent == "charger_silent"
    assert rig.bay().situation == "free"
    assert rig.row(tables.chargers, id=CHARGER).silent_since is None


def test_a_sensor_the_beat_calls_silent_leaves_the_bay_to_its_charger(rig):
    rig.agent.tell(connected(), said("free"), seen(True), beat=Beat())
    rig.agent.beat(silent_sensors=["gm-1"])

    assert rig.bay().situation == "free_sensor_silent"
    assert rig.open_alerts() == ["silent_sensor/greenmarket/gm-1"]


def test_a_restarted_agent_holds_no_connections(rig):
    rig.agent.tell(connected(), said("free"), seen(False), beat=Beat())

    rig.agent.tell(events.AgentStarted(agent_version="0.1.0", observed_at=NOON))

    assert rig.bay().situation == "charger_silent"


# --- facts ---------------------------------------------------------------------------------------


def test_an_older_word_of_a_connector_changes_nothing(rig):
    rig.clock.pass_by(timedelta(minutes=5))
    rig.agent.tell(connected(), said("charging", after(60)))

    rig.agent.tell(said("free", after(30)))

    assert rig.row(tables.connectors, charger_id=CHARGER, evse_id=1).state == "charging"


def test_after_a_boot_the_next_word_counts_whatever_its_clock_says(rig):
    rig.agent.tell(connected(), said("charging"))
    booted = events.ChargerBooted(charger_id=CHARGER, vendor="V" * 999, model="M", observed_at=NOON)
    rig.agent.tell(booted, said("free", NOON - timedelta(days=1)))

    assert rig.row(tables.connectors, charger_id=CHARGER, evse_id=1).state == "free"
    assert rig.row(tables.chargers, id=CHARGER).vendor == "V" * 255


def test_a_word_from_the_future_does_not_outlive_the_present(rig):
    rig.agent.tell(connected(), said("charging", NOON + timedelta(days=26_000)))
    rig.pass_by(5)

    rig.agent.tell(said("free", after(5)))

    assert rig.row(tables.connectors, charger_id=CHARGER, evse_id=1).state == "free"


def test_a_connector_nobody_told_of_is_added(rig):
    rig.agent.tell(connected(), said("free", connector_id=2))

    assert len(rig.rows(tables.connectors)) == 3


def test_a_sensor_nobody_told_of_is_registered_with_its_bay(rig):
    rig.agent.tell(seen(True, sensor_ids=["new one"]))

    assert rig.row(tables.sensors, id="new one").bay_id == BAY


def test_ten_thousand_new_sensors_are_not_registered(rig):
    rig.agent.tell(
        *(seen(n % 2 == 0, sensor_ids=[f"forged-{n}"]) for n in range(100)),
    )

    assert len(rig.rows(tables.sensors)) <= 18


def test_a_later_session_on_the_evse_ends_the_one_before(rig):
    rig.agent.tell(connected(), begun(), metered(1_500, after(60)))
    rig.pass_by(200)
    rig.agent.tell(begun(after(120), session_id="s-2", transaction_id="8"))
    guessed = rig.row(tables.sessions, id="s-1")
    rig.agent.tell(over(1_800, after(100)))
    told = rig.row(tables.sessions, id="s-1")

    assert (guessed.state, guessed.ended_at, guessed.flags) == (
        "ended",
        after(60),
        ["stop_missing"],
    )
    assert (told.energy_wh, told.ended_at, told.end_reason) == (800, after(100), "Local")
    assert rig.bay().session_id == "s-2"


def test_an_old_session_told_late_does_not_take_the_bay(rig):
    rig.agent.tell(connected(), said("charging"), begun(), state("charging"), beat=Beat())
    then = NOON - timedelta(days=3)
    rig.agent.tell(
        begun(then, session_id="s-0", is_offline=True, meter_start_wh=0),
        metered(5_000, then + timedelta(minutes=10), session_id="s-0"),
        over(9_000, then + timedelta(minutes=20), session_id="s-0", is_offline=True),
    )

    old = rig.row(tables.sessions, id="s-0")
    assert (old.energy_wh, old.is_offline, old.state) == (9_000, True, "ended")
    assert rig.bay().session_id == "s-1"
    assert rig.row(tables.sessions, id="s-1").ended_at is None


ORDERS = {
    "stop, samples, start": [2, 1, 0],
    "samples, start, stop": [1, 0, 2],
    "samples, stop, start": [1, 2, 0],
    "start, stop, samples": [0, 2, 1],
    "stop, start, samples": [2, 0, 1],
}


@pytest.mark.parametrize("order", list(ORDERS.values()), ids=list(ORDERS))
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_whatever_comes_first_the_session_adds_up_to_the_same(rig, order, is_one_batch):
    rig.clock.pass_by(timedelta(minutes=10))
    samples = [metered(1_000 + 10 * n, after(5 * n), soc_pct=20.0 + n / 10) for n in range(1, 60)]
    parts = [[begun()], samples, [over(2_000, after(300))]]
    facts = [parts[number] for number in order]
    rig.agent.tell(connected())
    for part in [list(itertools.chain(*facts))] if is_one_batch else facts:
        rig.agent.tell(*part)

    session = rig.row(tables.sessions, id="s-1")
    assert (session.started_at, session.ended_at) == (NOON, after(300))
    assert (session.energy_wh, session.cost_minor, session.flags) == (1_000, 50, None)
    assert (session.user_id, session.transaction_id) == (DRIVER, "7")
    assert session.meter_start_wh == 1_000


def test_samples_of_a_session_whose_start_is_lost_are_kept_and_flagged(rig):
    rig.agent.tell(connected(), metered(5_000, NOON), metered(5_400, after(60)))

    session = rig.row(tables.sessions, id="s-1")
    assert (session.energy_wh, session.flags) == (400, ["start_missing"])


def test_without_a_register_intervals_add_up_however_often_and_in_whatever_order_they_come(rig):
    rig.clock.pass_by(timedelta(minutes=30))
    samples = [metered(None, after(300 * n), interval_wh=100 * n) for n in range(1, 6)]
    rig.agent.tell(connected(), begun(meter_start_wh=None))
    rig.agent.tell(samples[1], samples[4])
    rig.agent.tell(samples[1], samples[0])
    rig.agent.tell(samples[4], samples[3], samples[3])
    rig.agent.tell(over(None, after(1_600)))
    rig.agent.tell(samples[2])

    session = rig.row(tables.sessions, id="s-1")
    assert (session.energy_wh, session.cost_minor) == (1_500, 75)
    assert session.flags == ["counted_by_intervals"]


def test_what_a_car_gives_back_is_kept_with_its_session_and_not_billed(rig):
    rig.clock.pass_by(timedelta(minutes=30))
    rig.agent.tell(connected(), begun(), metered(1_500, after(60), export_wh=90_000))
    rig.agent.tell(metered(1_500, after(900), export_wh=92_500, export_power_w=10_000.0))
    rig.agent.tell(metered(1_500, after(600), export_wh=91_000))
    rig.agent.tell(over(1_500, after(1_000)))

    session = rig.row(tables.sessions, id="s-1")
    assert (session.energy_wh, session.export_wh, session.cost_minor) == (500, 2_500, 25)
    shown = rig.sessions.get("s-1", Viewer(DRIVER, Role.DRIVER)).session
    assert shown.export_wh == 2_500


def test_samples_outside_any_session_are_no_session(rig):
    rig.agent.tell(connected(), metered(5_000, NOON, session_id=None))

    assert rig.rows(tables.sessions) == rig.rows(tables.session_samples) == []


def test_readings_of_one_instant_complete_each_other(rig):
    rig.agent.tell(connected(), begun())
    rig.agent.tell(metered(1_100, after(5)))
    rig.agent.tell(metered(None, after(5), power_w=7_000.0))

    (sample,) = rig.rows(tables.session_samples)
    assert (sample.energy_wh, sample.power_w) == (1_100, 7_000)


def test_a_number_no_register_has_is_not_stored(rig):
    rig.agent.tell(connected(), begun(), metered(10**40, after(5)), metered(1_100, after(10)))

    session = rig.row(tables.sessions, id="s-1")
    assert (session.energy_wh, session.flags) == (100, ["meter_absurd"])


def test_a_sessions_change_goes_to_its_driver_with_a_growing_version(rig):
    versions = []
    for facts in ([connected(), begun()], [metered(1_100, after(5))], [metered(1_200, after(9))]):
        changes = rig.agent.tell(*facts).changes
        (change,) = [one for one in changes if one.change is ChangeKind.SESSION]
        versions.append(change.version)
        assert change.user_id == DRIVER

    assert versions == [1, 2, 3]


def test_a_token_is_answered_for(rig):
    known = rig.agent.ask(f" {TOKEN.upper()} ").answers[0]
    unknown = rig.agent.ask("stranger").answers[0]

    assert (known.is_accepted, known.ask_id, known.station) == (True, "q-1", STATION)
    assert not unknown.is_accepted
    assert (known.tariff_text, unknown.tariff_text) == ("0.50 GBP per kWh.", "")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("is_valid = 0", "blocked"),
        ("valid_until = '2026-03-01 11:59:59.000000'", "expired"),
    ],
)
def test_a_token_that_is_blocked_or_over_is_refused_and_told_why(rig, change, why):
    rig.execute(f"UPDATE charging_tokens SET {change}")

    answer = rig.agent.ask(TOKEN).answers[0]
    assert (answer.is_accepted, answer.refusal) == (False, why)


CHARGES_ON_1 = (connected(), said("charging"), begun())
AT_2 = {"begins_on": 2}


@pytest.mark.parametrize(
    ("limits", "asked", "why"),
    [
        ((1, None), AT_2, "concurrent"),
        ((0, 1), AT_2, "concurrent"),
        ((1, None), {"begins_on": 1, "charger_id": "OTHER"}, "concurrent"),
        ((1, 2), AT_2, ""),
        ((1, 0), AT_2, ""),
        ((0, None), AT_2, ""),
        ((1, None), {}, ""),
        ((1, None), {"begins_on": 1}, ""),
        ((1, None), {"begins_on": 0}, ""),
    ],
)
def test_a_token_that_runs_as_many_sessions_as_it_may_begins_no_more(rig, limits, asked, why):
    of_station, own = limits
    rig.execute(f"UPDATE stations SET max_sessions_per_token = {of_station}")
    rig.execute(f"UPDATE charging_tokens SET max_sessions = {'NULL' if own is None else own}")
    rig.agent.tell(*CHARGES_ON_1)

    answer = rig.agent.ask(f" {TOKEN} ", **asked).answers[0]
    assert (answer.is_accepted, answer.refusal) == (not why, why)


@pytest.mark.parametrize(
    "after_it",
    [
        [over(2_000, after(5))],
        [said("free", after(5))],
        [begun(after(5), session_id="s-2", transaction_id="8", token="other")],
    ],
)
def test_a_session_that_is_over_or_must_be_does_not_count(rig, after_it):
    rig.execute("UPDATE stations SET max_sessions_per_token = 1")
    rig.pass_by(10)
    rig.agent.tell(*CHARGES_ON_1)
    rig.agent.tell(*after_it)

    assert rig.agent.ask(TOKEN, begins_on=2).answers[0].is_accepted


def test_a_token_of_which_another_is_the_beginning_is_another(rig):
    rig.execute("UPDATE stations SET max_sessions_per_token = 1")
    rig.agent.tell(connected(), said("charging"), begun(token=f"{TOKEN}1"))

    assert rig.agent.ask(TOKEN, begins_on=2).answers[0].is_accepted


def shown(kind, token=TOKEN, *, is_accepted=True):
    return events.AuthorizationDecided(
        charger_id=CHARGER,
        token=token,
        token_type=kind,
        is_accepted=is_accepted,
        decided_by="plan",
        observed_at=NOON,
    )


def token_type(rig):
    return rig.row(tables.charging_tokens, token=TOKEN).token_type


def test_how_a_token_is_shown_is_learnt_once_and_reaches_the_stations(rig):
    rig.agent.tell(connected(), shown("KeyCode", TOKEN.upper()))
    before = rig.row(tables.stations, id=STATION).plan_version
    rig.agent.tell(shown("Local"), shown("KeyCode"))

    assert token_type(rig) == "KeyCode"
    assert rig.row(tables.stations, id=STATION).plan_version == before == 2


@pytest.mark.parametrize(
    "fact",
    [
        shown("Central"),
        shown(""),
        shown("Acme"),
        shown("KeyCode", is_accepted=False),
        shown("KeyCode", "stranger"),
    ],
)
def test_what_is_no_news_of_a_token_or_nothing_to_go_by_is_not_kept(rig, fact):
    rig.agent.tell(connected(), fact)

    assert token_type(rig) == ""
    assert rig.row(tables.stations, id=STATION).plan_version == 1


def test_a_type_its_shape_tells_is_not_kept_either(rig):
    rig.execute(f"UPDATE charging_tokens SET token = '04a2b3c4' WHERE token = '{TOKEN}'")
    rig.agent.tell(connected(), shown("ISO14443", "04A2B3C4"))

    assert rig.row(tables.charging_tokens, token="04a2b3c4").token_type == ""


def test_an_answer_to_a_command_reaches_its_command_once_and_from_its_own_station(big_rig):
    big_rig.insert(
        tables.commands,
        {
            "id": "c-1",
            "station_id": STATION,
            "charger_id": CHARGER,
            "kind": "reset_charger",
            "request": {},
            "issued_by": "u",
            "issued_at": NOON,
            "expires_at": after(60),
        },
    )
    answered = events.CommandAnswered(
        command_id="c-1", outcome=events.CommandOutcome.ACCEPTED, observed_at=NOON
    )
    Agent(big_rig, "greenmarket-2").tell(answered)
    foreign = big_rig.row(tables.commands, id="c-1").state
    changes = big_rig.agent.tell(answered).changes
    again = big_rig.agent.tell(answered).changes

    assert foreign == "queued"
    assert big_rig.row(tables.commands, id="c-1").state == "accepted"
    assert [one.change for one in changes].count(ChangeKind.COMMAND) == 1
    assert [one.change for one in again].count(ChangeKind.COMMAND) == 0


# --- what is remembered -----------------------------------------------------------------------------


def test_the_memo_is_worth_nothing_once_the_cursor_stands_elsewhere():
    memo = SessionMemo()
    memo.keep(STATION, Cursor(1, 0), Cursor(1, 5), [a_session()])

    assert set(memo.recall(STATION, Cursor(1, 5))) == {"s-1"}
    assert memo.recall(STATION, Cursor(1, 6)) == memo.recall(STATION, Cursor(2, 5)) == {}


def test_the_memo_forgets_ended_sessions_and_the_stations_unheard_for_longest():
    memo = SessionMemo(most_sessions=2)
    memo.keep("one", Cursor(1, 0), Cursor(1, 1), [a_session(id="a")])
    memo.keep("two", Cursor(1, 0), Cursor(1, 1), [a_session(id="b"), a_session(id="c")])
    memo.keep("two", Cursor(1, 1), Cursor(1, 2), [a_session(id="b", ended_at=NOON)])

    assert memo.recall("one", Cursor(1, 1)) == {}
    assert set(memo.recall("two", Cursor(1, 2))) == {"c"}


def test_a_worker_that_remembers_and_one_that_does_not_come_to_the_same(rig):
    rig.clock.pass_by(timedelta(seconds=310))
    for fact in A_CHARGE:
        rig.ingest = rig.new_ingest()
        rig.agent.tell(fact)

    assert rig.row(tables.sessions, id="s-1").energy_wh == 3_000


def test_telemetry_an_agent_dropped_keeps_its_number_and_nothing_else(rig):
    applied = rig.agent.tell(connected(), events.FactDropped(), events.FactDropped())

    assert applied.acks[0].committed_seq == 3
    assert applied.ignored == {"dropped_by_agent": 2}
    assert len(rig.rows(tables.event_log)) == 1


def test_a_start_of_another_stations_session_changes_nothing(big_rig):
    big_rig.agent.tell(connected(), begun())
    intruder = Agent(big_rig, "greenmarket-2")

    applied = intruder.tell(begun(after(5), charger_id=f"{CHARGER}-2", meter_start_wh=7))

    assert applied.ignored == {"foreign_session": 1}
    assert big_rig.row(tables.sessions, id="s-1").meter_start_wh == 1_000


def test_a_token_the_charger_accepted_without_us_is_flagged(rig):
    rig.agent.tell(connected(), begun(is_authorized=False, token="stranger"))

    session = rig.row(tables.sessions, id="s-1")
    assert (session.flags, session.user_id) == (["not_authorized"], None)


def test_a_state_or_stop_told_again_changes_nothing(rig):
    rig.clock.pass_by(timedelta(minutes=5))
    rig.agent.tell(connected(), begun(), state("charging", after(9)), over(1_500, after(60)))
    before = rig.row(tables.sessions, id="s-1")
    rig.agent.tell(state("plugged", after(5)), over(1_500, after(60)), begun())

    assert rig.row(tables.sessions, id="s-1") == before


def test_a_session_of_a_charger_nobody_set_up_is_only_kept(rig):
    stranger = {"session_id": "s-9", "charger_id": "NOBODY"}
    applied = rig.agent.tell(
        begun(**stranger),
        state("charging", **stranger),
        metered(5, NOON, **stranger),
        over(9, after(1), **stranger),
        said("free", charger_id="NOBODY"),
        seen(True, bay_id="nowhere"),
    )

    assert applied.acks[0].committed_seq == 6
    assert applied.ignored == {"unknown_charger": 5, "unknown_bay": 1}
    assert rig.rows(tables.sessions) == []


def test_the_whole_chargers_word_is_kept_apart_and_an_older_one_ignored(rig):
    rig.clock.pass_by(timedelta(minutes=5))
    whole = {"evse_id": 0, "connector_id": 0}
    rig.agent.tell(connected(), said("faulted", after(60), error_code="GroundFailure", **whole))
    rig.agent.tell(said("free", after(30), **whole))

    charger = rig.row(tables.chargers, id=CHARGER)
    assert (charger.state, charger.error_code) == ("faulted", "GroundFailure")
