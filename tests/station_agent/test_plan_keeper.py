"""The plan: the newest wins, and it is there after a restart, whole."""

import asyncio

import pytest

from contracts.keys import hash_key
from contracts.plan import ChargerCredential, Plan, TokenGrant
from contracts.wire import encode
from station_agent.plan import PlanKeeper, write_whole
from tests.station_agent.fakes import NOON, ManualClock, until


def a_plan(version=1, station="dundee", **kwargs):
    return encode(Plan(station=station, version=version, issued_at=NOON, **kwargs))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "plan.json"


def a_keeper(path):
    return PlanKeeper(path, "dundee", ManualClock())


@pytest.fixture
async def keeper(path):
    made = a_keeper(path)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()


async def test_a_plan_is_used_at_once_and_again_after_a_restart(keeper, path):
    credential = ChargerCredential(charger_id="C1", salt="00", key_hash="11")
    keeper.take(a_plan(tokens=[TokenGrant(token="T")], chargers=[credential]))

    assert keeper.credential_of("C1") == credential
    assert keeper.orders.grant_of("t") == TokenGrant(token="T")
    await until(path.exists)
    again = a_keeper(path)
    assert (again.version, again.credential_of("C1")) == (1, credential)


async def test_only_a_newer_plan_replaces_one(keeper):
    for version in (2, 1, 2, 3):
        keeper.take(a_plan(version, tokens=[TokenGrant(token=f"T{version}")]))

    assert keeper.version == 3
    assert keeper.orders.grant_of("T2") is None
    assert keeper.credential_of("C1") is None


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", a_plan(9, station="other")])
async def test_what_is_no_plan_of_ours_changes_nothing(keeper, payload):
    keeper.take(a_plan(1))
    keeper.take(payload)

    assert keeper.version == 1


async def test_a_plan_that_cannot_be_written_is_used_and_tried_again(keeper, path, monkeypatch):
    tries = []

    def full(path, content):
        tries.append(content)
        if len(tries) < 3:
            raise OSError(28, "No space left on device")
        write_whole(path, content)

    monkeypatch.setattr("station_agent.plan.write_whole", full)
    keeper.take(a_plan(5))

    assert keeper.version == 5
    while len(tries) < 3:
        keeper._clock.advance(5)  # noqa: SLF001 - time passes
        await asyncio.sleep(0.001)
    await until(path.exists)
    assert tries == [a_plan(5)] * 3


async def test_a_file_that_is_no_plan_is_as_none(path):
    path.parent.mkdir()
    path.write_bytes(b"\x00" * 10)

    assert a_keeper(path).version == 0


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    """F14."""
    path = tmp_path / "plan.json"
    write_whole(path, b"old")

    def power_cut(_):
        raise OSError(5, "cut")

    monkeypatch.setattr("os.fsync", power_cut)
    with pytest.raises(OSError, match="cut"):
        write_whole(path, b"new")

    assert path.read_bytes() == b"old"


NEXT = "22" * 16


def a_changing(**more):
    key_hash = hash_key(NEXT, "new")
    return ChargerCredential(
        charger_id="C1", salt="00", key_hash="11", next_salt=NEXT, next_key_hash=key_hash, **more
    )


async def test_f13_a_key_is_taken_once_the_plan_that_brings_it_is_on_disk(path):
    keeper = a_keeper(path)
    keeper.take(a_plan(chargers=[a_changing()]))
    asking = asyncio.create_task(keeper.takes("C1", NEXT, "new"))
    await asyncio.sleep(0)
    is_early = asking.done()
    running = asyncio.create_task(keeper.run())

    assert not is_early
    assert await asking
    assert await a_keeper(path).takes("C1", NEXT, "new")
    running.cancel()


@pytest.mark.parametrize(
    ("charger_id", "salt", "key"),
    [("C1", NEXT, "another"), ("C1", "33" * 16, "new"), ("C1", "", "new"), ("C2", NEXT, "new")],
)
async def test_f13_a_key_no_plan_brings_is_not_taken(keeper, monkeypatch, charger_id, salt, key):
    """Another key under the same name comes of a cloud whose processes have different secrets."""
    monkeypatch.setattr("station_agent.plan._PATIENCE_S", 0.01)
    keeper.take(a_plan(chargers=[a_changing()]))

    assert not await keeper.takes(charger_id, salt, key)


async def test_who_watches_hears_only_of_plans_that_know_other_chargers(keeper):
    heard = []
    keeper.watch(lambda: heard.append(set(keeper.charger_ids)))
    first = ChargerCredential(charger_id="C1", salt="00", key_hash="11")
    keeper.take(a_plan(1, chargers=[first]))
    keeper.take(a_plan(2, chargers=[first], tokens=[TokenGrant(token="T")]))
    keeper.take(a_plan(3))

    assert heard == [{"C1"}, set()]


@pytest.mark.parametrize(
    ("counting", "serial", "is_taken"),
    [([], "1f", True), (["1f"], "", True), (["2f", "1f"], "2f", True), (["1f"], "2f", False)],
)
async def test_s03_a_certificate_is_taken_once_the_plan_that_counts_it_is_on_disk(
    path, monkeypatch, counting, serial, is_taken
):
    monkeypatch.setattr("station_agent.plan._PATIENCE_S", 0.05)
    keeper = a_keeper(path)
    credential = ChargerCredential(
        charger_id="C1", salt="00", key_hash="11", certificate_serials=counting
    )
    keeper.take(a_plan(chargers=[credential]))
    early = await keeper.takes_certificate("C1", serial)
    running = asyncio.create_task(keeper.run())
    await until(path.exists)

    assert not early
    assert await keeper.takes_certificate("C1", serial) is is_taken
    assert await keeper.takes_certificate("C2", serial)
    running.cancel()
