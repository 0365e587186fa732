"""A driver's app as a client of the public API: bookings by a running cloud."""

import asyncio
import re
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from simulator.bookings import Guest, Promise, Then, Wish
from simulator.demo.api import Api, ApiRefused, as_segment

_CODE: Final = re.compile(r"\b(\d{6})\b")
_TRIES: Final = 60
_CARD: Final = "card_ok"
"""The sandbox bank's card that is never declined."""
_CONFLICT: Final = 409


class NoCode(RuntimeError):
    """The mail with the one-time code did not come."""


class ApiDesk:
    """See Desk. Every guest has a connection and a thread's turn of their own; the world never waits."""

    def __init__(self, host: str, port: int, look_every_s: float = 0.25) -> None:
        """Make a desk to be used inside a running loop.

        Args:
            host: the cloud's.
            port: the cloud's.
            look_every_s: how often, in seconds of the machine, what is still to come is looked for.
        """
        self._host = host
        self._port = port
        self._look_every_s = look_every_s
        self._apps: dict[str, _App] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.trouble: Exception | None = None
        """What first went wrong, if something did; whoever asked was told that there is nothing."""

    def book(self, guest: Guest, wish: Wish, then: Then) -> None:
        """See Desk.book."""
        self._do(lambda: self._app(guest).book(wish), then)

    def look(self, guest: Guest, promise: Promise, then: Then) -> None:
        """See Desk.look."""
        self._do(lambda: self._app(guest).look(promise.reservation_id), then)

    def check_in(self, guest: Guest, promise: Promise) -> None:
        """See Desk.check_in."""
        self._do(lambda: self._app(guest).act(promise.reservation_id, "check-in"), _forget)

    def cancel(self, guest: Guest, promise: Promise) -> None:
        """See Desk.cancel."""
        self._do(lambda: self._app(guest).act(promise.reservation_id, "cancel"), _forget)

    def close(self) -> None:
        """Hang up; what is still asked is not waited for."""
        for task in self._tasks:
            task.cancel()
        for app in self._apps.values():
            app.close()

    def _app(self, guest: Guest) -> "_App":
        if guest.email not in self._apps:
            self._apps[guest.email] = _App(self._host, self._port, guest, self._look_every_s)
        return self._apps[guest.email]

    def _do(self, ask: Callable[[], Promise | None], then: Then) -> None:
        async def carry_out() -> None:
            try:
                promise = await asyncio.to_thread(ask)
            except (ApiRefused, NoCode, OSError, HTTPException) as error:
                self.trouble = self.trouble or error
                promise = None
            then(promise)

        task = asyncio.get_running_loop().create_task(carry_out(), name="app")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _App:
    """One guest's."""

    def __init__(self, host: str, port: int, guest: Guest, look_every_s: float) -> None:
        self._guest = guest
        self._api = Api(host, port)
        self._look_every_s = look_every_s
        self._turn = threading.Lock()
        self._is_logged_in = False
        self._stopped = threading.Event()

    def close(self) -> None:
        self._stopped.set()
        with self._turn:
            self._api.close()

    def book(self, wish: Wish) -> Promise | None:
        """Find, hold, confirm by the mailed code, pay by card; a loser of a race takes what is offered."""
        with self._turn:
            self._log_in()
            held = self._hold(_body(wish) | self._found(wish))
            if held is None:
                return None
            path = f"/reservations/{held['reservation_id']}"
            self._api.post(f"{path}/confirmation", {"code": self._code(held)})
            self._api.post(f"{path}/payment", {"method": "card"}, key=uuid4().hex)
            return self._settled(held["reservation_id"])

    def look(self, reservation_id: str) -> Promise | None:
        with self._turn:
            self._log_in()
            return promise_of(self._api.get(f"/reservations/{reservation_id}"))

    def act(self, reservation_id: str, what: str) -> Promise | None:
        """Check in or cancel; what is not allowed any more is no matter."""
        with self._turn:
            self._log_in()
            try:
                path = f"/reservations/{reservation_id}/{what}"
                return promise_of(self._api.post(path, {}, key=uuid4().hex))
            except ApiRefused as refused:
                if refused.status != _CONFLICT:
                    raise
                return None

    def _log_in(self) -> None:
        if self._is_logged_in:
            return
        self._api.log_in(self._guest.email, self._guest.password)
        self._api.post("/payment-methods", {"token": _CARD, "is_default": True})
        self._is_logged_in = True

    def _found(self, wish: Wish) -> dict[str, Any]:
        """Return the bay that a search finds best at the station, if one was not named."""
        if wish.bay_id is not None:
            return {}
        station = self._api.get(f"/stations/{as_segment(wish.station_id)}")["station"]
        asked = {"lat": station["latitude"], "lon": station["longitude"], "radius_m": 100}
        asked |= {"starts_at": wish.starts_at.isoformat(), "ends_at": wish.ends_at.isoformat()}
        asked |= {"standard": wish.standard, "exact": "true"}
        found = self._api.get(f"/search?{urlencode(asked)}")["stations"]
        best = (one["best"] for one in found if one["station_id"] == wish.station_id)
        return next(({"bay_id": one["bay_id"]} for one in best), {})

    def _hold(self, body: dict[str, Any]) -> dict[str, Any] | None:
        try:
            held: dict[str, Any] = self._api.post("/reservations", body, key=uuid4().hex)
        except ApiRefused as refused:
            options = refused.problem.get("alternatives") or []
            here = [one for one in options if one["station_id"] == body["station_id"]]
            if refused.status != _CONFLICT or not here:
                return None
            held = self._api.post("/reservations", body | _instead(here[0]), key=uuid4().hex)
        return held

    def _code(self, held: dict[str, Any]) -> str:
        """Wait for the mail that carries the code of this hold."""
        query = urlencode({"recipient": self._guest.email, "limit": 20})
        for _ in range(_TRIES):
            for mail in self._api.get(f"/mailbox?{query}"):
                code = _CODE.search(mail["body"])
                is_newer = datetime.fromisoformat(mail["created_at"]) >= _instant(
                    held, "created_at"
                )
                if code and is_newer and mail.get("kind") is None:
                    return code[1]
            self._stopped.wait(self._look_every_s)
        raise NoCode(f"{self._guest.email}: no code came for {held['reservation_id']}")

    def _settled(self, reservation_id: str) -> Promise | None:
        """Wait until the bank has answered."""
        for _ in range(_TRIES):
            view = self._api.get(f"/reservations/{as_segment(reservation_id)}")
            if view["state"] != "held":
                return promise_of(view) if view["is_live"] else None
            self._stopped.wait(self._look_every_s)
        return None


def _body(wish: Wish) -> dict[str, Any]:
    return {
        "station_id": wish.station_id,
        "bay_id": wish.bay_id,
        "starts_at": wish.starts_at.isoformat(),
        "ends_at": wish.ends_at.isoformat(),
        "standard": wish.standard,
    }


def _instead(option: dict[str, Any]) -> dict[str, Any]:
    return {name: option[name] for name in ("station_id", "bay_id", "starts_at", "ends_at")}


def promise_of(view: Mapping[str, Any]) -> Promise:
    """Return a reservation of the API as its guest remembers it."""
    return Promise(
        reservation_id=view["reservation_id"],
        bay_id=view["bay_id"],
        starts_at=_instant(view, "starts_at"),
        ends_at=_instant(view, "ends_at"),
        is_live=view["is_live"],
    )


def _instant(view: Mapping[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(view[name])


def _forget(promise: Promise | None) -> None:
    del promise
