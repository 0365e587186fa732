"""Asking chargers: issued, handed over, answered, in time or not."""

import asyncio
import json
from datetime import timedelta

import pytest
from httpx import ASGITransport, AsyncClient
from sqlalchemy import func, select, update

from cloud.adapters.sql import tables
from cloud.adapters.sql.unit_of_work import SqlUnitOfWork
from cloud.services.commands import apply_answers
from cloud.services.ports import DatabaseAway
from contracts import topics
from contracts.commands import CallCharger, ResetCharger, decode_command
from contracts.events import CommandAnswered, CommandOutcome
from tests.cloud.api.house import HOST, V1, House, add_charger
from tests.support.waiting import eventually_async

CALLS = f"{V1}/chargers/GREEN-1/calls"
COMMANDS = f"{V1}/chargers/GREEN-1/commands"
CALL = {"action": "GetConfiguration", "payload": {"key": []}, "timeout_s": 100}


@pytest.fixture
async def live(house: House) -> House:
    add_charger(house)
    house.hub.start()
    return house


def operator(house: House, name: str = "maintenance") -> AsyncClient:
    headers = {"Authorization": f"Bearer {house.token(name)}"}
    return AsyncClient(transport=ASGITransport(house.app), base_url=HOST, headers=headers)


def handed_over(house: House):
    return [decode_command(payload) for _, payload, _ in house.broker.published]


def answer(
    house: House, command_id, outcome=CommandOutcome.ACCEPTED, station="greenmarket", **body
):
    """Apply a station's answer as ingest does, and tell the hub."""
    told = CommandAnswered(
        command_id=command_id, outcome=outcome, answer=body, observed_at=house.clock.now()
    )
    with SqlUnitOfWork(house.engine) as work:
        changes = apply_answers(work, station, [told], house.clock.now())
        work.commit()
    for change in changes:
        house.hub.publish(change)
    return changes


async def asked(house: House, client, path=CALLS, body=CALL, **kwargs):
    """Ask, answer what was handed over, and return the HTTP answer."""
    request = asyncio.create_task(client.post(path, json=body, **kwargs))
    await eventually_async(lambda: house.broker.published)
    (command,) = handed_over(house)
    answer(house, command.id, status="Accepted")
    return command, await request


async def test_a_call_is_handed_to_its_station_and_its_answer_comes_back(live: House):
    async with operator(live) as client:
        command, response = await asked(live, client)

    topic, _, is_retained = live.broker.published[0]
    view = response.json()
    assert topic == topics.commands("greenmarket")
    assert not is_retained
    assert command.request == CallCharger(
        charger_id="GREEN-1", action="GetConfiguration", payload={"key": []}
    )
    assert command.expires_at - command.issued_at == timedelta(seconds=100)
    assert response.status_code == 200
    assert view["state"] == "accepted"
    assert view["answer"] == {"status": "Accepted"}
    assert view["issued_by"] == live.users["maintenance"].user_id


async def test_a_request_in_our_own_words_means_the_same_for_every_version(live: House):
    async with operator(live, "owner") as client:
        body = {"kind": "reset_charger", "reset": "hard"}
        command, response = await asked(live, client, f"{COMMANDS}?timeout_s=100", body)

    assert command.request == ResetCharger(charger_id="GREEN-1", reset="hard")
    assert response.json()["kind"] == "reset_charger"


@pytest.mark.parametrize(("said", "meant"), [({}, "KeyCode"), ({"token_type": "Local"}, "Local")])
async def test_a_token_is_sent_with_the_type_it_is_known_by(live: House, said, meant):
    known = {"token": "1234", "token_type": "KeyCode", "created_at": live.clock.now()}
    live.put(tables.charging_tokens, known)
    async with operator(live) as client:
        body = {"kind": "start_session", "evse_id": 1, "token": " 1234"} | said
        command, _ = await asked(live, client, f"{COMMANDS}?timeout_s=100", body)

    assert (command.request.token, command.request.token_type) == (" 1234", meant)


async def test_the_answer_is_found_even_if_the_hub_never_hears_of_it(live: House):
    async with operator(live) as client:
        request = asyncio.create_task(client.post(CALLS, json=CALL))
        await eventually_async(lambda: live.broker.published)
        with live.engine.begin() as connection:
            connection.execute(
                update(tables.commands).values(
                    state="rejected", answer={"no": 1}, answered_at=live.clock.now()
                )
            )
        response = await request

    assert response.json()["state"] == "rejected"


async def test_without_an_answer_in_time_the_command_is_named(live: House):
    async with operator(live) as client:
        response = await client.post(CALLS, json={**CALL, "timeout_s": 1})
        (command,) = handed_over(live)
        known = await client.get(f"{V1}/commands/{response.json()['command_id']}")

    assert response.status_code == 504
    assert response.json()["code"] == "command_unanswered"
    assert response.json()["command_id"] == command.id
    assert known.json()["state"] == "sent"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(update(tables.chargers).values(is_connected=False), id="charger"),
        pytest.param(update(tables.station_links).values(heard_at=None), id="never heard"),
        pytest.param(None, id="station silent"),
    ],
)
async def test_what_cannot_be_reached_is_not_asked(live: House, change):
    if change is None:
        live.clock.pass_by(timedelta(seconds=81))
    else:
        with live.engine.begin() as connection:
            connection.execute(change)
    async with operator(live) as client:
        response = await client.post(CALLS, json=CALL)

    assert response.status_code == 409
    assert response.json()["code"] == "charger_offline"
    assert not live.broker.published


async def test_a_station_that_says_the_charger_is_gone_is_believed(live: House):
    async with operator(live) as client:
        request = asyncio.create_task(client.post(CALLS, json=CALL))
        await eventually_async(lambda: live.broker.published)
        answer(live, handed_over(live)[0].id, CommandOutcome.CHARGER_OFFLINE)
        response = await request

    assert response.status_code == 409
    assert response.json()["code"] == "charger_offline"


async def test_a_second_answer_changes_nothing(live: House):
    async with operator(live) as client:
        command, _ = await asked(live, client)
        assert answer(live, command.id, CommandOutcome.REJECTED) == []
        known = await client.get(f"{V1}/commands/{command.id}")

    assert known.json()["state"] == "accepted"


async def test_another_station_answers_nothing_of_ours(live: House):
    async with operator(live) as client:
        await client.post(CALLS, json={**CALL, "timeout_s": 1})
    (command,) = handed_over(live)

    assert answer(live, command.id, station="elsewhere") == []
    assert answer(live, "no-such-command") == []


async def test_overdue_commands_expire_and_a_late_answer_still_counts(live: House):
    async with operator(live) as client:
        await client.post(CALLS, json={**CALL, "timeout_s": 1})
        (command,) = handed_over(live)
        live.clock.pass_by(timedelta(seconds=2))

        (expired,) = live.services.commands.expire_overdue()
        assert live.services.commands.expire_overdue() == []
        (late,) = answer(live, command.id, status="Accepted")

    assert expired.view.state == "expired"
    assert late.view.state == "accepted"
    assert late.version > expired.version


async def test_unanswered_commands_are_handed_over_again_until_they_expire(live: House):
    async with operator(live) as client:
        await client.post(CALLS, json={**CALL, "timeout_s": 1})
    with live.engine.begin() as connection:
        late = live.clock.now() + timedelta(seconds=30)
        connection.execute(update(tables.commands).values(expires_at=late))
    service = live.services.commands

    assert service.hand_over_unsent() == 0
    live.clock.pass_by(timedelta(seconds=4))
    assert service.hand_over_unsent() == 1
    assert service.hand_over_unsent() == 0
    live.clock.pass_by(timedelta(seconds=27))
    assert service.hand_over_unsent() == 0
    assert len({command.id for command in handed_over(live)}) == 1


async def test_what_a_crash_kept_from_the_broker_the_sweep_hands_over(live: House, monkeypatch):
    class Crash(Exception):
        pass

    def crash(*_args):
        raise Crash

    monkeypatch.setattr(type(live.services.commands), "_hand_over", crash)
    async with operator(live) as client:
        response = await client.post(CALLS, json={**CALL, "timeout_s": 1})
    monkeypatch.undo()
    assert response.status_code == 500
    assert not live.broker.published

    live.clock.pass_by(timedelta(milliseconds=500))
    assert live.services.commands.hand_over_unsent() == 1
    assert len(handed_over(live)) == 1


async def test_the_mark_of_handing_over_is_a_courtesy(live: House, monkeypatch):
    def away(*_args):
        raise DatabaseAway("gone")

    monkeypatch.setattr(type(live.services.commands), "_mark_published", away)
    async with operator(live) as client:
        _, response = await asked(live, client)

    assert response.status_code == 200


async def test_the_same_call_sent_twenty_times_at_once_is_one_command(live: House):
    async with operator(live) as client:
        key = {"Idempotency-Key": "8f14e45f-ceea"}
        requests = [
            asyncio.create_task(client.post(CALLS, json=CALL, headers=key)) for _ in range(20)
        ]
        await eventually_async(lambda: live.broker.published)
        answer(live, handed_over(live)[0].id, status="Accepted")
        responses = await asyncio.gather(*requests)

    with live.engine.connect() as connection:
        count = connection.execute(select(func.count()).select_from(tables.commands)).scalar()
    assert count == 1
    assert {response.status_code for response in responses} == {200}
    assert len({response.content for response in responses}) == 1
    assert len({command.id for command in handed_over(live)}) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": ""},
        {"action": "Get Configuration"},
        {"action": "X", "payload": []},
        {"action": "X", "payload": "text"},
        {"action": "X", "charger_id": "OTHER"},
        {"action": "X", "timeout_s": 0},
        {"action": "X", "timeout_s": 1e9},
        {"action": "X" * 65},
    ],
)
async def test_a_call_that_is_none_is_refused(live: House, body):
    async with operator(live) as client:
        response = await client.post(CALLS, json=body)

    assert response.status_code == 422
    assert not live.broker.published


@pytest.mark.parametrize(
    "payload", [b'{"x":"\\ud800"}', b'{"x":NaN}', b'{"x":Infinity}', b'{"\\udfff":1}']
)
async def test_a_payload_json_cannot_carry_on_is_refused(live: House, payload):
    async with operator(live) as client:
        content = b'{"action":"X","payload":%b}' % payload
        headers = {"Content-Type": "application/json"}
        response = await client.post(CALLS, content=content, headers=headers)

    assert response.status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "no_such"},
        {"kind": ["reset_charger"]},
        {"kind": "reset_charger", "reset": "sideways"},
        {"kind": "reset_charger", "charger_id": "OTHER"},
        {"kind": "reset_charger", "more": 1},
        {"kind": "unlock_connector"},
        {"kind": "unlock_connector", "evse_id": -1},
        {"kind": "unlock_connector", "evse_id": "1"},
        {"kind": "reserve_evse", "evse_id": 1, "reservation_number": 2**40, "token": "x"},
        {"kind": "call_charger", "action": "X", "payload": {"x": "\ud800"}},
    ],
)
async def test_a_request_that_is_none_is_refused(live: House, body):
    async with operator(live) as client:
        content = json.dumps(body)
        headers = {"Content-Type": "application/json"}
        response = await client.post(COMMANDS, content=content, headers=headers)

    assert response.status_code == 422
    assert response.json()["errors"]
    assert not live.broker.published


QUEUE = {**CALL, "when_away": "queue", "keep_s": 3_600}


def set_connected(house: House, *, is_connected: bool) -> None:
    with house.engine.begin() as connection:
        connection.execute(update(tables.chargers).values(is_connected=is_connected))


async def queued(house: House, client, body=QUEUE):
    set_connected(house, is_connected=False)
    response = await client.post(CALLS, json=body)
    assert response.status_code == 202
    return response.json()


def state_of(house: House, command_id: str) -> str:
    with house.engine.connect() as connection:
        query = select(tables.commands.c.state).where(tables.commands.c.id == command_id)
        return connection.execute(query).scalar_one()


async def test_a_request_may_wait_for_a_charger_that_is_away(live: House):
    service = live.services.commands
    async with operator(live) as client:
        command = await queued(live, client)
        assert (command["state"], command["is_patient"]) == ("queued", True)
        assert service.hand_over_queued() == []
        set_connected(live, is_connected=True)
        (sent,) = service.hand_over_queued()
        assert service.hand_over_queued() == []

    (wire,) = handed_over(live)
    assert wire.id == sent.subject == command["command_id"]
    assert wire.is_patient
    assert wire.expires_at - wire.issued_at == timedelta(seconds=100)
    assert sent.view.state == "sent"
    assert sent.version > command["version"]


async def test_a_patient_request_to_a_charger_that_is_there_is_answered_at_once(live: House):
    async with operator(live) as client:
        command, response = await asked(live, client, CALLS, QUEUE)

    assert command.is_patient
    assert (response.status_code, response.json()["state"]) == (200, "accepted")


async def test_our_own_words_may_wait_as_well(live: House):
    set_connected(live, is_connected=False)
    async with operator(live, "owner") as client:
        response = await client.post(
            f"{COMMANDS}?when_away=queue&keep_s=60", json={"kind": "reset_charger"}
        )

    assert response.status_code == 202
    assert response.json()["state"] == "queued"


@pytest.mark.parametrize("outcome", [CommandOutcome.CHARGER_OFFLINE, CommandOutcome.EXPIRED])
async def test_what_the_station_could_not_send_is_queued_again(live: House, outcome):
    service = live.services.commands
    async with operator(live) as client:
        request = asyncio.create_task(client.post(CALLS, json=QUEUE))
        await eventually_async(lambda: live.broker.published)
        (back,) = answer(live, handed_over(live)[0].id, outcome)
        response = await request
        assert service.hand_over_queued() == []
        live.clock.pass_by(timedelta(seconds=11))
        (sent,) = service.hand_over_queued()
        (done,) = answer(live, sent.subject, status="Accepted")

    assert response.status_code == 202
    assert back.view.state == "queued"
    assert done.view.state == "accepted"
    first, second = handed_over(live)
    assert first.id == second.id
    assert second.expires_at > first.expires_at


@pytest.mark.parametrize("is_sent", [False, True])
async def test_a_command_nobody_came_for_expires_and_is_never_sent(live: House, is_sent):
    """P13."""
    service = live.services.commands
    async with operator(live) as client:
        command = await queued(live, client, {**QUEUE, "keep_s": 200})
    if is_sent:
        set_connected(live, is_connected=True)
        service.hand_over_queued()
        live.broker.published.clear()
    live.clock.pass_by(timedelta(seconds=201))
    set_connected(live, is_connected=True)
    with live.engine.begin() as connection:
        connection.execute(update(tables.station_links).values(heard_at=live.clock.now()))

    assert service.hand_over_queued() == []
    assert service.hand_over_unsent() == 0
    (expired,) = service.expire_overdue()
    assert expired.view.state == "expired"
    assert not live.broker.published
    assert answer(live, command["command_id"], CommandOutcome.EXPIRED)[0].view.state == "expired"


async def test_a_silent_station_is_sent_nothing_that_waits(live: House):
    async with operator(live) as client:
        await queued(live, client)
    set_connected(live, is_connected=True)
    live.clock.pass_by(timedelta(seconds=81))

    assert live.services.commands.hand_over_queued() == []


async def test_what_a_crash_kept_back_after_the_claim_is_handed_over_once_more(
    live: House, monkeypatch
):
    class Crash(Exception):
        pass

    def crash(*_args):
        raise Crash

    service = live.services.commands
    async with operator(live) as client:
        command = await queued(live, client)
    set_connected(live, is_connected=True)
    monkeypatch.setattr(type(service), "_publish", crash)
    with pytest.raises(Crash):
        service.hand_over_queued()
    monkeypatch.undo()
    assert service.hand_over_queued() == []

    live.clock.pass_by(timedelta(seconds=4))
    assert service.hand_over_unsent() == 1
    assert [one.id for one in handed_over(live)] == [command["command_id"]]


async def test_queued_commands_go_in_the_order_they_were_asked_for(live: House):
    ids = []
    async with operator(live) as client:
        for _ in range(5):
            ids.append((await queued(live, client))["command_id"])
            live.clock.pass_by(timedelta(seconds=1))
    set_connected(live, is_connected=True)
    live.services.commands.hand_over_queued()

    assert [one.id for one in handed_over(live)] == ids


async def test_a_queued_command_is_taken_back_and_never_sent(live: House):
    async with operator(live) as client:
        command = await queued(live, client)
        path = f"{V1}/commands/{command['command_id']}"
        taken = await client.delete(path)
        again = await client.delete(path)
    set_connected(live, is_connected=True)

    assert (taken.status_code, taken.json()["state"]) == (200, "cancelled")
    assert again.json() == taken.json()
    assert live.services.commands.hand_over_queued() == []
    assert answer(live, command["command_id"], CommandOutcome.EXPIRED) == []
    (late,) = answer(live, command["command_id"], status="Accepted")
    assert late.view.state == "accepted"


async def test_what_is_on_its_way_is_not_taken_back(live: House):
    async with operator(live) as client:
        command = await queued(live, client)
        set_connected(live, is_connected=True)
        live.services.commands.hand_over_queued()
        response = await client.delete(f"{V1}/commands/{command['command_id']}")

    assert response.status_code == 409
    assert response.json()["code"] == "command_sent"
    assert state_of(live, command["command_id"]) == "sent"


async def test_an_impatient_command_that_could_not_be_sent_has_ended(live: House):
    async with operator(live) as client:
        await client.post(CALLS, json={**CALL, "timeout_s": 1})
        (command,) = handed_over(live)
        (gone,) = answer(live, command.id, CommandOutcome.CHARGER_OFFLINE)

    assert gone.view.state == "charger_offline"


async def test_what_was_asked_of_a_charger_is_listed_newest_first_and_by_state(live: House):
    async with operator(live) as client:
        ids = []
        for _ in range(3):
            ids.insert(0, (await queued(live, client))["command_id"])
            live.clock.pass_by(timedelta(seconds=1))
        await client.delete(f"{V1}/commands/{ids[1]}")
        first = (await client.get(COMMANDS, params={"limit": 2})).json()
        rest = (await client.get(COMMANDS, params={"cursor": first["next_cursor"]})).json()
        waiting = (await client.get(COMMANDS, params={"state": "queued"})).json()

    assert [one["command_id"] for one in first["commands"] + rest["commands"]] == ids
    assert rest["next_cursor"] is None
    assert [one["command_id"] for one in waiting["commands"]] == [ids[0], ids[2]]
