"""The profile is made from raw files by counting, and by nothing else."""

import gzip
import json

import msgspec
import pytest
from typer.testing import CliRunner

from simulator import profile
from simulator.__main__ import app
from simulator.distil import distil, quantiles, rank_correlation

HEAD = "site,station_id,connector,kw_max,start,end,kwh,flag\n"
FAST_HEAD = (
    "session,ccs,start,end,stay_min,energy_wh,pmax_w,preq_max_w,controlled,total_cap,"
    "bulk_cap,soc_arrival,soc_departure,ev_capacity_wh\n"
)


def _council(power_kw):
    return "".join(
        f"A,{power_kw},{number % 2},{power_kw},2018-05-{7 + number:02d} 08:00,"
        f"2018-05-{7 + number:02d} 0{8 + number % 2}:{10 + number}, {5 + number}.5,\n"
        for number in range(10)
    )


@pytest.fixture
def folder(tmp_path):
    files = {
        "sessions_dundee/sessions_dundee_dev.csv.gz": HEAD + _council(7) + _council(22),
        "sessions_perth/sessions_perth_dev.csv.gz": HEAD + _council(50),
        "sessions_epfl_dcfast/sessions_epfl_dcfast.csv.gz": FAST_HEAD
        + "".join(
            f"{n},CCS1,2022-04-{10 + n} 19:27,2022-04-{10 + n} 19:50,{20 + n},{20_000 + n},"
            f"80000,90000,0,78900,63120,{10 + n}.0,{70 + n}.0,81677.2\n"
            for n in range(10)
        ),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_bytes(gzip.compress(text.encode()))
    return tmp_path


def test_a_folder_of_raw_files_becomes_a_profile(folder):
    made = distil(folder)

    assert set(made["classes"]) == {"7", "22", "50", "150"}
    assert all(one["sessions"] == 10 for one in made["classes"].values())
    assert made["soc_arrival_pct"][0] == 10
    assert sum(made["classes"]["50"]["share_by_hour_of_week"]) == pytest.approx(1, abs=1e-4)


def test_the_command_writes_a_profile_that_can_be_read(folder, tmp_path):
    out = tmp_path / "profile.json"
    done = CliRunner().invoke(app, ["distil", str(folder), "--out", str(out)])

    assert done.exit_code == 0, done.output
    read = msgspec.json.decode(out.read_bytes(), type=profile.ShippedProfile)
    assert read.classes["7"].sessions == 10
    assert json.loads(out.read_text())["sources"]


def test_quantiles_are_interpolated_between_ranks():
    assert quantiles([1, 2, 3, 4, 5], 5) == [1, 2, 3, 4, 5]
    assert quantiles([0, 10], 5) == [0, 2.5, 5, 7.5, 10]


@pytest.mark.parametrize(("second", "rho"), [([1, 2, 3, 4], 1), ([4, 3, 2, 1], -1)])
def test_ranks_that_agree_correlate(second, rho):
    assert rank_correlation([10, 20, 30, 40], second) == rho
