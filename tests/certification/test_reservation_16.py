"""OCPP 1.6, reservations (sections 5.1 and 5.13), by the sections of edition 2."""

import datetime as dt
import itertools

import pytest

from tests.certification.sessions import begun
from tests.certification.tokens import a_token

pytestmark = pytest.mark.real

NUMBERS = itertools.count(5_000)


async def reserve(post, evse_id=1, lasts_s=600.0, **more):
    token = await a_token(post)
    until_at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=lasts_s)
    command = await post.command(
        "reserve_evse",
        evse_id=evse_id,
        reservation_number=next(NUMBERS),
        token=token,
        until_at=until_at.isoformat(),
        **more,
    )
    return command, await post.asked("ReserveNow"), token


async def is_told(post, state, evse_id=1):
    async def so():
        connectors = (await post.get(f"/chargers/{post.charger_id}"))["connectors"]
        return [one["state"] for one in connectors if one["evse_id"] == evse_id] == [state]

    await post.until(so, f"EVSE {evse_id} {state}")


async def test_TC_046_CSMS_a_connector_is_reserved_and_used(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        command, asked, token = await reserve(post)

        assert command["state"] == "accepted"
        assert asked["connectorId"] == 1
        assert asked["idTag"] == token
        await is_told(post, "reserved")
        post.charger.plug_in(1, post.car())
        post.charger.present(1, token)
        await begun(post)
        (start,) = post.sent("StartTransaction")
        assert start["reservationId"] == asked["reservationId"]


async def test_TC_047_CSMS_a_reservation_runs_out(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        await reserve(post, lasts_s=8)
        await is_told(post, "reserved")

        await is_told(post, "free")


async def test_TC_049_CSMS_any_connector_is_reserved(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        command, asked, _ = await reserve(post, evse_id=0)

        assert command["state"] == "accepted"
        assert asked["connectorId"] == 0


async def test_TC_053_CSMS_a_connector_is_reserved_for_a_group(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        command, asked, _ = await reserve(post, parent_token="FLEET-7")

        assert command["state"] == "accepted"
        assert asked["parentIdTag"] == "FLEET-7"


async def test_TC_048_1_CSMS_a_faulted_connector_is_not_reserved(post_of):
    await is_refused(post_of, "Faulted")


async def test_TC_048_2_CSMS_an_occupied_connector_is_not_reserved(post_of):
    await is_refused(post_of, "Occupied")


async def test_TC_048_3_CSMS_an_unavailable_connector_is_not_reserved(post_of):
    await is_refused(post_of, "Unavailable")


async def test_TC_048_4_CSMS_a_charger_that_takes_no_reservations_says_so(post_of):
    await is_refused(post_of, "Rejected")


async def is_refused(post_of, status):
    async with post_of("1.6") as post:
        await post.booted()
        post.answers("ReserveNow", {"status": status})
        command, *_ = await reserve(post)

        assert command["state"] == "rejected"
        assert command["answer"] == {"status": status}


async def test_TC_051_CSMS_a_reservation_is_canceled(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        _, asked, _ = await reserve(post)
        await is_told(post, "reserved")
        command = await post.command(
            "cancel_reservation", reservation_number=asked["reservationId"]
        )

        assert command["state"] == "accepted"
        await is_told(post, "free")


async def test_TC_052_CSMS_a_reservation_nobody_knows_cannot_be_canceled(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        command = await post.command("cancel_reservation", reservation_number=4_999)

        assert command["state"] == "rejected"
