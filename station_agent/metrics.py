"""What Prometheus may ask of the agent: read from its parts when asked, so that nothing is counted twice."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from station_agent.wiring import StationAgent

Read = Callable[[StationAgent], float]


class Stations(Protocol):
    """The roster, as far as it is counted."""

    def stations(self) -> Sequence[StationAgent]:
        """See Roster.stations."""
        ...


GAUGES: Final[dict[str, tuple[str, Read]]] = {
    "baywatt_agent_stations": ("Stations served by this process", lambda _: 1),
    "baywatt_agent_outbox_depth": ("Facts not delivered yet", lambda one: one.outbox.depth),
    "baywatt_agent_disk_short": (
        "Stations whose telemetry is dropped, or nothing of which can be written",
        lambda one: one.outbox.is_disk_short,
    ),
    "baywatt_agent_cloud_on": ("Stations the cloud answers", lambda one: one.uplink.is_on),
    "baywatt_agent_without_plan": (
        "Stations the cloud never sent a plan",
        lambda one: one.plan.version == 0,
    ),
}
COUNTERS: Final[dict[str, tuple[str, Read]]] = {
    "baywatt_agent_facts_dropped": (
        "Telemetry dropped for want of disk",
        lambda one: one.outbox.dropped_facts,
    ),
    "baywatt_sensor_messages_read": ("Payloads understood", lambda one: one.sensors.counts.read),
    "baywatt_sensor_messages_unreadable": (
        "Payloads not understood",
        lambda one: one.sensors.counts.unreadable,
    ),
    "baywatt_sensor_messages_foreign": (
        "Messages on topics of no sensor",
        lambda one: one.sensors.counts.foreign,
    ),
}


class AgentCollector(Collector):
    """Sums over the stations of the process; the cloud knows of each by itself."""

    def __init__(self, stations: Stations) -> None:
        self._stations = stations

    def collect(self) -> Iterator[Metric]:
        """See Collector.collect."""
        stations = self._stations.stations()
        for name, (documentation, read) in GAUGES.items():
            yield GaugeMetricFamily(name, documentation, value=sum(map(read, stations)))
        for name, (documentation, read) in COUNTERS.items():
            yield CounterMetricFamily(name, documentation, value=sum(map(read, stations)))
