"""A driver's history in SQL: found by an index, summed up exactly, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import event, text

from cloud.adapters.sql import tables
from cloud.domain.carbon import Factors, driven_wh, saved_g
from cloud.services.session_ports import SessionFilter, SessionPage, ZoneSpan
from tests.cloud.builders import NOON, STATION, after
from tests.cloud.services.rig import DRIVER, a_rig

FACTORS = Factors(car_wh_per_km=187, combustion_g_per_km=167, grid_g_per_kwh=211)
DIRTY = Factors(car_wh_per_km=187, combustion_g_per_km=100, grid_g_per_kwh=900)
CROWD = [f"u-{number}" for number in range(20)]


@pytest.fixture
def rig(database_url):
    made = a_rig(database_url)
    yield made
    made.engine.dispose()


def charges(user_id, number, **more):
    """Return rows of an hour's distance; some gave back more than they took."""
    return [
        {
            "id": f"{user_id}-{one}",
            "station_id": STATION,
            "charger_id": "DD-GREEN-01",
            "user_id": user_id,
            "state": "ended",
            "started_at": after(3600 * one),
            "ended_at": after(3600 * one + 1800),
            "end_reason": "Local",
            "energy_wh": 7_919 * one % 60_013,
            "export_wh": 9_001 * one % 50_000 if one % 3 == 0 else 0,
            "currency": "EUR" if one % 5 == 0 else "GBP",
            "price_per_kwh_minor": 50,
            "cost_minor": one,
        }
        | more
        for one in range(number)
    ]


@pytest.mark.parametrize("factors", [FACTORS, DIRTY])
def test_the_database_reckons_co2_as_the_domain_does(rig, factors):
    rows = charges(DRIVER, 60)
    rig.insert(tables.sessions, *rows, *charges("u-else", 3))
    with rig.open_work(is_read_only=True) as work:
        sums = work.sessions.sums(SessionFilter(user_id=DRIVER), factors.rate)

    assert [one.currency for one in sums] == ["EUR", "GBP"]
    for one in sums:
        own = [row for row in rows if row["currency"] == one.currency]
        driven = [driven_wh(row["energy_wh"], row["export_wh"]) for row in own]
        assert one.count == len(own)
        assert one.energy_wh == sum(row["energy_wh"] for row in own)
        assert one.export_wh == sum(row["export_wh"] for row in own)
        assert one.cost_minor == sum(row["cost_minor"] for row in own)
        assert one.driven_wh == sum(driven)
        assert one.saved_g == sum(saved_g(factors, wh) for wh in driven)


def test_nothing_sums_up_to_nothing(rig):
    with rig.open_work(is_read_only=True) as work:
        assert work.sessions.sums(SessionFilter(user_id=DRIVER), FACTORS.rate) == []


def test_a_crowd_of_charges_is_walked_by_an_index(rig):
    # a driver of many: for one of few the whole table is as near
    for user_id in CROWD:
        rig.insert(tables.sessions, *charges(user_id, 100))
    with rig.engine.begin() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        connection.execute(text("ANALYZE" if is_sqlite else "ANALYZE TABLE sessions"))
    since, until = NOON, NOON + timedelta(days=2)
    span = ZoneSpan(timezone="UTC", since=since, until=until)
    wanted = [
        SessionFilter(user_id=CROWD[3]),
        SessionFilter(user_id=CROWD[3], spans=(span,)),
        SessionFilter(user_id=CROWD[3], station_id=STATION, state="ended"),
    ]
    said = []
    event.listen(rig.engine, "before_cursor_execute", _remember(said))
    with rig.open_work(is_read_only=True) as work:
        for one in wanted:
            work.sessions.page(SessionPage(wanted=one))
            work.sessions.page(SessionPage(wanted=one, before=(after(7200), "x")))
            work.sessions.sums(one, FACTORS.rate)
    asked = [(statement, values) for statement, values in said if "FROM sessions" in statement]

    assert len(asked) == 9
    with rig.engine.connect() as connection:
        for statement, values in asked:
            explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
            plan = connection.exec_driver_sql(explain + statement, values).all()
            assert "ix_sessions_user_started" in str(plan), statement


def _remember(said):
    def listener(_connection, _cursor, statement, values, *_rest):
        said.append((statement, values))

    return listener
