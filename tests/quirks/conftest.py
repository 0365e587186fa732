"""A running agent and cloud for chargers that are not by the book; their time runs twenty times as fast."""

import itertools
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from simulator.chargers.quirks import manners_with, quirk
from simulator.chargers.spec import stamp
from simulator.journal import Kind
from tests.certification.post import WITHIN_S, Post
from tests.support.fresh_chargers import FreshChargers
from tests.support.ports import LOOPBACK
from tests.support.stack import TOKEN, Stack
from tests.support.stack import Kind as StackKind

SPEED = 20
"""Boot is waited for 10 s, pings go every 20 s, chargers stay away for minutes."""
_A_LITTLE_WH = 20
_MARKS = itertools.count(1)
_IN_TIME_S = min(WITHIN_S * SPEED, 120)


class QuirkPost(Post):
    """See Post; what it may take is told to the house in the seconds of its clock."""

    in_time_s = _IN_TIME_S

    async def oddities(self) -> list[str]:
        """Return the words of what the agent found odd, oldest first."""
        return [one["oddity"] for one in reversed(await self.facts("oddity_observed"))]

    async def quarantined(self) -> list[dict[str, Any]]:
        """Return the messages nobody could use."""
        return await self.facts("message_quarantined")

    async def alerts(self) -> list[str]:
        """Return which rules have an alert open about this charger."""
        return [one["rule"] for one in await self._all("alerts", status="active")]

    async def sessions(self) -> list[dict[str, Any]]:
        """See Post.sessions; however many others the station has."""
        return await self._all("sessions")

    async def _all(self, noun: str, **asked: Any) -> list[dict[str, Any]]:
        """Return what the API lists of this charger, of all its pages."""
        asked |= {"station_id": self.station.station_id, "limit": 200}
        found: list[dict[str, Any]] = []
        while True:
            page = await self.get(f"/{noun}", **asked)
            found += [one for one in page[noun] if one["charger_id"] == self.charger_id]
            if not page["next_cursor"]:
                return found
            asked["cursor"] = page["next_cursor"]

    async def no_alert(self) -> bool:
        """Wait until no alert is open; the one of its absence is closed a moment after it came."""

        async def none() -> bool:
            return await self.alerts() == []

        return await self.until(none, "no alert")

    def asked_for(self) -> list[str]:
        """Return the actions the charger was called with."""
        return [one.action for one in self.tape.of(Kind.ASKED)]

    def refusals(self) -> list[tuple[str, str]]:
        """Return which calls of the charger were answered with a CALLERROR."""
        return [(one.action, one.body["code"]) for one in self.tape.of(Kind.REFUSED)]

    def _flowed_wh(self) -> int:
        evse = self.charger.evses[1]
        evse.advance(self.world.now())
        start_wh = evse.session.meter_start_wh if evse.session else 0
        return evse.register_wh - start_wh

    async def begin(self, token: str, evse_id: int = 1) -> dict[str, Any]:
        """Plug in and show a token; return the session once the cloud has it."""
        before = {one["session_id"] for one in await self.sessions()}
        assert self.charger.plug_in(evse_id, self.car())
        self.charger.present(evse_id, token)

        async def begun() -> dict[str, Any] | None:
            new = [one for one in await self.sessions() if one["session_id"] not in before]
            return new[0] if new else None

        return await self.until(begun, "a session")

    async def session(self, session_id: str) -> dict[str, Any]:
        """Return a session as the API has it."""
        return next(one for one in await self.sessions() if one["session_id"] == session_id)

    async def ended(self, session_id: str) -> dict[str, Any]:
        """Wait for a session's end and return it."""

        async def over() -> dict[str, Any] | None:
            found = await self.session(session_id)
            return found if found["ended_at"] else None

        return await self.until(over, "the session's end")

    async def charge(self, token: str = TOKEN) -> dict[str, Any]:
        """Charge a little, with a sample on the way, and drive off; return the session."""
        session = await self.begin(token)
        assert self.charger.sample_now(1)
        await self.until(lambda: self._flowed_wh() >= _A_LITTLE_WH, "energy")
        self.charger.unplug(1)
        await self.delivered()
        return await self.ended(session["session_id"])

    def adopt(self, *names: str) -> None:
        """Take up quirks from now on."""
        line = self.charger.line
        line.manners = manners_with([quirk(one) for one in names], line.manners)

    def true_wh(self) -> int:
        """Return what the newest session over really took."""
        end = self.tape.of(Kind.SESSION_ENDED)[-1]
        return end.register_wh - end.meter_start_wh

    async def caught_up(self) -> None:
        """Wait until the cloud has all the charger told so far."""
        mark = f"mark {next(_MARKS)}"
        await self.call("DataTransfer", {"vendorId": mark})

        async def told() -> bool:
            return mark in [one["vendor_id"] for one in await self.facts("data_transferred")]

        await self.until(told, mark)

    async def delivered(self) -> None:
        """Wait until all the charger has to tell of transactions is acknowledged."""
        await self.until(lambda: self.charger.line.backlog == 0, "all acknowledged")


_PATIENCE_S = 600


@dataclass
class House:
    """The stack, and the chargers that are not taken yet."""

    stack: Stack
    fresh: FreshChargers

    def post(
        self, *quirks: str, version: str = "1.6", charger_id: str = "", **more: Any
    ) -> QuirkPost:
        """Return a charger with these quirks no test had before, not yet dialled in."""
        found = tuple(quirk(one) for one in quirks)
        if charger_id:
            station = self.fresh.station_of(charger_id)
        else:
            station, charger_id = self.fresh.take()
        post = QuirkPost(self.stack, station, charger_id, version, quirks=found, **more)
        if "misses_start_answer" not in quirks:
            # at this speed the usual half minute would be over in 1.5 s
            line = post.charger.line
            line.manners = replace(line.manners, answer_timeout_s=_PATIENCE_S)
        return post

    def dial(self, charger_id: str, subprotocol: str = "ocpp1.6", key: str = "") -> connect:
        """Return a bare connection of a charger, for frames no simulated one would send."""
        station = self.fresh.station_of(charger_id)
        port = self.stack.agents[station.station_id].env["AGENT_OCPP_PORT"]
        login = f"{charger_id}:{key or station.charger_keys[charger_id]}".encode()
        return connect(
            f"ws://{LOOPBACK}:{port}/{charger_id}",
            subprotocols=[Subprotocol(subprotocol)],
            additional_headers={"Authorization": f"Basic {b64encode(login).decode()}"},
            open_timeout=WITHIN_S,
        )


@pytest.fixture(scope="session")
def house(tmp_path_factory) -> Iterator[House]:
    clock = f"fast:{SPEED}:{stamp(datetime.now(UTC))}"
    stack = Stack(tmp_path_factory.mktemp("quirks"), StackKind.EMBEDDED, "", clock=clock)
    try:
        stack.start()
        patient = {
            "AGENT_BEAT_INTERVAL_S": "20",
            "AGENT_AUTHORIZE_WAIT_S": "60",
            "AGENT_CALL_TIMEOUT_S": f"{_IN_TIME_S:.0f}",
        }
        yield House(stack, FreshChargers(stack, "quirks", **patient))
    finally:
        stack.stop()


@pytest.fixture
def post_with(house: House) -> Callable[..., QuirkPost]:
    """A maker of posts with quirks, to be entered as asynchronous contexts."""
    return house.post
