"""Drivers who hold, confirm, pay and cancel by the API, and never give up asking."""

import hashlib
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import uuid4

import httpx
from sqlalchemy import insert

from cloud.adapters.sql import tables
from cloud.adapters.sql.engine import open_engine
from cloud.adapters.sql.unit_of_work import work_opener
from cloud.domain.terms import RefundStep, Terms
from cloud.domain.windows import ceiling
from tests.support.stack import Stack

HOLD_S: Final = 15
CARDS: Final = ("card_ok", "card_ok", "card_ok", "card_always_times_out", "card_declined")
TERMS: Final = Terms(
    hold_s=HOLD_S,
    max_live_per_driver=100,
    protect_s=0,
    # whoever cancels within ten days pays the half, so that amounts of all kinds are due
    refunds=(
        RefundStep(before_s=10 * 86_400, refund_pct=100),
        RefundStep(before_s=0, refund_pct=50),
    ),
)
_USES: Final = 9
"""A driver may be sent ten codes an hour; then the next one takes over."""
_PATIENCE_S: Final = 60
_UNDECIDED: Final = frozenset({202, 429, 500, 502, 503, 504})
_CODE: Final = re.compile(r"\b(\d{6})\b")


@dataclass
class Said:
    """What the API told of one reservation, to be held against what became of it."""

    reservation_id: str
    is_paid: bool = False
    is_refused: bool = False
    is_canceled: bool = False


@dataclass
class Town:
    """Drivers with logins at a station of a stack."""

    stack: Stack
    station_id: str
    drivers: list[str]
    said: list[Said] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    is_over: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def at(cls, stack: Stack, drivers: int) -> "Town":
        """Set a station up, and as many drivers, without hashing as many passwords."""
        station = stack.add_station("greenmarket", chargers=3, evses=2)
        tariff = stack.post("/tariffs", PRICES)
        answer = stack.api.put(
            f"/stations/{station.station_id}/tariff", json={"key": tariff["key"]}
        )
        assert answer.is_success, answer.text
        now, engine = datetime.now(UTC), open_engine(stack.database_url, timeout_s=60)
        names = [f"driver-{number:03d}" for number in range(drivers)]
        with engine.begin() as connection:
            connection.execute(insert(tables.users), [_user(one, now) for one in names])
            connection.execute(insert(tables.credentials), [_login(one, now) for one in names])
        with work_opener(engine)() as work:
            work.terms.put(station.station_id, TERMS, now)
            work.commit()
        engine.dispose()
        return cls(stack, station.station_id, names)

    def count(self, what: str) -> int:
        """Return how often something was answered so far."""
        return self.statuses[what]

    def live(self, mine: list[str], random: Random) -> None:
        """Live as these drivers, one after the other, until it is over."""
        for name in mine:
            with httpx.Client(base_url=self.stack.url, timeout=12) as client:
                driver = Driver(self, name, random, client)
                driver.prepare()
                for _ in range(_USES):
                    if self.is_over.is_set():
                        return
                    driver.visit()


PRICES: Final = {
    "name": "By the hour and the kilowatt-hour",
    "currency": "GBP",
    "tax_included": "YES",
    "elements": [
        {
            "price_components": [{"type": "FLAT", "price": "3.33", "vat": "20"}],
            "restrictions": {"reservation": "RESERVATION"},
        },
        {"price_components": [{"type": "ENERGY", "price": "0.55", "vat": "20", "step_size": 1}]},
    ],
}


@dataclass
class Driver:
    """One of them."""

    town: Town
    name: str
    random: Random
    client: httpx.Client
    cards: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """Log in, save cards, and pay something into the wallet."""
        self.client.headers["Authorization"] = f"Bearer {_secret(self.name)}"
        for token in dict.fromkeys(CARDS):
            answer = self.ask("POST", "/payment-methods", {"token": token})
            self.cards[token] = answer.json()["method_id"]
        body = {"amount_minor": 5_000, "currency": "GBP", "method_id": self.cards["card_ok"]}
        self.ask("POST", "/wallet/top-ups", body)

    def visit(self) -> None:
        """Hold a bay; then confirm, pay and cancel, or think better of it anywhere on the way."""
        held = self.ask("POST", "/reservations", self._wish())
        if held.status_code != 201:
            return
        said = Said(held.json()["reservation_id"])
        self.town.said.append(said)
        path = f"/reservations/{said.reservation_id}"
        confirmed = self.ask("POST", f"{path}/confirmation", {"code": self._code()})
        if confirmed.status_code != 200 or self.random.random() < 0.1:
            return
        if self.random.random() < 0.15:
            # the money comes as the hold ends
            self._wait(HOLD_S - 1 - self.random.random())
        self._pay(path, said)
        if said.is_paid and self.random.random() < 0.6:
            self._cancel(path, said)

    def _pay(self, path: str, said: Said) -> None:
        body: dict[str, Any] = {"method": "wallet"}
        if self.random.random() < 0.8:
            body = {"method": "card", "method_id": self.cards[self.random.choice(CARDS)]}
        paid = self.ask("POST", f"{path}/payment", body, patience_s=20)
        said.is_paid = paid.status_code == 201
        said.is_refused = paid.status_code in {402, 409}
        self.town.statuses[f"paid {paid.status_code}"] += 1

    def _cancel(self, path: str, said: Said) -> None:
        canceled = self.ask("POST", f"{path}/cancel", {})
        said.is_canceled = canceled.status_code == 200
        if self.random.random() < 0.5 and said.is_canceled:
            # staff waive a part of it, perhaps more than there is
            headers = self.town.stack.login_header()
            body = {"amount_minor": self.random.randint(1, 200), "why": "sorry"}
            self.ask("POST", f"{path}/refund", body, headers=headers)

    def _wish(self) -> dict[str, Any]:
        day = datetime.now(UTC) + timedelta(days=self.random.randint(2, 20))
        starts_at = ceiling(day) + timedelta(minutes=15 * self.random.randrange(40))
        ends_at = starts_at + timedelta(minutes=15 * self.random.randint(2, 6))
        return {
            "station_id": self.town.station_id,
            "starts_at": starts_at.isoformat(),
            "ends_at": ends_at.isoformat(),
            "energy_wh": self.random.randint(1_000, 30_000),
        }

    def _code(self) -> str:
        """Return the newest code that was sent: written together with the hold it confirms."""
        params = {"recipient": f"{self.name}@example.org", "limit": 50}
        mails = self.ask("GET", "/mailbox", params=params).json()
        # a notice has a kind; numbers in it are no codes
        codes = (_CODE.search(one["body"]) for one in mails if one["kind"] is None)
        return next(one.group(1) for one in codes if one)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        patience_s: float = _PATIENCE_S,
        **more: Any,
    ) -> httpx.Response:
        """Ask until there is an answer that decides: the same request under the same key."""
        headers = {"Idempotency-Key": uuid4().hex} | more.pop("headers", {})
        deadline = time.monotonic() + patience_s
        answer = httpx.Response(503)
        while time.monotonic() < deadline:
            try:
                answer = self.client.request(method, path, json=body, headers=headers, **more)
            except httpx.TransportError:
                answer = httpx.Response(503)
            if answer.status_code not in _UNDECIDED:
                break
            self._wait(0.3)
        self.town.statuses[f"{answer.status_code}"] += 1
        return answer

    def _wait(self, seconds: float) -> None:
        threading.Event().wait(seconds)


def _secret(name: str) -> str:
    return f"bwt_{name}"


def _user(name: str, now: datetime) -> dict[str, Any]:
    email = f"{name}@example.org"
    return {"id": name, "email": email, "name": name, "role": "driver", "created_at": now}


def _login(name: str, now: datetime) -> dict[str, Any]:
    return {
        "id": f"login-{name}",
        "user_id": name,
        "kind": "bearer",
        "secret_hash": hashlib.sha256(_secret(name).encode()).hexdigest(),
        "label": "",
        "created_at": now,
        "expires_at": now + timedelta(hours=12),
    }
