"""OCPP 2.0.1, block C: authorization (C07, contract certificates, apart); test cases of part 6."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from simulator.chargers.spec import Behaviour, Point
from simulator.journal import Kind
from tests.certification.sessions import (
    begun,
    ended,
    events,
    on_evse,
    state_of,
    token_info,
)
from tests.certification.tokens import known_by_plan

pytestmark = pytest.mark.real

UP_TO_UNPLUGGED = frozenset({Point.EV_CONNECTED})


def a_token():
    return uuid4().hex[:14].upper()


def parking():
    """Return how a charger behaves whose sessions last from the bay's occupation to the unplugging."""
    return Behaviour(
        heartbeat_s=3_600,
        sample_s=3_600,
        starts_at=frozenset({Point.PARKING_BAY}),
        stops_at=UP_TO_UNPLUGGED,
    )


async def put(post, token, **more):
    await post.post_token(token, **more)
    return token


async def authorize(post, token):
    answer = await post.call("Authorize", {"idToken": {"idToken": token, "type": "ISO14443"}})
    return answer["idTokenInfo"]


async def whose(post):
    """Return by whose token the newest session was begun, as the cloud was told."""
    return (await post.facts("session_started"))[0].get("token")


async def decided(post, token):
    """Return the decision on a token the cloud was told of."""

    async def told():
        facts = await post.facts("authorization_decided")
        return [one for one in facts if one["token"].casefold() == token.casefold()]

    return (await post.until(told, "the decision is known"))[0]


async def test_TC_C_02_CSMS_an_unknown_token_is_not_accepted(post_of):
    async with post_of() as post:
        await post.booted()
        token = a_token()

        assert (await authorize(post, token))["status"] in {"Invalid", "Unknown"}
        assert (await decided(post, token)).get("is_accepted") is False


async def test_TC_C_06_CSMS_a_blocked_token_is_told_so(post_of):
    async with post_of() as post:
        await post.booted()
        token = await put(post, a_token(), is_valid=False)

        assert (await authorize(post, token))["status"] in {"Blocked", "Invalid"}
        assert (await decided(post, token)).get("is_accepted") is False


async def test_TC_C_07_CSMS_an_expired_token_is_told_so(post_of):
    async with post_of() as post:
        await post.booted()
        past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        token = await put(post, a_token(), valid_until=past)

        assert (await authorize(post, token))["status"] in {"Expired", "Invalid"}
        assert (await decided(post, token)).get("is_accepted") is False


async def test_TC_C_08_CSMS_a_token_of_the_chargers_cache_is_confirmed(post_of):
    async with post_of(behaviour=parking()) as post:
        await post.booted()
        token = await put(post, a_token())
        post.charger.cards.asks_first = False
        post.charger.cards.note(token, is_accepted=True)
        post.charger.park(1)
        post.charger.plug_in(1, post.car())
        post.charger.present(1, token)

        info = await token_info(post, "Authorized")
        assert info["status"] == "Accepted"
        assert post.sent("Authorize") == []
        assert [one["eventType"] for one in events(post)][:3] == ["Started", "Updated", "Updated"]
        await state_of(post, "charging")
        assert await whose(post) == token


async def test_TC_C_20_CSMS_a_token_wrongly_cached_is_refused_in_the_session(post_of):
    async with post_of(behaviour=parking()) as post:
        await post.booted()
        token = a_token()
        post.charger.cards.asks_first = False
        post.charger.cards.note(token, is_accepted=True)
        post.charger.park(1)
        post.charger.plug_in(1, post.car())
        post.charger.present(1, token)

        assert (await token_info(post, "Authorized"))["status"] in {"Invalid", "Unknown"}
        over = await ended(post)
        assert over["end_reason"] == "DeAuthorized"


async def clears_its_cache(post_of, *, can, status, state):
    async with post_of() as post:
        await post.booted()
        cards = post.charger.cards
        cards.can_be_cleared = can
        cards.note("SOMEBODY", is_accepted=True)
        command = await post.command("clear_cache")

        assert await post.asked("ClearCache") == {}
        assert (command["state"], command["answer"]) == (state, {"status": status})
        assert (cards.known("SOMEBODY") is None) is can


async def test_TC_C_37_CSMS_the_cache_is_cleared(post_of):
    await clears_its_cache(post_of, can=True, status="Accepted", state="accepted")


async def test_TC_C_38_CSMS_a_cache_that_is_not_cleared_is_told(post_of):
    await clears_its_cache(post_of, can=False, status="Rejected", state="rejected")


async def test_TC_C_39_CSMS_a_token_of_the_same_group_ends_the_session(post_of):
    async with post_of(behaviour=parking()) as post:
        await post.booted()
        group = a_token()
        first, second = [await put(post, a_token(), parent_token=group) for _ in range(2)]
        post.charger.park(1)
        post.charger.plug_in(1, post.car())

        info = await authorize(post, second)
        assert (info["status"], info["groupIdToken"]["idToken"]) == ("Accepted", group)
        post.charger.present(1, first)
        info = await token_info(post, "Authorized")
        assert (info["status"], info["groupIdToken"]["idToken"]) == ("Accepted", group)
        await state_of(post, "charging")
        post.charger.present(1, second)
        info = await token_info(post, "StopAuthorized")
        assert (info["status"], info["groupIdToken"]["idToken"]) == ("Accepted", group)
        assert post.sent("Authorize")[-1]["idToken"]["idToken"] == second
        post.charger.unplug(1)
        await ended(post)
        assert await whose(post) == first
        assert [one["eventType"] for one in events(post) if "idToken" in one] == [
            "Updated",
            "Updated",
        ]


async def ends_by_group(post_of, *, is_asked):
    async with post_of(behaviour=parking()) as post:
        await post.booted()
        group = a_token()
        first, second = [await put(post, a_token(), parent_token=group) for _ in range(2)]
        cards = post.charger.cards
        cards.asks_first = is_asked
        for token in (first, second):
            cards.note(token, is_accepted=True, group=group)
        post.charger.park(1)
        post.charger.plug_in(1, post.car())
        post.charger.present(1, first)
        info = await token_info(post, "Authorized")
        assert (info["status"], info["groupIdToken"]["idToken"]) == ("Accepted", group)
        await state_of(post, "charging")
        post.charger.present(1, second)
        info = await token_info(post, "StopAuthorized")
        assert (info["status"], info["groupIdToken"]["idToken"]) == ("Accepted", group)
        assert len(post.sent("Authorize")) == 2 * is_asked
        if is_asked:
            info = post.tape.of(Kind.ACKNOWLEDGED, "Authorize")[-1].body["idTokenInfo"]
            assert post.sent("Authorize")[-1]["idToken"]["idToken"] == second
            assert (info["status"], info["groupIdToken"]["idToken"]) == ("Accepted", group)
        post.charger.unplug(1)
        await ended(post)
        assert await whose(post) == first


async def test_TC_C_40_CSMS_a_group_of_the_local_list_is_told_with_each_token(post_of):
    await ends_by_group(post_of, is_asked=False)


async def test_TC_C_43_CSMS_a_token_the_local_list_has_as_invalid_is_asked_for_and_of_the_group(
    post_of,
):
    await ends_by_group(post_of, is_asked=True)


async def ending_infos(post, evse_ids):
    """Wait for the answers to these EVSEs' last events; return what each says of the token."""
    ended_on = {
        one.message_id: one.body["evse"]["id"]
        for one in post.tape.of(Kind.SENT, "TransactionEvent")
        if one.body["eventType"] == "Ended"
    }
    assert sorted(ended_on.values()) == sorted(evse_ids)

    def answered():
        found = [
            one.body["idTokenInfo"]
            for one in post.tape.of(Kind.ACKNOWLEDGED, "TransactionEvent")
            if one.message_id in ended_on
        ]
        return found if len(found) == len(ended_on) else None

    return await post.until(answered, "each end answered")


async def ends_by_master(post_of, chosen):
    async with post_of() as post:
        await post.booted()
        group = "Masters"
        master = await put(post, a_token(), parent_token=group)
        command = await post.ask(
            "SetVariables",
            {
                "setVariableData": [
                    {
                        "component": {"name": "AuthCtrlr"},
                        "variable": {"name": "MasterPassGroupId"},
                        "attributeValue": group,
                    }
                ]
            },
        )
        assert command["state"] == "accepted"
        for evse_id in (1, 2):
            token = await put(post, a_token())
            post.charger.plug_in(evse_id, post.car())
            post.charger.present(evse_id, token)
            await begun(post, evse_id)

        info = await authorize(post, master)
        assert (info["status"], info["groupIdToken"]["idToken"]) == ("Accepted", group)
        if chosen is None:
            post.charger.present(1, master)
        else:
            post.charger.end_by_master(master, chosen)
        for evse_id in chosen or (1, 2):
            over = await ended(post, evse_id)
            assert over["end_reason"] == "MasterPass"
        infos = await ending_infos(post, chosen or (1, 2))
        for info in infos:
            assert (info["status"], info["groupIdToken"]["idToken"]) == ("Accepted", group)
        if chosen == (2,):
            assert (await on_evse(post, 1))["state"] != "ended"


async def test_TC_C_47_CSMS_a_master_pass_ends_all_sessions_chosen_on_the_screen(post_of):
    await ends_by_master(post_of, (1, 2))


async def test_TC_C_48_CSMS_a_master_pass_ends_the_one_session_chosen_on_the_screen(post_of):
    await ends_by_master(post_of, (2,))


async def test_TC_C_49_CSMS_a_master_pass_ends_all_sessions_without_a_screen(post_of):
    await ends_by_master(post_of, None)


async def test_a_token_runs_no_more_sessions_than_it_may_and_all_are_kept(post_of):
    async with post_of() as post:
        await post.booted()
        token = await put(post, a_token(), max_sessions=1)
        shown = {"idToken": {"idToken": token, "type": "ISO14443"}}
        await known_by_plan(post, token, shown)
        for evse_id in (1, 2):
            post.charger.plug_in(evse_id, post.car())
            post.charger.present(evse_id, token)
            await begun(post, evse_id)
        session = await ended(post, 2)
        told = [one.body for one in post.tape.of(Kind.ACKNOWLEDGED, "TransactionEvent")]
        words = [one["idTokenInfo"]["status"] for one in told if "idTokenInfo" in one]

        assert words[:2] == ["Accepted", "ConcurrentTx"]
        assert "not_authorized" in session["flags"]
        assert (await begun(post, 1))["state"] != "ended"


async def test_a_master_pass_begins_nothing(post_of):
    async with post_of() as post:
        await post.booted()
        master = await put(post, a_token(), parent_token="masters")
        post.charger.cards.master_group = "MASTERS"
        verdicts = []
        post.charger.plug_in(1, post.car())
        post.charger.present(1, master, verdicts.append)
        await post.until(lambda: verdicts, "an answer")

        assert verdicts == [False]
        assert events(post) == []
