"""Whose charger is whose, as stations come and go."""

from types import SimpleNamespace

import pytest

from station_agent.roster import Roster


class Plan:
    """The chargers a plan knows, and who is told when they are others."""

    def __init__(self, planned):
        self._watchers = []
        self.be(planned)

    def be(self, planned):
        self.charger_ids = frozenset(planned)
        for watcher in self._watchers:
            watcher()

    def watch(self, watcher):
        self._watchers.append(watcher)

    def credential_of(self, charger_id):
        return "key" if charger_id in self.charger_ids else None


class Station:
    """What the roster looks at of a station's agent."""

    def __init__(self, name, charger_ids, planned=()):
        self.station = SimpleNamespace(station_id=name, chargers=dict.fromkeys(charger_ids))
        self.plan = Plan(planned)
        self.chargers = name


@pytest.fixture
def roster():
    return Roster()


def test_a_charger_is_found_by_its_station_file(roster):
    roster.add(Station("north", ["N-1", "N-2"]), 0)
    roster.add(Station("south", ["S-1"]), 1)

    assert [roster.find(one) for one in ("N-2", "S-1", "X-1")] == ["north", "south", None]
    assert roster.charger_ids() == ["N-1", "N-2", "S-1"]


def test_one_the_file_does_not_list_is_found_by_the_plan_that_knows_its_key(roster):
    roster.add(Station("north", ["N-1"]), 0)
    roster.add(Station("south", ["S-1"], planned=["S-2", "N-1"]), 1)

    assert roster.find("S-2") == "south"
    assert roster.find("N-1") == "north"


def test_of_two_that_list_a_charger_the_first_has_it_whoever_starts_sooner(roster):
    first, second = Station("first", ["C-1"]), Station("second", ["C-1", "C-2"])
    roster.add(second, 2)
    roster.add(first, 1)
    assert roster.find("C-1") == "first"
    roster.remove(first)

    assert roster.find("C-1") == "second"


def test_watchers_hear_of_each_that_comes_or_goes(roster):
    heard = []
    roster.watch(lambda: heard.append(len(roster.stations())))
    station = Station("north", ["N-1"])
    roster.add(station)
    roster.remove(station)

    assert heard == [1, 0]
    assert roster.find("N-1") is None


def test_quirk_3_the_case_of_an_id_does_not_count_where_nobody_has_it_as_written(roster):
    roster.add(Station("north", ["cp-1"]), 0)
    roster.add(Station("south", ["CP-1", "CP-2"]), 1)

    assert [roster.find(one) for one in ("cp-1", "CP-1", "cp-2", "Cp-3")] == [
        "north",
        "south",
        "south",
        None,
    ]


def test_whom_only_plans_know_is_told_apart_from_whom_the_files_list(roster):
    roster.add(Station("north", ["N-1"], planned=["N-1", "N-2"]), 0)
    roster.add(Station("south", ["S-1"], planned=["N-1", "S-2"]), 1)

    assert roster.charger_ids() == ["N-1", "S-1"]
    assert roster.planned_ids() == ["N-2", "S-2"]


def test_watchers_hear_of_a_plan_that_knows_others(roster):
    station = Station("north", ["N-1"])
    roster.add(station)
    heard = []
    roster.watch(lambda: heard.append(roster.planned_ids()))
    station.plan.be(["N-2"])

    assert heard == [["N-2"]]
