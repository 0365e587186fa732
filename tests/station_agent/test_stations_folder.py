"""A folder of station files: which stations it has, whose they are, and what is wrong with them."""

import os

import pytest

from station_agent.stations_folder import (
    Part,
    entries_of,
    key_of,
    problems_of,
    station_of,
)
from tests.station_agent.hosted import station_text, write_station


def test_each_station_has_a_file_of_its_name(tmp_path):
    write_station(tmp_path, "north", ["N-1"], key="k" * 40)
    write_station(tmp_path, "south", ["S-1"])
    (tmp_path / "notes.txt").write_text("not a station")
    found = entries_of(tmp_path)

    assert list(found) == ["north", "south"]
    assert station_of(found["north"]).station_id == "north"
    assert key_of(found["north"]) == "k" * 40
    assert key_of(found["south"]) is None


def test_a_file_named_after_another_station_is_refused(tmp_path):
    (tmp_path / "north.yaml").write_text(station_text("south", ["S-1"]))

    with pytest.raises(ValueError, match="describes 'south'"):
        station_of(entries_of(tmp_path)["north"])


@pytest.mark.parametrize("suffix", [".yaml", ".key"])
def test_what_was_written_again_is_another_version(tmp_path, suffix):
    write_station(tmp_path, "north", ["N-1"], key="k" * 40)
    before = entries_of(tmp_path)["north"]
    os.utime(tmp_path / f"north{suffix}", (1, 1))

    assert entries_of(tmp_path)["north"] != before


def test_the_parts_share_all_stations_out_and_none_twice(tmp_path):
    for number in range(40):
        write_station(tmp_path, f"station-{number}", [f"C-{number}"])
    parts = [set(entries_of(tmp_path, Part(number, 3))) for number in range(3)]

    assert set.union(*parts) == set(entries_of(tmp_path))
    assert sum(map(len, parts)) == 40
    assert all(parts)


def test_all_that_is_wrong_is_said_at_once(tmp_path):
    write_station(tmp_path, "east", ["E-1", "SHARED"])
    write_station(tmp_path, "north", ["N-1", "SHARED"])
    (tmp_path / "south.yaml").write_text("station: south\nchargers: 7\n")
    problems = problems_of(tmp_path)

    assert len(problems) == 2
    assert problems[0].endswith("north.yaml: charger 'SHARED' is east's already")
    assert "south.yaml:2" in problems[1]
