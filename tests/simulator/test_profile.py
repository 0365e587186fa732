"""Arrivals, stays and energies follow the sessions they were distilled from."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulator import profile
from simulator.distil import is_ascending, quantiles, rank_correlation, read_sessions
from tests.simulator.builders import a_world

POWERS = [7_000, 22_000, 50_000, 150_000]
COUNCIL = """site,station_id,connector,kw_max,start,end,kwh,flag
A,1,1,50,2018-05-07 08:00,2018-05-07 08:30,10.0,
A,1,1,50,2018-05-07 09:00,2018-05-07 09:40,20.0,
A,1,1,50,2018-05-14 08:10,2018-05-14 09:00,30.0,
A,1,1,50,2018-05-14 10:10,,30.0,no_end
A,1,1,50,2018-05-14 11:10,2018-05-14 11:11,1.0,lt2min
"""
FAST = """session,ccs,start,end,stay_min,energy_wh,pmax_w,preq_max_w,controlled,total_cap,bulk_cap,soc_arrival,soc_departure,ev_capacity_wh
1,CCS1,2022-04-12 19:27,2022-04-12 19:38,12,5159.6,80238,96600,0,78900,63120,83.0,89.0,81677.2
2,CCS2,2022-04-12 19:27,2022-04-12 19:38,12,,68916,75300,0,10000,8000,50.0,64.0,75070.4
"""


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_the_shipped_profile_names_its_sources_and_licences():
    sources = profile.shipped().sources

    assert {one.licence for one in sources} == {
        "Open Government Licence v3.0",
        "MIT, copyright EPFL-DESL",
    }
    assert all(one.name and one.used_for for one in sources)


@pytest.mark.parametrize("power_w", POWERS)
def test_a_week_has_as_many_arrivals_as_the_profile_says(power_w):
    shipped = profile.shipped()
    start = datetime(2026, 1, 5, tzinfo=UTC)
    week = sum(
        shipped.arrivals_an_hour(power_w, start + timedelta(hours=hour)) for hour in range(168)
    )

    kept = shipped.classes[str(profile.class_kw(power_w))]
    assert week == pytest.approx(kept.sessions_a_week_and_connector, rel=0.01)


@pytest.mark.parametrize("power_w", POWERS)
def test_drawn_stays_and_energies_have_the_quantiles_and_the_bond_of_the_data(power_w):
    shipped = profile.shipped()
    kept = shipped.classes[str(profile.class_kw(power_w))]
    world, _ = a_world()
    chance = world.random("stays")
    drawn = [shipped.stay(power_w, chance) for _ in range(4_000)]
    stays = [one.minutes for one in drawn]
    energies = [one.energy_wh for one in drawn]

    assert quantiles(stays)[10] == pytest.approx(kept.stay_min[10], rel=0.1)
    assert quantiles(energies)[10] == pytest.approx(kept.energy_wh[10], rel=0.1)
    assert rank_correlation(stays, energies) == pytest.approx(kept.rank_correlation, abs=0.07)


def test_quantiles_ascend():
    shipped = profile.shipped()
    rows = [shipped.soc_arrival_pct_quantiles, shipped.soc_departure_pct_quantiles]
    rows += [one.stay_min for one in shipped.classes.values()]
    rows += [one.energy_wh for one in shipped.classes.values()]

    assert all(is_ascending(row) for row in rows)


def test_raw_files_are_read_without_what_is_no_use(tmp_path):
    council = list(read_sessions(_file(tmp_path, "council.csv.gz", COUNCIL)))
    fast = list(read_sessions(_file(tmp_path, "fast.csv.gz", FAST)))

    assert [one.energy_wh for one in council] == [10_000, 20_000, 30_000]
    assert [one.stay_min for one in council] == [30, 40, 50]
    assert [(one.power_kw, one.soc_arrival_pct) for one in fast] == [(150, 83.0)]


def test_raw_files_are_drawn_from_whole_sessions(tmp_path):
    loaded = profile.load([_file(tmp_path, "council.csv.gz", COUNCIL)])
    world, _ = a_world()
    chance = world.random("raw")
    drawn = {loaded.stay(50_000, chance) for _ in range(50)}

    assert drawn == {
        profile.Stay(30, 10_000),
        profile.Stay(40, 20_000),
        profile.Stay(50, 30_000),
    }


def test_raw_rates_count_the_weeks_a_connector_was_in_use(tmp_path):
    loaded = profile.load([_file(tmp_path, "council.csv.gz", COUNCIL)])
    monday_8 = datetime(2026, 1, 5, 8, tzinfo=UTC)

    assert loaded.arrivals_an_hour(50_000, monday_8) == pytest.approx(3 / 1.0 * 2 / 3, rel=0.02)
    assert loaded.arrivals_an_hour(50_000, monday_8 + timedelta(hours=5)) == 0


def test_what_raw_files_lack_comes_from_the_shipped_profile(tmp_path):
    loaded = profile.load([_file(tmp_path, "council.csv.gz", COUNCIL)])
    at = datetime(2026, 1, 5, 17, tzinfo=UTC)
    world, _ = a_world()

    shipped = profile.shipped()
    assert loaded.arrivals_an_hour(7_000, at) == shipped.arrivals_an_hour(7_000, at)
    assert loaded.soc_arrival_pct(world.random("a")) == shipped.soc_arrival_pct(world.random("a"))
    assert loaded.stay(7_000, world.random("b")) == shipped.stay(7_000, world.random("b"))


@pytest.mark.parametrize(
    ("power_w", "kw"),
    [(3_700, 7), (11_000, 7), (22_000, 22), (43_000, 22), (50_000, 50), (350_000, 150)],
)
def test_powers_fall_into_the_class_nearest_to_them(power_w, kw):
    assert profile.class_kw(power_w) == kw
