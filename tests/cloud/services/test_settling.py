"""What follows from facts and from time: bays judged, alerts, mails, and what is looked at again."""

from datetime import timedelta

import pytest

from cloud.adapters.sql import tables
from cloud.adapters.sql.bays import SqlBays
from cloud.domain.access import Role, Viewer
from cloud.services.change_views import ChangeKind
from cloud.services.deadlines import DeadlineService
from contracts import events
from contracts.batch import Beat
from tests.cloud.builders import BAY, CHARGER, NOON, STATION, after
from tests.cloud.services.rig import begun, connected, metered, over, said, seen, state

FAULT = {"error_code": "GroundFailure", "info": "leak"}


@pytest.fixture
def live(rig):
    """A station with a free, sensed bay."""
    rig.agent.tell(connected(), said("free"), seen(False), said("free", evse_id=2), beat=Beat())
    return rig


def statuses(applied) -> dict[str, str]:
    return {one.subject: one.view.status for one in applied.changes if one.change is ChangeKind.BAY}


def test_a_bays_change_is_told_with_its_version_and_witnesses(live):
    before = live.bay().changed_version
    applied = live.agent.tell(seen(True, after(5)))
    (change,) = [one for one in applied.changes if one.change is ChangeKind.BAY]

    assert (change.view.status, change.view.situation) == ("BLOCKED", "occupied_unplugged")
    assert change.version == change.view.version > before
    assert [(one.witness, one.says, one.is_trusted) for one in change.view.witnesses] == [
        ("sensor", "occupied", True),
        ("connector", "free", True),
    ]
    assert change.view.observed_at == NOON  # never ahead of our clock


def test_another_word_of_the_sensor_is_told_though_the_charger_wins(live):
    live.agent.tell(said("charging", after(5)))
    applied = live.agent.tell(seen(False, after(6)), seen(True, after(7)))

    assert statuses(applied) == {live.bay().id: "CHARGING"}


def test_what_changes_nothing_is_not_told(live):
    assert statuses(live.agent.tell(seen(False, after(5)), said("free", after(5)))) == {}


def test_a_fault_is_an_alert_and_mail_in_the_same_transaction(live):
    applied = live.agent.tell(said("faulted", after(1), **FAULT))

    (alert,) = [one.view for one in applied.changes if one.change is ChangeKind.ALERT]
    assert statuses(applied) == {BAY: "OUTOFORDER"}
    assert (alert.severity, alert.status, alert.station_name) == (
        "critical",
        "open",
        "Green Market",
    )
    assert "leak" in alert.detail
    mails = live.rows(tables.messages)
    assert {one.recipient for one in mails} == {
        "u-owner@bays.example",
        "u-maint@bays.example",
        "boss@bays.example",
    }
    assert all("https://bays.example/maintenance" in one.body for one in mails)
    assert all(one.subject.startswith("[critical] Ground fault") for one in mails)


def test_a_repeated_fault_is_counted_and_not_mailed_again(live):
    live.clock.pass_by(timedelta(seconds=30))
    live.agent.tell(said("faulted", after(1), **FAULT))
    live.clock.pass_by(timedelta(seconds=30))
    live.agent.tell(said("faulted", after(50), **FAULT))

    (alert,) = live.rows(tables.alerts)
    assert alert.count == 2
    assert len(live.rows(tables.messages)) == 3


def test_a_fault_clears_by_itself_with_the_next_good_word(live):
    live.agent.tell(said("faulted", after(1), **FAULT))
    applied = live.agent.tell(said("free", after(2)))

    (alert,) = live.rows(tables.alerts)
    assert statuses(applied) == {BAY: "AVAILABLE"}
    assert (alert.open_key, alert.resolved_by) == (None, None)
    assert [one.what for one in live.rows(tables.alert_log)] == ["opened", "cleared"]


def test_a_flapping_fault_is_one_incident_and_at_most_two_mails_to_each(live):
    for n in range(1, 20):
        live.pass_by(2)
        live.agent.tell(
            said("faulted" if n % 2 else "free", after(2 * n), **(FAULT if n % 2 else {}))
        )

    (alert,) = live.rows(tables.alerts)
    assert alert.count == 10
    assert len(live.rows(tables.messages)) == 2 * 3


def test_a_car_without_a_plug_is_an_alert_after_a_while(live):
    live.agent.tell(seen(True, after(1)))
    live.pass_by(170, is_heard=True)
    live.tick()
    early = live.open_alerts()
    live.pass_by(11, is_heard=True)
    live.tick()

    assert early == []
    assert live.open_alerts() == [f"blocked_bay/{BAY}"]

    live.agent.tell(seen(False, after(181)))
    assert live.open_alerts() == []


def test_a_car_that_plugs_in_in_time_is_no_alert(live):
    live.agent.tell(seen(True, after(1)))
    live.pass_by(60, is_heard=True)
    live.agent.tell(said("preparing", after(60)))
    for _ in range(5):
        live.pass_by(60, is_heard=True)
        live.tick()

    assert live.open_alerts() == []


def test_a_contradiction_is_an_incident_within_a_minute_and_counts_once(live):
    live.agent.tell(said("charging", after(1)))
    for _ in range(6):
        live.pass_by(10, is_heard=True)
        live.tick()
        if live.open_alerts():
            break

    assert live.clock.now() <= after(60)
    assert live.open_alerts() == [f"suspect_sensor/{BAY}"]
    assert live.bay().status == "CHARGING"
    assert live.bay().contradictions == 1


def test_after_three_visits_the_sensor_is_suspect_and_a_good_visit_clears_its_name(live):
    def visit(number, *, is_noticed):
        at = live.clock.now()
        live.agent.tell(said("charging", at), seen(is_noticed, at))
        live.pass_by(40, is_heard=True)
        live.tick()
        at = live.clock.now()
        live.agent.tell(said("free", at), seen(False, at))
        live.pass_by(40, is_heard=True)

    for number in range(3):
        visit(number, is_noticed=False)
    suspect = live.bay()
    alerts = live.open_alerts()
    visit(4, is_noticed=True)

    assert suspect.is_sensor_suspect
    assert suspect.situation == "free_sensor_suspect"
    assert alerts == [f"suspect_sensor/{BAY}"]
    assert not live.bay().is_sensor_suspect
    assert live.bay().situation == "free"
    assert live.open_alerts() == []


def test_a_silent_stations_bays_turn_unknown_within_90_s_and_are_told(live):
    live.broker.published.clear()
    live.pass_by(79)
    live.tick()
    early = live.bay().status
    live.pass_by(2)
    live.tick()

    assert (early, live.bay().status, live.bay().situation) == ("AVAILABLE", "UNKNOWN", "silent")
    assert any(topic == "baywatt/1/changes/greenmarket" for topic, *_ in live.broker.published)
    assert live.row(tables.station_links, station_id=STATION).is_silent


def test_a_silent_station_is_one_alert_that_inhibits_its_children(live):
    live.agent.tell(events.ChargerDisconnected(charger_id=CHARGER, observed_at=NOON))
    for _ in range(8):
        live.pass_by(40)
        live.tick()

    assert live.open_alerts() == ["station_offline/greenmarket"]


def test_a_station_that_is_back_is_told_at_once_and_its_alert_clears(live):
    live.pass_by(100)
    live.tick()
    live.pass_by(1)
    live.tick()
    assert live.open_alerts() == ["station_offline/greenmarket"]

    applied = live.agent.beat()

    assert live.open_alerts() == []
    assert statuses(applied)[BAY] == "AVAILABLE"


def test_a_link_that_flaps_each_second_is_no_incident(live):
    for second in range(120):
        live.pass_by(1, is_heard=second % 2 == 0)
        live.tick()

    assert live.rows(tables.alerts) == []
    assert live.bay().status == "AVAILABLE"


def test_a_station_is_not_missed_before_we_have_listened_long_enough(live):
    live.pass_by(3600)
    live.deadlines = DeadlineService(
        live.open_work, live.clock, live.settling, live.publisher, live.clock.now()
    )
    live.tick()
    unknown = live.bay().status
    live.pass_by(5)
    live.agent.beat()
    live.pass_by(90, is_heard=True)
    live.tick()

    assert unknown == "UNKNOWN"
    assert live.rows(tables.alerts) == []


def test_a_charger_away_is_an_alert_after_a_while_and_clears_when_it_is_back(live):
    live.agent.tell(events.ChargerDisconnected(charger_id=CHARGER, observed_at=NOON))
    live.pass_by(70, is_heard=True)
    live.pass_by(51, is_heard=True)
    live.tick()
    assert live.open_alerts() == [f"charger_offline/{CHARGER}"]

    live.agent.tell(connected(after(121)))
    assert live.open_alerts() == []


def test_sensors_tell_of_silence_and_of_their_battery(live):
    live.agent.tell(
        events.SensorFellSilent(sensor_id="gm-1", bay_id=BAY, observed_at=NOON),
        events.SensorBatteryReported(
            sensor_id="gm-2",
            bay_id="greenmarket-2",
            battery_ratio=0.1,
            is_low=True,
            observed_at=NOON,
        ),
        events.SensorUnreadable(
            sensor_id="gm-1",
            bay_id=BAY,
            vendor="v",
            topic="t",
            error="bad",
            count=3,
            observed_at=NOON,
        ),
    )

    assert live.open_alerts() == ["low_battery/greenmarket/gm-2", "silent_sensor/greenmarket/gm-1"]
    assert live.bay().situation == "free_sensor_silent"
    assert live.row(tables.sensors, id="gm-1").unreadable_count == 3

    live.agent.tell(events.SensorHeardAgain(sensor_id="gm-1", bay_id=BAY, observed_at=after(1)))
    assert live.bay().situation == "free"


def test_a_flapping_sensor_is_no_witness(live):
    live.agent.tell(
        events.SensorFellSilent(sensor_id="gm-1", bay_id=BAY, why="flapping", observed_at=after(1))
    )

    assert live.bay().situation == "free_sensor_silent"
    assert live.open_alerts() == ["silent_sensor/greenmarket/gm-1"]
    assert live.row(tables.alerts, rule="silent_sensor").title.startswith("Sensor flaps")


def test_a_components_trouble_opens_and_clears(live):
    trouble = {
        "charger_id": CHARGER,
        "evse_id": 1,
        "component": "RCD",
        "variable": "Tripped",
        "trigger": "Alerting",
        "observed_at": NOON,
    }
    live.agent.tell(events.ComponentEventReported(value="true", **trouble))
    opened = live.open_alerts()
    live.agent.tell(events.ComponentEventReported(value="false", **trouble))

    assert opened == [f"component_fault/{CHARGER}/1/RCD/Tripped"]
    assert live.open_alerts() == []


def test_a_message_the_agent_could_not_use_is_an_alert(live):
    live.agent.tell(
        events.MessageQuarantined(
            charger_id=CHARGER, action="Boot", error="odd", frame="[2]", observed_at=NOON
        )
    )

    assert live.open_alerts() == ["quarantine/greenmarket"]


def test_a_session_that_lingers_gives_way_to_its_connector(live):
    live.agent.tell(begun(after(1)), state("charging", after(1)), said("charging", after(1)))
    live.pass_by(10, is_heard=True)
    live.agent.tell(said("free", after(10)))
    lingering = live.bay().situation
    for _ in range(3):
        live.pass_by(45, is_heard=True)
        live.tick()

    assert lingering == "session_lingers"
    assert live.bay().situation == "free"


def test_the_curve_of_an_ended_session_is_thinned_with_the_same_energy(live):
    at = [after(2 * n) for n in range(1, 1_001)]
    live.clock.pass_by(timedelta(seconds=2_100))
    live.agent.tell(begun(), *(metered(1_000 + 5 * n, one) for n, one in enumerate(at, 1)))
    live.agent.tell(over(6_000, after(2_001)))
    live.clock.pass_by(timedelta(days=1, seconds=1))
    live.tick()

    samples = live.rows(tables.session_samples)
    assert len(samples) == 300
    assert (samples[0].energy_wh, samples[-1].energy_wh) == (1_005, 6_000)
    detail = live.sessions.get("s-1", _admin())
    assert detail.samples[-1].energy_wh == detail.session.energy_wh == 5_000


def _admin():
    return Viewer("u-admin", Role.ADMIN)


def test_what_is_due_is_done_once_by_whoever_takes_it(live):
    live.agent.tell(seen(True, after(1)))
    live.pass_by(200, is_heard=True)

    first, second = live.deadlines.do_due(), live.deadlines.do_due()

    assert (first, second) == (1, 0)
    assert len(live.rows(tables.alerts)) == 1


def test_bays_written_by_another_meanwhile_are_judged_again(live, monkeypatch):
    put, raced = SqlBays.put_bays, []

    def beaten(self, bays):
        if not raced:
            raced.append(1)
            self._connection.exec_driver_sql("UPDATE bays SET row_version = row_version + 1")
            # as another process would have: committed
            self._connection.commit()
            self._connection.begin()
        put(self, bays)

    live.agent.tell(seen(True, after(1)))
    live.pass_by(200, is_heard=True)
    monkeypatch.setattr(SqlBays, "put_bays", beaten)
    live.tick()

    assert live.open_alerts() == [f"blocked_bay/{BAY}"]


def test_an_agent_short_of_disk_is_an_alert_until_it_has_room(live):
    live.agent.beat(is_disk_short=True, outbox_depth=70_000)
    opened = live.open_alerts()
    live.agent.beat()

    assert opened == ["disk_short/greenmarket"]
    assert live.open_alerts() == []
