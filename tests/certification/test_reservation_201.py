"""OCPP 2.0.1, block H: reservations at the charger; test cases of part 6."""

import datetime as dt
import itertools

import pytest

from tests.certification.sessions import begun, ended
from tests.certification.tokens import a_token

pytestmark = pytest.mark.real

NUMBERS = itertools.count(1_000)


async def reserve(post, evse_id=1, lasts_s=600.0, **more):
    """Have an EVSE reserved; return the command, what the charger was asked, and the token."""
    token = more.pop("token", None) or await a_token(post)
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


async def shown_before(post, token):
    """Have a token begin and end a session, so that how it is shown is known."""
    post.charger.plug_in(2, post.car())
    post.charger.present(2, token)
    await begun(post, 2)
    post.charger.unplug(2)
    await ended(post, 2)


async def is_told(post, state, evse_id=1):
    """Wait until the cloud shows an EVSE's connector in this state."""

    async def so():
        connectors = (await post.get(f"/chargers/{post.charger_id}"))["connectors"]
        return [one["state"] for one in connectors if one["evse_id"] == evse_id] == [state]

    await post.until(so, f"EVSE {evse_id} {state}")


async def is_dropped(post, number, reason):
    """Wait until the cloud was told that the charger keeps the reservation no more."""

    async def so():
        facts = await post.facts("reservation_dropped")
        return [(one["reservation_number"], one["reason"]) for one in facts] == [(number, reason)]

    await post.until(so, f"reservation {number} {reason}")


def names(asked, token):
    return asked["idToken"] == {"idToken": token, "type": "ISO14443"}


async def test_TC_H_01_CSMS_an_evse_is_reserved_and_used(post_of):
    async with post_of() as post:
        await post.booted()
        command, asked, token = await reserve(post)

        assert command["state"] == "accepted"
        assert asked["evseId"] == 1
        assert "connectorType" not in asked
        assert names(asked, token)
        await is_told(post, "reserved")
        post.charger.plug_in(1, post.car())
        post.charger.present(1, token)
        await begun(post)
        (event, *_) = post.sent("TransactionEvent")
        assert event["reservationId"] == asked["id"]


@pytest.mark.parametrize("kind", ["eMAID", "KeyCode", "Local"])
async def test_who_shows_another_token_than_a_card_charges_on_what_was_kept_for_it(post_of, kind):
    async with post_of() as post:
        await post.booted()
        token = f"GBBAYC{next(NUMBERS):08}X" if kind == "eMAID" else f"code {next(NUMBERS)}"
        post.charger.token_types[token.casefold()] = kind
        if kind == "KeyCode":
            await post.post_token(token, token_type=kind)
        else:
            await post.post_token(token)
        if kind == "Local":
            await shown_before(post, token)
        _, asked, _ = await reserve(post, token=token)
        post.charger.plug_in(1, post.car())
        post.charger.present(1, token)
        await begun(post)

        assert asked["idToken"]["type"] == kind
        assert asked["id"] in [one.get("reservationId") for one in post.sent("TransactionEvent")]


async def test_TC_H_07_CSMS_a_reservation_runs_out(post_of):
    async with post_of() as post:
        await post.booted()
        command, asked, token = await reserve(post, lasts_s=8)

        assert command["state"] == "accepted"
        assert asked["evseId"] == 1
        assert "connectorType" not in asked
        assert names(asked, token)
        await is_dropped(post, asked["id"], "Expired")
        await is_told(post, "free")
        newest_first = await post.facts("connector_state_reported")
        states = [one["state"] for one in newest_first if one["evse_id"] == 1]
        assert states[:2] == ["free", "reserved"]


async def test_TC_H_08_CSMS_any_evse_is_reserved(post_of):
    async with post_of() as post:
        await post.booted()
        command, asked, token = await reserve(post, evse_id=0)

        assert command["state"] == "accepted"
        assert "evseId" not in asked
        assert "connectorType" not in asked
        assert names(asked, token)


async def test_TC_H_14_CSMS_as_many_reservations_as_evses(post_of):
    async with post_of() as post:
        await post.booted()
        count = len(post.charger.evses)
        for _ in range(count):
            command, asked, token = await reserve(post, evse_id=0)
            assert command["state"] == "accepted"
            assert "evseId" not in asked
            assert "connectorType" not in asked
            assert names(asked, token)

        for evse_id in post.charger.evses:
            await is_told(post, "reserved", evse_id)
        one_more, *_ = await reserve(post, evse_id=0)
        assert one_more["state"] == "rejected"
        assert one_more["answer"]["status"] == "Occupied"


async def test_TC_H_15_CSMS_a_kind_of_plug_is_reserved(post_of):
    async with post_of() as post:
        await post.booted()
        command, asked, token = await reserve(post, evse_id=0, connector_type="cType2")

        assert command["state"] == "accepted"
        assert "evseId" not in asked
        assert asked["connectorType"] == "cType2"
        assert names(asked, token)
        await is_told(post, "reserved")


async def test_TC_H_17_CSMS_a_reservation_is_canceled(post_of):
    async with post_of() as post:
        await post.booted()
        _, asked, _ = await reserve(post)
        await is_told(post, "reserved")
        command = await post.command("cancel_reservation", reservation_number=asked["id"])

        assert await post.asked("CancelReservation") == {"reservationId": asked["id"]}
        assert command["state"] == "accepted"
        await is_told(post, "free")


async def test_TC_H_19_CSMS_an_evse_is_reserved_for_a_group(post_of):
    async with post_of() as post:
        await post.booted()
        command, asked, token = await reserve(post, parent_token="FLEET-7")

        assert command["state"] == "accepted"
        assert asked["evseId"] == 1
        assert "connectorType" not in asked
        assert asked["groupIdToken"]["idToken"] == "FLEET-7"
        assert names(asked, token)


async def test_TC_H_20_CSMS_a_broken_evse_keeps_no_reservation(post_of):
    async with post_of() as post:
        await post.booted()
        _, asked, _ = await reserve(post)
        await is_told(post, "reserved")
        post.charger.break_down(1, "GroundFailure")

        await is_told(post, "faulted")
        await is_dropped(post, asked["id"], "Removed")


async def test_TC_H_22_CSMS_a_charger_that_takes_no_reservations_says_so(post_of):
    async with post_of() as post:
        await post.booted()
        post.answers("ReserveNow", {"status": "Rejected"})
        command, *_ = await reserve(post)

        assert command["state"] == "rejected"
        assert command["answer"]["status"] == "Rejected"
