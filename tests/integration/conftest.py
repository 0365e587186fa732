"""An agent at a real broker: Mosquitto, as stations have it; `make faults` has the embedded one as well."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.brokers import Broker


@pytest.fixture(params=[pytest.param("aedes", marks=pytest.mark.faults), "mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A fresh broker with users and our ACL."""
    made = Broker(request.param, tmp_path / "broker").start()
    yield made
    made.stop()
