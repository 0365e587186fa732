"""What a booking client does, over the public API alone."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from cloud.domain.windows import ceiling
from contracts.clock import Clock
from tests.support.stack import Stack
from tests.support.waiting import eventually

PASSWORD = "battery staple horse"
_TO_BOOK_S = 400
_CODE = re.compile(r"\b(\d{6})\b")


@dataclass
class Booker:
    """A driver with an account, a card and a charging token of their own."""

    stack: Stack
    email: str
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, stack: Stack, name: str) -> "Booker":
        """Make the driver's account, log in, and save a card of the sandbox bank."""
        email, token = f"{name}@drivers.example", f"04{uuid4().hex[:12].upper()}"
        new = {"email": email, "name": name.title(), "role": "driver", "password": PASSWORD}
        made = stack.post("/users", new)
        stack.put_token(token, user_id=made["user_id"])
        booker = cls(stack, email, token)
        login = booker.post("/auth/tokens", email=email, password=PASSWORD)
        booker.headers["Authorization"] = f"Bearer {login['token']}"
        booker.post("/payment-methods", token="card_ok", is_default=True)
        return booker

    def post(self, path: str, **body: Any) -> Any:
        """Act once, however often it is sent."""
        headers = self.headers | {"Idempotency-Key": uuid4().hex}
        answer = httpx.post(f"{self.stack.url}{path}", json=body, headers=headers, timeout=20)
        assert answer.is_success, f"POST {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def get(self, path: str, **params: Any) -> Any:
        """Read."""
        url = f"{self.stack.url}{path}"
        answer = httpx.get(url, params=params, headers=self.headers, timeout=20)
        assert answer.is_success, f"GET {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def book(self, station_id: str, bay_id: str | None, **more: Any) -> str:
        """Hold, confirm by the code from the mailbox, and pay; returns the reservation's id."""
        held = self.post("/reservations", station_id=station_id, bay_id=bay_id, **more)
        reservation_id = held["reservation_id"]
        assert held["status"] == "PENDING"
        self.post(f"/reservations/{reservation_id}/confirmation", code=self.code())
        self.post(f"/reservations/{reservation_id}/payment", method="card")
        eventually(lambda: self.reservation(reservation_id)["status"] == "RESERVED")
        return reservation_id

    def code(self) -> str:
        """Return the newest one-time code that was sent."""

        def sent() -> str | None:
            mails = self.get("/mailbox", recipient=self.email)
            found = (_CODE.search(one["body"]) for one in mails)
            return next((one.group(1) for one in found if one), None)

        return eventually(sent, what="a code in the mailbox")

    def reservation(self, reservation_id: str) -> dict[str, Any]:
        """Return the reservation as it stands."""
        return self.get(f"/reservations/{reservation_id}")

    def kinds_told(self) -> set[str]:
        """Return what kinds of notices came, by mail or in the inbox."""
        mails = self.get("/mailbox", recipient=self.email, limit=200)
        inbox = self.get("/me/notices", limit=200)["notices"]
        return {one["kind"] for one in [*mails, *inbox] if one["kind"]}

    def receipt_of(self, reservation_id: str) -> dict[str, Any]:
        """Return the receipt, once it is written."""

        def written() -> dict[str, Any] | None:
            listed = self.get("/receipts")["receipts"]
            found = [one for one in listed if one["reservation_id"] == reservation_id]
            return self.get(f"/receipts/{found[0]['receipt_id']}") if found else None

        return eventually(written, 30, "a receipt")


async def early_in_a_quarter(clock: Clock) -> None:
    """Wait until the next slot is far enough away to be booked before it begins."""
    left_s = (ceiling(clock.now()) - clock.now()).total_seconds()
    if left_s < _TO_BOOK_S:
        await clock.sleep(left_s + 1)


def next_slot(now: datetime, minutes: int = 15) -> dict[str, str]:
    """Return the next slot of so many minutes, as the API takes it."""
    starts_at = ceiling(now)
    ends_at = starts_at + timedelta(minutes=minutes)
    return {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
