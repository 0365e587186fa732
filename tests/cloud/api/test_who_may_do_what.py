"""Every route, every role, and somebody else's things: the table is the rule, and is complete."""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from cloud.adapters.sql import tables
from tests.cloud.api.house import V1, House, a_house, add_charger, receipt_row, reservation_row
from tests.cloud.api.listening import listening

# how each asker is answered; "own" is who the thing belongs to, "foreign" the same role elsewhere
ASKERS = (None, "driver", "stranger", "owner", "rival", "maintenance", "admin")

ANYONE = dict.fromkeys(ASKERS, 200)
LOGGED_IN = {**ANYONE, None: 401}
CHARGE = {**LOGGED_IN, "stranger": 404, "rival": 404}
OWN = {**dict.fromkeys(ASKERS, 404), None: 401, "driver": 200}
OWN_AND_ADMIN = {**OWN, "admin": 200}
WATCHERS = {**LOGGED_IN, "driver": 403, "stranger": 403}
STATION_WATCHERS = {**WATCHERS, "rival": 404}
ADMIN = {**dict.fromkeys(ASKERS, 403), None: 401, "admin": 200}
OWNER_AND_ADMIN = {**STATION_WATCHERS, "maintenance": 404}
NOBODY = dict.fromkeys(ASKERS, 404)
FORGED = dict.fromkeys(ASKERS, 400)
MAKERS = {**WATCHERS, "maintenance": 403}
OWN_MAKERS = {**MAKERS, "rival": 404}

STATION = {
    "station_id": "new",
    "name": "New",
    "latitude": 1,
    "longitude": 2,
}
EVSE = {
    "evse_id": 1,
    "bay_id": "new-1",
    "bay_name": "1",
    "connectors": [{"connector_id": 1, "standard": "IEC_62196_T2", "power_type": "AC_3_PHASE"}],
}
CALL = {"action": "Heartbeat", "timeout_s": 1}
RESET = {"kind": "reset_charger"}
FLEET = {"selector": {"charger_ids": ["GREEN-1"]}, "request": RESET}
USER = {"email": "new@example.org", "role": "driver"}
PRICES = {
    "tax_included": "YES",
    "elements": [{"price_components": [{"type": "ENERGY", "price": "0.5"}]}],
}
TARIFF = {"name": "Plain", "currency": "GBP", **PRICES}
TARIFF_CHANGE = {"name": "Plainer", **PRICES}
EXAMPLE = {
    "currency": "GBP",
    "starts_at": "2026-03-01T12:00:00Z",
    "energy_wh": 1000,
    "charging_s": 60,
    **PRICES,
}
WINDOW = {"starts_at": "2026-03-01T18:00:00Z", "ends_at": "2026-03-01T19:00:00Z"}
HOLD = {"station_id": "greenmarket", "bay_id": "greenmarket-1", **WINDOW}
SERIES = {
    "station_id": "greenmarket",
    "weekdays": [0],
    "begins": "08:00",
    "duration_s": 3600,
    "first_day": "2026-03-02",
    "count": 1,
}
BROWSER = {
    "endpoint": "https://push.example/abc",
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6S"
        "RpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}
CALENDAR_SECRET = "A" * 22
REFUND = {"amount_minor": 1, "why": "The cable was dirty"}
PLAN = {"name": "Commuter", "currency": "GBP", "monthly_minor": 999, "discounts": {"ENERGY": 10}}
GOOD_LOGIN = {"email": "driver@example.org", "password": "correct horse battery"}

TABLE = [
    ("GET", "/livez", None, ANYONE),
    ("GET", "/readyz", None, ANYONE),
    ("GET", "/metrics", None, ANYONE),
    ("GET", "/openapi.json", None, ANYONE),
    ("GET", f"{V1}/stations", None, ANYONE),
    ("GET", f"{V1}/stations/greenmarket", None, ANYONE),
    ("GET", f"{V1}/stations/greenmarket/events", None, ANYONE),
    ("GET", f"{V1}/availability/events?bbox=50,-5,60,0", None, ANYONE),
    ("GET", f"{V1}/sessions", None, LOGGED_IN),
    ("GET", f"{V1}/sessions/totals", None, LOGGED_IN),
    ("GET", f"{V1}/sessions.csv", None, LOGGED_IN),
    ("GET", f"{V1}/sessions.pdf", None, LOGGED_IN),
    ("GET", f"{V1}/sessions/charge-1", None, CHARGE),
    ("GET", f"{V1}/sessions/charge-1/events", None, CHARGE),
    ("GET", f"{V1}/sessions/charge-1/signed-readings", None, CHARGE),
    ("GET", f"{V1}/tariffs", None, WATCHERS),
    ("POST", f"{V1}/tariffs", TARIFF, MAKERS),
    ("POST", f"{V1}/tariffs/example", EXAMPLE, LOGGED_IN),
    ("GET", f"{V1}/tariffs/tariff-1", None, STATION_WATCHERS),
    ("PUT", f"{V1}/tariffs/tariff-1", TARIFF_CHANGE, OWN_MAKERS),
    ("PUT", f"{V1}/stations/greenmarket/tariff", {"key": None}, OWN_MAKERS),
    ("GET", f"{V1}/stations/greenmarket/tariff", None, ANYONE),
    ("GET", f"{V1}/stations/greenmarket/terms", None, ANYONE),
    ("GET", f"{V1}/stations/greenmarket/calendar", None, ANYONE),
    ("GET", f"{V1}/bays/greenmarket-1/calendar", None, ANYONE),
    ("GET", f"{V1}/search?lat=56.4&lon=-3", None, ANYONE),
    ("GET", f"{V1}/waitlist", None, LOGGED_IN),
    ("POST", f"{V1}/waitlist", {"station_id": "greenmarket", **WINDOW}, LOGGED_IN),
    ("GET", f"{V1}/waitlist/waiting-1", None, OWN),
    ("POST", f"{V1}/waitlist/waiting-1/accept", None, OWN),
    ("DELETE", f"{V1}/waitlist/waiting-1", None, OWN),
    ("PUT", f"{V1}/stations/greenmarket/terms", {}, OWN_MAKERS),
    ("GET", f"{V1}/receipts", None, LOGGED_IN),
    ("GET", f"{V1}/receipts/receipt-1", None, CHARGE),
    ("GET", f"{V1}/receipts/receipt-1.html", None, CHARGE),
    ("GET", f"{V1}/receipts/receipt-1.pdf", None, CHARGE),
    ("POST", f"{V1}/reservations", HOLD, LOGGED_IN),
    ("POST", f"{V1}/reservations/series", SERIES, LOGGED_IN),
    ("GET", f"{V1}/reservations", None, LOGGED_IN),
    ("GET", f"{V1}/reservations/reservation-1", None, CHARGE),
    ("GET", f"{V1}/reservations/reservation-1/events", None, CHARGE),
    ("GET", f"{V1}/reservations/reservation-1/log", None, STATION_WATCHERS),
    ("PATCH", f"{V1}/reservations/reservation-1", WINDOW, OWN),
    ("POST", f"{V1}/reservations/reservation-1/check-in", None, OWN),
    ("POST", f"{V1}/reservations/reservation-1/confirmation", {"code": "123456"}, OWN),
    ("POST", f"{V1}/reservations/reservation-1/code", None, OWN),
    ("POST", f"{V1}/reservations/reservation-1/cancel", {}, CHARGE),
    ("POST", f"{V1}/reservations/reservation-1/alternatives", None, OWN),
    ("GET", f"{V1}/offers", None, LOGGED_IN),
    ("GET", f"{V1}/offers/offer-1", None, OWN),
    ("POST", f"{V1}/offers/offer-1/accept", {"option": 0}, OWN),
    ("POST", f"{V1}/reservations/reservation-1/payment", {}, OWN),
    ("GET", f"{V1}/reservations/reservation-1/payments", None, OWN_AND_ADMIN),
    ("POST", f"{V1}/reservations/reservation-1/refund", REFUND, ADMIN),
    ("GET", f"{V1}/payments/payment-1", None, OWN_AND_ADMIN),
    ("GET", f"{V1}/payment-methods", None, LOGGED_IN),
    ("POST", f"{V1}/payment-methods", {"token": "card_ok"}, LOGGED_IN),
    ("PUT", f"{V1}/payment-methods/card-1/default", None, OWN),
    ("DELETE", f"{V1}/payment-methods/card-1", None, OWN),
    ("POST", f"{V1}/webhooks/payments/sandbox", {}, FORGED),
    ("GET", f"{V1}/wallet", None, LOGGED_IN),
    ("POST", f"{V1}/wallet/top-ups", {"amount_minor": 500, "currency": "GBP"}, LOGGED_IN),
    ("GET", f"{V1}/subscription-plans", None, LOGGED_IN),
    ("POST", f"{V1}/subscription-plans", PLAN, ADMIN),
    ("PATCH", f"{V1}/subscription-plans/plan-1", {"is_offered": True}, ADMIN),
    ("GET", f"{V1}/subscriptions", None, LOGGED_IN),
    ("POST", f"{V1}/subscriptions", {"plan_id": "plan-1"}, LOGGED_IN),
    ("DELETE", f"{V1}/subscriptions/subscription-1", None, OWN),
    ("GET", f"{V1}/transactions", None, LOGGED_IN),
    ("GET", f"{V1}/transactions.csv", None, LOGGED_IN),
    ("GET", f"{V1}/alerts", None, WATCHERS),
    ("GET", f"{V1}/alerts/events", None, WATCHERS),
    ("GET", f"{V1}/alerts/alert-1", None, STATION_WATCHERS),
    ("POST", f"{V1}/alerts/alert-1/acknowledge", {}, STATION_WATCHERS),
    ("POST", f"{V1}/alerts/alert-1/resolve", {}, STATION_WATCHERS),
    ("GET", f"{V1}/chargers", None, WATCHERS),
    ("GET", f"{V1}/chargers/GREEN-1", None, STATION_WATCHERS),
    ("GET", f"{V1}/chargers/GREEN-1/log", None, STATION_WATCHERS),
    ("POST", f"{V1}/chargers/GREEN-1/key-rotation", None, STATION_WATCHERS),
    ("GET", f"{V1}/chargers/GREEN-1/key-rotation", None, STATION_WATCHERS),
    ("PUT", f"{V1}/chargers/GREEN-1/local-list", {"is_kept": True}, STATION_WATCHERS),
    ("GET", f"{V1}/chargers/GREEN-1/local-list", None, STATION_WATCHERS),
    ("GET", f"{V1}/chargers/GREEN-1/certificates", None, STATION_WATCHERS),
    ("GET", f"{V1}/chargers/GREEN-1/inventory", None, STATION_WATCHERS),
    ("GET", f"{V1}/chargers/GREEN-1/jobs", None, STATION_WATCHERS),
    ("POST", f"{V1}/chargers/GREEN-1/log-files", {}, STATION_WATCHERS),
    ("GET", f"{V1}/chargers/GREEN-1/log-files", None, STATION_WATCHERS),
    ("PUT", f"/uploads/{CALENDAR_SECRET}", None, NOBODY),
    ("POST", f"/uploads/{CALENDAR_SECRET}", None, NOBODY),
    ("PUT", f"/uploads/{CALENDAR_SECRET}/a.log", None, NOBODY),
    ("POST", f"/uploads/{CALENDAR_SECRET}/a.log", None, NOBODY),
    ("GET", f"{V1}/log-files/1/content", None, STATION_WATCHERS),
    ("PUT", f"{V1}/chargers/GREEN-1/registration", {"registration": "accepted"}, ADMIN),
    ("PUT", f"{V1}/chargers/GREEN-1/security-profile", {"security_profile": 1}, ADMIN),
    ("POST", f"{V1}/chargers/GREEN-1/calls", CALL, STATION_WATCHERS),
    ("POST", f"{V1}/chargers/GREEN-1/commands?timeout_s=1", RESET, STATION_WATCHERS),
    ("GET", f"{V1}/chargers/GREEN-1/commands", None, STATION_WATCHERS),
    ("GET", f"{V1}/fleet-commands", None, WATCHERS),
    ("POST", f"{V1}/fleet-commands", FLEET, WATCHERS),
    ("GET", f"{V1}/fleet-commands/fleet-1", None, STATION_WATCHERS),
    ("GET", f"{V1}/fleet-commands/fleet-1/targets", None, STATION_WATCHERS),
    ("POST", f"{V1}/fleet-commands/fleet-1/approve", None, STATION_WATCHERS),
    ("POST", f"{V1}/fleet-commands/fleet-1/pause", None, STATION_WATCHERS),
    ("POST", f"{V1}/fleet-commands/fleet-1/resume", None, STATION_WATCHERS),
    ("POST", f"{V1}/fleet-commands/fleet-1/abort", None, STATION_WATCHERS),
    ("GET", f"{V1}/commands/command-1", None, STATION_WATCHERS),
    ("DELETE", f"{V1}/commands/command-1", None, STATION_WATCHERS),
    ("POST", f"{V1}/stations", STATION, ADMIN),
    ("GET", f"{V1}/stations/greenmarket/administration", None, OWNER_AND_ADMIN),
    ("PATCH", f"{V1}/stations/greenmarket", {"name": "Old"}, ADMIN),
    ("POST", f"{V1}/stations/greenmarket/agent-key", None, ADMIN),
    (
        "POST",
        f"{V1}/stations/greenmarket/chargers",
        {"charger_id": "NEW-1", "evses": [EVSE]},
        ADMIN,
    ),
    ("POST", f"{V1}/chargers/GREEN-1/key", None, ADMIN),
    ("GET", f"{V1}/tokens", None, ADMIN),
    ("PUT", f"{V1}/tokens/ABC", {}, ADMIN),
    ("DELETE", f"{V1}/tokens/OLD", None, ADMIN),
    ("POST", f"{V1}/users", USER, ADMIN),
    ("GET", f"{V1}/users", None, ADMIN),
    ("GET", f"{V1}/users/u-1", None, ADMIN),
    ("PATCH", f"{V1}/users/u-1", {"name": "Changed"}, ADMIN),
    ("POST", f"{V1}/auth/tokens", GOOD_LOGIN, ANYONE),
    ("DELETE", f"{V1}/auth/tokens/current", None, LOGGED_IN),
    ("POST", f"{V1}/auth/login", GOOD_LOGIN, ANYONE),
    ("POST", f"{V1}/auth/logout", None, LOGGED_IN),
    ("GET", f"{V1}/me", None, LOGGED_IN),
    ("GET", f"{V1}/me/notices", None, LOGGED_IN),
    ("GET", f"{V1}/me/notices/unread", None, LOGGED_IN),
    ("GET", f"{V1}/me/notices/preferences", None, LOGGED_IN),
    ("PUT", f"{V1}/me/notices/preferences", {}, LOGGED_IN),
    ("POST", f"{V1}/me/notices/notice-1/read", None, OWN),
    ("POST", f"{V1}/me/notices/read", None, LOGGED_IN),
    ("GET", f"{V1}/me/push-subscriptions", None, LOGGED_IN),
    ("POST", f"{V1}/me/push-subscriptions", BROWSER, LOGGED_IN),
    ("DELETE", f"{V1}/me/push-subscriptions/push-1", None, OWN),
    ("GET", f"{V1}/me/webhooks", None, LOGGED_IN),
    ("POST", f"{V1}/me/webhooks", {"url": "https://hook.example/"}, LOGGED_IN),
    ("POST", f"{V1}/me/webhooks/hook-1/secret", None, OWN),
    ("POST", f"{V1}/me/webhooks/hook-1/test", None, OWN),
    ("DELETE", f"{V1}/me/webhooks/hook-1", None, OWN),
    ("GET", f"{V1}/me/calendars", None, LOGGED_IN),
    ("POST", f"{V1}/me/calendars", None, LOGGED_IN),
    ("GET", f"{V1}/calendars/{CALENDAR_SECRET}.ics", None, ANYONE),
    ("DELETE", f"{V1}/me/calendars/feed-1", None, OWN),
    ("GET", f"{V1}/mailbox", None, NOBODY),
]


@dataclass
class Asked:
    """One cell of the table."""

    method: str
    path: str
    body: dict | None
    name: str | None
    status: int

    def __str__(self) -> str:
        return f"{self.method} {self.path.removeprefix(V1)} by {self.name or 'nobody'}"


CELLS = [
    Asked(method, path, body, name, expected[name])
    for method, path, body, expected in TABLE
    for name in ASKERS
]


@pytest.fixture(scope="module")
def furnished(migrated_file, tmp_path_factory) -> Iterator[House]:
    """One house for the whole table: what one cell changes no other depends on."""
    database = tmp_path_factory.mktemp("matrix") / "cloud.db"
    database.write_bytes(migrated_file.read_bytes())
    with a_house(database) as house:
        furnish(house)
        yield house


def furnish(house: House) -> None:
    """Something of the driver's and the owner's for each noun."""
    now = house.clock.now()
    add_charger(house)
    driver = house.users["driver"].user_id
    alert = {"rule": "r", "severity": "major", "title": "t", "opened_at": now, "last_seen_at": now}
    house.put(
        tables.sessions,
        {
            "id": "charge-1",
            "station_id": "greenmarket",
            "charger_id": "GREEN-1",
            "user_id": driver,
            "state": "charging",
            "started_at": now,
            "currency": "GBP",
            "price_per_kwh_minor": 50,
        },
    )
    house.put(
        tables.charger_key_rotations,
        {
            "charger_id": "GREEN-1",
            "salt": "s",
            "key_hash": "h",
            "status": "done",
            "started_by": driver,
            "started_at": now,
            "changed_at": now,
        },
    )
    house.put(
        tables.alerts,
        {"id": "alert-1", "open_key": "k", "key": "k", "station_id": "greenmarket", **alert},
    )
    house.put(tables.fleet_commands, fleet_row(house))
    house.put(
        tables.charger_log_files,
        {
            "id": 1,
            "charger_id": "GREEN-1",
            "log": "diagnostics",
            "secret_hash": "x",
            "asked_at": now,
            "expires_at": now,
            "received_at": now,
        },
    )
    with house.services.log_files.shelf.writing(1) as file:
        file.write(b"all is well")
    house.put(
        tables.commands,
        {
            "id": "command-1",
            "station_id": "greenmarket",
            "charger_id": "GREEN-1",
            "kind": "reset_charger",
            "request": {"kind": "reset_charger", "charger_id": "GREEN-1"},
            "issued_by": "x",
            "issued_at": now,
            "expires_at": now,
        },
    )
    house.put(
        tables.tariffs,
        {
            "id": "tariff-1.1",
            "key": "tariff-1",
            "version": 1,
            "owner_id": house.users["owner"].user_id,
            "name": "Plain",
            "currency": "GBP",
            "body": PRICES,
            "created_at": now,
        },
    )
    house.put(tables.receipts, receipt_row(house, user_id=driver))
    house.put(tables.reservations, reservation_row(house))
    house.put(
        tables.offers,
        {
            "id": "offer-1",
            "user_id": driver,
            "kind": "reschedule",
            "reservation_id": "reservation-1",
            "options": [],
            "made_at": now,
            "expires_at": now,
            "state": "open",
        },
    )
    house.put(
        tables.waitlist,
        {
            "id": "waiting-1",
            "station_id": "greenmarket",
            "user_id": driver,
            "starts_at": now + timedelta(hours=5),
            "ends_at": now + timedelta(hours=6),
            "created_at": now,
            "state": "waiting",
        },
    )
    furnish_money(house, driver)
    furnish_notices(house, driver)
    house.put(
        tables.users,
        {"id": "u-1", "email": "u@example.org", "name": "U", "role": "driver", "created_at": now},
    )


def fleet_row(house: House) -> dict[str, object]:
    """A fleet command of the owner's that waits for a second person."""
    now = house.clock.now()
    return {
        "id": "fleet-1",
        "kind": "reset_charger",
        "request": RESET,
        "selector": {"vendor": "Acme"},
        "shares": [1.0],
        "settle_s": 300,
        "max_failed_ratio": 0.1,
        "answer_within_s": 30,
        "status": "awaiting_approval",
        "stations": 2,
        "total": 2,
        "owner_id": house.users["owner"].user_id,
        "issued_by": "x",
        "issued_at": now,
        "expires_at": now + timedelta(days=1),
        "changed_at": now,
    }


def furnish_money(house: House, user_id: str) -> None:
    """A payment, a card and a subscription of the user's."""
    theirs = {"user_id": user_id, "created_at": house.clock.now()}
    house.put(
        tables.payment_methods,
        {"id": "card-1", "provider": "sandbox", "gateway_ref": "r", "label": "Card", **theirs},
    )
    house.put(
        tables.payments,
        {
            "id": "payment-1",
            "purpose": "reservation",
            "subject": "reservation-1",
            "book": "station/greenmarket",
            "amount_minor": 500,
            "method": "card",
            "provider": "sandbox",
            "currency": "GBP",
            "status": "authorised",
            **theirs,
        },
    )
    house.put(
        tables.subscription_plans,
        {"id": "plan-1", "discounts": {}, "created_at": house.clock.now()}
        | {name: PLAN[name] for name in ("name", "currency", "monthly_minor")},
    )
    house.put(
        tables.subscriptions,
        {
            "id": "subscription-1",
            "active_user_id": user_id,
            "user_id": user_id,
            "plan_id": "plan-1",
            "method": "card",
            "state": "active",
            "started_at": house.clock.now(),
        },
    )


def furnish_notices(house: House, user_id: str) -> None:
    """A notice, a browser, a program and a calendar of the user's."""
    theirs = {"user_id": user_id, "created_at": house.clock.now()}
    text = {"kind": "booked", "subject": "s", "body": "b", "recipient": user_id}
    house.put(
        tables.messages,
        {"id": "notice-1", "idempotency_key": "k", "channel": "app", **text, **theirs},
    )
    subscription = {"endpoint": "https://push.example/1", "p256dh": "p", "auth": "a"}
    house.put(
        tables.push_subscriptions,
        {"id": "push-1", "endpoint_hash": "h", "subscription": subscription, **theirs},
    )
    house.put(
        tables.webhook_endpoints,
        {"id": "hook-1", "url": "https://hook.example/1", "secret": "s", "kinds": [], **theirs},
    )
    secret_hash = hashlib.sha256(CALENDAR_SECRET.encode()).hexdigest()
    house.put(tables.calendar_feeds, {"id": "feed-1", "secret_hash": secret_hash, **theirs})


def routes_of(app) -> set[tuple[str, str]]:
    """Every method and path the application answers."""
    return {
        (method, route.path)
        for route in app.routes
        for method in (route.methods or set()) - {"HEAD"}
    }


def matches(pattern: str, path: str) -> bool:
    parts, asked = pattern.split("/"), path.partition("?")[0].split("/")
    return len(parts) == len(asked) and all(
        part.startswith("{") or part == said for part, said in zip(parts, asked, strict=True)
    )


def test_the_table_names_every_route(furnished: House):
    routes = routes_of(furnished.app)
    named = {
        (method, pattern)
        for method, path, _, _ in TABLE
        for other, pattern in routes
        if other == method and matches(pattern, path)
    }

    assert len(routes) > 35
    assert routes - named == set()


@pytest.mark.parametrize("asked", CELLS, ids=str)
async def test_each_asker_is_answered_as_the_table_says(furnished: House, asked: Asked):
    house = furnished
    if "/tokens/OLD" in asked.path:
        reset_token(house)
    if asked.path.endswith("/events") or "/events?" in asked.path:
        status = await stream_status(house, asked)
    else:
        status = await asyncio.to_thread(plain_status, house, asked)

    # past the door anything may happen that is no refusal of who asks
    if asked.status == 200:
        assert status < 500 or status == 504
        assert status not in {401, 403, 404}
    else:
        assert status == asked.status


FOREIGN = [cell for cell in CELLS if cell.status == 404 and "/events" not in cell.path]


@pytest.mark.parametrize("asked", FOREIGN, ids=str)
def test_what_is_anothers_answers_like_what_is_not_there(furnished: House, asked: Asked):
    answer = ask(furnished, asked)
    nothing = Asked(asked.method, nowhere(asked.path), asked.body, asked.name, 404)

    assert answer.content == ask(furnished, nothing).content


KNOWN = (
    *("charge-1", "alert-1", "GREEN-1", "command-1", "fleet-1", "greenmarket"),
    *("tariff-1", "receipt-1", "reservation-1", "offer-1"),
    "waiting-1",
    *("notice-1", "push-1", "hook-1", "feed-1"),
    *("payment-1", "card-1", "plan-1", "subscription-1"),
)


def nowhere(path: str) -> str:
    for known in KNOWN:
        path = path.replace(known, "not-there")
    return path


def reset_token(house: House) -> None:
    with house.engine.begin() as connection:
        connection.execute(tables.charging_tokens.delete())
    house.put(tables.charging_tokens, {"token": "old", "created_at": house.clock.now()})


def ask(house: House, asked: Asked):
    body = {} if asked.body is None else {"json": asked.body}
    return house.client(asked.name).request(asked.method, asked.path, **body)


def plain_status(house: House, asked: Asked) -> int:
    return ask(house, asked).status_code


async def stream_status(house: House, asked: Asked) -> int:
    house.hub.start()
    path, _, query = asked.path.partition("?")
    headers = {"Authorization": f"Bearer {house.token(asked.name)}"} if asked.name else {}
    async with listening(house.app, path, headers, query) as viewer:
        return await viewer.begun()
