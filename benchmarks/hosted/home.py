"""A folder of stations for a hosted agent under measurement, each with its plan on disk already."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import yaml

from contracts.keys import hash_key, new_salt
from contracts.plan import ChargerCredential, OfflinePolicy, Plan
from contracts.wire import encode

KEY: Final = "0123456789abcdef0123456789abcdef01234567"
"""Every charger's."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured, and how long."""

    stations: int = 100
    chargers: int = 5_000
    seconds: float = 120
    """Of the steady part: two heartbeats of each charger."""
    processes: int = 1
    """Beside the one in front, where there are several."""
    settle_s: float = 5
    """Before memory is looked at."""


def station_id(number: int) -> str:
    """Return the name of a station, from 0."""
    return f"host-{number:03d}"


def charger_ids(size: Size, number: int) -> list[str]:
    """Return the chargers of a station."""
    return [f"H{number:03d}-{one:03d}" for one in range(size.chargers // size.stations)]


def make_home(home: Path, size: Size, *, ocpp_port: int, broker_port: int) -> dict[str, str]:
    """Write the folder and return the agent's environment; every token may charge."""
    stations, data = home / "stations", home / "data"
    stations.mkdir()
    salt = new_salt()
    key_hash = hash_key(salt, KEY)
    for number in range(size.stations):
        name, chargers = station_id(number), charger_ids(size, number)
        (stations / f"{name}.yaml").write_text(_station_file(name, chargers))
        (data / name).mkdir(parents=True)
        plan = Plan(
            station=name,
            version=1,
            issued_at=datetime.now(UTC),
            offline_policy=OfflinePolicy.ACCEPT,
            chargers=[
                ChargerCredential(charger_id=x, salt=salt, key_hash=key_hash) for x in chargers
            ],
        )
        (data / name / "plan.json").write_bytes(encode(plan))
    return {
        "AGENT_STATIONS_DIR": str(stations),
        "AGENT_DATA_DIR": str(data),
        "AGENT_PROCESSES": str(size.processes),
        "AGENT_BROKER_URL": f"mqtt://127.0.0.1:{broker_port}",
        "AGENT_OCPP_HOST": "127.0.0.1",
        "AGENT_OCPP_PORT": str(ocpp_port),
        "AGENT_AUTHORIZE_WAIT_S": "0.1",
        "AGENT_LOG_LEVEL": "WARNING",
    }


def _station_file(name: str, chargers: list[str]) -> str:
    return yaml.safe_dump(
        {
            "station": name,
            "chargers": [{"id": one} for one in chargers],
            "bays": [{"id": one.lower(), "charger": one, "evse": 1} for one in chargers],
        },
        sort_keys=False,
    )
