"""A small week of the truth benchmark keeps to the limits of the great one; so does its page."""

import pytest

from benchmarks.truth.feeds import ChargerAlone, Said, SensorAlone
from benchmarks.truth.measure import played
from benchmarks.truth.outcome import T1_TARGET, T2_TARGET, T3_TARGET, introduction, rows
from benchmarks.truth.play import Size
from benchmarks.truth.score import Tally, Truth
from contracts.events import (
    BayOccupancyChanged,
    ChargerConnected,
    ChargerDisconnected,
    ConnectorState,
    ConnectorStateReported,
    SensorFellSilent,
    SensorHeardAgain,
)
from simulator.journal import Entry, Kind
from station_agent.station_file import parse_station
from tests.station_agent.fakes import NOON
from tests.support.processes import ROOT

pytestmark = pytest.mark.xdist_group("truth")

BAY = "b1"


@pytest.fixture(scope="module")
def day():
    return played(Size(stations=2, days=1, seed=7))


@pytest.mark.real
def test_a_day_at_two_stations_is_as_true_as_is_promised(day):
    assert day.bookings > 5
    assert day.charger_alone.said_free_was_not > 100
    assert [row.id for row in rows(day) if not row.holds] == []
    assert (T1_TARGET, T2_TARGET, T3_TARGET) == (0.05, 0.01, 0.03)


@pytest.mark.real
def test_all_feeds_are_asked_for_all_minutes(day):
    for tally in day.tallies.values():
        wrong = tally.said_free_was_not + tally.said_not_free_was
        assert wrong + tally.unknown <= day.minutes
        assert tally.unknown < day.minutes / 10
    assert day.minutes == 2 * 8 * (22 * 60)


@pytest.mark.faults
def test_the_same_seed_is_the_same_day(day):
    again = played(day.size)

    assert again.tallies == day.tallies


def test_the_page_says_what_is_played():
    page = (ROOT / "docs" / "truth-benchmark.md").read_text()

    assert page.startswith("\n".join(introduction(Size())))


@pytest.mark.parametrize(
    ("said", "is_free", "counted"),
    [
        (Said.FREE, True, (0, 0, 0)),
        (Said.NOT_FREE, False, (0, 0, 0)),
        (Said.FREE, False, (1, 0, 0)),
        (Said.NOT_FREE, True, (0, 1, 0)),
        (Said.UNKNOWN, True, (0, 0, 1)),
        (Said.UNKNOWN, False, (0, 0, 1)),
    ],
)
def test_a_minute_is_wrong_in_one_way_at_most(said, is_free, counted):
    tally = Tally()
    how = tally.count(said, is_free=is_free)

    assert (tally.said_free_was_not, tally.said_not_free_was, tally.unknown) == counted
    assert bool(how) is any(counted)


def test_the_charger_alone_is_believed_while_it_is_connected():
    layout = parse_station("station: s\nbays:\n  - {id: b1, charger: C1, evse: 1}\n")
    feed = ChargerAlone([layout])
    said = [feed.say(BAY, NOON)]

    def told(state, connector_id=1):
        return ConnectorStateReported(
            charger_id="C1", evse_id=1, connector_id=connector_id, state=state, observed_at=NOON
        )

    for fact in (
        ChargerConnected(charger_id="C1", ocpp_version="1.6", security_profile=1, observed_at=NOON),
        told(ConnectorState.FREE),
        told(ConnectorState.RESERVED),
        told(ConnectorState.FREE),
        told(ConnectorState.CHARGING, 2),
        ChargerDisconnected(charger_id="C1", observed_at=NOON),
    ):
        feed.hear(fact)
        said.append(feed.say(BAY, NOON))

    free, other, unknown = Said.FREE, Said.NOT_FREE, Said.UNKNOWN
    assert said == [unknown, unknown, free, other, free, other, unknown]


def test_the_sensor_alone_is_believed_while_it_is_heard():
    feed = SensorAlone()
    said = [feed.say(BAY, NOON)]
    sensor = {"sensor_id": "s", "bay_id": BAY, "observed_at": NOON}
    for fact in (
        BayOccupancyChanged(bay_id=BAY, is_occupied=True, confidence=1, observed_at=NOON),
        SensorFellSilent(**sensor),
        SensorHeardAgain(**sensor),
        BayOccupancyChanged(bay_id=BAY, is_occupied=False, confidence=1, observed_at=NOON),
    ):
        feed.hear(fact)
        said.append(feed.say(BAY, NOON))

    assert said == [Said.UNKNOWN, Said.NOT_FREE, Said.UNKNOWN, Said.NOT_FREE, Said.FREE]


def test_the_truth_is_the_journals():
    truth = Truth()
    for kind, body in (
        (Kind.OCCUPANCY, {"is_occupied": True, "vehicle": "van"}),
        (Kind.FAULT, {"code": "GroundFailure"}),
    ):
        truth.write(Entry(at=NOON, kind=kind, charger_id="C1", evse_id=1, bay_id=BAY, body=body))

    assert truth.occupant(BAY) == "van"
    assert not truth.could_serve("C1", 1)
    truth.write(Entry(at=NOON, kind=Kind.FAULT_CLEARED, charger_id="C1", evse_id=1))
    assert truth.could_serve("C1", 1)
