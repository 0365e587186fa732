"""The broker that `serve` brings along, and the files a broker knows its users by."""

import secrets
from pathlib import Path
from typing import Final

from cloud.adapters.broker_users import (
    BrokerUser,
    broker_files,
    cloud_user,
    hash_password,
    sensors_user,
)
from cloud.adapters.mqtt import BrokerAddress
from cloud.embedded.broker import BrokerConfig, EmbeddedBroker
from cloud.wiring.house import House

_CLOUD_USER: Final = "cloud"
_SENSORS_USER: Final = "sensors"


class BrokerFiles:
    """The files a Mosquitto (or the embedded broker) knows its users by."""

    def __init__(self, house: House, folder: Path, cloud_password: str) -> None:
        self._house = house
        self.passwords = folder / "passwords"
        self.acl = folder / "acl"
        sensors_key = house.settings.embedded_sensors_key.get_secret_value()
        # hashed once: every hash has another salt, and a file that did not change is left alone
        self._others: list[BrokerUser] = [cloud_user(_CLOUD_USER, hash_password(cloud_password))]
        if sensors_key:
            self._others.append(sensors_user(_SENSORS_USER, hash_password(sensors_key)))

    def write(self) -> bool:
        """Write what differs, each file whole or not at all; whether anything did."""
        with self._house.open_work(is_read_only=True) as work:
            agents = work.stations_admin.agent_logins()
        files = broker_files(agents, self._others)
        # the rights first: nobody is let in before it is said what they may do
        is_acl_new = _replace(self.acl, files.acl)
        return _replace(self.passwords, files.passwords) or is_acl_new


def embedded_broker(house: House) -> tuple[EmbeddedBroker, BrokerAddress, BrokerFiles]:
    """Return the broker that `serve` brings along, where it will be, and its users' files."""
    settings = house.settings
    folder = settings.data_dir.resolve() / "broker"
    password = secrets.token_hex(20)
    files = BrokerFiles(house, folder, password)
    files.write()
    broker = EmbeddedBroker(
        BrokerConfig(
            data_dir=folder,
            passwords=files.passwords,
            acl=files.acl,
            port=settings.embedded_broker_port,
            kind=settings.embedded_broker,
        )
    )
    address = BrokerAddress(broker.host, broker.port, user=_CLOUD_USER, password=password)
    return broker, address, files


def _replace(path: Path, content: str) -> bool:
    if path.exists() and path.read_text() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.touch(mode=0o640)
    beside.write_text(content)
    beside.replace(path)
    return True
