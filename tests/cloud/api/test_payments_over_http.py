"""Paying by the API: once however often it is asked, plainly answered, gateways heard (R05 to R08)."""

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import select

from cloud.adapters.payments.sandbox import SIGNATURE, signature
from cloud.adapters.sql import tables
from cloud.services.booking_ports import Told
from tests.cloud.api.house import V1, House, a_house, add_charger, furnish_with_users
from tests.cloud.builders import a_reservation

NUMBERS = count(1)
AMOUNT = 1_500
WEBHOOK = f"{V1}/webhooks/payments/sandbox"


ON_BOTH = pytest.mark.parametrize(
    "house", ["sqlite", pytest.param("mariadb", marks=pytest.mark.real)], indirect=True
)
"""What another database could do otherwise: races."""


@pytest.fixture
def house(request, database_file, app, databases):
    if getattr(request, "param", "sqlite") == "sqlite":
        with a_house(database_file, app) as built:
            add_charger(built)
            yield built
        return
    with databases.lent("mariadb") as url:
        furnish_with_users(url)
        with a_house(url, app) as built:
            add_charger(built)
            yield built


@pytest.fixture
def driver(house: House):
    client = house.client("driver")
    assert client.post(f"{V1}/payment-methods", json={"token": "card_ok"}).status_code == 201
    return client


def hold(house: House, **more) -> str:
    """Make a confirmed hold of the driver's; returns its id."""
    number = next(NUMBERS)
    known = {
        "id": f"hold-{number}",
        "number": number,
        "station_id": "greenmarket",
        "bay_id": "greenmarket-1",
        "user_id": house.users["driver"].user_id,
        "start_s": 3_600 * (number % 20 + 1),
        "held_until": house.clock.now() + timedelta(minutes=10),
        "is_confirmed": True,
        "quote": {"authorise_minor": AMOUNT, "total_minor": 1_200},
    }
    held = a_reservation(**(known | more))
    with house.open_work() as work:
        work.reservations.claim(held, Told("held"), most_live=100)
        work.commit()
    return held.id


def pay(client, reservation_id, body=None, key=None):
    headers = {"Idempotency-Key": key} if key else {}
    path = f"{V1}/reservations/{reservation_id}/payment"
    return client.post(path, json=body or {}, headers=headers)


def status_of(house: House, reservation_id: str) -> str:
    with house.open_work() as work:
        return work.reservations.by_ids([reservation_id])[reservation_id].status


def bank_of(house: House):
    return house.services.cashier.gateways["sandbox"].bank


def rows(house: House, table):
    with house.engine.connect() as connection:
        return connection.execute(select(table)).all()


def holdings_of(house: House):
    """What the bank did for this house's steps; the other houses share the bank."""
    keys = {one.id for one in rows(house, tables.payment_steps)}
    return [one for one in bank_of(house).holdings() if one.key in keys]


def webhooks_of(house: House):
    """Return the signed webhooks about this house's steps."""
    keys = {one.id for one in rows(house, tables.payment_steps)}
    bank, found = bank_of(house), []
    while (webhook := bank.take_webhook(2**40)) is not None:
        bank.webhook_sent(webhook)
        if json.loads(webhook.body)["key"] in keys:
            found.append(webhook.body.encode())
    return found


def signed(house: House, body: bytes, at=None):
    secret = bank_of(house).webhook_secret().encode()
    return {SIGNATURE: signature(secret, body, at or house.clock.now())}


# --- paying ---------------------------------------------------------------------------------------


def test_a_hold_is_paid_for_and_the_payment_can_be_looked_at(house, driver):
    held = hold(house)

    paid = pay(driver, held)

    assert paid.status_code == 201
    body = paid.json()
    assert (body["state"], body["authorised_minor"], body["captured_minor"]) == (
        *("authorised", AMOUNT, 0),
    )
    assert driver.get(paid.headers["location"]).json() == body
    assert driver.get(f"{V1}/reservations/{held}/payments").json() == {"payments": [body]}
    assert status_of(house, held) == "booked"


@ON_BOTH
@pytest.mark.parametrize("at_once", [20])
def test_r05_the_same_key_twenty_times_at_once_is_one_charge_and_twenty_equal_answers(
    house, driver, at_once
):
    held = hold(house)
    clients = [house.client("driver") for _ in range(at_once)]
    with ThreadPoolExecutor(at_once) as pool:
        answers = list(pool.map(lambda one: pay(one, held, key="key-number-1"), clients))
    different = pay(driver, held, {"method": "wallet"}, key="key-number-1")

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert [one.held_minor for one in holdings_of(house)] == [AMOUNT]
    assert different.status_code == 422
    assert different.json()["code"] == "idempotency_key_reused"


def test_the_same_request_long_after_gets_the_answer_as_it_is_by_then(house, driver):
    held = hold(house)
    first = pay(driver, held, key="key-number-1")
    house.clock.pass_by(timedelta(hours=2))
    again = pay(driver, held, key="key-number-1")
    without = pay(driver, held)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (without.status_code, without.json()["code"]) == (409, "payment_under_way")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"is_confirmed": False}, 409, "not_confirmed"),
        ({"held_until": a_reservation().created_at}, 409, "hold_expired"),
        ({"user_id": "nobody-1"}, 404, "not_found"),
    ],
)
def test_what_cannot_be_paid_for_says_why(house, driver, change, status, code):
    if "user_id" in change:
        change = {"user_id": house.users["stranger"].user_id}
    answer = pay(driver, hold(house, **change))

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert rows(house, tables.payments) == []


def test_a_declined_card_is_402_with_the_banks_words_and_another_card_may_follow(house, driver):
    held = hold(house)
    card = driver.post(f"{V1}/payment-methods", json={"token": "card_insufficient_funds"}).json()
    declined = pay(driver, held, {"method_id": card["method_id"]}, key="key-number-1")
    again = pay(driver, held, {"method_id": card["method_id"]}, key="key-number-1")
    other = pay(driver, held)

    assert (declined.status_code, declined.json()["code"]) == (402, "payment_declined")
    assert "not enough money" in declined.json()["detail"]
    assert again.content == declined.content
    assert other.status_code == 201


@pytest.mark.parametrize("body", [{"method": "cash"}, {"amount_minor": 1}, {"method_id": "none"}])
def test_what_is_no_way_to_pay_is_refused(house, driver, body):
    held = hold(house)

    assert pay(driver, held, body).status_code == 422
    assert status_of(house, held) == "held"


# --- what gateways tell ---------------------------------------------------------------------------


def unknown(house, driver) -> str:
    """Pay with a card the bank never answers; returns the reservation."""
    held = hold(house)
    card = driver.post(f"{V1}/payment-methods", json={"token": "card_always_times_out"}).json()
    answer = pay(driver, held, {"method_id": card["method_id"]}, key="key-number-1")
    assert answer.status_code == 202
    assert answer.json()["state"] == "pending"
    return held


def test_r07_while_the_bank_is_silent_the_answer_is_202_and_its_webhook_books(house, driver):
    held = unknown(house, driver)
    (body,) = webhooks_of(house)
    heard = house.client().post(WEBHOOK, content=body, headers=signed(house, body))
    card = driver.get(f"{V1}/payment-methods").json()["methods"]
    silent = next(one["method_id"] for one in card if "0408" in one["label"])
    again = pay(driver, held, {"method_id": silent}, key="key-number-1")

    assert heard.status_code == 204
    assert again.status_code == 201
    assert again.json()["state"] == "authorised"
    assert status_of(house, held) == "booked"


@ON_BOTH
def test_r07_a_hundred_of_the_same_webhook_have_one_effect(house, driver):
    held = unknown(house, driver)
    (body,) = webhooks_of(house)
    headers = signed(house, body)
    with ThreadPoolExecutor(10) as pool:
        client = house.client()
        heard = pool.map(lambda _: client.post(WEBHOOK, content=body, headers=headers), range(100))

    # one that loses to the others too often is asked to come again, as banks do
    assert {one.status_code for one in heard} <= {204, 503}
    assert client.post(WEBHOOK, content=body, headers=headers).status_code == 204
    assert status_of(house, held) == "booked"
    assert len(rows(house, tables.gateway_events)) == 1
    assert len(rows(house, tables.ledger_transactions)) == 1


@pytest.mark.parametrize("how", ["altered", "old", "unsigned", "another secret"])
def test_r08_a_webhook_that_is_not_the_banks_is_400_without_effect(house, driver, how):
    held = unknown(house, driver)
    (body,) = webhooks_of(house)
    headers = signed(house, body)
    if how == "altered":
        body = body.replace(b"1500", b"1501")
    elif how == "old":
        headers = signed(house, body, house.clock.now() - timedelta(seconds=301))
    elif how == "unsigned":
        headers = {}
    else:
        headers = {SIGNATURE: signature(b"guess", body, house.clock.now())}
    answer = house.client().post(WEBHOOK, content=body, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_signature")
    assert rows(house, tables.gateway_events) == []
    assert status_of(house, held) == "held"


def test_a_gateway_that_is_not_ours_is_not_found(house):
    for provider in ("stripe", "other", "..", "x" * 40):
        answer = house.client().post(f"{V1}/webhooks/payments/{provider}", content=b"{}")
        assert answer.status_code in {404, 405}


# --- cards ----------------------------------------------------------------------------------------


def test_cards_are_saved_listed_chosen_and_removed(house, driver):
    other = driver.post(f"{V1}/payment-methods", json={"token": "card_declined"}).json()
    driver.put(f"{V1}/payment-methods/{other['method_id']}/default")
    listed = driver.get(f"{V1}/payment-methods").json()
    removed = driver.delete(f"{V1}/payment-methods/{other['method_id']}")
    left = driver.get(f"{V1}/payment-methods").json()["methods"]

    assert listed["provider"] == "sandbox"
    assert {one["label"]: one["is_default"] for one in listed["methods"]} == {
        "Sandbox **** 4242": False,
        "Sandbox **** 0002": True,
    }
    assert removed.status_code == 204
    assert [(one["label"], one["is_default"]) for one in left] == [("Sandbox **** 4242", True)]
    assert house.client("stranger").get(f"{V1}/payment-methods").json()["methods"] == []


def test_a_card_number_is_never_taken(driver):
    declined = driver.post(f"{V1}/payment-methods", json={"token": "4242424242424242"})
    wrong = driver.post(f"{V1}/payment-methods", json={"token": "4242 4242 4242 4242"})

    assert declined.status_code == 402
    assert wrong.status_code == 422


# --- wallet ---------------------------------------------------------------------------------------


def test_a_wallet_is_topped_up_once_a_key_and_pays(house, driver):
    body = {"amount_minor": 2_000, "currency": "GBP"}
    key = {"Idempotency-Key": "key-number-1"}
    first = driver.post(f"{V1}/wallet/top-ups", json=body, headers=key)
    again = driver.post(f"{V1}/wallet/top-ups", json=body, headers=key)
    held = hold(house)
    paid = pay(driver, held, {"method": "wallet"})
    poor = pay(driver, hold(house), {"method": "wallet"})

    assert (first.status_code, first.json()) == (201, again.json())
    assert driver.get(f"{V1}/wallet").json() == {
        "balances": [{"currency": "GBP", "available_minor": 500, "owed_minor": 0}],
    }
    assert paid.json()["provider"] == "wallet"
    assert (poor.status_code, poor.json()["code"]) == (402, "payment_declined")


@pytest.mark.parametrize(
    "wrong",
    [{"amount_minor": 99}, {"amount_minor": 100_001}, {"currency": "pounds"}, {"bonus": 1}],
)
def test_a_topup_that_cannot_be_is_refused(driver, wrong):
    body = {"amount_minor": 2_000, "currency": "GBP"}

    assert driver.post(f"{V1}/wallet/top-ups", json=body | wrong).status_code == 422


# --- subscriptions --------------------------------------------------------------------------------


def test_a_plan_is_made_subscribed_to_and_canceled(house, driver):
    body = {"name": "Commuter", "currency": "GBP", "monthly_minor": 999, "discounts": {"TIME": 5}}
    admin = house.client("admin")
    plan = admin.post(f"{V1}/subscription-plans", json=body).json()
    asked = {"plan_id": plan["plan_id"]}
    key = {"Idempotency-Key": "key-number-1"}
    first = driver.post(f"{V1}/subscriptions", json=asked, headers=key)
    again = driver.post(f"{V1}/subscriptions", json=asked, headers=key)
    twice = driver.post(f"{V1}/subscriptions", json=asked)
    canceled = driver.delete(f"{V1}/subscriptions/{first.json()['subscription_id']}")
    admin.patch(f"{V1}/subscription-plans/{plan['plan_id']}", json={"is_offered": False})

    assert driver.get(f"{V1}/subscription-plans").json()["plans"] == []
    assert (first.status_code, first.json()["state"]) == (201, "active")
    assert first.json() == again.json()
    assert (twice.status_code, twice.json()["code"]) == (409, "already_exists")
    assert canceled.json()["is_ending"]
    assert len(driver.get(f"{V1}/subscriptions").json()["subscriptions"]) == 1
    assert [one.captured_minor for one in holdings_of(house)] == [999]


@pytest.mark.parametrize(
    "wrong",
    [
        {"discounts": {"ENERGY": 101}},
        {"discounts": {"WEATHER": 1}},
        {"monthly_minor": 0},
        {"name": ""},
    ],
)
def test_a_plan_that_cannot_be_is_refused(house, wrong):
    body = {"name": "Commuter", "currency": "GBP", "monthly_minor": 999, "discounts": {"TIME": 5}}
    answer = house.client("admin").post(f"{V1}/subscription-plans", json=body | wrong)

    assert answer.status_code == 422


# --- history --------------------------------------------------------------------------------------


def test_transactions_are_listed_page_by_page_and_as_a_table(house, driver):
    pay(driver, hold(house))
    driver.post(f"{V1}/wallet/top-ups", json={"amount_minor": 2_000, "currency": "GBP"})
    first = driver.get(f"{V1}/transactions?limit=1").json()
    second = driver.get(f"{V1}/transactions", params={"cursor": first["next_cursor"]}).json()
    table = driver.get(f"{V1}/transactions.csv")

    kinds = [one["kind"] for one in (*first["transactions"], *second["transactions"])]
    assert sorted(kinds) == ["authorised", "topped_up"]
    assert second["next_cursor"] is None
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in table.headers["content-disposition"]
    assert len(list(csv.DictReader(io.StringIO(table.text)))) == 2
    assert house.client("stranger").get(f"{V1}/transactions").json()["transactions"] == []


# --- refunds --------------------------------------------------------------------------------------


def test_only_administrators_refund_and_only_what_is_over(house, driver):
    held = hold(house)
    pay(driver, held)
    body = {"amount_minor": 100, "why": "The cable was dirty"}
    path = f"{V1}/reservations/{held}/refund"

    assert driver.post(path, json=body).status_code == 403
    early = house.client("admin").post(path, json=body)
    assert (early.status_code, early.json()["code"]) == (409, "illegal_transition")
