"""What booking clients, drivers, owners and staff are shown, and what they are not."""

from datetime import timedelta

import pytest

from cloud.adapters.sql import tables
from cloud.domain.access import Role, Viewer
from cloud.domain.errors import AlertAlreadyHandled, NotAllowed, NotFound, NotValid
from cloud.services.availability import StationQuery
from cloud.services.fact_ports import Box
from cloud.services.session_asks import SessionAsk
from contracts.batch import Beat
from tests.cloud.builders import BAY, NOON, STATION, after
from tests.cloud.services.rig import (
    DRIVER,
    MAINTAINER,
    OWNER,
    Agent,
    begun,
    connected,
    metered,
    over,
    said,
    seen,
    state,
)

STAFF = Viewer(MAINTAINER, Role.MAINTENANCE)
DRIVERS = Viewer(DRIVER, Role.DRIVER)
STRANGER = Viewer("u-else", Role.DRIVER)
OWNERS = Viewer(OWNER, Role.OWNER)
OTHER_OWNER = Viewer("u-else", Role.OWNER)


def live_station(rig, number=1):
    suffix = "" if number == 1 else f"-{number}"
    agent = rig.agent if number == 1 else Agent(rig, STATION + suffix)
    charger = f"DD-GREEN-01{suffix}"
    agent.tell(
        connected(charger_id=charger),
        said("free", charger_id=charger),
        said("charging", charger_id=charger, evse_id=2),
        seen(False, bay_id=f"{STATION}{suffix}-1", sensor_ids=[]),
        beat=Beat(),
    )
    return agent


# --- stations --------------------------------------------------------------------------------------


def test_a_station_shows_its_bays_by_name_with_their_age(rig):
    live_station(rig)
    station = rig.availability.station(STATION).station

    assert [bay.name for bay in station.bays] == ["1", "2"]
    assert station.statuses == {"AVAILABLE": 1, "CHARGING": 1}
    assert (station.bays_total, station.bays_available) == (2, 1)
    assert station.bays[0].valid_until == after(90)
    assert station.price.price_per_kwh_minor == 50
    assert station.standards == ["IEC_62196_T2_COMBO"]


@pytest.mark.parametrize(
    ("age_s", "status"), [(79, "AVAILABLE"), (80, "UNKNOWN"), (1e6, "UNKNOWN")]
)
def test_what_is_stale_is_shown_unknown_whatever_the_row_says(rig, age_s, status):
    live_station(rig)
    rig.clock.pass_by(timedelta(seconds=age_s))
    bay = rig.availability.station(STATION).station.bays[0]

    assert rig.bay().status == "AVAILABLE"
    assert bay.status == status


def test_a_station_never_heard_is_unknown(rig):
    bay = rig.availability.station(STATION).station.bays[0]

    assert (bay.status, bay.situation, bay.valid_until) == ("UNKNOWN", "never_heard", None)


def test_no_such_station(rig):
    with pytest.raises(NotFound):
        rig.availability.station("nowhere")


def near(**more) -> StationQuery:
    return StationQuery(latitude=56.47, longitude=-2.97, **more)


def found(rig, query) -> list[str]:
    return [one.station_id for one in rig.availability.stations_near(query).stations]


def test_stations_come_nearest_first_with_their_distance(big_rig):
    stations = big_rig.availability.stations_near(near()).stations

    assert [one.station_id for one in stations] == [
        "greenmarket",
        "greenmarket-2",
        "greenmarket-3",
    ]
    assert [one.distance_m for one in stations] == [0, 1_112, 2_224]


def test_without_a_point_they_come_by_name_and_page_by_page(big_rig):
    pages, cursor = [], None
    while True:
        page = big_rig.availability.stations_near(StationQuery(limit=1, cursor=cursor))
        pages += [one.name for one in page.stations]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert pages == ["Green Market", "Green Market-2", "Green Market-3"]


def test_near_a_point_too_they_come_page_by_page(big_rig):
    first = big_rig.availability.stations_near(near(limit=2))
    second = big_rig.availability.stations_near(near(limit=2, cursor=first.next_cursor))

    assert [one.station_id for one in second.stations] == ["greenmarket-3"]
    assert second.next_cursor is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"radius_m": 1_500}, ["greenmarket", "greenmarket-2"]),
        ({"radius_m": 100_000}, ["greenmarket", "greenmarket-2", "greenmarket-3"]),
        ({"text": "market-3"}, ["greenmarket-3"]),
        ({"text": "100%"}, []),
        ({"standard": "CHADEMO"}, []),
        ({"standard": "IEC_62196_T2_COMBO", "min_power_w": 150_000, "limit": 1}, ["greenmarket"]),
        ({"min_power_w": 150_001}, []),
        ({"free_now": True}, ["greenmarket-2"]),
        ({"free_now": True, "min_power_w": 1}, ["greenmarket-2"]),
        ({"box": Box(56.475, -3, 56.485, -2)}, ["greenmarket-2"]),
        ({"box": Box(-90, 170, 90, -170)}, []),
    ],
)
def test_filters_narrow_what_is_found(big_rig, query, expected):
    live_station(big_rig, 2)

    assert found(big_rig, near(**query)) == expected


def test_counts_refer_to_the_bays_that_fit(big_rig):
    live_station(big_rig, 2)
    big_rig.execute("UPDATE bays SET max_power_w = 50000 WHERE evse_id = 2")
    query = near(min_power_w=100_000, text="market-2")
    (station,) = big_rig.availability.stations_near(query).stations

    assert (station.bays_total, station.statuses) == (1, {"AVAILABLE": 1})


def test_an_area_without_a_point_comes_by_name(big_rig):
    query = StationQuery(box=Box(56.465, -3, 56.495, -2), limit=2)
    first = big_rig.availability.stations_near(query)
    rest = StationQuery(box=query.box, cursor=first.next_cursor)

    assert [one.name for one in first.stations] == ["Green Market", "Green Market-2"]
    assert found(big_rig, rest) == ["greenmarket-3"]


@pytest.mark.parametrize("query", [{"latitude": 1.0}, {"cursor": "rubbish"}, {"cursor": "WzFd"}])
def test_a_question_that_makes_no_sense_is_refused(rig, query):
    with pytest.raises(NotValid):
        rig.availability.stations_near(StationQuery(**query))


# --- sessions --------------------------------------------------------------------------------------


@pytest.fixture
def charged(rig):
    rig.clock.pass_by(timedelta(minutes=10))
    rig.agent.tell(
        connected(),
        begun(session_id="s-0", token=None, meter_start_wh=0),
        over(500, after(60), session_id="s-0"),
        begun(after(120)),
        state("charging", after(121)),
        metered(2_000, after(180), power_w=50_000.0, soc_pct=40.0),
        metered(3_000, after(240), power_w=50_000.0, soc_pct=43.0),
        beat=Beat(),
    )
    return rig


@pytest.mark.parametrize(
    ("viewer", "expected"),
    [
        (STAFF, ["s-1", "s-0"]),
        (OWNERS, ["s-1", "s-0"]),
        (DRIVERS, ["s-1"]),
        (STRANGER, []),
        (OTHER_OWNER, []),
    ],
)
def test_who_sees_which_sessions(charged, viewer, expected):
    listed = charged.sessions.list(viewer).sessions

    assert [one.session_id for one in listed] == expected
    for session_id in ("s-0", "s-1"):
        if session_id in expected:
            assert charged.sessions.get(session_id, viewer).session.session_id == session_id
        else:
            with pytest.raises(NotFound):
                charged.sessions.get(session_id, viewer)


def test_a_session_being_charged_shows_its_progress(charged):
    detail = charged.sessions.get("s-1", DRIVERS)
    session = detail.session

    assert (session.energy_wh, session.power_w, session.soc_pct) == (2_000, 50_000, 43)
    assert (session.cost_minor, session.currency) == (100, "GBP")
    assert (session.is_live, session.duration_s) == (True, 480)
    # 1,000 Wh made 3 %: 37 % at 50 kW, then 20 % at 20 kW
    assert session.expected_end_at == after(240 + (37 / 3 / 50 + 20 / 3 / 20) * 3600)
    assert [one.energy_wh for one in detail.samples] == [1_000, 2_000]


def test_live_and_over_are_told_apart_and_lists_go_on(charged):
    live = charged.sessions.list(STAFF, SessionAsk(is_live=True)).sessions
    done = charged.sessions.list(STAFF, SessionAsk(is_live=False)).sessions
    first = charged.sessions.list(STAFF, limit=1)
    second = charged.sessions.list(STAFF, limit=1, cursor=first.next_cursor)

    assert [one.session_id for one in live] == ["s-1"]
    assert [one.session_id for one in done] == ["s-0"]
    assert [one.session_id for one in second.sessions] == ["s-0"]
    assert second.next_cursor is None
    with pytest.raises(NotValid):
        charged.sessions.list(STAFF, cursor="bm90")


def test_the_price_is_the_one_of_the_start(charged):
    charged.execute("UPDATE stations SET price_per_kwh_minor = 9999")
    charged.agent.tell(over(4_000, after(300)))

    assert charged.sessions.get("s-1", DRIVERS).session.cost_minor == 150


# --- alerts ------------------------------------------------------------------------------------------


@pytest.fixture
def alerted(rig):
    rig.agent.tell(connected(), said("faulted", error_code="HighTemperature"), beat=Beat())
    rig.broker.published.clear()
    return rig


def the_alert(rig) -> str:
    return rig.rows(tables.alerts)[0].id


def test_staff_and_owners_see_alerts_and_others_do_not(alerted):
    alert_id = the_alert(alerted)

    for viewer in (STAFF, OWNERS):
        assert alerted.alerts.list(viewer, status="active").alerts[0].alert_id == alert_id
        assert alerted.alerts.get(alert_id, viewer).log[0].what == "opened"
    assert alerted.alerts.list(OTHER_OWNER).alerts == []
    with pytest.raises(NotFound):
        alerted.alerts.get(alert_id, OTHER_OWNER)
    with pytest.raises(NotAllowed):
        alerted.alerts.list(DRIVERS)
    with pytest.raises(NotAllowed):
        alerted.alerts.acknowledge(alert_id, DRIVERS)
    with pytest.raises(NotFound):
        alerted.alerts.get("nothing", STAFF)


def test_an_alert_is_acknowledged_once_and_the_second_hears_by_whom(alerted):
    alert_id = the_alert(alerted)
    view = alerted.alerts.acknowledge(alert_id, STAFF, note="on my way", version=1)

    assert (view.status, view.acknowledged_by, view.version) == ("acknowledged", MAINTAINER, 2)
    with pytest.raises(AlertAlreadyHandled, match=MAINTAINER):
        alerted.alerts.acknowledge(alert_id, OWNERS)
    with pytest.raises(AlertAlreadyHandled, match=MAINTAINER):
        alerted.alerts.resolve(alert_id, OWNERS, version=1)
    log = alerted.alerts.get(alert_id, STAFF).log
    assert [(one.what, one.actor, one.note) for one in log] == [
        ("opened", "", ""),
        ("acknowledged", MAINTAINER, "on my way"),
    ]
    assert [topic for topic, *_ in alerted.broker.published] == ["baywatt/1/changes/greenmarket"]


def test_alerts_are_listed_by_status_station_and_page(alerted):
    alert_id = the_alert(alerted)
    alerted.alerts.resolve(alert_id, STAFF)
    service = alerted.alerts

    def count(**more):
        return len(service.list(STAFF, **more).alerts)

    assert (count(status="resolved"), count(status="active"), count(status="open")) == (1, 0, 0)
    assert (count(station_id=STATION), count(station_id="x"), count(status="rubbish")) == (1, 0, 0)
    first = service.list(STAFF, limit=1)
    assert first.next_cursor is None


def test_a_fault_that_lasts_after_it_was_resolved_opens_a_new_alert(alerted):
    alerted.alerts.resolve(the_alert(alerted), STAFF)
    alerted.pass_by(5)
    alerted.agent.tell(said("faulted", after(5), error_code="HighTemperature"))

    assert len(alerted.rows(tables.alerts)) == 2
    assert len(alerted.open_alerts()) == 1
    assert [one.name for one in alerted.availability.station(STATION).station.bays] == ["1", "2"]
    assert alerted.row(tables.bays, id=BAY).status == "OUTOFORDER"
    assert NOON
