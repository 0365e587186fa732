"""The nearest feasible thing instead: found where there is one, never what cannot be had."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from cloud.adapters.sql import tables
from cloud.domain.terms import Terms
from cloud.domain.windows import Window
from cloud.services.billing import QuoteService
from cloud.services.finding import FindingService
from cloud.services.shelf import TariffShelf
from tests.cloud.builders import NOON, a_reservation
from tests.cloud.services.rig import DRIVER
from tests.cloud.services.town import CCS, TYPE_2, Town

HOUR = timedelta(hours=1)


@pytest.fixture
def town(rig):
    # the rig's own station has no news of its bays
    return Town(rig)


class Finder:
    """The service, each question in a transaction of its own."""

    def __init__(self, rig):
        self.rig = rig
        self.service = FindingService(rig.policy, QuoteService(TariffShelf()))

    def __getattr__(self, name):
        def ask(*args):
            with self.rig.open_work(is_read_only=True) as work:
                return getattr(self.service, name)(work, *args)

        return ask


@pytest.fixture
def finding(rig):
    return Finder(rig)


def wanted(bay_id="near-1", start_h=0.0, end_h=1.0, **more):
    known = {
        "id": "wanted",
        "number": 99,
        "user_id": DRIVER,
        "station_id": bay_id.rpartition("-")[0],
        "bay_id": bay_id,
        "starts_at": NOON + start_h * HOUR,
        "ends_at": NOON + end_h * HOUR,
    }
    return a_reservation(**(known | more))


def instead(finding, reservation, most=5):
    return finding.alternatives(reservation, finding.rig.clock.now(), most)


def equal(finding, reservation, window=None):
    now = finding.rig.clock.now()
    found = finding.equal_bays(reservation, window or reservation.window, now)
    return found[0] if found else None


def test_the_loser_of_a_race_gets_other_bays_and_other_times(town, finding):
    town.station("near", bays=2, price=50)
    town.station("next", away_m=800, price=49)
    town.book("near-1", 0, 1)
    options = instead(finding, wanted("near-1"))

    assert len(options) == 5
    assert (options[0].bay_id, options[0].starts_at) == ("near-2", NOON)
    bays = {one.bay_id for one in options}
    assert bays == {"near-1", "near-2", "next-1"}
    costs = [one.cost for one in options]
    assert costs == sorted(costs)
    next_door = next(one for one in options if one.bay_id == "next-1")
    assert (next_door.distance_m, next_door.station_name) == (800, "Next")
    assert next_door.price_minor == 49 * 20


def test_the_same_bay_and_window_are_never_an_alternative(town, finding):
    town.station("near", bays=2)
    reservation = wanted("near-1")

    for one in instead(finding, reservation, most=20):
        assert (one.bay_id, one.starts_at, one.ends_at) != ("near-1", NOON, NOON + HOUR)


def test_one_bay_alone_offers_its_next_three_times(town, finding):
    town.station("alone")
    town.book("alone-1", 0, 1)
    town.book("alone-1", 1.5, 3)
    options = instead(finding, wanted("alone-1"))

    assert len(options) >= 3
    assert options[0].starts_at == NOON + 3 * HOUR
    assert [one.expected_wait_s for one in options[:2]] == [3 * 3_600, 4 * 3_600]


def test_where_today_is_full_tomorrow_is_offered(town, finding):
    town.station("alone")
    town.terms("alone", Terms(max_s=100 * 3600))
    town.book("alone-1", 0, 60)
    options = instead(finding, wanted("alone-1"))

    assert len(options) >= 3
    assert min(one.starts_at for one in options) == NOON + 60 * HOUR


def test_where_nothing_is_near_it_is_looked_for_further_away(town, finding):
    town.station("alone")
    town.terms("alone", Terms(is_bookable=False))
    town.station("away", away_m=60_000, bays=3)

    assert {one.station_id for one in instead(finding, wanted("alone-1"))} == {"away"}


def test_where_there_is_nothing_there_are_no_alternatives(town, finding):
    town.station("alone")
    town.terms("alone", Terms(is_bookable=False))

    assert instead(finding, wanted("alone-1")) == []


def test_alternatives_have_the_plug_and_half_the_power_at_least(town, finding):
    town.station("near", bays=1)
    town.bay("near", standard=TYPE_2, power_w=50_000)
    town.bay("near", power_w=20_000)
    town.bay("near", power_w=150_000)
    town.book("near-1", 0, 24)

    assert {one.bay_id for one in instead(finding, wanted("near-1"), most=3)} == {
        "near-1",
        "near-4",
    }
    flexible = wanted("near-1", standard=TYPE_2, min_power_w=1_000)
    assert {one.bay_id for one in instead(finding, flexible)} == {"near-2"}


def test_who_moves_may_overlap_their_own_window(town, finding):
    town.station("alone")
    mine = town.book("alone-1", 2, 3)
    sooner = replace(mine, starts_at=NOON + 1.5 * HOUR, ends_at=NOON + 2.5 * HOUR)

    assert NOON + 2.5 * HOUR in {one.starts_at for one in instead(finding, sooner)}
    somebody = replace(sooner, id="other")
    assert NOON + 2.5 * HOUR not in {one.starts_at for one in instead(finding, somebody)}


def test_an_alternative_never_begins_before_it_was_wanted_or_in_the_past(town, finding):
    town.station("near", bays=2)
    town.rig.clock.pass_by(1.5 * HOUR)

    assert min(one.starts_at for one in instead(finding, wanted("near-1"))) >= NOON + 1.5 * HOUR


def test_a_stolen_bay_is_no_alternative_to_itself_now(town, finding):
    town.station("near", bays=2)
    town.is_now("near-1", "BLOCKED")
    options = instead(finding, wanted("near-1", 0.25, 1.25), most=20)

    soon = [one for one in options if one.starts_at < NOON + HOUR]
    assert {one.bay_id for one in soon} == {"near-2"}


# --- another bay that will do --------------------------------------------------------------------


def test_the_bay_most_like_the_lost_one_is_taken(town, finding):
    town.station("near", bays=0)
    lost = town.bay("near", power_w=50_000)
    town.bay("near", power_w=150_000)
    town.bay("near", power_w=60_000)
    town.bay("near", power_w=50_000, is_accessible=True)

    assert equal(finding, wanted(lost)) == "near-3"


def test_an_accessible_bay_is_replaced_by_an_accessible_one(town, finding):
    town.station("near", bays=0)
    lost = town.bay("near", is_accessible=True)
    town.bay("near")
    town.bay("near", is_accessible=True, power_w=150_000)

    assert equal(finding, wanted(lost)) == "near-3"


def test_d10_nobody_is_moved_unasked_to_less_than_they_chose(town, finding):
    town.station("near", bays=0)
    lost = town.bay("near", power_w=150_000)
    town.bay("near", power_w=75_000)

    assert equal(finding, wanted(lost)) is None
    assert equal(finding, wanted(lost, min_power_w=50_000)) is None
    assert "near-2" in {one.bay_id for one in instead(finding, wanted(lost))}


def test_d10_who_would_have_any_bay_is_moved_to_what_they_asked_for(town, finding):
    town.station("near", bays=0)
    lost = town.bay("near", power_w=150_000)
    town.bay("near", power_w=75_000)
    any_bay = wanted(lost, min_power_w=70_000, fixed_at=NOON)

    assert equal(finding, any_bay) == "near-2"
    assert equal(finding, replace(any_bay, min_power_w=80_000)) is None


@pytest.mark.parametrize("is_accessible", [True, False])
def test_d10_nobody_is_moved_unasked_between_bays_for_those_who_need_room_and_others(
    town, finding, is_accessible
):
    town.station("near", bays=0)
    lost = town.bay("near", is_accessible=is_accessible)
    town.bay("near", is_accessible=not is_accessible)

    assert equal(finding, wanted(lost)) is None
    assert equal(finding, wanted(lost, min_power_w=1, fixed_at=NOON)) is None


def test_d10_the_plug_that_was_chosen_is_the_one_that_counts(town, finding):
    town.station("near", bays=0)
    lost = town.bay("near", power_w=150_000)
    town.plug("near", 1, standard=TYPE_2, power_w=22_000)
    town.bay("near", power_w=22_000, standard=TYPE_2)

    assert equal(finding, wanted(lost, standard=TYPE_2)) == "near-2"
    assert equal(finding, wanted(lost, standard=CCS)) is None
    assert equal(finding, wanted(lost)) is None


@pytest.mark.parametrize("status", ["UNKNOWN", "OUTOFORDER", "BLOCKED", "CHARGING"])
def test_no_bay_is_equal_that_is_not_known_to_be_free(town, finding, status):
    town.station("near", bays=2)
    town.is_now("near-2", status)

    assert equal(finding, wanted("near-1")) is None


def test_a_bay_that_is_taken_in_a_part_of_the_window_will_not_do(town, finding):
    town.station("near", bays=2)
    town.book("near-2", 0.75, 2)

    assert equal(finding, wanted("near-1")) is None
    assert equal(finding, wanted("near-1", end_h=0.75)) == "near-2"
    assert equal(finding, wanted("near-1", end_h=0.75, buffer_s=900)) is None


def test_another_plug_or_much_less_power_will_not_do(town, finding):
    town.station("near", bays=1)
    town.bay("near", standard=TYPE_2)
    town.bay("near", power_w=20_000)

    assert equal(finding, wanted("near-1")) is None


def test_a_window_that_runs_already_can_be_moved(town, finding):
    town.station("near", bays=2)
    town.pass_by(0.5 * HOUR)

    assert equal(finding, wanted("near-1"), Window(NOON, NOON + HOUR)) == "near-2"


def test_a_bay_that_is_there_no_more_can_still_be_replaced(town, finding):
    town.station("near", bays=1)

    assert equal(finding, wanted("near-9", standard=CCS)) == "near-1"


def test_alternatives_take_few_statements_however_many_stations(town, finding, rig):
    for number in range(30):
        town.station(f"s{number:02}", away_m=50 * number)
    statements = []

    def count(_connection, _cursor, statement, *_):
        statements.append(statement)

    event.listen(rig.engine, "before_cursor_execute", count)
    instead(finding, wanted("s00-1"))

    asked = [one for one in statements if one.lstrip().upper().startswith("SELECT")]
    assert len(asked) <= 6
    assert tables.bays.name in "".join(asked)
