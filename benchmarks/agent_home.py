"""A station's folder for an agent under measurement: station file, plan on disk, settings."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import yaml

from contracts.keys import hash_key, new_salt
from contracts.plan import ChargerCredential, OfflinePolicy, Plan
from contracts.wire import encode


@dataclass(frozen=True, slots=True)
class Station:
    """Who the measured station is; its chargers share one key."""

    id: str = "bench"
    key: str = "0123456789abcdef0123456789abcdef01234567"


STATION: Final = Station()


def charger_id(number: int) -> str:
    """Return the identity of the `number`th charger, from 0."""
    return f"BENCH-{number:03d}"


def make_agent_home(
    home: Path, *, chargers: int, ocpp_port: int, broker_port: int
) -> dict[str, str]:
    """Write the folder and return the agent's environment; every token may charge."""
    (home / "station.yaml").write_text(_station_file(chargers))
    data_dir = home / "agent"
    data_dir.mkdir()
    (data_dir / "plan.json").write_bytes(encode(_plan(chargers)))
    return {
        "AGENT_STATION_FILE": str(home / "station.yaml"),
        "AGENT_DATA_DIR": str(data_dir),
        "AGENT_BROKER_URL": f"mqtt://127.0.0.1:{broker_port}",
        "AGENT_OCPP_HOST": "127.0.0.1",
        "AGENT_OCPP_PORT": str(ocpp_port),
        "AGENT_AUTHORIZE_WAIT_S": "0.1",
        "AGENT_LOG_LEVEL": "WARNING",
    }


def _station_file(chargers: int) -> str:
    numbers = range(chargers)
    return yaml.safe_dump(
        {
            "station": STATION.id,
            "chargers": [{"id": charger_id(number)} for number in numbers],
            "bays": [
                {"id": f"bench-{number}", "charger": charger_id(number), "evse": 1}
                for number in numbers
            ],
        },
        sort_keys=False,
    )


def _plan(chargers: int) -> Plan:
    salt = new_salt()
    key_hash = hash_key(salt, STATION.key)
    return Plan(
        station=STATION.id,
        version=1,
        issued_at=datetime.now(UTC),
        offline_policy=OfflinePolicy.ACCEPT,
        chargers=[
            ChargerCredential(charger_id=charger_id(number), salt=salt, key_hash=key_hash)
            for number in range(chargers)
        ],
    )
