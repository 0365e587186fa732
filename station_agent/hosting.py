"""Many stations in one process: each runs by itself, and none is harmed by what befalls another."""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Final

import structlog
from structlog.contextvars import bind_contextvars

from contracts.clock import Clock
from contracts.ids import StationId
from station_agent.outbox import Outbox
from station_agent.roster import Roster
from station_agent.settings import Settings
from station_agent.stations_folder import (
    WHOLE,
    Part,
    StationEntry,
    entries_of,
    key_of,
    station_of,
)
from station_agent.wiring import Home, SetUpWrong, StationAgent, open_outbox

log = structlog.get_logger()

_LOOK_EVERY_S: Final = 5.0
_AGAIN_AFTER_S: Final = 5.0
_THREADS: Final = 32
"""For what blocks: a broker that does not answer, a disk that is slow, of any station."""


class Hosting:
    """Keeps an agent running for each station file, as files come, change and go."""

    def __init__(
        self, settings: Settings, roster: Roster, clock: Clock, part: Part = WHOLE
    ) -> None:
        """Set hosting up.

        Args:
            settings: of all stations alike; `stations_dir` is looked into.
            roster: told of each station that comes or goes.
            clock: of all stations.
            part: which of the stations are ours.
        """
        if settings.stations_dir is None:
            raise SetUpWrong("AGENT_STATIONS_DIR: names no folder")
        self._settings = settings
        self._folder = settings.stations_dir
        self._roster = roster
        self._clock = clock
        self._part = part
        self._seen: dict[StationId, StationEntry] = {}
        self._running: dict[StationId, asyncio.Task[None]] = {}
        self._ranks = count()

    async def run(self, is_settled: asyncio.Event) -> None:
        """Serve until cancelled; `is_settled` once each station of the folder was tried.

        Raises:
            SetUpWrong: the folder cannot be read at the start.
        """
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))
        try:
            await self._look_first()
            is_settled.set()
            while True:
                await self._clock.sleep(_LOOK_EVERY_S)
                await self._look_again()
        finally:
            await self._stop(list(self._running))

    async def _look_first(self) -> None:
        try:
            await self._look()
        except OSError as error:
            raise SetUpWrong(f"AGENT_STATIONS_DIR: {error}") from error

    async def _look_again(self) -> None:
        try:
            await self._look()
        except OSError as error:
            log.warning("hosting.folder_unreadable", error=str(error))

    async def _look(self) -> None:
        """Begin what is new, end what is gone, begin anew what changed and still makes sense."""
        found = await asyncio.to_thread(entries_of, self._folder, self._part)
        await self._stop([one for one in self._running if one not in found])
        starting = []
        for station_id, entry in found.items():
            if self._seen.get(station_id) != entry and (home := await self._read(entry)):
                await self._stop([station_id] if station_id in self._running else [])
                starting.append(self._begin(home))
        self._seen = found
        if starting:
            await asyncio.wait(starting)

    async def _read(self, entry: StationEntry) -> Home | None:
        """Return what a station needs; None: its files are wrong, and what ran on them goes on."""
        try:
            station = await asyncio.to_thread(station_of, entry)
            key = await asyncio.to_thread(key_of, entry)
        except (OSError, ValueError) as error:
            log.error(  # noqa: TRY400 - the text says it all
                "hosting.file_wrong", station_id=entry.station_id, error=str(error)
            )
            return None
        if key is None:
            key = self._settings.broker_key.get_secret_value()
        return Home(station, self._settings.data_dir / entry.station_id, key)

    def _begin(self, home: Home) -> "asyncio.Task[object]":
        """Begin a station; returns what ends once it runs, or could not."""
        station_id = home.station.station_id
        is_tried = asyncio.Event()
        rank = next(self._ranks)
        task = asyncio.create_task(self._keep(home, rank, is_tried), name=f"station {station_id}")
        self._running[station_id] = task
        return asyncio.create_task(is_tried.wait())

    async def _keep(self, home: Home, rank: int, is_tried: asyncio.Event) -> None:
        """Run a station's agent; one that fails, for whatever cause, is begun anew."""
        bind_contextvars(station_id=home.station.station_id)
        while True:
            try:
                await self._run_once(home, rank, is_tried)
            except SetUpWrong as error:
                log.error("hosting.not_started", error=str(error))  # noqa: TRY400 - it says it all
            except Exception:
                log.exception("hosting.station_failed")
            is_tried.set()
            await self._clock.sleep(_AGAIN_AFTER_S)

    async def _run_once(self, home: Home, rank: int, is_tried: asyncio.Event) -> None:
        agent = await self._new_agent(home)
        self._roster.add(agent, rank)
        try:
            await agent.run(is_tried)
        finally:
            self._roster.remove(agent)
            await agent.close()

    async def _new_agent(self, home: Home) -> StationAgent:
        outbox = await self._open_outbox(home)
        try:
            return StationAgent(self._settings, home, outbox, self._clock)
        except Exception:
            await outbox.close()
            raise

    async def _open_outbox(self, home: Home) -> Outbox:
        """Open it while the others are served; a cancellation meanwhile leaves nothing open."""
        opening = asyncio.ensure_future(
            asyncio.to_thread(open_outbox, self._settings, home, self._clock)
        )
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            with contextlib.suppress(SetUpWrong):
                await (await opening).close()
            raise

    async def _stop(self, station_ids: list[StationId]) -> None:
        tasks = [self._running.pop(station_id) for station_id in station_ids]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
