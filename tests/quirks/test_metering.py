"""QUIRKS 33-36: what chargers write for meter readings."""

import pytest

from simulator.journal import Kind
from tests.support.stack import TOKEN

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("quirks")]


async def sampled(post, session):
    """Have the session sampled; return it as the cloud has it then, and what it took by then."""
    before = (await post.session(session["session_id"]))["sampled_at"]
    assert post.charger.sample_now(1)

    async def told():
        found = await post.session(session["session_id"])
        return found if found["sampled_at"] != before else None

    found = await post.until(told, "a sample")
    evse = post.charger.evses[1]
    meter = post.tape.of(Kind.METER)[-1]
    return found, meter.register_wh - evse.session.meter_start_wh


@pytest.mark.parametrize(
    "quirk",
    [
        "meter_object",
        "missing_sample",
        "empty_values",
        "spaced_values",
        "bare_values",
        "kilowatt_hours",
        "phases_only",
        "hertz",
        "phases_apart",
        "signed_blocks",
    ],
)
async def test_q33_q34_q36_odd_samples_are_read(post_with, quirk):
    async with post_with(quirk) as post:
        await post.booted()
        session = await post.begin(TOKEN)
        held, taken_wh = await sampled(post, session)
        post.charger.unplug(1)
        ended = await post.ended(session["session_id"])

        assert abs(held["energy_wh"] - taken_wh) <= 1
        assert ended["energy_wh"] == post.true_wh()
        assert post.refusals() == []
        assert await post.quarantined() == []


async def test_q33_fractions_of_a_watt_hour_are_rounded(post_with):
    async with post_with("fractional_meter") as post:
        await post.booted()
        session = await post.charge()

        assert session["energy_wh"] == post.true_wh()
        assert post.refusals() == []


async def test_q34_phases_add_up_and_the_neutral_does_not_count(post_with):
    async with post_with("phases_only") as post:
        await post.booted()
        session = await post.begin(TOKEN)
        evse = post.charger.evses[1]
        await post.until(lambda: evse.power_w > 0, "power")
        held, _ = await sampled(post, session)

        assert held["power_w"] == pytest.approx(evse.power_w, rel=0.05)


async def test_q34_a_total_is_believed_before_phases_that_do_not_add_up(post_with):
    async with post_with("phases_apart") as post:
        await post.booted()
        session = await post.begin(TOKEN)
        evse = post.charger.evses[1]
        await post.until(lambda: evse.power_w > 0, "power")
        held, _ = await sampled(post, session)

        assert held["power_w"] == pytest.approx(evse.power_w, rel=0.05)


async def test_q35_a_start_of_zero_does_not_bill_the_odometer(post_with):
    async with post_with("odometer_start") as post:
        await post.booted()
        session = await post.charge()

        assert post.charger.evses[1].register_wh > 100_000
        assert session["energy_wh"] <= post.true_wh()
        assert [flag for flag in session["flags"] if flag.startswith("meter_")]


async def test_q35_a_zero_at_the_begin_does_not_bill_the_odometer(post_with):
    async with post_with("zero_at_begin", version="2.0.1") as post:
        await post.booted()
        session = await post.charge()

        assert session["energy_wh"] <= post.true_wh()


async def test_q35_a_stop_below_the_start_is_nothing_taken(post_with):
    async with post_with("stop_rounded_down") as post:
        await post.booted()
        session = await post.begin(TOKEN)
        post.charger.evses[1].meter_wh = post.charger.evses[1].session.meter_start_wh
        post.charger.unplug(1)
        ended = await post.ended(session["session_id"])

        assert ended["energy_wh"] >= 0
        assert ended["cost_minor"] >= 0


async def test_q35_a_register_that_begins_anew_at_each_boot_counts_on(post_with):
    async with post_with("forgets_register") as post:
        await post.booted()
        first = await post.charge()
        post.charger.reset(is_hard=True)
        await post.until(lambda: post.charger.line.connections > 1, "back")
        await post.booted()
        second = await post.charge()

        assert first["energy_wh"] > 0
        assert second["energy_wh"] == post.true_wh()
        assert second["flags"] == []


async def test_q35_a_register_that_begins_anew_within_a_session_is_flagged(post_with):
    async with post_with() as post:
        await post.booted()
        session = await post.begin(TOKEN)
        await sampled(post, session)
        post.charger.evses[1].meter_wh = 0
        for _ in range(3):
            await sampled(post, session)
        post.charger.unplug(1)
        ended = await post.ended(session["session_id"])

        assert 0 <= ended["energy_wh"] < 20_000
        assert [flag for flag in ended["flags"] if flag.startswith("meter_")]


async def test_q36_samples_without_energy_leave_the_total(post_with):
    async with post_with() as post:
        await post.booted()
        session = await post.begin(TOKEN)

        async def counted():
            return (await sampled(post, session))[0]["energy_wh"]

        counted_wh = await post.until(counted, "energy")
        post.adopt("power_alone")
        held, taken_wh = await sampled(post, session)

        assert held["energy_wh"] == counted_wh <= taken_wh


async def test_q36_clock_aligned_readings_without_a_session_open_none(post_with):
    async with post_with() as post:
        await post.booted()
        value = {"value": "1200", "context": "Sample.Clock"}
        sample = {"timestamp": post.charger.now().isoformat(), "sampledValue": [value]}
        for connector_id in (0, 1):
            await post.call("MeterValues", {"connectorId": connector_id, "meterValue": [sample]})
        await post.caught_up()

        assert await post.sessions() == []
