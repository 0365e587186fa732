"""Live streams over ASGI: snapshots, changes, coming back, and who may watch."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from cloud.adapters.sql import tables
from cloud.services.change_views import ChangeKind
from cloud.services.ports import DatabaseAway
from tests.cloud.api.changes import a_change
from tests.cloud.api.house import V1, House, add_charger
from tests.cloud.api.listening import listening

STATION = f"{V1}/stations/greenmarket/events"
SESSION = f"{V1}/sessions/charge-1/events"
ALERTS = f"{V1}/alerts/events"


@pytest.fixture
async def live(house: House) -> House:
    """A house with a station, a session and a hub bound to this loop."""
    add_charger(house)
    house.hub.start()
    return house


def add_session(house: House, session_id: str = "charge-1", **values):
    house.put(
        tables.sessions,
        {
            "id": session_id,
            "station_id": "greenmarket",
            "charger_id": "GREEN-1",
            "evse_id": 1,
            "bay_id": "greenmarket-1",
            "user_id": house.users["driver"].user_id,
            "state": "charging",
            "started_at": house.clock.now(),
            "currency": "GBP",
            "price_per_kwh_minor": 50,
            "flags": [],
            **values,
        },
    )


def bearer(house: House, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {house.token(name)}"}


async def test_a_station_is_told_whole_and_then_as_it_changes(live: House):
    async with listening(live.app, STATION) as viewer:
        snapshot = await viewer.event()
        live.hub.publish(a_change(reason="A car stands here."))
        change = await viewer.event()

    assert viewer.status == 200
    assert viewer.headers["content-type"].startswith("text/event-stream")
    assert viewer.headers["cache-control"] == "no-store"
    assert viewer.body.startswith(b"retry: ")
    assert snapshot.name == "snapshot"
    assert snapshot.data["station"]["bays"][0]["bay_id"] == "greenmarket-1"
    assert change.name == "bay"
    assert change.data["reason"] == "A car stands here."
    assert change.id > snapshot.id


async def test_a_heartbeat_of_the_station_prolongs_what_is_shown(live: House):
    async with listening(live.app, STATION) as viewer:
        await viewer.event()
        live.hub.publish(a_change(ChangeKind.HEARD))

        assert (await viewer.event()).name == "heard"


async def test_who_comes_back_gets_what_was_missed_and_no_snapshot(live: House):
    async with listening(live.app, STATION) as viewer:
        seen = (await viewer.event()).id
    live.hub.publish(a_change(reason="While you were away."))

    async with listening(live.app, STATION, {"Last-Event-ID": seen}) as viewer:
        event = await viewer.event()

    assert event.name == "bay"
    assert event.data["reason"] == "While you were away."


async def test_who_comes_back_from_another_process_starts_afresh(live: House):
    async with listening(live.app, STATION, {"Last-Event-ID": "0badf00d-4"}) as viewer:
        first, second = await viewer.event(), await viewer.event()

    assert (first.name, second.name) == ("resync", "snapshot")


async def test_a_change_between_the_reading_and_the_listening_is_not_lost(live: House):
    availability = live.services.availability
    read = type(availability).station

    def read_then_change(self, station_id):
        found = read(self, station_id)
        live.hub.publish(a_change(reason="Just then."))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(availability), "station", read_then_change)
        async with listening(live.app, STATION) as viewer:
            names = [(await viewer.event()).name, (await viewer.event()).name]

    assert names == ["snapshot", "bay"]


async def test_an_area_hears_of_its_stations_only(live: House):
    house = live
    add_charger(house, "perth", "PERTH-1")
    with house.engine.begin() as connection:
        connection.execute(
            update(tables.stations).where(tables.stations.c.id == "perth").values(latitude=-31.9)
        )
    path, query = f"{V1}/availability/events", "bbox=56,-4,57,-2"
    async with listening(house.app, path, query=query) as viewer:
        snapshot = await viewer.event()
        house.hub.publish(a_change(station_id="perth", subject="perth-1"))
        house.hub.publish(a_change(reason="Here."))
        change = await viewer.event()

    assert [one["station_id"] for one in snapshot.data["stations"]] == ["greenmarket"]
    assert change.data["reason"] == "Here."


@pytest.mark.parametrize(
    "bbox",
    ["", "1,2,3", "a,b,c,d", "91,0,92,1", "2,0,1,1", "0,-181,1,0", "1..2,0,3,4", "1e9,0,1,1"],
)
async def test_an_area_that_is_none_is_refused(live: House, bbox):
    async with listening(live.app, f"{V1}/availability/events", query=f"bbox={bbox}") as viewer:
        assert await viewer.begun() == 422


async def test_a_station_that_is_not_there_has_no_stream(live: House):
    async with listening(live.app, f"{V1}/stations/nowhere/events") as viewer:
        status = await viewer.begun()

    assert status == 404
    assert b'"code":"not_found"' in viewer.body
    assert live.hub.viewer_count == 0


async def test_a_charge_is_told_until_it_ends(live: House):
    add_session(live)
    async with listening(live.app, SESSION, bearer(live, "driver")) as viewer:
        first = await viewer.event()
        for power, is_live in ((11_000.0, True), (0.0, False)):
            change = a_change(ChangeKind.SESSION, "charge-1", power_w=power, is_live=is_live)
            live.hub.publish(change)
            await viewer.event()
        await viewer.end()

    assert first.name == "session"
    assert first.data["session_id"] == "charge-1"
    assert live.hub.viewer_count == 0


async def test_who_has_seen_the_end_is_told_not_to_come_again(live: House):
    add_session(live, state="ended", ended_at=live.clock.now())
    headers = bearer(live, "driver")
    async with listening(live.app, SESSION, headers) as viewer:
        event = await viewer.event()
        await viewer.end()

    async with listening(live.app, SESSION, {**headers, "Last-Event-ID": event.id}) as again:
        assert await again.begun() == 204


@pytest.mark.parametrize(
    ("name", "status"),
    [
        (None, 401),
        ("driver", 200),
        ("stranger", 404),
        ("owner", 200),
        ("rival", 404),
        ("maintenance", 200),
        ("admin", 200),
    ],
)
async def test_a_charge_is_its_drivers_its_owners_and_the_staffs_to_watch(
    live: House, name, status
):
    add_session(live)
    async with listening(live.app, SESSION, bearer(live, name) if name else {}) as viewer:
        assert await viewer.begun() == status


async def test_alerts_reach_staff_and_the_stations_owner_only(live: House):
    async with (
        listening(live.app, ALERTS, bearer(live, "maintenance")) as staff,
        listening(live.app, ALERTS, bearer(live, "owner")) as owner,
        listening(live.app, ALERTS, bearer(live, "rival")) as rival,
        listening(live.app, ALERTS, bearer(live, "driver")) as driver,
    ):
        for viewer in (staff, owner, rival):
            assert (await viewer.event()).name == "snapshot"
        live.hub.publish(a_change(ChangeKind.ALERT, "alert-1"))
        heard = [(await viewer.event()).name for viewer in (staff, owner)]

        assert heard == ["alert", "alert"]
        assert rival.no_event()
        assert await driver.begun() == 403


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda h, login: h.services.credentials.log_out(login), id="logged out"),
        pytest.param(
            lambda h, login: h.client("admin").patch(
                f"{V1}/users/{login.viewer.user_id}", json={"is_active": False}
            ),
            id="account withdrawn",
        ),
        pytest.param(
            lambda h, login: h.client("admin").patch(
                f"{V1}/users/{login.viewer.user_id}", json={"role": "driver"}
            ),
            id="role taken",
        ),
        pytest.param(lambda h, _login: h.clock.pass_by(timedelta(days=31)), id="expired"),
    ],
)
async def test_an_open_stream_ends_when_the_login_behind_it_does(live: House, change):
    secret = live.token("maintenance")
    login = live.services.credentials.resolve(secret)
    async with listening(live.app, ALERTS, {"Authorization": f"Bearer {secret}"}) as viewer:
        await viewer.event()
        await live.app.state.streams.check()
        assert live.hub.viewer_count == 1

        await asyncio.to_thread(change, live, login)
        await live.app.state.streams.check()
        live.hub.publish(a_change(ChangeKind.ALERT, "alert-1"))
        await viewer.end()

        assert viewer.no_event()


async def test_an_owners_alerts_end_when_the_station_is_sold(live: House):
    async with listening(live.app, ALERTS, bearer(live, "owner")) as viewer:
        await viewer.event()
        await live.app.state.streams.check()
        assert not viewer.is_over

        with live.engine.begin() as connection:
            connection.execute(update(tables.stations).values(owner_id=None))
        await live.app.state.streams.check()
        await viewer.end()


@pytest.mark.parametrize("path", [ALERTS, SESSION])
@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}]
)
async def test_private_streams_are_not_for_other_sites_pages(live: House, path, headers):
    add_session(live)
    cookie = {"Cookie": f"baywatt={live.token('admin')}"}
    async with listening(live.app, path, {**cookie, **headers}) as viewer:
        assert await viewer.begun() == 403


async def test_a_viewer_who_stops_reading_starts_afresh_when_it_reads_again(live: House):
    async with listening(live.app, STATION) as viewer:
        await viewer.event()
        viewer.reads.clear()
        for number in range(40):
            live.hub.publish(a_change(subject=f"bay-{number}"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        viewer.reads.set()
        names = []
        while "snapshot" not in names:
            names.append((await viewer.event()).name)

    assert names[-2:] == ["resync", "snapshot"]
    assert len(names) < 20


async def test_a_viewer_blocked_too_long_is_cut_off(live: House):
    async with listening(live.app, STATION) as viewer:
        await viewer.event()
        viewer.reads.clear()
        live.hub.publish(a_change())
        async with asyncio.timeout(60):
            while live.hub.viewer_count:
                live.hub.tend(0, now=float("inf"))
                await asyncio.sleep(0)

    assert live.hub.viewer_count == 0


async def test_streams_end_at_once_when_the_process_goes_down(live: House):
    add_session(live)
    async with (
        listening(live.app, STATION) as station,
        listening(live.app, SESSION, bearer(live, "driver")) as session,
    ):
        await station.event()
        await session.event()
        live.hub.close()
        await station.end()
        await session.end()

    assert live.hub.viewer_count == 0


async def test_all_who_come_within_a_second_are_read_for_once(live: House, monkeypatch):
    availability, read = live.services.availability, []
    real = type(availability).station

    def counted(self, station_id):
        read.append(station_id)
        return real(self, station_id)

    monkeypatch.setattr(type(availability), "station", counted)
    async with AsyncExitStack() as stack:
        viewers = [await stack.enter_async_context(listening(live.app, STATION)) for _ in range(30)]
        for viewer in viewers:
            assert (await viewer.event()).name == "snapshot"
        live.hub.publish(a_change(reason="To all."))
        told = [(await viewer.event()).data["reason"] for viewer in viewers]

    assert read == ["greenmarket"]
    assert told == ["To all."] * 30


async def test_what_comes_between_a_shared_reading_and_its_next_viewer_is_not_lost(live: House):
    async with listening(live.app, STATION) as first:
        await first.event()
        live.hub.publish(a_change(reason="In between."))
        await first.event()
        async with listening(live.app, STATION) as second:
            names = [(await second.event()).name, (await second.event()).name]

    assert names == ["snapshot", "bay"]


async def test_a_stream_whose_snapshot_cannot_be_read_again_ends_in_order(live: House, monkeypatch):
    def away(*_args):
        raise DatabaseAway("gone")

    async with listening(live.app, STATION) as viewer:
        await viewer.event()
        monkeypatch.setattr(type(live.services.availability), "station", away)
        viewer.reads.clear()
        for number in range(40):
            live.hub.publish(a_change(subject=f"bay-{number}"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        viewer.reads.set()
        await viewer.end()

    assert live.hub.viewer_count == 0


async def test_a_client_that_goes_away_is_forgotten(live: House):
    async with listening(live.app, STATION) as viewer:
        await viewer.event()
        assert live.hub.viewer_count == 1

    assert live.hub.viewer_count == 0


async def test_there_is_a_bound_on_viewers(live: House, monkeypatch):
    monkeypatch.setattr("cloud.api.event_stream.MAX_VIEWERS", 1)
    async with listening(live.app, STATION) as first:
        await first.event()
        async with listening(live.app, STATION) as second:
            assert await second.begun() == 503
            assert "retry-after" in second.headers


async def test_a_station_that_disappears_ends_no_process(live: House):
    async with listening(live.app, STATION) as viewer:
        await viewer.event()
        with live.engine.begin() as connection:
            for table in (tables.bays, tables.chargers, tables.station_links, tables.stations):
                connection.execute(delete(table))
        live.hub.publish(a_change(reason="Still told."))

        assert (await viewer.event()).data["reason"] == "Still told."
