"""OCPP 2.0.1, block I: tariff and cost; test cases of part 6."""

import pytest

from simulator.chargers.spec import Behaviour
from simulator.journal import Kind
from tests.certification.sessions import begun, ended
from tests.certification.tokens import a_token

pytestmark = pytest.mark.real


def a_display(**more):
    """Return how a charger behaves that shows drivers what they pay."""
    usual = {"heartbeat_s": 3_600, "sample_s": 1, "step_s": 0.5, "reboot_s": 0.5}
    return Behaviour(**usual | {"shows_costs": True} | more)


async def charging(post):
    token = await a_token(post)
    post.charger.plug_in(1, post.car())
    post.charger.present(1, token)
    await begun(post)
    return post.charger.evses[1].session.transaction_id


async def shows(post, instance):
    """Have us learn what the charger shows, costs or tariffs, as it says itself (I01 to I03)."""
    variable = {
        "component": {"name": "TariffCostCtrlr"},
        "variable": {"name": "Enabled", "instance": instance},
    }
    await post.ask("GetVariables", {"getVariableData": [variable]})

    async def known():
        return await post.inventory("variable")

    await post.until(known, "the variable")


async def test_TC_I_01_CSMS_a_charger_shows_what_a_session_has_cost_so_far(post_of):
    async with post_of(behaviour=a_display()) as post:
        await post.booted()
        await shows(post, "Cost")
        transaction_id = await charging(post)

        first = await post.asked("CostUpdated")
        second = await post.asked("CostUpdated")
        assert first["transactionId"] == second["transactionId"] == transaction_id
        assert 0 <= first["totalCost"] <= second["totalCost"]
        assert post.charger.costs[transaction_id] >= second["totalCost"]


async def test_TC_I_02_CSMS_a_charger_shows_what_a_session_cost(post_of):
    async with post_of(behaviour=a_display()) as post:
        await post.booted()
        await shows(post, "Cost")
        transaction_id = await charging(post)

        async def costs():
            return (await post.sessions())[0]["cost_minor"] > 0

        await post.until(costs, "a cost")
        post.charger.unplug(1)
        session = await ended(post)

        def last():
            answers = [one.body for one in post.tape.of(Kind.ACKNOWLEDGED, "TransactionEvent")]
            return next((one["totalCost"] for one in answers if "totalCost" in one), None)

        assert await post.until(last, "the last answer") == session["cost_minor"] / 100
        assert post.charger.costs[transaction_id] == session["cost_minor"] / 100


@pytest.mark.parametrize("shows_tariffs", [True, False])
async def test_i01_who_may_charge_is_shown_the_tariff_where_it_can_be(post_of, shows_tariffs):
    async with post_of(behaviour=a_display(shows_tariffs=shows_tariffs)) as post:
        await post.booted()
        await shows(post, "Tariff")
        await charging(post)

        def told():
            kinds = ("Authorize", "TransactionEvent")
            answers = [one.body for kind in kinds for one in post.tape.of(Kind.ACKNOWLEDGED, kind)]
            return [one["idTokenInfo"] for one in answers if "idTokenInfo" in one]

        infos = await post.until(told, "a yes")
        messages = [one.get("personalMessage") for one in infos]
        assert [one["status"] for one in infos] == ["Accepted"] * len(infos)
        assert all(one["content"].endswith(" per kWh.") for one in messages if one)
        assert [one is not None for one in messages] == [shows_tariffs] * len(infos)
