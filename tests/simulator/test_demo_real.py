"""`make demo` as a person runs it: it shows what it promises, and leaves nothing behind."""

import contextlib
import signal
import socket
import sys
from random import SystemRandom

import httpx
import psutil
import pytest

from simulator.demo import city, life
from simulator.demo.ports import Ports, PortTrouble
from tests.support.ports import LOOPBACK, free_port
from tests.support.processes import Program
from tests.support.waiting import eventually

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("demo")]

READY_WITHIN_S = 60


def _free_ports() -> Ports:
    """Return ports the demonstration can have, below those the system gives to clients and those of other tests."""
    chance = SystemRandom()
    while True:
        ports = Ports(
            free_port(), chance.randrange(10_000, 12_000), chance.randrange(12_010, 14_900)
        )
        with contextlib.suppress(PortTrouble):
            ports.refuse_busy()
            return ports


class Demo(Program):
    """The demonstration on free ports."""

    def __init__(self, folder):
        ports = _free_ports()
        self.http_port = ports.http
        env = {
            "BAYWATT_DEMO_PORT": str(ports.http),
            "BAYWATT_DEMO_BROKER_PORT": str(ports.broker),
            "BAYWATT_DEMO_OCPP_PORT": str(ports.ocpp),
        }
        super().__init__(
            "demo", [sys.executable, "-m", "simulator", "demo"], env=env, log_dir=folder
        )

    def is_told(self):
        return "Ctrl-C ends everything" in self.log_text()

    def family(self):
        return psutil.Process(self.pid).children(recursive=True)

    def client(self):
        return httpx.Client(base_url=f"http://{LOOPBACK}:{self.http_port}/api/v1", timeout=20)


def _login(client, who):
    asked = {"email": f"{who}@baywatt.example", "password": "baywatt-demo"}
    token = client.post("/auth/tokens", json=asked).raise_for_status().json()["token"]
    return {"Authorization": f"Bearer {token}"}


def _statuses(client):
    found = {}
    for spec in city.STATIONS:
        detail = client.get(f"/stations/{spec.station_id}").raise_for_status().json()
        found |= {bay["bay_id"]: bay["status"] for bay in detail["station"]["bays"]}
    return found


def _is_gone(process):
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_the_demonstration_shows_what_it_promises_and_leaves_nothing_behind(tmp_path):
    demo = Demo(tmp_path)
    demo.start()
    try:
        demo.wait_until(demo.is_told, READY_WITHIN_S)
        with demo.client() as client:
            _look_at(client)
        family = demo.family()
        demo.send_signal(signal.SIGINT)
        code = demo.wait_for_end()
    finally:
        demo.stop()

    assert code == 0
    assert len(family) >= 1 + 5
    assert [one for one in family if not _is_gone(one)] == []


def _measured(answer):
    """Return the sessions once each has been measured."""
    sessions = answer.json()["sessions"]
    return sessions if sessions and all(one["soc_pct"] is not None for one in sessions) else None


def _look_at(client):
    promised = {
        life.BLOCKED_BAY: "BLOCKED",
        life.FINISHED_BAY: "BLOCKED",
        life.BROKEN_BAY: "OUTOFORDER",
        life.DRIVERS_BAYS[0]: "CHARGING",
        f"{city.OFFLINE.station_id}-1": "UNKNOWN",
    }
    eventually(
        lambda: promised.items() <= _statuses(client).items(), 60, "every promised bay to be seen"
    )
    for status in ("CHARGING", "AVAILABLE"):
        eventually(lambda status=status: list(_statuses(client).values()).count(status) >= 6)

    driver = _login(client, "driver")
    sessions = eventually(lambda: _measured(client.get("/sessions?live=true", headers=driver)))
    assert [one["bay_id"] for one in sessions] == [life.DRIVERS_BAYS[0]]
    assert sessions[0]["energy_wh"] > 5_000
    assert sessions[0]["soc_pct"] > 30

    maintenance = _login(client, "maintenance")
    rules = {"charger_fault", "silent_sensor"}
    eventually(
        lambda: (
            rules
            <= {
                alert["rule"]
                for alert in client.get("/alerts?status=active", headers=maintenance).json()[
                    "alerts"
                ]
            }
        ),
        30,
        "alerts of the broken sensor and charger",
    )
    admin = _login(client, "admin")
    eventually(
        lambda: [
            one
            for one in client.get("/reservations?live=true", headers=admin).json()["reservations"]
            if one["status"] == "RESERVED"
        ],
        60,
        "a guest's booking",
    )
    for who in ("owner", "admin"):
        assert client.get("/me", headers=_login(client, who)).json()["role"] == who


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_end_while_it_starts_it_leaves_nothing_behind(tmp_path, number):
    demo = Demo(tmp_path)
    demo.start()
    try:
        demo.wait_until(demo.family)
        family = demo.family()
        demo.send_signal(number)
        code = demo.wait_for_end()
    finally:
        demo.stop()

    assert code == 0
    assert [one for one in family if not _is_gone(one)] == []


def test_a_busy_port_is_said_with_its_setting(tmp_path):
    demo = Demo(tmp_path)
    with socket.socket() as taken:
        taken.bind((LOOPBACK, demo.http_port))
        taken.listen()
        demo.start()
        code = demo.wait_for_end()

    assert code == 1
    assert f"port {demo.http_port} is in use" in demo.log_text()
    assert "BAYWATT_DEMO_PORT" in demo.log_text()
