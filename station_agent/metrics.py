"""What Prometheus may ask of the agent: read from its parts when asked, so that nothing is counted twice."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Read = Callable[[], float]


class AgentCollector(Collector):
    """Gauges and counters of the agent's parts, each read by a function."""

    def __init__(
        self, gauges: Mapping[str, tuple[str, Read]], counters: Mapping[str, tuple[str, Read]]
    ) -> None:
        self._gauges = gauges
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        """See Collector.collect."""
        for name, (documentation, read) in self._gauges.items():
            yield GaugeMetricFamily(name, documentation, value=read())
        for name, (documentation, read) in self._counters.items():
            yield CounterMetricFamily(name, documentation, value=read())
