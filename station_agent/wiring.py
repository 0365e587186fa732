"""Settings to running agents: the only module here that knows every other."""

import asyncio
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import structlog

from contracts import topics
from contracts.batch import Beat
from contracts.clock import Clock
from contracts.events import AgentStarted, Event
from station_agent import __version__
from station_agent.authorizer import TokenAuthorizer
from station_agent.broker_address import BrokerAddress, broker_address
from station_agent.commands import Commands
from station_agent.mqtt import Message, MqttConnection, Will
from station_agent.ocpp.arrival import Network, networks
from station_agent.ocpp.chargers import StationChargers
from station_agent.ocpp.server import ServerSettings
from station_agent.outbox import Limits, Outbox
from station_agent.plan import PlanKeeper
from station_agent.ports import OutboxUnavailable
from station_agent.reservations import Reservations
from station_agent.sensors import Sensors
from station_agent.settings import Settings
from station_agent.station_file import StationLayout
from station_agent.uplink import Uplink, UplinkSettings

log = structlog.get_logger()

_FORGET_EVERY_S: Final = 3_600.0


class SetUpWrong(RuntimeError):
    """The agent cannot start as it is set up; says what a person has to mend."""


@dataclass(frozen=True, slots=True)
class Home:
    """What a station's agent needs beside settings that all stations of a process share."""

    station: StationLayout
    data_dir: Path
    broker_key: str


class StationAgent:
    """All parts of one station's agent; made inside the loop it runs in."""

    def __init__(self, settings: Settings, home: Home, outbox: Outbox, clock: Clock) -> None:
        self._settings = settings
        self._home = home
        self._station = home.station
        self._clock = clock
        self.outbox = outbox
        self.plan = PlanKeeper(home.data_dir / "plan.json", self._station.station_id, clock)
        self.sensors = Sensors(self._station, self.outbox, clock)
        self.uplink = Uplink(_uplink_settings(settings, self._station), self.outbox, clock)
        self._reservations = Reservations(
            self._station, self.plan, self.outbox, clock, is_on=settings.reserve_at_chargers
        )
        self.chargers = self._new_chargers()
        self._commands = Commands(self._station.station_id, self.chargers, self.outbox, self._clock)
        self.uplink.beat_with(self._beat)
        self._cloud_connection = self._connect_cloud()
        self._sensor_connection = self._connect_sensors()

    @property
    def station(self) -> StationLayout:
        """The station it serves."""
        return self._station

    async def run(self, started: asyncio.Event | None = None) -> None:
        """Work until cancelled; `close` it then."""
        async with asyncio.TaskGroup() as tasks:
            self._start(tasks)
            await self._note(
                AgentStarted(agent_version=agent_version(), observed_at=self._clock.now())
            )
            if started is not None:
                started.set()

    async def close(self) -> None:
        """Send the chargers away, and see that what was heard is on disk; nothing more is served."""
        await self.chargers.close()
        await self.outbox.close()
        log.info("station.stopped", undelivered=self.outbox.depth)

    def _start(self, tasks: asyncio.TaskGroup) -> None:
        tasks.create_task(self._cloud_connection.run(), name="cloud connection")
        tasks.create_task(self.uplink.run(), name="uplink")
        tasks.create_task(self._commands.run(), name="commands")
        tasks.create_task(self.plan.run(), name="plan")
        tasks.create_task(self.sensors.run(), name="sensors")
        tasks.create_task(self._reservations.run(self.chargers), name="reservations")
        if self.sensors.topics:
            tasks.create_task(self._sensor_connection.run(), name="sensor connection")
        tasks.create_task(self._keep_house(), name="housekeeping")

    # What the cloud's broker brings; see mqtt.Receiver.

    def connected(self) -> None:
        """See mqtt.Receiver.connected."""
        self.uplink.connected()

    def disconnected(self) -> None:
        """See mqtt.Receiver.disconnected."""
        self.uplink.disconnected()

    def leaving(self) -> None:
        """See mqtt.Receiver.leaving."""
        self.uplink.leaving()

    def refused(self, reason: str) -> None:
        """See mqtt.Receiver.refused."""
        self.uplink.refused(reason)

    def received(self, message: Message) -> None:
        """See mqtt.Receiver.received."""
        station_id = self._station.station_id
        if message.topic == topics.acks(station_id):
            self.uplink.take(message.payload)
        elif message.topic == topics.commands(station_id):
            self._commands.take(message.payload)
        elif message.topic == topics.plan(station_id):
            self.plan.take(message.payload)

    # Parts.

    def _new_chargers(self) -> StationChargers:
        authorizer = TokenAuthorizer(
            plan=self.plan,
            cloud=self.uplink,
            memory=self.outbox,
            station=self._station,
            clock=self._clock,
            wait_s=self._settings.authorize_wait_s,
        )
        return StationChargers(
            recorder=self.outbox,
            sessions=self.outbox,
            answers=self.outbox,
            authorizer=authorizer,
            promises=self._reservations,
            credentials=self.plan,
            station=self._station,
            settings=server_settings(self._settings),
            clock=self._clock,
            relay=self.uplink,
        )

    def _connect_cloud(self) -> MqttConnection:
        station_id = self._station.station_id
        connection = MqttConnection(
            self._cloud_address,
            station_id,
            self._clock,
            topics=[
                topics.acks(station_id),
                topics.commands(station_id),
                topics.plan(station_id),
            ],
            receiver=self,
            will=Will(topics.link(station_id), self.uplink.will),
        )
        self.uplink.use(connection)
        return connection

    def _connect_sensors(self) -> MqttConnection:
        station_id = self._station.station_id
        url = self._settings.sensor_broker_url or self._station.sensor_broker
        cloud = self._cloud_address
        address = _address("AGENT_SENSOR_BROKER_URL", url) if url else cloud
        return MqttConnection(
            address,
            # a broker of ours takes a client id for its user's own only with such a separator
            f"{station_id}.sensors",
            self._clock,
            topics=self.sensors.topics,
            receiver=self.sensors,
        )

    @cached_property
    def _cloud_address(self) -> BrokerAddress:
        """Our name there is the station's; a name or key in the address wins, for brokers of one's own."""
        address = _address("AGENT_BROKER_URL", self._settings.broker_url)
        return replace(
            address,
            user=address.user or self._station.station_id,
            password=address.password or self._home.broker_key,
            ca_file=self._settings.broker_ca_file,
        )

    def _beat(self) -> Beat:
        return Beat(
            silent_chargers=self.chargers.silent_chargers(),
            silent_sensors=self.sensors.silent_sensors(),
            outbox_depth=self.outbox.depth,
            is_disk_short=self.outbox.is_disk_short,
            agent_version=agent_version(),
        )

    async def _keep_house(self) -> None:
        while True:
            await self._clock.sleep(_FORGET_EVERY_S)
            try:
                await self.outbox.forget_outdated()
            except OutboxUnavailable as error:
                log.warning("agent.housekeeping_postponed", error=str(error))

    async def _note(self, fact: Event) -> None:
        """Record a fact of our own; chargers are served whether it fits the disk or not."""
        try:
            await self.outbox.record([fact])
        except OutboxUnavailable as error:
            log.warning("agent.unrecorded", fact=type(fact).__name__, error=str(error))


def agent_version() -> str:
    """Return the version that says which agent speaks."""
    return __version__


def _uplink_settings(settings: Settings, station: StationLayout) -> UplinkSettings:
    return UplinkSettings(
        station_id=station.station_id,
        agent_version=agent_version(),
        window=settings.uplink_window,
        timeout_s=settings.uplink_timeout_s,
        beat_interval_s=settings.beat_interval_s,
    )


def server_settings(settings: Settings) -> ServerSettings:
    """Return how chargers are served."""
    return ServerSettings(
        host=settings.ocpp_host,
        port=settings.ocpp_port,
        tls_cert_files=tuple(settings.tls_cert_files),
        tls_client_ca_file=settings.tls_client_ca_file,
        tls_port=settings.ocpp_tls_port,
        trusted_proxies=_trusted(settings),
        allow_unauthenticated=settings.lab_allow_unauthenticated,
        ping_interval_s=settings.ping_interval_s,
        heartbeat_interval_s=settings.heartbeat_interval_s,
        call_timeout_s=settings.call_timeout_s,
        silent_after_s=settings.charger_silent_after_s,
    )


def _trusted(settings: Settings) -> tuple[Network, ...]:
    try:
        return networks(settings.trusted_proxies)
    except ValueError as error:
        raise SetUpWrong(f"AGENT_TRUSTED_PROXIES: {error}") from error


def open_outbox(settings: Settings, home: Home, clock: Clock) -> Outbox:
    """Open a station's outbox; waits for an agent that is just ending, so better in a thread.

    Raises:
        SetUpWrong: it cannot be had.
    """
    limits = Limits(max_bytes=settings.outbox_max_mb * 2**20)
    try:
        return Outbox(home.data_dir / "agent.db", clock, limits)
    except (OutboxUnavailable, OSError) as error:
        raise SetUpWrong(f"AGENT_DATA_DIR: {error}") from error


def _address(setting: str, url: str) -> BrokerAddress:
    try:
        return broker_address(url)
    except ValueError as error:
        raise SetUpWrong(f"{setting}: {error}") from error
