"""QUIRKS 37: what chargers' clocks say."""

from datetime import datetime, timedelta
from typing import Final

import pytest

from simulator.chargers.spec import stamp
from tests.support.stack import TOKEN

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("quirks")]

_TO_LEARN: Final = timedelta(seconds=65)
"""Two statuses so far apart show a 1.6 clock that is off; 2.0.1 says itself what happened offline."""

ODDITY = {
    "no_zone": set(),
    "local_time": {"clock_skewed"},
    "year_1970": {"clock_unusable"},
    "year_2099": {"clock_skewed"},
    "zero_instants": {"clock_unusable"},
    "empty_instants": {"clock_unusable"},
    "no_instants": {"clock_unusable"},
}


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
@pytest.mark.parametrize("quirk", list(ODDITY))
async def test_q37_where_a_charger_has_no_clock_ours_is_taken(post_with, quirk, version):
    async with post_with(quirk, version=version) as post:
        await post.booted()
        before = post.world.now()
        session = await post.charge()
        after = post.world.now()

        oddities = set(await post.oddities())
        started_at = datetime.fromisoformat(session["started_at"])
        assert (before - started_at).total_seconds() < 60
        assert started_at <= datetime.fromisoformat(session["ended_at"]) <= after
        assert session["energy_wh"] == post.true_wh()
        assert ODDITY[quirk] <= oddities
        assert {one for one in oddities if one.startswith("clock_")} == ODDITY[quirk]
        assert post.refusals() == []
        assert await post.quarantined() == []


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_q37_a_clock_that_runs_behind_is_told_from_a_message_that_waited(post_with, version):
    async with post_with("local_time_west", version=version) as post:
        await post.booted()
        if version == "1.6":
            booted_at = post.world.now()
            await post.until(lambda: post.world.now() - booted_at > _TO_LEARN, "a while")
        before = post.world.now()
        session = await post.charge()
        after = post.world.now()

        started_at = datetime.fromisoformat(session["started_at"])
        assert (before - started_at).total_seconds() < 60
        assert started_at <= datetime.fromisoformat(session["ended_at"]) <= after
        assert session["energy_wh"] == post.true_wh()
        oddities = await post.oddities()
        assert {one for one in oddities if one.startswith("clock_")} == {"clock_skewed"}
        assert post.refusals() == []

        if version == "1.6":
            known = session["session_id"]
            began = post.charger.now() - timedelta(days=3)
            start = {"connectorId": 1, "idTag": TOKEN, "meterStart": 9, "timestamp": stamp(began)}
            await post.call("StartTransaction", start)

            async def kept():
                others = [one for one in await post.sessions() if one["session_id"] != known]
                return others[0] if others else None

            late = await post.until(kept, "what it kept for days")
            off = datetime.fromisoformat(late["started_at"]) - began
            assert abs(off.total_seconds()) < 60


async def test_q37_samples_out_of_order_count_in_their_order(post_with):
    async with post_with() as post:
        await post.booted()
        session = await post.begin(TOKEN)
        number = post.charger.evses[1].session.transaction_id
        start_wh = post.charger.evses[1].session.meter_start_wh
        moments = []
        for _ in range(3):
            moments.append(post.charger.now().isoformat())
            await post.call("Heartbeat", {})
        for place in (2, 0, 1):
            value = {"value": str(start_wh + 10 * place)}
            sample = {"timestamp": moments[place], "sampledValue": [value]}
            payload = {"connectorId": 1, "transactionId": int(number), "meterValue": [sample]}
            await post.call("MeterValues", payload)

        async def counted():
            return (await post.session(session["session_id"]))["energy_wh"] == 20

        await post.until(counted, "the last one's energy")
        assert (await post.session(session["session_id"]))["flags"] == []
