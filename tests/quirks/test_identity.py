"""QUIRKS 18-21: what chargers make of tokens, and of who they are."""

import pytest

from simulator.journal import Kind
from tests.support.stack import TOKEN

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("quirks")]


@pytest.mark.parametrize("quirk", ["corrupt_token", "padded_token", "lower_case_token"])
async def test_q18_q19_a_token_is_known_however_it_is_written(post_with, quirk):
    async with post_with(quirk) as post:
        await post.booted()
        session = await post.begin(TOKEN)
        post.charger.present(1, TOKEN)
        ended = await post.ended(session["session_id"])

        assert ended["flags"] == []
        assert ended["end_reason"] == "Local"
        assert post.refusals() == []


async def test_q18_a_token_longer_than_the_standard_allows_charges(post_with):
    async with post_with("long_token") as post:
        post.stack.put_token(TOKEN.ljust(24, "F"))
        await post.booted()
        session = await post.begin(TOKEN)
        post.charger.present(1, TOKEN)
        ended = await post.ended(session["session_id"])

        assert ended["flags"] == []
        assert ended["end_reason"] == "Local"
        assert post.refusals() == []


async def test_q18_no_stop_is_answered_with_a_refused_token(post_with):
    async with post_with("corrupt_token") as post:
        await post.booted()
        await post.begin(TOKEN)
        post.charger.present(1, TOKEN)
        await post.delivered()

        (answer,) = post.tape.of(Kind.ACKNOWLEDGED, "StopTransaction")
        assert answer.body == {}


async def test_q19_an_empty_token_at_the_stop_ends_the_session(post_with):
    async with post_with("no_token_at_stop") as post:
        await post.booted()
        session = await post.begin(TOKEN)
        post.charger.present(1, TOKEN)
        ended = await post.ended(session["session_id"])

        assert ended["flags"] == []
        assert post.refusals() == []


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_q20_an_unknown_token_that_began_offline_is_kept(post_with, version):
    async with post_with(version=version) as post:
        await post.booted()
        post.dialer.cut(for_s=40)
        await post.until(lambda: not post.charger.line.is_connected, "offline")
        assert post.charger.plug_in(1, post.car())
        post.charger.present(1, "STRANGER")
        assert post.charger.evses[1].session is not None

        async def kept():
            return [one for one in await post.sessions() if one["ended_at"]]

        (session,) = await post.until(kept, "the session")
        assert "not_authorized" in session["flags"]
        assert session["energy_wh"] == post.true_wh()
        assert post.refusals() == []


async def test_q21_another_serial_at_the_next_boot_is_accepted_and_told(post_with):
    async with post_with("another_serial") as post:
        await post.booted()
        post.charger.boot_again()

        async def boots():
            found = await post.facts("charger_booted")
            return found if len(found) == 2 else None

        newest, oldest = await post.until(boots, "both boots")
        known = (await post.get(f"/chargers/{post.charger_id}"))["charger"]
        assert newest["serial"] != oldest["serial"]
        assert known["serial"] == newest["serial"]
        assert "identity_changed" in await post.oddities()
        assert post.refusals() == []
