"""What chargers' displays say is what the session costs by its own tariff."""

from datetime import timedelta

import msgspec
import pytest

from cloud.services.costs import SHOWS_COSTS, CostService
from cloud.services.shelf import TariffShelf
from contracts.events import (
    ChargerConnected,
    InventoryEntry,
    InventoryKind,
    InventoryReported,
    MeterSampled,
    SessionStarted,
)
from tests.cloud.builders import CHARGER, NOON, STATION, after


def shows(value="true"):
    body = {"variableAttribute": [{"value": value}]}
    return InventoryReported(
        charger_id=CHARGER,
        inventory=InventoryKind.VARIABLE,
        entries=[InventoryEntry(key=SHOWS_COSTS, body=body)],
        observed_at=NOON,
    )


def session():
    return (
        SessionStarted(
            session_id="s-1",
            charger_id=CHARGER,
            evse_id=1,
            connector_id=1,
            transaction_id="tx-1",
            meter_start_wh=1_000,
            observed_at=after(1),
        ),
        MeterSampled(
            charger_id=CHARGER,
            evse_id=1,
            session_id="s-1",
            energy_wh=3_000,
            observed_at=after(1_200),
        ),
    )


def connected(version="2.0.1"):
    return ChargerConnected(
        charger_id=CHARGER, ocpp_version=version, security_profile=1, observed_at=NOON
    )


@pytest.fixture
def costs(rig):
    rig.pass_by(1_500)
    made = CostService(rig.open_work, rig.clock, TariffShelf(), timedelta(seconds=60))
    rig.deadlines = type(rig.deadlines)(
        rig.open_work,
        rig.clock,
        rig.deadlines.settling,
        rig.deadlines.publisher,
        rig.clock.now(),
        costing=made,
    )
    return made


def told(rig):
    with rig.open_work(is_read_only=True) as work:
        found = work.commands.latest(CHARGER, 10)
    return [one.request["total"] for one in found if one.kind == "tell_cost"]


def test_a_charger_with_a_display_is_told_again_and_again(rig, costs):
    rig.agent.tell(connected(), shows(), *session())
    rig.deadlines.do_due()
    first = told(rig)
    rig.pass_by(61)
    rig.deadlines.do_due()

    assert len(first) == 1
    assert len(told(rig)) == 2


@pytest.mark.parametrize("facts", [(connected(),), (connected(), shows("false"))])
def test_a_charger_without_a_display_is_not_told(rig, costs, facts):
    rig.agent.tell(*facts, *session())
    rig.deadlines.do_due()

    assert told(rig) == []


def test_a_session_that_ends_costs_what_its_last_register_says(rig, costs):
    rig.agent.tell(connected(), *session())
    asked = {"session_id": "s-1", "meter_stop_wh": 11_000, "ended_at": after(1_400).isoformat()}
    with rig.open_work(is_read_only=True) as work:
        known = work.sessions.by_ids(["s-1"])["s-1"]

    answer = costs.answer(known.station_id, asked)
    assert answer["total"] == f"{known.price_per_kwh_minor * 10 / 100:.2f}"
    assert costs.answer("elsewhere", asked) == {}
    assert costs.answer(known.station_id, asked | {"session_id": "nobody"}) == {}


@pytest.mark.parametrize(("told_wh", "total"), [([], 7_000), ([4_000], 11_000)])
def test_without_a_register_a_session_that_ends_costs_its_intervals_and_the_last_one(
    rig, costs, told_wh, total
):
    start, sample = session()
    start = msgspec.structs.replace(start, meter_start_wh=None)
    samples = [msgspec.structs.replace(sample, energy_wh=None, interval_wh=wh) for wh in told_wh]
    rig.agent.tell(connected(), start, *samples)
    asked = {
        "session_id": "s-1",
        "meter_stop_wh": None,
        "interval_wh": 7_000,
        "ended_at": after(1_400).isoformat(),
    }

    assert costs.answer(STATION, asked)["total"] == f"{total / 1_000 * 50 / 100:.2f}"
