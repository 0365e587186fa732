"""Settings to running agent: the only module here that knows every other."""

import asyncio
import gc
import os
from dataclasses import replace
from typing import Final

import structlog
from prometheus_client import REGISTRY, start_http_server

from contracts import topics
from contracts.batch import Beat
from contracts.clock import Clock, clock_from
from contracts.events import AgentStarted, Event
from contracts.ids import StationId
from station_agent import __version__
from station_agent.authorizer import TokenAuthorizer
from station_agent.broker_address import BrokerAddress, broker_address
from station_agent.commands import Commands
from station_agent.metrics import AgentCollector
from station_agent.mqtt import Message, MqttConnection, Will
from station_agent.ocpp.server import ChargerServer, ServerSettings
from station_agent.outbox import Limits, Outbox
from station_agent.plan import PlanKeeper
from station_agent.ports import OutboxUnavailable
from station_agent.reservations import Reservations
from station_agent.sensors import Sensors
from station_agent.settings import Settings
from station_agent.station_file import StationLayout
from station_agent.systemd import Systemd
from station_agent.uplink import Uplink, UplinkSettings

log = structlog.get_logger()

_FORGET_EVERY_S: Final = 3_600.0


class SetUpWrong(RuntimeError):
    """The agent cannot start as it is set up; says what a person has to mend."""


class Agent:
    """All parts of one station's agent; made inside the loop it runs in."""

    def __init__(self, settings: Settings, station: StationLayout) -> None:
        self._settings = settings
        self._station = station
        self._clock: Clock = clock_from(settings.clock)
        self._systemd = Systemd(os.environ)
        self._outbox = _open_outbox(settings, self._clock)
        plan_file = settings.data_dir / "plan.json"
        self._plan = PlanKeeper(plan_file, station.station_id, self._clock)
        self._sensors = Sensors(station, self._outbox, self._clock)
        self._uplink = Uplink(_uplink_settings(settings, station), self._outbox, self._clock)
        self._reservations = Reservations(
            station,
            self._plan,
            self._outbox,
            self._clock,
            is_on=settings.reserve_at_chargers,
        )
        self._server = self._new_server()
        self._commands = Commands(station.station_id, self._server, self._outbox, self._clock)
        self._uplink.beat_with(self._beat)
        self._cloud_connection = self._connect_cloud()
        self._sensor_connection = self._connect_sensors()

    async def run(self) -> None:
        """Serve until cancelled; then close in order, so that what was heard is on disk."""
        collector = self._collector()
        REGISTRY.register(collector)
        try:
            await self._run_parts()
        finally:
            self._systemd.notify("STOPPING=1")
            REGISTRY.unregister(collector)
            await self._outbox.close()
            log.info("agent.stopped", undelivered=self._outbox.depth)

    async def _run_parts(self) -> None:
        started = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            self._start(tasks, started)
            if self._settings.metrics_port:
                start_http_server(self._settings.metrics_port, addr="127.0.0.1")
            await self._note(
                AgentStarted(agent_version=agent_version(), observed_at=self._clock.now())
            )
            await started.wait()
            _settle_memory()
            self._systemd.notify("READY=1")
            log.info(
                "agent.ready",
                station_id=self._station.station_id,
                ocpp_port=self._server.port,
                chargers=len(self._station.chargers),
                bays=len(self._station.bays),
            )

    def _start(self, tasks: asyncio.TaskGroup, started: asyncio.Event) -> None:
        tasks.create_task(self._cloud_connection.run(), name="cloud connection")
        tasks.create_task(self._uplink.run(), name="uplink")
        tasks.create_task(self._commands.run(), name="commands")
        tasks.create_task(self._plan.run(), name="plan")
        tasks.create_task(self._sensors.run(), name="sensors")
        tasks.create_task(self._reservations.run(self._server), name="reservations")
        if self._sensors.topics:
            tasks.create_task(self._sensor_connection.run(), name="sensor connection")
        tasks.create_task(self._serve_chargers(started), name="ocpp")
        tasks.create_task(self._keep_house(), name="housekeeping")
        tasks.create_task(self._systemd.keep_alive(), name="watchdog")

    async def _serve_chargers(self, started: asyncio.Event) -> None:
        try:
            await self._server.serve(started=started)
        except OSError as error:
            if started.is_set():
                raise
            where = f"{self._settings.ocpp_host}:{self._settings.ocpp_port}"
            raise SetUpWrong(f"chargers cannot be served on {where}: {error}") from error

    # What the cloud's broker brings; see mqtt.Receiver.

    def connected(self) -> None:
        """See mqtt.Receiver.connected."""
        self._uplink.connected()

    def disconnected(self) -> None:
        """See mqtt.Receiver.disconnected."""
        self._uplink.disconnected()

    def leaving(self) -> None:
        """See mqtt.Receiver.leaving."""
        self._uplink.leaving()

    def refused(self, reason: str) -> None:
        """See mqtt.Receiver.refused."""
        self._uplink.refused(reason)

    def received(self, message: Message) -> None:
        """See mqtt.Receiver.received."""
        station_id = self._station.station_id
        if message.topic == topics.acks(station_id):
            self._uplink.take(message.payload)
        elif message.topic == topics.commands(station_id):
            self._commands.take(message.payload)
        elif message.topic == topics.plan(station_id):
            self._plan.take(message.payload)

    # Parts.

    def _new_server(self) -> ChargerServer:
        authorizer = TokenAuthorizer(
            plan=self._plan,
            cloud=self._uplink,
            memory=self._outbox,
            station=self._station,
            clock=self._clock,
            wait_s=self._settings.authorize_wait_s,
        )
        return ChargerServer(
            recorder=self._outbox,
            sessions=self._outbox,
            answers=self._outbox,
            authorizer=authorizer,
            promises=self._reservations,
            credentials=self._plan,
            station=self._station,
            settings=_server_settings(self._settings),
            clock=self._clock,
        )

    def _connect_cloud(self) -> MqttConnection:
        station_id = self._station.station_id
        connection = MqttConnection(
            _cloud_address(self._settings, station_id),
            station_id,
            self._clock,
            topics=[
                topics.acks(station_id),
                topics.commands(station_id),
                topics.plan(station_id),
            ],
            receiver=self,
            will=Will(topics.link(station_id), self._uplink.will),
        )
        self._uplink.use(connection)
        return connection

    def _connect_sensors(self) -> MqttConnection:
        station_id = self._station.station_id
        url = self._settings.sensor_broker_url or self._station.sensor_broker
        cloud = _cloud_address(self._settings, station_id)
        address = _address("AGENT_SENSOR_BROKER_URL", url) if url else cloud
        return MqttConnection(
            address,
            # a broker of ours takes a client id for its user's own only with such a separator
            f"{station_id}.sensors",
            self._clock,
            topics=self._sensors.topics,
            receiver=self._sensors,
        )

    def _beat(self) -> Beat:
        return Beat(
            silent_chargers=self._server.silent_chargers(),
            silent_sensors=self._sensors.silent_sensors(),
            outbox_depth=self._outbox.depth,
            is_disk_short=self._outbox.is_disk_short,
            agent_version=agent_version(),
        )

    async def _keep_house(self) -> None:
        while True:
            await self._clock.sleep(_FORGET_EVERY_S)
            try:
                await self._outbox.forget_outdated()
            except OutboxUnavailable as error:
                log.warning("agent.housekeeping_postponed", error=str(error))

    async def _note(self, fact: Event) -> None:
        """Record a fact of our own; chargers are served whether it fits the disk or not."""
        try:
            await self._outbox.record([fact])
        except OutboxUnavailable as error:
            log.warning("agent.unrecorded", fact=type(fact).__name__, error=str(error))

    def _collector(self) -> AgentCollector:
        outbox, counts = self._outbox, self._sensors.counts
        return AgentCollector(
            gauges={
                "baywatt_agent_outbox_depth": ("Facts not delivered yet", lambda: outbox.depth),
                "baywatt_agent_disk_short": (
                    "1 while telemetry is dropped or nothing can be written",
                    lambda: outbox.is_disk_short,
                ),
                "baywatt_agent_cloud_on": ("1 while it answers", lambda: self._uplink.is_on),
                "baywatt_agent_plan_version": ("In use", lambda: self._plan.version),
            },
            counters={
                "baywatt_agent_facts_dropped": (
                    "Telemetry dropped for want of disk",
                    lambda: outbox.dropped_facts,
                ),
                "baywatt_sensor_messages_read": ("Payloads understood", lambda: counts.read),
                "baywatt_sensor_messages_unreadable": (
                    "Payloads not understood",
                    lambda: counts.unreadable,
                ),
                "baywatt_sensor_messages_foreign": (
                    "Messages on topics of no sensor",
                    lambda: counts.foreign,
                ),
            },
        )


def _settle_memory() -> None:
    """Spare the garbage collector what stays for good: an eighth of a message's time otherwise."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


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


def _server_settings(settings: Settings) -> ServerSettings:
    return ServerSettings(
        host=settings.ocpp_host,
        port=settings.ocpp_port,
        tls_cert_files=tuple(settings.tls_cert_files),
        tls_client_ca_file=settings.tls_client_ca_file,
        allow_unauthenticated=settings.lab_allow_unauthenticated,
        ping_interval_s=settings.ping_interval_s,
        heartbeat_interval_s=settings.heartbeat_interval_s,
        call_timeout_s=settings.call_timeout_s,
        silent_after_s=settings.charger_silent_after_s,
    )


def _open_outbox(settings: Settings, clock: Clock) -> Outbox:
    limits = Limits(max_bytes=settings.outbox_max_mb * 2**20)
    try:
        return Outbox(settings.data_dir / "agent.db", clock, limits)
    except (OutboxUnavailable, OSError) as error:
        raise SetUpWrong(f"AGENT_DATA_DIR: {error}") from error


def _address(setting: str, url: str) -> BrokerAddress:
    try:
        return broker_address(url)
    except ValueError as error:
        raise SetUpWrong(f"{setting}: {error}") from error


def _cloud_address(settings: Settings, station_id: StationId) -> BrokerAddress:
    """Our name there is the station's; a name or key in the address wins, for brokers of one's own."""
    address = _address("AGENT_BROKER_URL", settings.broker_url)
    return replace(
        address,
        user=address.user or station_id,
        password=address.password or settings.broker_key.get_secret_value(),
        ca_file=settings.broker_ca_file,
    )
