"""The cloud's end for all stations: takes batches in order, acknowledges each, counts the facts."""

from collections import Counter, defaultdict

from contracts import topics
from contracts.batch import Ack, decode_batch
from contracts.clock import SystemClock
from contracts.topics import Channel
from contracts.wire import encode
from station_agent.broker_address import BrokerAddress
from station_agent.mqtt import Message, MqttConnection


class Cloud:
    """Implements mqtt.Receiver; what came twice is counted once, what left a gap not at all."""

    def __init__(self, broker_port: int) -> None:
        self.facts: Counter[str] = Counter()
        """How many of each kind, over all stations."""
        self.connection = MqttConnection(
            BrokerAddress("127.0.0.1", broker_port),
            "bench-cloud",
            SystemClock(),
            topics=[topics.every(Channel.EVENTS)],
            receiver=self,
        )
        self._committed: dict[tuple[str, int], int] = defaultdict(int)

    def connected(self) -> None:
        """See mqtt.Receiver.connected."""

    def disconnected(self) -> None:
        """See mqtt.Receiver.disconnected."""

    def leaving(self) -> None:
        """See mqtt.Receiver.leaving."""

    def refused(self, reason: str) -> None:
        """See mqtt.Receiver.refused."""

    def received(self, message: Message) -> None:
        """See mqtt.Receiver.received."""
        batch = decode_batch(message.payload)
        at = (batch.station, batch.epoch)
        for seq, fact in enumerate(batch.events, batch.first_seq):
            if seq == self._committed[at] + 1:
                self._committed[at] = seq
                self.facts[type(fact).__name__] += 1
        ack = Ack(station=batch.station, epoch=batch.epoch, committed_seq=self._committed[at])
        self.connection.publish(topics.acks(batch.station), encode(ack), qos=0)
