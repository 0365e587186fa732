"""Sets one scenario's station up in a running cloud, and writes what its agent and chargers need.

May be repeated: what is there stays, and keys that were shown to nobody who kept them are renewed.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from simulator.bookings import Guest
from simulator.demo.api import Api, as_segment, post_once
from simulator.demo.setting_up import charger_body, make_guest
from simulator.site import StationSpec, station_file

STATION_FILE: Final = "station.yaml"
AGENT_KEY: Final = "agent-key"
CHARGER_KEYS: Final = "charger-keys.json"


def settle(
    api: Api,
    spec: StationSpec,
    tokens: Sequence[str],
    folder: Path,
    guests: Sequence[Guest] = (),
) -> bool:
    """Set the station up, the API logged in as an administrator; False if it was done before."""
    done = folder / CHARGER_KEYS
    if done.exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    post_once(api, "/stations", _station_body(spec))
    keys = {one.charger_id: _charger_key(api, spec, one.charger_id) for one in spec.chargers}
    for token in tokens:
        api.put(f"/tokens/{as_segment(token)}", {"label": "Simulated driver"})
    for guest in guests:
        make_guest(api, guest)
    agent_key = api.post(f"/stations/{spec.station_id}/agent-key")["key"]
    (folder / STATION_FILE).write_text(station_file(spec))
    _write_secret(folder / AGENT_KEY, agent_key)
    # last: it says that all is done
    _write_secret(done, json.dumps(keys))
    return True


def _station_body(spec: StationSpec) -> dict[str, Any]:
    return {
        "station_id": spec.station_id,
        "name": spec.name,
        "address": spec.address,
        "latitude": spec.latitude,
        "longitude": spec.longitude,
        "price_per_kwh_minor": spec.price_per_kwh_minor,
    }


def _charger_key(api: Api, spec: StationSpec, charger_id: str) -> str:
    charger = next(one for one in spec.chargers if one.charger_id == charger_id)
    made = post_once(api, f"/stations/{spec.station_id}/chargers", charger_body(spec, charger))
    shown = made or api.post(f"/chargers/{as_segment(charger_id)}/key")
    return str(shown["key"])


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
