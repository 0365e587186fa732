"""The cloud's end of the wire, played by a test: keeps every batch, acknowledges when told to."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Self

from contracts import topics
from contracts.batch import Ack, AuthorizeAnswer, Batch, decode_batch
from contracts.commands import Command, Request
from contracts.keys import hash_key, new_salt
from contracts.link import decode_link
from contracts.plan import (
    ChargerCredential,
    OfflinePolicy,
    Plan,
    PlannedReservation,
    TokenGrant,
)
from contracts.topics import Channel
from contracts.wire import encode
from tests.support.brokers import CLOUD, Broker
from tests.support.mqtt import MqttProbe

STATION = "wire-station"
CHARGER = "WIRE-01"
CHARGER_KEY = "c" * 40
AGENT_KEY = "a" * 40
TOKEN = "04A2B3C4D5E680"

STATION_FILE = f"""
station: {STATION}
chargers:
  - id: {CHARGER}
bays:
  - id: {STATION}-1
    charger: {CHARGER}
    evse: 1
    sensors:
      - id: s-1
        vendor: plain
        topic: sensors/s-1
"""


class CloudLike:
    """Subscribes as the cloud; what it holds committed is `committed_seq`."""

    def __init__(self, broker: Broker) -> None:
        self._probe: MqttProbe = broker.client(CLOUD, "cloud-like")
        self.epoch = 0
        self.committed_seq = 0

    def __enter__(self) -> Self:
        self._probe.connect()
        self._probe.subscribe(topics.every(Channel.EVENTS))
        self._probe.subscribe(topics.every(Channel.LINK))
        return self

    def __exit__(self, *_: object) -> None:
        self._probe.close()

    @property
    def connections(self) -> int:
        """How often it was let in."""
        return self._probe.connections

    def subscribe_again(self) -> None:
        """After a broker's crash: a clean session remembers nothing."""
        self._probe.subscribe(topics.every(Channel.EVENTS))
        self._probe.subscribe(topics.every(Channel.LINK))

    def batches(self) -> list[Batch]:
        """Return every batch that came, copies included."""
        return [
            decode_batch(one.payload)
            for one in list(self._probe.received)
            if one.topic == topics.events(STATION)
        ]

    def links(self) -> list[str]:
        """Return what was said of the link."""
        return [
            decode_link(one.payload).status.value
            for one in list(self._probe.received)
            if one.topic == topics.link(STATION)
        ]

    def commit(self) -> list[Any]:
        """Take in order what fits the cursor, as ingest does; acknowledge; return all events."""
        taken: dict[int, Any] = {}
        for batch in self.batches():
            self.epoch = max(self.epoch, batch.epoch)
            if batch.epoch == self.epoch:
                taken |= dict(enumerate(batch.events, batch.first_seq))
        while self.committed_seq + 1 in taken:
            self.committed_seq += 1
        self.acknowledge(self.committed_seq)
        return [taken[seq] for seq in range(1, self.committed_seq + 1)]

    def acknowledge(self, seq: int) -> None:
        """Say how far all is durable."""
        ack = Ack(station=STATION, epoch=self.epoch, committed_seq=seq)
        self._probe.publish(topics.acks(STATION), encode(ack), qos=0)

    def answer(self, ask_id: str, *, is_accepted: bool) -> None:
        """Answer a question about a token."""
        answer = AuthorizeAnswer(station=STATION, ask_id=ask_id, is_accepted=is_accepted)
        self._probe.publish(topics.acks(STATION), encode(answer), qos=0)

    def plan(
        self,
        version: int = 1,
        policy: OfflinePolicy = OfflinePolicy.REFUSE,
        reservations: Sequence[PlannedReservation] = (),
    ) -> None:
        """Give the station its standing orders."""
        salt = new_salt()
        plan = Plan(
            station=STATION,
            version=version,
            issued_at=datetime.now(UTC),
            offline_policy=policy,
            tokens=[TokenGrant(token=TOKEN)],
            reservations=list(reservations),
            chargers=[
                ChargerCredential(
                    charger_id=CHARGER, salt=salt, key_hash=hash_key(salt, CHARGER_KEY)
                )
            ],
        )
        self._probe.publish(topics.plan(STATION), encode(plan), retain=True)

    def command(self, command_id: str, request: Request, expires_at: datetime) -> None:
        """Send a command."""
        command = Command(
            station=STATION,
            id=command_id,
            issued_at=datetime.now(UTC),
            expires_at=expires_at,
            request=request,
        )
        self._probe.publish(topics.commands(STATION), encode(command))
