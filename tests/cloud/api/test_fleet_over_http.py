"""One request to many chargers: waves, the gate, a second person, and crashes in the middle."""

from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from cloud.adapters.sql import tables
from cloud.adapters.sql.unit_of_work import SqlUnitOfWork
from cloud.services.commands import apply_answers
from cloud.services.fact_ports import Message
from contracts.commands import decode_command
from contracts.events import CommandAnswered, CommandOutcome
from tests.cloud.api.house import V1, House, charger_row, station_row

FLEET = f"{V1}/fleet-commands"
WAVES = {"shares": [0.2, 0.6, 1], "settle_s": 300, "max_failed_ratio": 0.2}
TRIGGER = {"kind": "trigger_message", "message": "Heartbeat"}
RESET = {"kind": "reset_charger", "reset": "soft"}
EVERYBODY = {"vendor": "Acme"}


@pytest.fixture
def town(house: House) -> House:
    settle_in(house)
    return house


def settle_in(house: House) -> None:
    """Put two stations of five chargers each; the second is the rival's."""
    for station_id, owner in (("east", "owner"), ("west", "rival")):
        owner_id = house.users[owner].user_id
        house.put(tables.stations, station_row(house, station_id) | {"owner_id": owner_id})
        link = {"station_id": station_id, "heard_at": house.clock.now(), "is_silent": False}
        house.put(tables.station_links, link)
        for number in range(1, 6):
            row = charger_row(station_id, f"{station_id}-{number}")
            house.put(tables.chargers, row | {"vendor": "Acme"})


def ask(house: House, name="maintenance", request=None, selector=None, **more):
    body = {
        "selector": EVERYBODY if selector is None else selector,
        "request": request or TRIGGER,
        "waves": WAVES,
        **more,
    }
    return house.client(name).post(FLEET, json=body)


def begun(house: House, **more) -> str:
    response = ask(house, **more)
    assert response.status_code == 201, response.text
    return response.json()["fleet_command_id"]


def seen(house: House, fleet_id: str, name="maintenance"):
    return house.client(name).get(f"{FLEET}/{fleet_id}").json()


def do(house: House, fleet_id: str, what: str, name="maintenance"):
    return house.client(name).post(f"{FLEET}/{fleet_id}/{what}")


def tick(house: House) -> None:
    house.services.fleet.advance_all()
    house.services.commands.hand_over_queued()


def later(house: House, seconds=301) -> None:
    house.clock.pass_by(timedelta(seconds=seconds))
    with house.engine.begin() as connection:
        connection.execute(update(tables.station_links).values(heard_at=house.clock.now()))


def taken(house: House):
    """Return what was handed over since the last time."""
    wires = [decode_command(payload) for _, payload, _ in house.broker.published]
    house.broker.published.clear()
    return wires


def answer(house: House, wires, outcome=CommandOutcome.ACCEPTED) -> None:
    for wire in wires:
        told = CommandAnswered(
            command_id=wire.id, outcome=outcome, answer={}, observed_at=house.clock.now()
        )
        with SqlUnitOfWork(house.engine) as work:
            apply_answers(work, wire.station, [told], house.clock.now())
            work.commit()


def connect(house: House, charger_id: str, *, is_connected: bool) -> None:
    with house.engine.begin() as connection:
        statement = update(tables.chargers).where(tables.chargers.c.id == charger_id)
        connection.execute(statement.values(is_connected=is_connected))


def test_it_goes_out_in_waves_each_once_the_one_before_has_settled(town: House):
    fleet_id = begun(town)
    sizes = []
    while seen(town, fleet_id)["status"] == "running":
        tick(town)
        wires = taken(town)
        sizes.append(len(wires))
        tick(town)
        assert taken(town) == []
        answer(town, wires)
        tick(town)
        assert taken(town) == []
        later(town)
        if len(sizes) == 3:
            tick(town)

    view = seen(town, fleet_id)
    assert sizes == [2, 4, 4]
    assert (view["status"], view["progress"]["accepted"]) == ("done", 10)


def test_the_first_wave_is_of_both_stations_and_of_those_that_are_there(town: House):
    connect(town, "east-1", is_connected=False)
    fleet_id = begun(town)
    tick(town)
    targets = town.client("maintenance").get(f"{FLEET}/{fleet_id}/targets").json()["targets"]

    assert {wire.request.charger_id for wire in taken(town)} == {"east-2", "west-1"}
    assert targets[-1]["charger_id"] == "east-1"
    assert [one["wave"] for one in targets] == [1, 1] + [None] * 8
    assert [one["state"] for one in targets] == ["sent", "sent"] + ["untried"] * 8


def mailed(town: House) -> list[Message]:
    with town.open_work() as work:
        return work.messages.page(10)


def test_too_many_failures_halt_it_and_a_person_may_go_on(town: House):
    fleet_id = begun(town)
    tick(town)
    answer(town, taken(town), CommandOutcome.REJECTED)
    later(town)
    tick(town)
    halted = seen(town, fleet_id)
    later(town)
    tick(town)
    mails = [one for one in mailed(town) if one.subject.startswith("Halted: ")]
    assert taken(town) == []
    assert do(town, fleet_id, "resume").json()["status"] == "running"
    tick(town)

    assert halted["status"] == "halted"
    assert halted["reason"] == "2 of 2 chargers failed."
    assert len(taken(town)) == 2
    (mail,) = mails
    assert "2 of 2 chargers failed." in mail.body
    assert mail.body.endswith(f"/maintenance/fleet/{fleet_id}")


def test_chargers_that_do_not_come_back_speak_against_going_on(town: House):
    fleet_id = begun(town)
    tick(town)
    wires = taken(town)
    answer(town, wires)
    connect(town, wires[0].request.charger_id, is_connected=False)
    later(town)
    tick(town)

    assert seen(town, fleet_id)["status"] == "halted"


def test_those_that_are_away_hold_no_wave_up_and_get_it_when_they_come(town: House):
    for number in range(1, 6):
        connect(town, f"west-{number}", is_connected=False)
    fleet_id = begun(town)
    reached = 0
    for _ in range(4):
        tick(town)
        wires = taken(town)
        reached += len(wires)
        answer(town, wires)
        later(town)
    tick(town)
    waiting = seen(town, fleet_id)
    for number in range(1, 6):
        connect(town, f"west-{number}", is_connected=True)
    tick(town)
    answer(town, taken(town))
    later(town)
    tick(town)

    assert reached == 5
    assert (waiting["status"], waiting["progress"]["queued"]) == ("running", 5)
    assert seen(town, fleet_id)["status"] == "done"


def test_paused_nothing_goes_out_not_even_what_waited(town: House):
    connect(town, "east-1", is_connected=False)
    fleet_id = begun(town, selector={"charger_ids": ["east-1", "east-2"]})
    tick(town)
    answer(town, taken(town))
    later(town)
    tick(town)
    assert seen(town, fleet_id)["progress"]["queued"] == 1
    assert do(town, fleet_id, "pause").json()["status"] == "paused"
    connect(town, "east-1", is_connected=True)
    tick(town)
    assert taken(town) == []
    assert do(town, fleet_id, "resume").json()["status"] == "running"
    tick(town)

    assert [one.request.charger_id for one in taken(town)] == ["east-1"]


def test_aborted_what_waits_is_taken_back(town: House):
    connect(town, "east-1", is_connected=False)
    fleet_id = begun(town, selector={"charger_ids": ["east-1"]})
    tick(town)
    aborted = do(town, fleet_id, "abort").json()
    connect(town, "east-1", is_connected=True)
    tick(town)

    assert (aborted["status"], aborted["progress"]["unreached"]) == ("aborted", 1)
    assert taken(town) == []
    assert do(town, fleet_id, "resume").status_code == 409


def test_p13_after_its_time_it_goes_to_nobody(town: House):
    connect(town, "east-1", is_connected=False)
    fleet_id = begun(town, selector={"charger_ids": ["east-1"]}, keep_s=600)
    tick(town)
    later(town, 600)
    connect(town, "east-1", is_connected=True)
    tick(town)

    assert seen(town, fleet_id)["status"] == "expired"
    assert taken(town) == []


def test_s21_a_fleet_reset_needs_a_second_person(town: House):
    fleet_id = begun(town, request=RESET)
    tick(town)
    assert (seen(town, fleet_id)["status"], taken(town)) == ("awaiting_approval", [])
    own = do(town, fleet_id, "approve")
    others = do(town, fleet_id, "approve", "admin").json()
    tick(town)

    assert (own.status_code, own.json()["code"]) == (403, "second_person_needed")
    assert (others["status"], others["approved_by"]) == (
        "running",
        town.users["admin"].user_id,
    )
    assert len(taken(town)) == 2


def test_s21_an_owner_reaches_none_of_anothers_chargers(town: House):
    fleet_id = begun(town, name="owner", request=RESET)
    while seen(town, fleet_id)["progress"]["untried"] != 0:
        tick(town)
        answer(town, taken(town))
        later(town)
    view = seen(town, fleet_id, "owner")

    assert (view["stations"], view["progress"]["total"]) == (1, 5)
    assert town.client("rival").get(f"{FLEET}/{fleet_id}").status_code == 404
    assert do(town, fleet_id, "abort", "rival").status_code == 404
    assert town.client("rival").get(FLEET).json()["fleet_commands"] == []
    assert len(town.client("owner").get(FLEET).json()["fleet_commands"]) == 1
    assert ask(town, "owner", selector={"station_ids": ["west"]}).status_code == 422
    assert ask(town, "driver").status_code == 403


def test_what_an_owner_asks_of_their_own_stations_only_is_approved_by_staff(town: House):
    with town.engine.begin() as connection:
        owner_id = town.users["owner"].user_id
        connection.execute(update(tables.stations).values(owner_id=owner_id))
    fleet_id = begun(town, name="owner", request=RESET)

    assert do(town, fleet_id, "approve", "owner").status_code == 403
    assert do(town, fleet_id, "approve", "maintenance").json()["status"] == "running"


@pytest.mark.parametrize("at", ["ask", "save", "commit"])
def test_killed_in_the_middle_a_wave_goes_out_once_and_whole(town: House, monkeypatch, at):
    class Crash(Exception):
        pass

    def crash(*_args):
        raise Crash

    fleet_id = begun(town)
    with monkeypatch.context() as patch:
        with SqlUnitOfWork(town.engine) as work:
            victim = SqlUnitOfWork if at == "commit" else type(work.fleet_commands)
        patch.setattr(victim, at, crash)
        with suppress(Crash):
            town.services.fleet.advance_all()
    with town.engine.connect() as connection:
        count = connection.execute(select(func.count()).select_from(tables.commands)).scalar()
    tick(town)

    assert count == 0
    assert len(taken(town)) == 2
    assert seen(town, fleet_id)["progress"]["waves"] == 1


def test_two_clocks_send_a_wave_once(town: House):
    begun(town)
    fleet = town.services.fleet
    with SqlUnitOfWork(town.engine) as work:
        stale = work.fleet_commands.get(work.fleet_commands.running(town.clock.now())[0])
    fleet.advance_all()
    with SqlUnitOfWork(town.engine) as work:
        assert not work.fleet_commands.save(stale)
    fleet.advance_all()
    town.services.commands.hand_over_queued()

    assert len(taken(town)) == 2


def test_they_are_listed_page_by_page(town: House):
    ids = []
    for _ in range(3):
        ids.insert(0, begun(town, selector={"charger_ids": ["east-1", "east-2"]}))
        town.clock.pass_by(timedelta(seconds=1))
    client = town.client("maintenance")
    first = client.get(FLEET, params={"limit": 2}).json()
    rest = client.get(FLEET, params={"cursor": first["next_cursor"]}).json()
    path = f"{FLEET}/{ids[0]}/targets"
    one = client.get(path, params={"limit": 1}).json()
    two = client.get(path, params={"limit": 1, "cursor": one["next_cursor"]}).json()

    shown = first["fleet_commands"] + rest["fleet_commands"]
    assert [each["fleet_command_id"] for each in shown] == ids
    assert [each["targets"][0]["charger_id"] for each in (one, two)] == ["east-1", "east-2"]
    assert two["next_cursor"] is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"selector": {}},
        {"selector": {"vendor": "Nobody"}},
        {"request": {"kind": "dance"}},
        {"request": {"kind": "start_session", "evse_id": 1, "token": "x"}},
        {"request": RESET | {"charger_id": "east-1"}},
        {"waves": {"shares": [0.5]}},
        {"waves": {"shares": [1, 0.5]}},
        {"waves": {"max_failed_ratio": 2}},
        {"keep_s": 1e9},
        {"selector": {"charger_ids": ["no such\n"]}},
    ],
)
def test_what_is_none_is_refused(town: House, body):
    whole = {"selector": EVERYBODY, "request": TRIGGER} | body if body else {}

    assert town.client("maintenance").post(FLEET, json=whole).status_code == 422
