"""The embedded broker with users, as a test's own: the same for Mosquitto and aedes."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from cloud.adapters.broker_users import broker_files, cloud_user, sensors_user
from cloud.embedded.broker import BrokerConfig, EmbeddedBroker
from tests.support.mqtt import MqttProbe
from tests.support.passwords import write_passwords
from tests.support.ports import LOOPBACK

CLOUD: Final = "cloud"
SENSORS: Final = "sensors"


def acl_text() -> str:
    """Return the rules the product writes for its broker."""
    return broker_files({}, [cloud_user(CLOUD, ""), sensors_user(SENSORS, "")]).acl


class Broker:
    """One broker; `cloud` and `sensors` may always log in, stations once they are added."""

    def __init__(self, kind: str, folder: Path, stations: Mapping[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.keys = {CLOUD: "cloud-key", SENSORS: "sensors-key"} | dict(stations or {})
        self._passwords = folder / "passwords"
        write_passwords(self._passwords, self.keys)
        acl = folder / "acl"
        acl.write_text(acl_text())
        self._broker = EmbeddedBroker(
            BrokerConfig(data_dir=folder, passwords=self._passwords, acl=acl, port=0, kind=kind)
        )

    @property
    def port(self) -> int:
        """Where it listens, the same after a crash."""
        return self._broker.port

    def start(self) -> Self:
        """Start it; after a crash it starts by itself."""
        self._broker.start()
        return self

    def stop(self) -> None:
        """End it for good."""
        self._broker.stop()

    def kill(self) -> None:
        """Crash it: what it held is gone, and a moment later it is back on the same port."""
        assert self._broker.pid is not None
        os.kill(self._broker.pid, signal.SIGKILL)

    def add_station(self, station: str, key: str) -> None:
        """Let one more station log in."""
        self.keys[station] = key
        write_passwords(self._passwords, self.keys)
        self._broker.reload()

    def url(self, user: str, port: int | None = None) -> str:
        """Return its address as our settings take it; `port` of a proxy before it."""
        return f"mqtt://{user}:{self.keys[user]}@{LOOPBACK}:{port or self.port}"

    def client(self, user: str, client_id: str | None = None) -> MqttProbe:
        """Return a client, not yet connected."""
        return MqttProbe(self.port, client_id or user, login=(user, self.keys[user]))
