"""One process of the agent: an endpoint for chargers, and the station, or stations, they belong to."""

import asyncio
import gc
import os
from dataclasses import replace
from typing import Final

import structlog
from prometheus_client import REGISTRY, start_http_server

from contracts.clock import clock_from
from station_agent.handover import Channel
from station_agent.hosting import Hosting
from station_agent.inlet import Inlet
from station_agent.metrics import AgentCollector
from station_agent.ocpp.server import ChargerServer
from station_agent.roster import Roster
from station_agent.settings import Settings
from station_agent.station_file import StationLayout
from station_agent.stations_folder import WHOLE, Part
from station_agent.systemd import Systemd
from station_agent.wiring import Home, SetUpWrong, StationAgent, open_outbox, server_settings

log = structlog.get_logger()

_NAMED: Final = 10
"""So many stations are named in the log; the folder says the rest."""


class Agent:
    """The endpoint and what all stations of the process share; made inside the loop it runs in."""

    def __init__(
        self,
        settings: Settings,
        station: StationLayout | None = None,
        part: Part = WHOLE,
        channel: Channel | None = None,
    ) -> None:
        """Set the process up.

        Args:
            settings: of all stations alike.
            station: the one served; None: those of AGENT_STATIONS_DIR.
            part: which of those are ours.
            channel: whence chargers come; None: we listen ourselves.
        """
        self._settings = settings
        self._clock = clock_from(settings.clock)
        self._systemd = Systemd(os.environ)
        self._roster = Roster()
        where = server_settings(settings)
        if channel is not None:
            where = replace(where, port=None)
        self._server = ChargerServer(find=self._roster.find, settings=where, clock=self._clock)
        self._inlet = Inlet(channel, self._server, self._roster) if channel else None
        self._only = self._one_station(station) if station else None
        self._hosting = None if station else Hosting(settings, self._roster, self._clock, part)

    async def run(self) -> None:
        """Serve until cancelled; chargers are sent away first, then what was heard is put on disk."""
        collector = AgentCollector(self._roster)
        REGISTRY.register(collector)
        try:
            async with asyncio.TaskGroup() as stations:
                is_settled = asyncio.Event()
                stations.create_task(self._run_stations(is_settled), name="stations")
                await is_settled.wait()
                await self._serve()
        finally:
            self._systemd.notify("STOPPING=1")
            REGISTRY.unregister(collector)
            log.info("agent.stopped")

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            is_listening = asyncio.Event()
            tasks.create_task(self._serve_chargers(is_listening), name="ocpp")
            tasks.create_task(self._systemd.keep_alive(), name="watchdog")
            if self._settings.metrics_port:
                start_http_server(self._settings.metrics_port, addr="127.0.0.1")
            await is_listening.wait()
            settle_memory()
            if self._inlet is not None:
                await self._inlet.ready()
                tasks.create_task(self._inlet.run(), name="inlet")
            self._systemd.notify("READY=1")
            self._tell_ready()

    def _one_station(self, station: StationLayout) -> StationAgent:
        key = self._settings.broker_key.get_secret_value()
        home = Home(station, self._settings.data_dir, key)
        outbox = open_outbox(self._settings, home, self._clock)
        agent = StationAgent(self._settings, home, outbox, self._clock)
        self._roster.add(agent)
        return agent

    async def _run_stations(self, is_settled: asyncio.Event) -> None:
        if self._only is not None:
            try:
                await self._only.run(is_settled)
            finally:
                await self._only.close()
        elif self._hosting is not None:
            await self._hosting.run(is_settled)

    async def _serve_chargers(self, is_listening: asyncio.Event) -> None:
        try:
            await self._server.serve(started=is_listening)
        except OSError as error:
            if is_listening.is_set():
                raise
            where = f"{self._settings.ocpp_host}:{self._settings.ocpp_port}"
            raise SetUpWrong(f"chargers cannot be served on {where}: {error}") from error

    def _tell_ready(self) -> None:
        stations = self._roster.stations()
        log.info(
            "agent.ready",
            stations=[one.station.station_id for one in stations[:_NAMED]],
            ocpp_port=self._server.port,
            chargers=sum(len(one.station.chargers) for one in stations),
            bays=sum(len(one.station.bays) for one in stations),
        )


def settle_memory() -> None:
    """Spare the garbage collector what stays for good: an eighth of a message's time otherwise."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
