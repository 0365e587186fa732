"""AGENT_PROCESSES: the process in front, and the parts it keeps running."""

import asyncio
import os

import structlog

from station_agent.front import Front
from station_agent.parts import Part
from station_agent.settings import Settings
from station_agent.stations_folder import entries_of
from station_agent.systemd import Systemd
from station_agent.wiring import SetUpWrong, server_settings

log = structlog.get_logger()


class SideBySide:
    """Serves no charger itself: what befalls one part is no matter to the others."""

    def __init__(self, settings: Settings) -> None:
        if settings.stations_dir is None:
            raise SetUpWrong(
                "AGENT_PROCESSES: one station is one process's; see AGENT_STATIONS_DIR"
            )
        self._settings = settings
        self._folder = settings.stations_dir
        self._systemd = Systemd(os.environ)
        metrics = settings.metrics_port
        self._parts = [
            Part(number, metrics + number if metrics else 0) for number in range(settings.processes)
        ]
        self._front = Front(server_settings(settings), self._parts)

    async def run(self) -> None:
        """Serve until cancelled; nothing is accepted any more before the parts are told to end."""
        try:
            entries_of(self._folder)
        except OSError as error:
            raise SetUpWrong(f"AGENT_STATIONS_DIR: {error}") from error
        self._listen()
        ready = [asyncio.Event() for _ in self._parts]
        try:
            async with asyncio.TaskGroup() as parts:
                for part, is_ready in zip(self._parts, ready, strict=True):
                    parts.create_task(part.run(is_ready), name=f"part {part.number}")
                for is_ready in ready:
                    await is_ready.wait()
                await self._serve()
        finally:
            self._systemd.notify("STOPPING=1")
            log.info("agent.stopped")

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._front.run(), name="front")
            tasks.create_task(self._systemd.keep_alive(), name="watchdog")
            self._systemd.notify("READY=1")
            chargers = sum(len(part.charger_ids) for part in self._parts)
            log.info(
                "agent.ready",
                processes=len(self._parts),
                ocpp_port=self._front.port,
                chargers=chargers,
            )

    def _listen(self) -> None:
        try:
            self._front.listen()
        except OSError as error:
            where = f"{self._settings.ocpp_host}:{self._settings.ocpp_port}"
            raise SetUpWrong(f"chargers cannot be served on {where}: {error}") from error
