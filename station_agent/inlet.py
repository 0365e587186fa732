"""How a part of several processes gets its chargers: from the front, to which it says whose it serves."""

import asyncio
from typing import Final

import structlog

from station_agent.handover import Alive, Channel, Handed, Ready, words_of
from station_agent.ocpp.server import ChargerServer
from station_agent.roster import Roster

log = structlog.get_logger()

ALIVE_EVERY_S: Final = 5.0


class Inlet:
    """A part's end of the channel."""

    def __init__(self, channel: Channel, server: ChargerServer, roster: Roster) -> None:
        self._channel = channel
        self._server = server
        self._roster = roster
        self._is_other = asyncio.Event()
        roster.watch(self._is_other.set)

    async def ready(self) -> None:
        """Say that connections may come.

        Raises:
            OtherEndGone: the front has ended.
        """
        await self._tell_whose()
        await self._channel.say(Ready())

    async def run(self) -> None:
        """Take connections until the front ends.

        Raises:
            OtherEndGone: it has.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take(), name="inlet")
            tasks.create_task(self._tell(), name="inlet words")

    async def _take(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                handed = await self._channel.handed()
                tasks.create_task(self._adopt(handed), name="adopt")

    async def _adopt(self, handed: Handed) -> None:
        try:
            await self._server.adopt(handed.sock, handed.arrival, handed.heard)
        except Exception:
            log.exception("inlet.not_adopted")
            handed.sock.close()

    async def _tell(self) -> None:
        while True:
            try:
                async with asyncio.timeout(ALIVE_EVERY_S):
                    await self._is_other.wait()
            except TimeoutError:
                await self._channel.say(Alive())
            else:
                await self._tell_whose()

    async def _tell_whose(self) -> None:
        self._is_other.clear()
        for word in words_of(self._roster.charger_ids(), self._roster.planned_ids()):
            await self._channel.say(word)
