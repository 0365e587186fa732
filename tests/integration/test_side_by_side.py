"""Several processes on one port: each charger reaches the one that serves its station."""

import asyncio
import json
import os
import signal
import socket
import ssl
from contextlib import contextmanager, suppress

import pytest
import trustme
from websockets.exceptions import ConnectionClosed, InvalidStatus

from contracts.events import ChargerConnected, ChargerDisconnected, SessionStarted
from tests.integration.hosted_site import HostedSite, key_of
from tests.support.brokers import Broker
from tests.support.ports import LOOPBACK
from tests.support.waiting import eventually, eventually_async

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("side-by-side")]

STATIONS = [f"place-{number}" for number in range(6)]
START = {"connectorId": 1, "idTag": "T1", "meterStart": 0, "timestamp": "2026-11-28T12:00:00Z"}


class Beside(HostedSite):
    """Stations shared out by two processes."""

    def __init__(self, broker, folder, **settings):
        super().__init__(broker, folder, processes=2, **settings)
        for name in STATIONS:
            self.add(name, [f"{name}-a", f"{name}-b"])

    def parts(self):
        """Return the pids of the parts, newest last, by number."""
        pids = {}
        for line in self.agent.log_text().splitlines():
            if '"part.started"' in line:
                said = json.loads(line)
                pids.setdefault(said["part"], []).append(said["pid"])
        return pids

    def serve(self):
        said = self.agent.log_text().count("agent.ready")
        self.agent.start(lambda: self.agent.log_text().count("agent.ready") > said, 30)
        self.wait_for_plan(*STATIONS)


@contextmanager
def a_site(folder, **settings):
    """Have a site with a broker of its own, not yet started."""
    logins = {name: key_of(name) for name in STATIONS}
    broker = Broker("mosquitto", folder / "broker", logins).start()
    site = Beside(broker, folder, **settings)
    try:
        yield site
    finally:
        site.close()
        broker.stop()


@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    with a_site(tmp_path_factory.mktemp("beside")) as made:
        yield made


@pytest.fixture
def site(lasting):
    """The site of all tests here, running."""
    if not lasting.agent.is_running:
        lasting.serve()
    return lasting


async def is_served(site, charger_id, **more):
    """Return whether a charger is let in now."""
    try:
        async with site.charger(charger_id, **more) as charger:
            await charger.call("Heartbeat", {})
    except (InvalidStatus, OSError):
        return False
    return True


async def test_each_charger_is_served_by_the_process_of_its_station(site):
    for name in STATIONS:
        async with site.charger(f"{name}-a") as charger:
            await charger.call("StartTransaction", START)
    for name in STATIONS:
        started = await eventually_async(
            lambda name=name: site.clouds.facts_of(name, SessionStarted)
        )
        assert {one.charger_id for one in started} == {f"{name}-a"}

    assert len(site.parts()) > 1
    for stranger in ("nobody", "place-9-a"):
        with pytest.raises(InvalidStatus) as refused:
            async with site.charger(stranger):
                pass
        assert refused.value.response.status_code == 401


async def test_one_the_plan_alone_knows_is_served_by_the_process_of_its_station(site):
    for name in STATIONS:
        site.clouds.plan(name, [f"{name}-a", f"{name}-b", f"{name}-new"], version=9)
    for name in STATIONS:
        await eventually_async(lambda name=name: is_served(site, f"{name}-new"), 20)


async def test_n08_those_who_never_say_who_they_are_hold_up_nobody(site):
    silent = [socket.create_connection((LOOPBACK, site.ocpp_port)) for _ in range(100)]
    for one in silent[::2]:
        one.send(b"GET /place-0-a HT")

    assert await is_served(site, "place-0-a")
    for one in silent:
        one.close()


async def test_a_part_that_dies_is_back_and_the_other_never_noticed(site):
    chargers = {name: site.charger(f"{name}-a") for name in STATIONS}
    for charger in chargers.values():
        await charger.__aenter__()
    before = site.parts()[0]
    os.kill(before[-1], signal.SIGKILL)
    await eventually_async(lambda: len(site.parts()[0]) > len(before))
    served = 0
    for charger in chargers.values():
        with suppress(ConnectionError, ConnectionClosed, asyncio.CancelledError):
            await charger.call("Heartbeat", {})
            served += 1
        await charger.__aexit__()

    assert 0 < served < len(STATIONS)
    for name in STATIONS:
        await eventually_async(lambda name=name: is_served(site, f"{name}-b"))


async def test_when_the_front_is_killed_its_parts_end_too_and_others_take_their_stations(site):
    pids = [pids[-1] for pids in site.parts().values()]
    async with site.charger("place-0-b") as charger:
        await charger.call("StartTransaction", START)
        site.agent.kill()
        assert await charger.closed() == 1012
    for pid in pids:
        eventually(lambda pid=pid: not is_alive(pid), 20)
    site.agent.env |= {"AGENT_PROCESSES": "3"}
    site.serve()

    for name in STATIONS:
        assert await is_served(site, f"{name}-b")
    assert await eventually_async(lambda: starts_of(site, "place-0-b"))
    assert len(starts_of(site, "place-0-b")) == 1


def starts_of(site, charger_id):
    facts = site.clouds.facts_of(charger_id[:-2], SessionStarted)
    return [one for one in facts if one.charger_id == charger_id]


async def test_f16_at_its_end_chargers_are_sent_away_to_come_back(site):
    async with site.charger("place-1-a") as charger:
        site.agent.send_signal(signal.SIGTERM)
        assert await charger.closed() == 1012

    assert site.agent.wait_for_end() == 0


class Certificates:
    """An authority, the server's certificate, and a charger's."""

    def __init__(self, folder):
        self.authority = trustme.CA()
        self.ca_file, self.server_file = folder / "ca.pem", folder / "server.pem"
        self.authority.cert_pem.write_to_path(self.ca_file)
        issued = self.authority.issue_cert(LOOPBACK, key_type=trustme.KeyType.ECDSA)
        issued.private_key_and_cert_chain_pem.write_to_path(self.server_file)

    def context(self, name=None):
        context = ssl.create_default_context(cafile=self.ca_file)
        if name is not None:
            issued = self.authority.issue_cert(f"{name}.example.org", common_name=name)
            issued.configure_cert(context)
        return context


async def test_profiles_2_and_3_hold_behind_the_front_too(tmp_path):
    certificates = Certificates(tmp_path)
    settings = {
        "AGENT_TLS_CERT_FILES": json.dumps([str(certificates.server_file)]),
        "AGENT_TLS_CLIENT_CA_FILE": str(certificates.ca_file),
    }
    with a_site(tmp_path, **settings) as site:
        site.agent.env |= {"AGENT_OCPP_TLS_PORT": str(site.tls_port)}
        site.clouds.plan("place-0", ["place-0-a"], security_profile=2)
        site.clouds.plan("place-1", ["place-1-a"], security_profile=3)
        site.serve()
        plain, named = certificates.context(), certificates.context("place-1-a")

        assert await is_served(site, "place-2-a")
        assert not await is_served(site, "place-0-a")
        assert await is_served(site, "place-0-a", tls=plain)
        assert not await is_served(site, "place-0-a", tls=plain, key="wrong")
        assert not await is_served(site, "place-1-a", tls=plain)
        assert not await is_served(site, "place-1-a", tls=certificates.context("place-1-b"))
        assert await is_served(site, "place-1-a", tls=named)
        async with site.charger("place-0-a", tls=plain) as charger:
            for number in range(20):
                sent = {"vendorId": "x", "data": f"{number}" + "y" * 20_000}
                await charger.call("DataTransfer", sent)
        profiles = await eventually_async(
            lambda: [
                one.security_profile for one in site.clouds.facts_of("place-1", ChargerConnected)
            ]
        )
        assert profiles == [3]
        await eventually_async(
            lambda: len(site.clouds.facts_of("place-0", ChargerDisconnected)) == 2
        )


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
