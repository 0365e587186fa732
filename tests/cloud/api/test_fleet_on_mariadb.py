"""Commands that wait, and waves, on a real MariaDB: whoever moves them, each goes out once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from contracts.events import CommandOutcome
from tests.cloud.api.house import House, a_house, furnish_with_users
from tests.cloud.api.test_fleet_over_http import (
    answer,
    begun,
    connect,
    do,
    later,
    seen,
    settle_in,
    taken,
    tick,
)

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("api on mariadb")]

AT_ONCE = 8


@pytest.fixture(scope="module")
def town(databases, app):
    url = databases.mariadb()
    furnish_with_users(url)
    with a_house(url, app) as built:
        settle_in(built)
        yield built


def test_many_clocks_at_once_send_each_command_once(town: House):
    fleet_id = begun(town)
    sent: Counter[str] = Counter()
    for _ in range(4):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda _: tick(town), range(AT_ONCE)))
        wires = taken(town)
        sent.update(wire.request.charger_id for wire in wires)
        answer(town, wires)
        later(town)
    tick(town)

    assert len(sent) == 10
    assert set(sent.values()) == {1}
    assert seen(town, fleet_id)["status"] == "done"


def test_failures_halt_it_and_what_is_away_waits(town: House):
    connect(town, "east-1", is_connected=False)
    fleet_id = begun(town, selector={"charger_ids": ["east-1", "east-2", "east-3"]})
    tick(town)
    answer(town, taken(town), CommandOutcome.REJECTED)
    later(town)
    tick(town)
    assert seen(town, fleet_id)["status"] == "halted"
    assert do(town, fleet_id, "resume").json()["status"] == "running"
    for _ in range(2):
        tick(town)
        answer(town, taken(town))
        later(town)
    waiting = seen(town, fleet_id)
    connect(town, "east-1", is_connected=True)
    tick(town)
    answer(town, taken(town))
    later(town)
    tick(town)

    assert waiting["progress"]["queued"] == 1
    assert seen(town, fleet_id)["status"] == "done"


def test_expired_and_aborted_ones_send_nothing(town: House):
    connect(town, "west-1", is_connected=False)
    late = begun(town, selector={"charger_ids": ["west-1"]}, keep_s=300)
    unwanted = begun(town, selector={"charger_ids": ["west-1"]})
    tick(town)
    assert do(town, unwanted, "abort").json()["status"] == "aborted"
    later(town)
    connect(town, "west-1", is_connected=True)
    tick(town)

    assert seen(town, late)["status"] == "expired"
    assert taken(town) == []
