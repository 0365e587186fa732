"""Users, tokens, stations, chargers and keys, over HTTP; and requests that name themselves."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from cloud.adapters.sql import tables
from contracts.keys import is_key
from tests.cloud.api.house import V1, House, add_charger, station_row

STATION = {
    "station_id": "riverside",
    "name": "Riverside",
    "latitude": 56.46,
    "longitude": -2.95,
    "timezone": "Europe/London",
}
PLUG = {
    "connector_id": 1,
    "standard": "IEC_62196_T2_COMBO",
    "power_type": "DC",
    "max_power_w": 50_000,
}
EVSE = {
    "evse_id": 1,
    "bay_id": "riverside-1",
    "bay_name": "1",
    "max_power_w": 50_000,
    "is_accessible": True,
    "connectors": [PLUG],
    "sensors": ["rs-1", "rs-2"],
}
CHARGER = {
    "charger_id": "RIVER-01",
    "evses": [
        EVSE,
        EVSE
        | {
            "evse_id": 2,
            "bay_id": "riverside-2",
            "bay_name": "2",
            "sensors": [],
        },
    ],
}
TARIFF = {
    "name": "Plain",
    "currency": "GBP",
    "tax_included": "YES",
    "elements": [{"price_components": [{"type": "ENERGY", "price": "0.5"}]}],
}


def rows(house: House, table, *where):
    with house.engine.connect() as connection:
        return connection.execute(select(table).where(*where)).all()


def plan_version(house: House, station_id: str) -> int:
    (row,) = rows(house, tables.stations, tables.stations.c.id == station_id)
    return row.plan_version


@pytest.fixture
def admin(house: House):
    return house.client("admin")


# --- stations ------------------------------------------------------------------------------------


def test_a_station_is_set_up_with_a_silent_link(house: House, admin):
    made = admin.post(f"{V1}/stations", json=STATION)

    assert made.status_code == 201
    assert made.headers["location"] == f"{V1}/stations/riverside"
    assert made.json()["timezone"] == "Europe/London"
    (link,) = rows(house, tables.station_links)
    assert link.is_silent
    assert admin.get(made.headers["location"]).status_code == 200


def test_a_stations_id_is_given_once(admin):
    admin.post(f"{V1}/stations", json=STATION)

    again = admin.post(f"{V1}/stations", json=STATION | {"name": "Other"})

    assert again.status_code == 409
    assert again.json()["code"] == "already_exists"


@pytest.mark.parametrize(
    "wrong",
    [
        {"station_id": "Upper"},
        {"station_id": ""},
        {"station_id": "a" * 64},
        {"station_id": "changes"},
        {"station_id": "availability"},
        {"station_id": "cloud"},
        {"station_id": "sensors"},
        {"name": ""},
        {"name": "line\nbreak"},
        {"latitude": 91},
        {"latitude": "north"},
        {"longitude": -181},
        {"timezone": "Mars/Olympus"},
        {"country": "gb"},
        {"currency": "POUND"},
        {"price_per_kwh_minor": -1},
        {"price_per_kwh_minor": 1.5},
        {"owner_id": "nobody"},
        {"offline_policy": "maybe"},
        {"created_at": "2020-01-01T00:00:00Z"},
        {"plan_version": 7},
        {"has_agent_key": True},
    ],
)
def test_a_station_that_cannot_be_is_refused(house: House, admin, wrong):
    assert admin.post(f"{V1}/stations", json=STATION | wrong).status_code == 422
    assert not rows(house, tables.stations)


def test_only_an_owner_owns(house: House, admin):
    driver, owner = house.users["driver"].user_id, house.users["owner"].user_id

    assert admin.post(f"{V1}/stations", json=STATION | {"owner_id": driver}).status_code == 422
    made = admin.post(f"{V1}/stations", json=STATION | {"owner_id": owner})
    assert made.json()["owner_id"] == owner


def test_what_a_change_does_not_name_stays(house: House, admin):
    owner = house.users["owner"].user_id
    admin.post(f"{V1}/stations", json=STATION | {"owner_id": owner, "city": "Dundee"})

    changed = admin.patch(f"{V1}/stations/riverside", json={"price_per_kwh_minor": 61}).json()
    freed = admin.patch(f"{V1}/stations/riverside", json={"owner_id": None}).json()

    assert (changed["price_per_kwh_minor"], changed["city"], changed["owner_id"]) == (
        *(61, "Dundee", owner),
    )
    assert freed["owner_id"] is None
    assert freed["price_per_kwh_minor"] == 61


def test_a_new_offline_policy_or_price_reaches_the_station_by_its_plan(house: House, admin):
    admin.post(f"{V1}/stations", json=STATION)
    before = plan_version(house, "riverside")

    admin.patch(f"{V1}/stations/riverside", json={"name": "Renamed"})
    assert plan_version(house, "riverside") == before
    admin.patch(f"{V1}/stations/riverside", json={"offline_policy": "accept"})
    assert plan_version(house, "riverside") == before + 1
    admin.patch(f"{V1}/stations/riverside", json={"price_per_kwh_minor": 61})
    assert plan_version(house, "riverside") == before + 2
    limited = admin.patch(f"{V1}/stations/riverside", json={"max_sessions_per_token": 1})
    assert plan_version(house, "riverside") == before + 3
    assert limited.json()["max_sessions_per_token"] == 1


def test_an_agents_key_is_shown_once_and_the_broker_hears_of_it(house: House, admin):
    admin.post(f"{V1}/stations", json=STATION)

    shown = admin.post(f"{V1}/stations/riverside/agent-key").json()

    assert len(shown["key"]) == 40
    assert house.services.stations_admin.agent_logins() == {"riverside": "hash of 40 characters"}
    assert house.broker_users.changes == 1
    record = admin.get(f"{V1}/stations/riverside/administration")
    assert record.json()["has_agent_key"]
    assert shown["key"] not in record.text


# --- chargers ------------------------------------------------------------------------------------


def test_a_charger_comes_with_its_bays_plugs_and_sensors(house: House, admin):
    admin.post(f"{V1}/stations", json=STATION)
    before = plan_version(house, "riverside")

    made = admin.post(f"{V1}/stations/riverside/chargers", json=CHARGER)

    assert made.status_code == 201
    key = made.json()["key"]
    (charger,) = rows(house, tables.chargers)
    assert is_key(charger.key_salt, charger.key_hash, key)
    assert [(bay.id, bay.evse_id, bay.has_sensor) for bay in rows(house, tables.bays)] == [
        *(("riverside-1", 1, True), ("riverside-2", 2, False)),
    ]
    assert {sensor.id for sensor in rows(house, tables.sensors)} == {"rs-1", "rs-2"}
    assert len(rows(house, tables.connectors)) == 2
    assert plan_version(house, "riverside") == before + 1


def test_a_new_bay_is_unknown_until_something_is_heard(admin):
    admin.post(f"{V1}/stations", json=STATION)
    admin.post(f"{V1}/stations/riverside/chargers", json=CHARGER)

    station = admin.get(f"{V1}/stations/riverside").json()["station"]

    assert [bay["status"] for bay in station["bays"]] == ["UNKNOWN", "UNKNOWN"]


def test_a_charger_is_stored_whole_or_not_at_all(house: House, admin):
    admin.post(f"{V1}/stations", json=STATION)
    admin.post(f"{V1}/stations/riverside/chargers", json=CHARGER)
    clashing = {
        "charger_id": "RIVER-02",
        "evses": [
            EVSE | {"bay_id": "riverside-3", "sensors": []},
            EVSE | {"evse_id": 2, "sensors": []},
        ],
    }

    refused = admin.post(f"{V1}/stations/riverside/chargers", json=clashing)

    assert refused.status_code == 409
    assert len(rows(house, tables.chargers)) == 1
    assert len(rows(house, tables.bays)) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"charger_id": "has space"},
        {"charger_id": "x" * 49},
        {"security_profile": 4},
        {"evses": []},
        {"evses": [EVSE, EVSE]},
        {"evses": [EVSE | {"evse_id": 0}]},
        {"evses": [EVSE | {"bay_id": "Upper"}]},
        {"evses": [EVSE | {"connectors": []}]},
        {"evses": [EVSE | {"connectors": [PLUG, PLUG]}]},
        {"evses": [EVSE | {"connectors": [PLUG | {"standard": "SCHUKO"}]}]},
        {"evses": [EVSE | {"connectors": [PLUG | {"power_type": "STEAM"}]}]},
        {"evses": [EVSE | {"sensors": ["same", "same"]}]},
        {"evses": [EVSE | {"status": "AVAILABLE"}]},
        {"key_hash": "mine"},
    ],
)
def test_a_charger_that_cannot_be_is_refused(house: House, admin, wrong):
    admin.post(f"{V1}/stations", json=STATION)

    answer = admin.post(f"{V1}/stations/riverside/chargers", json=CHARGER | wrong)

    assert answer.status_code == 422
    assert not rows(house, tables.chargers)


def test_a_chargers_new_key_replaces_the_old_one(house: House, admin):
    admin.post(f"{V1}/stations", json=STATION)
    old = admin.post(f"{V1}/stations/riverside/chargers", json=CHARGER).json()["key"]
    before = plan_version(house, "riverside")

    new = admin.post(f"{V1}/chargers/RIVER-01/key").json()["key"]

    (charger,) = rows(house, tables.chargers)
    assert is_key(charger.key_salt, charger.key_hash, new)
    assert not is_key(charger.key_salt, charger.key_hash, old)
    assert plan_version(house, "riverside") == before + 1


# --- tokens --------------------------------------------------------------------------------------


def test_a_token_is_kept_in_the_form_tokens_are_compared_in(house: House, admin):
    house.put(tables.stations, station_row(house, "a"), station_row(house, "b"))
    before = plan_version(house, "a")

    put = admin.put(f"{V1}/tokens/%20AbC-12%20", json={"label": "fob"})
    again = admin.put(f"{V1}/tokens/abc-12", json={"label": "blue fob", "is_valid": False})

    assert put.json()["token"] == "abc-12"
    assert again.json()["label"] == "blue fob"
    assert len(rows(house, tables.charging_tokens)) == 1
    assert plan_version(house, "a") == plan_version(house, "b") == before + 2


def test_a_tokens_group_is_kept_as_its_operator_wrote_it(admin):
    put = admin.put(f"{V1}/tokens/AbC-12", json={"parent_token": " Fleet-7 "})

    assert put.json()["parent_token"] == "Fleet-7"


def test_a_tokens_type_is_set_and_left_to_be_found_out(admin):
    none = admin.put(f"{V1}/tokens/1234", json={})
    put = admin.put(f"{V1}/tokens/1234", json={"token_type": "KeyCode"})
    again = admin.put(f"{V1}/tokens/1234", json={"token_type": None})

    assert [one.json()["token_type"] for one in (none, put, again)] == ["", "KeyCode", ""]


def test_how_many_sessions_a_token_may_run_is_set_and_left_to_the_stations(admin):
    bodies = [{}, {"max_sessions": 0}, {"max_sessions": 2}, {}]
    put = [admin.put(f"{V1}/tokens/1234", json=one).json()["max_sessions"] for one in bodies]

    assert put == [None, 0, 2, None]


def test_a_token_is_forgotten(house: House, admin):
    admin.put(f"{V1}/tokens/ABC", json={})

    assert admin.delete(f"{V1}/tokens/abc").status_code == 204
    assert admin.delete(f"{V1}/tokens/abc").status_code == 404
    assert not rows(house, tables.charging_tokens)


@pytest.mark.parametrize(
    "wrong",
    [
        {"user_id": "nobody"},
        {"valid_until": "2026-01-01T00:00:00"},
        {"created_at": "x"},
        {"token_type": "NoAuthorization"},
        {"max_sessions": -1},
    ],
)
def test_a_token_that_cannot_be_is_refused(admin, wrong):
    assert admin.put(f"{V1}/tokens/ABC", json=wrong).status_code == 422


# --- users ---------------------------------------------------------------------------------------


def test_a_user_is_made_and_logs_in(house: House, admin):
    body = {"email": " New@Example.org ", "role": "maintenance", "password": "correct horse new"}
    made = admin.post(f"{V1}/users", json=body)

    login = {"email": "NEW@example.ORG", "password": "correct horse new"}
    token = house.client().post(f"{V1}/auth/tokens", json=login)

    assert made.json()["email"] == "new@example.org"
    assert token.status_code == 201
    assert "password" not in made.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "no-at-sign"},
        {"email": "two words@example.org"},
        {"role": "god"},
        {"password": "short"},
        {"password": "x" * 257},
        {"is_active": True},
        {"user_id": "mine"},
        {"password_hash": "$argon2"},
    ],
)
def test_a_user_that_cannot_be_is_refused(admin, wrong):
    body = {"email": "new@example.org", "role": "driver", "password": "correct horse new"}

    assert admin.post(f"{V1}/users", json=body | wrong).status_code == 422


def test_an_address_is_given_once(admin):
    body = {"email": "Driver@Example.org", "role": "driver"}

    assert admin.post(f"{V1}/users", json=body).status_code == 409


@pytest.mark.parametrize("change", [{"role": "driver"}, {"is_active": False}])
def test_the_house_is_never_left_without_an_administrator(house: House, admin, change):
    path = f"{V1}/users/{house.users['admin'].user_id}"

    assert admin.patch(path, json=change).status_code == 403
    house.add_user("second", "admin")
    assert admin.patch(path, json=change).status_code == 200


def test_a_user_without_a_password_cannot_log_in(house: House, admin):
    admin.post(f"{V1}/users", json={"email": "new@example.org", "role": "driver"})

    for password in ("", "None", "correct horse battery"):
        login = {"email": "new@example.org", "password": password}
        assert house.client().post(f"{V1}/auth/tokens", json=login).status_code == 401


@pytest.mark.parametrize(("path", "key"), [("users", "users"), ("tokens", "tokens")])
def test_lists_are_read_page_by_page(admin, path, key):
    for number in range(7):
        admin.put(f"{V1}/tokens/t{number}", json={})
        admin.post(f"{V1}/users", json={"email": f"u{number}@example.org", "role": "driver"})
    whole = admin.get(f"{V1}/{path}?limit=200").json()[key]

    pages, cursor = [], ""
    while cursor is not None:
        page = admin.get(f"{V1}/{path}?limit=3{cursor}").json()
        pages += page[key]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"

    assert pages == whole
    assert len(whole) >= 7


# --- Idempotency-Key -----------------------------------------------------------------------------

CREATING = [
    (f"{V1}/stations", STATION | {"station_id": "new"}),
    (f"{V1}/stations/greenmarket/chargers", CHARGER),
    (f"{V1}/stations/greenmarket/agent-key", None),
    (f"{V1}/chargers/GREEN-1/key", None),
    (f"{V1}/users", {"email": "new@example.org", "role": "driver"}),
    (f"{V1}/tariffs", TARIFF),
]
KEY = {"Idempotency-Key": "5d41402a-bc4b-2a76"}


@pytest.mark.parametrize(("path", "body"), CREATING)
def test_twenty_of_the_same_at_once_have_one_effect_and_one_answer(house: House, path, body):
    add_charger(house)
    client = house.client("admin")
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: client.post(path, json=body, headers=KEY), range(20)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    with house.engine.connect() as connection:
        kept = connection.execute(select(func.count()).select_from(tables.idempotency)).scalar()
    assert kept == 1


@pytest.mark.parametrize(("path", "body"), CREATING)
def test_the_same_key_with_another_request_is_refused(house: House, path, body):
    add_charger(house)
    client = house.client("admin")
    client.put(f"{V1}/tokens/x", json={})
    client.post(f"{V1}/users", json={"email": "x@example.org", "role": "driver"}, headers=KEY)

    answer = client.post(path, json=body, headers=KEY)

    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency_key_reused"


def test_a_key_is_its_users_own(house: House, admin):
    house.add_user("second", "admin")

    first = admin.post(f"{V1}/stations", json=STATION, headers=KEY)
    other = house.client("second").post(f"{V1}/stations", json=STATION, headers=KEY)

    assert first.status_code == 201
    assert other.status_code == 409


def test_a_refused_request_leaves_its_key_free(admin):
    refused = admin.post(f"{V1}/stations/riverside/agent-key", headers=KEY)
    admin.post(f"{V1}/stations", json=STATION)

    assert refused.status_code == 404
    assert admin.post(f"{V1}/stations/riverside/agent-key", headers=KEY).status_code == 201


def test_a_kept_answer_does_not_show_a_key_to_who_reads_the_database(house: House, admin):
    admin.post(f"{V1}/stations", json=STATION)
    shown = admin.post(f"{V1}/stations/riverside/agent-key", headers=KEY).json()["key"]

    kept = rows(house, tables.idempotency)

    assert shown not in repr(kept)
    assert KEY["Idempotency-Key"] not in repr(kept)


def test_kept_answers_are_forgotten_after_a_day(house: House, admin):
    admin.post(f"{V1}/stations", json=STATION, headers=KEY)

    with house.open_work() as work:
        assert work.idempotency.forget(house.clock.now()) == 0
        assert work.idempotency.forget(house.clock.now() + timedelta(seconds=1)) == 1


@pytest.mark.parametrize("key", ["short", "x" * 129, "with space in it", "\u00e4\u00f6\u00fc" * 4])
def test_a_key_that_cannot_be_is_refused(admin, key):
    headers = {"Idempotency-Key": key.encode()}

    assert admin.post(f"{V1}/stations", json=STATION, headers=headers).status_code == 422
