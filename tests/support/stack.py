"""The whole of Baywatt as real processes: broker, database, cloud, an agent; set up by its own API.

Three kinds, as it is run: EMBEDDED is `cloud serve` with SQLite and aedes in one process and its
children; PRODUCTION is Mosquitto, MariaDB and the cloud's processes apart; SERVED is like that, with
one process for all of the cloud.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import httpx

from cloud.domain.access import Role
from cloud.services.accounts import NewUser
from cloud.settings import Settings
from cloud.wiring import House
from contracts.clock import Clock, clock_from
from simulator.bookings import Guest
from simulator.demo import settling
from simulator.demo.api import Api
from simulator.site import StationSpec
from tests.support.brokers import CLOUD, SENSORS, Broker
from tests.support.mqtt import MqttProbe
from tests.support.ocpp import Charger
from tests.support.ports import LOOPBACK, free_port, is_listening
from tests.support.processes import Program, environment, our_program
from tests.support.waiting import eventually

ADMIN_EMAIL: Final = "admin@baywatt.example"
ADMIN_PASSWORD: Final = "correct horse battery staple"
TOKEN: Final = "04A2B3C4D5E680"
_START_WITHIN_S: Final = 60


class Kind(StrEnum):
    """How the stack is run."""

    EMBEDDED = "sqlite-aedes"
    PRODUCTION = "mariadb-mosquitto"
    SERVED = "mariadb-mosquitto-serve"


@dataclass
class Station:
    """A station that was set up: its keys, and its bays with their sensors by their plain topic."""

    station_id: str
    agent_key: str = ""
    charger_keys: dict[str, str] = field(default_factory=dict)
    bays: dict[str, tuple[str, int]] = field(default_factory=dict)
    """(charger, EVSE) by bay."""
    text: str = ""
    """Its station file, if it is another one than `file_text` would make."""

    @property
    def charger_ids(self) -> list[str]:
        """Return its chargers, in order."""
        return list(self.charger_keys)

    def sensor_of(self, bay_id: str) -> str:
        """Return the bay's sensor."""
        return f"s-{bay_id}"

    def file_text(self) -> str:
        """Return its station file."""
        if self.text:
            return self.text
        chargers = "".join(f"  - id: {one}\n" for one in self.charger_keys)
        bays = "".join(
            f"  - id: {bay}\n    charger: {charger}\n    evse: {evse}\n    sensors:\n"
            f"      - id: {self.sensor_of(bay)}\n        vendor: plain\n"
            f"        topic: sensors/{self.sensor_of(bay)}\n"
            for bay, (charger, evse) in self.bays.items()
        )
        return f"station: {self.station_id}\nchargers:\n{chargers}bays:\n{bays}"


class Stack:
    """One cloud with its broker and database; stations are added to it."""

    def __init__(
        self,
        folder: Path,
        kind: Kind,
        database_url: str,
        *,
        clock: str = "system",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.folder = folder
        self.clock_spec = clock
        self.http_port = free_port()
        self.broker = None if kind is Kind.EMBEDDED else Broker("mosquitto", folder / "broker")
        self._embedded_port = free_port()
        self._sensors_key = "sensors-key"
        self.agents: dict[str, Program] = {}
        self.database_url = database_url
        self._env = self._cloud_environment(database_url) | dict(settings or {})
        self.cloud = self._cloud_programs()
        self.api: httpx.Client = httpx.Client(base_url=self.url, timeout=60)

    # --- what there is ---------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Return the API's address."""
        return f"http://{LOOPBACK}:{self.http_port}/api/v1"

    @property
    def broker_port(self) -> int:
        """Where the broker listens."""
        return self.broker.port if self.broker else self._embedded_port

    @property
    def clock(self) -> Clock:
        """Return the clock all its processes run by."""
        return clock_from(self.clock_spec)

    @property
    def sensors_url(self) -> str:
        """Return where, and as whom, bay sensors speak."""
        return f"mqtt://{SENSORS}:{self._sensors_key}@{LOOPBACK}:{self.broker_port}"

    def login_header(self) -> dict[str, str]:
        """Return the administrator's authorization, for clients of one's own."""
        return {"Authorization": self.api.headers["Authorization"]}

    # --- starting and ending ---------------------------------------------------------------------

    def start(self) -> "Stack":
        """Start broker and cloud, and log in as the administrator made for it."""
        if self.broker:
            self.broker.start()
        self._create_admin()
        self.start_cloud()
        answer = self.api.post(
            "/auth/tokens", json={"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
        )
        self.api.headers["Authorization"] = f"Bearer {_ok(answer)['token']}"
        return self

    def start_cloud(self) -> None:
        """Start what is not running of the cloud, and wait until it answers."""
        for program in self.cloud.values():
            if not program.is_running:
                program.start()
        front = self.cloud.get("web") or self.cloud["serve"]
        front.wait_until(self._is_ready, _START_WITHIN_S)

    def kill_cloud(self) -> None:
        """Crash all of the cloud."""
        for program in self.cloud.values():
            program.kill()

    def stop(self) -> None:
        """End everything."""
        self.api.close()
        for program in [*self.agents.values(), *self.cloud.values()]:
            program.stop()
        if self.broker:
            self.broker.stop()

    # --- stations --------------------------------------------------------------------------------

    def add_station(
        self, station_id: str, chargers: int = 1, evses: int = 2, **more: Any
    ) -> Station:
        """Set a station up by the API: chargers with EVSEs, a bay and a plain sensor before each."""
        body = {
            "station_id": station_id,
            "name": station_id.title(),
            "latitude": 56.4572,
            "longitude": -2.9716,
            "price_per_kwh_minor": 50,
        }
        self.post("/stations", body | more)
        station = Station(station_id)
        for number in range(1, chargers + 1):
            self._add_charger(station, f"{station_id.upper()}-{number:02d}", evses)
        self.put_token(TOKEN)
        station.agent_key = self.post(f"/stations/{station_id}/agent-key")["key"]
        if self.broker:
            self.broker.add_station(station_id, station.agent_key)
        return station

    def settle(
        self, spec: StationSpec, tokens: Sequence[str], guests: Sequence[Guest] = ()
    ) -> Station:
        """Set a simulated station up by the API."""
        folder = self.folder / spec.station_id
        with Api(LOOPBACK, self.http_port) as api:
            api.log_in(ADMIN_EMAIL, ADMIN_PASSWORD)
            settling.settle(api, spec, tokens, folder, guests)
        keys = json.loads((folder / settling.CHARGER_KEYS).read_text())
        bays = {one.bay_id: (one.charger_id, one.evse_id) for one in spec.bays}
        agent_key = (folder / settling.AGENT_KEY).read_text()
        text = (folder / settling.STATION_FILE).read_text()
        station = Station(spec.station_id, agent_key, keys, bays, text)
        if self.broker:
            self.broker.add_station(station.station_id, agent_key)
        return station

    def start_agent(
        self, station: Station, *, broker_port: int | None = None, **settings: str
    ) -> Program:
        """Start the station's agent; `broker_port`: of a proxy before the broker."""
        folder = self.folder / station.station_id
        folder.mkdir(exist_ok=True)
        file = folder / "station.yaml"
        file.write_text(station.file_text())
        port = free_port()
        env = {
            "AGENT_STATION_FILE": str(file),
            "AGENT_DATA_DIR": str(folder / "data"),
            "AGENT_BROKER_URL": f"mqtt://{LOOPBACK}:{broker_port or self.broker_port}",
            "AGENT_BROKER_KEY": station.agent_key,
            "AGENT_SENSOR_BROKER_URL": self.sensors_url,
            "AGENT_OCPP_HOST": LOOPBACK,
            "AGENT_OCPP_PORT": str(port),
            "AGENT_CLOCK": self.clock_spec,
        }
        name = f"agent-{station.station_id}"
        program = our_program("station_agent", "run", env=env | settings, name=name)
        self.agents[station.station_id] = program
        program.start(lambda: is_listening(port), _START_WITHIN_S)
        return program

    def restart_agent(self, station: Station) -> None:
        """Start a killed agent again, on its port and its data."""
        program = self.agents[station.station_id]
        port = int(program.env["AGENT_OCPP_PORT"])
        program.start(lambda: is_listening(port), _START_WITHIN_S)

    def charger(self, station: Station, charger_id: str | None = None, **more: Any) -> Charger:
        """Return a charger of the station, not yet connected."""
        charger_id = charger_id or station.charger_ids[0]
        port = int(self.agents[station.station_id].env["AGENT_OCPP_PORT"])
        return Charger(port, charger_id, station.charger_keys[charger_id], **more)

    def sensors(self) -> MqttProbe:
        """Return the sensors' connection to the broker, not yet connected."""
        return MqttProbe(self.broker_port, "bay-sensors", login=(SENSORS, self._sensors_key))

    def wait_until_known(self, station: Station) -> None:
        """Wait until the agent has been heard and has its plan, so that chargers may dial in."""
        plan = self.folder / station.station_id / "data" / "plan.json"
        eventually(plan.exists, 20, f"a plan at {station.station_id}")
        eventually(
            lambda: self.get(f"/stations/{station.station_id}")["station"]["heard_at"],
            20,
            f"news of {station.station_id}",
        )

    def put_token(self, token: str, **more: Any) -> None:
        """Let a token charge."""
        _ok(self.api.put(f"/tokens/{token}", json={"label": "test"} | more))

    # --- the API ---------------------------------------------------------------------------------

    def get(self, path: str, **params: Any) -> Any:
        """Read; an answer that is no success fails the test."""
        return _ok(self.api.get(path, params=params))

    def post(self, path: str, body: Any = None) -> Any:
        """Create or act; an answer that is no success fails the test."""
        return _ok(self.api.post(path, json=body if body is not None else {}))

    def bay(self, station_id: str, bay_id: str) -> dict[str, Any]:
        """Return one bay as the API shows it."""
        bays = self.get(f"/stations/{station_id}")["station"]["bays"]
        return next(one for one in bays if one["bay_id"] == bay_id)

    # --- inside ----------------------------------------------------------------------------------

    def _add_charger(self, station: Station, charger_id: str, evses: int) -> None:
        numbers = range(1, evses + 1)
        names = {number: f"{charger_id.lower()}-{number}" for number in numbers}
        made = self.post(
            f"/stations/{station.station_id}/chargers",
            {
                "charger_id": charger_id,
                "evses": [_evse(number, names[number]) for number in numbers],
            },
        )
        station.charger_keys[charger_id] = made["key"]
        station.bays |= {names[number]: (charger_id, number) for number in numbers}

    def _cloud_environment(self, database_url: str) -> dict[str, str]:
        env = {
            "CLOUD_DATA_DIR": str(self.folder / "cloud"),
            "CLOUD_DATABASE_URL": database_url,
            "CLOUD_HTTP_PORT": str(self.http_port),
            "CLOUD_PUBLIC_URL": f"http://{LOOPBACK}:{self.http_port}",
            "CLOUD_CLOCK": self.clock_spec,
            "CLOUD_SHOW_MAILBOX": "true",
        }
        if self.broker:
            return env | {"CLOUD_BROKER_URL": self.broker.url(CLOUD)}
        return env | {
            "CLOUD_EMBEDDED_BROKER": "aedes",
            "CLOUD_EMBEDDED_BROKER_PORT": str(self._embedded_port),
            "CLOUD_EMBEDDED_SENSORS_KEY": self._sensors_key,
        }

    def _cloud_programs(self) -> dict[str, Program]:
        production = ("web", "ingest", "clock", "courier")
        commands = production if self.kind is Kind.PRODUCTION else ("serve",)
        return {
            command: our_program("cloud", command, env=self._env, name=f"cloud-{command}")
            for command in commands
        }

    def _create_admin(self) -> None:
        """Do as `cloud create-user` does, in this process: to start one for it takes two seconds."""
        with patch.dict(os.environ, environment(self._env)):
            house = House(Settings())
        house.migrate()
        admin = NewUser(email=ADMIN_EMAIL, name="", role=Role.ADMIN, password=ADMIN_PASSWORD)
        house.accounts.create(admin)
        house.engine.dispose()

    def _is_ready(self) -> bool:
        try:
            answer = httpx.get(f"http://{LOOPBACK}:{self.http_port}/readyz", timeout=2)
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK


def _evse(number: int, bay_id: str) -> dict[str, Any]:
    return {
        "evse_id": number,
        "bay_id": bay_id,
        "bay_name": str(number),
        "max_power_w": 22_000,
        "connectors": [
            {
                "connector_id": 1,
                "standard": "IEC_62196_T2",
                "power_type": "AC_3_PHASE",
                "max_power_w": 22_000,
            }
        ],
        "sensors": [f"s-{bay_id}"],
    }


def _ok(answer: httpx.Response) -> Any:
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.text}"
    return json.loads(answer.content) if answer.content else None
