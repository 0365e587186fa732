"""An agent for many stations as a process, before a cloud that a test plays for all of them."""

from datetime import UTC, datetime

from contracts import topics
from contracts.batch import Ack, decode_batch
from contracts.commands import Command, Request
from contracts.keys import hash_key, new_salt
from contracts.plan import ChargerCredential, OfflinePolicy, Plan
from contracts.topics import Channel
from contracts.wire import encode
from tests.station_agent.hosted import write_station
from tests.support.brokers import CLOUD, Broker
from tests.support.ocpp import Charger
from tests.support.ports import LOOPBACK, free_port, is_listening
from tests.support.processes import our_program
from tests.support.waiting import eventually

CHARGER_KEY = "c" * 40
SPEED = 10
"""Of the agent's clock: it looks at its folder every five seconds."""


def key_of(station_id: str) -> str:
    """Return a station's key at the broker."""
    return (station_id.encode().hex() * 40)[:40]


class Clouds:
    """The cloud's end for every station: keeps what comes, acknowledges when asked to."""

    def __init__(self, broker: Broker) -> None:
        self._probe = broker.client(CLOUD, "clouds").connect()
        self._probe.subscribe(topics.every(Channel.EVENTS))

    def close(self) -> None:
        self._probe.close()

    def facts_of(self, station_id: str, kind: type | None = None) -> list:
        """Return a station's facts in order, each number once; acknowledge them."""
        taken, epoch = {}, 0
        for message in list(self._probe.received):
            if message.topic == topics.events(station_id):
                batch = decode_batch(message.payload)
                epoch = max(epoch, batch.epoch)
                taken |= dict(enumerate(batch.events, batch.first_seq))
        if not epoch:
            return []
        assert sorted(taken) == list(range(1, len(taken) + 1))
        ack = Ack(station=station_id, epoch=epoch, committed_seq=len(taken))
        self._probe.publish(topics.acks(station_id), encode(ack), qos=0)
        facts = [taken[seq] for seq in sorted(taken)]
        return [one for one in facts if kind is None or type(one) is kind]

    def plan(
        self,
        station_id: str,
        charger_ids: list[str],
        security_profile: int = 1,
        version: int | None = None,
    ) -> None:
        """Give a station its standing orders: these chargers, and every token may charge."""
        salt = new_salt()
        key_hash = hash_key(salt, CHARGER_KEY)
        plan = Plan(
            station=station_id,
            version=version or security_profile,
            issued_at=datetime.now(UTC),
            offline_policy=OfflinePolicy.ACCEPT,
            chargers=[
                ChargerCredential(
                    charger_id=one, salt=salt, key_hash=key_hash, security_profile=security_profile
                )
                for one in charger_ids
            ],
        )
        self._probe.publish(topics.plan(station_id), encode(plan), retain=True)

    def command(self, station_id: str, command_id: str, request: Request) -> None:
        """Send a command."""
        now = datetime.now(UTC)
        command = Command(
            station=station_id,
            id=command_id,
            issued_at=now,
            expires_at=now.replace(year=now.year + 1),
            request=request,
        )
        self._probe.publish(topics.commands(station_id), encode(command))


class HostedSite:
    """A folder of stations, and the agent that serves them."""

    def __init__(self, broker, folder, *, processes=1, **settings):
        self.broker = broker
        self.folder = folder / "stations"
        self.data_dir = folder / "data"
        self.folder.mkdir()
        self.ocpp_port, self.tls_port = free_port(), free_port()
        self.clouds = Clouds(broker)
        env = {
            "AGENT_STATIONS_DIR": str(self.folder),
            "AGENT_DATA_DIR": str(self.data_dir),
            "AGENT_PROCESSES": str(processes),
            "AGENT_BROKER_URL": f"mqtt://{LOOPBACK}:{broker.port}",
            "AGENT_OCPP_HOST": LOOPBACK,
            "AGENT_OCPP_PORT": str(self.ocpp_port),
            "AGENT_UPLINK_TIMEOUT_S": str(SPEED),
            "AGENT_BEAT_INTERVAL_S": str(SPEED),
            "AGENT_CLOCK": f"fast:{SPEED}:2026-11-28T12:00:00Z",
            "AGENT_LOG_FORMAT": "json",
        }
        self.agent = our_program("station_agent", "run", env=env | settings, name="hosted")

    def add(self, station_id, charger_ids):
        """Add a station, its plan and its login."""
        if station_id not in self.broker.keys:
            self.broker.add_station(station_id, key_of(station_id))
        self.clouds.plan(station_id, charger_ids)
        write_station(self.folder, station_id, charger_ids, key_of(station_id))

    def start(self):
        self.agent.start(lambda: is_listening(self.ocpp_port))

    def wait_for_plan(self, *station_ids):
        for one in station_ids:
            eventually((self.data_dir / one / "plan.json").exists, what=f"the plan of {one}")

    def charger(self, charger_id, subprotocol="ocpp1.6", key=CHARGER_KEY, tls=None):
        port = self.tls_port if tls else self.ocpp_port
        return Charger(port, charger_id, key, subprotocol, tls)

    def close(self):
        self.agent.stop()
        self.clouds.close()
