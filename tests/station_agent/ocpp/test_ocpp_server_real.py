"""The endpoint on real sockets: handshakes, limits, duplicates, shutdown, TLS."""

import asyncio
import base64
import json
import socket as sockets
import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.typing import Subprotocol

from contracts import commands
from contracts.clock import SystemClock
from contracts.events import (
    ChargerBooted,
    ChargerConnected,
    ChargerDisconnected,
    CommandOutcome,
    ConnectorStateReported,
    OddityObserved,
    SecurityEventReported,
)
from contracts.keys import hash_key
from contracts.plan import Registration
from station_agent.ocpp.chargers import StationChargers
from station_agent.ocpp.profiles import Profiles
from station_agent.ocpp.server import ChargerServer, ServerSettings
from station_agent.ports import Kept
from station_agent.station_file import ChargerLayout, StationLayout
from tests.station_agent.ocpp.fakes import (
    KEY,
    FakeAuthorizer,
    FakeClock,
    FakeCredentials,
    FakeOutbox,
    FakePromises,
    a_credential,
)

pytestmark = pytest.mark.real

BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}
BOOT_201 = {"reason": "PowerUp", "chargingStation": {"model": "M", "vendorName": "V"}}
CHARGERS = ("CP-1", "CP-2")


class Station:
    """A running server, its outbox, and how to connect to it."""

    def __init__(self, clock=None, **settings) -> None:
        self.clock = clock or SystemClock()
        self.outbox = FakeOutbox()
        self.credentials = FakeCredentials({one: a_credential(one) for one in CHARGERS})
        layout = {one: ChargerLayout(one, 2) for one in CHARGERS}
        own = ServerSettings(host="127.0.0.1", **settings)
        self.chargers = StationChargers(
            recorder=self.outbox,
            sessions=self.outbox,
            answers=self.outbox,
            authorizer=FakeAuthorizer(),
            promises=FakePromises(),
            credentials=self.credentials,
            station=StationLayout("station", layout, {}),
            settings=own,
            clock=self.clock,
        )
        find = dict.fromkeys(CHARGERS, self.chargers).get
        self.server = ChargerServer(find=find, settings=own, clock=self.clock)

    def connect(
        self, path="/ocpp/CP-1", *, user="CP-1", key=KEY, offers=("ocpp1.6",), scheme="ws", **more
    ):
        headers = {}
        if user is not None:
            text = f"{user}:{key}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(text).decode()
        return connect(
            f"{scheme}://127.0.0.1:{self.server.port}{path}",
            subprotocols=[Subprotocol(one) for one in offers] or None,
            additional_headers=headers,
            **{"compression": None, "ping_interval": None} | more,
        )

    async def status_of(self, *args, **kwargs) -> int:
        """Return the HTTP status a handshake is refused with."""
        with pytest.raises(InvalidStatus) as refused:
            async with self.connect(*args, **kwargs):
                pass
        return refused.value.response.status_code


@asynccontextmanager
async def a_station(**settings):
    station = Station(**settings)
    started = asyncio.Event()
    serving = asyncio.create_task(station.server.serve(started=started))
    await started.wait()
    try:
        yield station
    finally:
        serving.cancel()
        await asyncio.wait((serving,))


async def until(is_so) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


async def say(ws: ClientConnection, action: str, payload, message_id="1") -> list:
    await ws.send(json.dumps([2, message_id, action, payload]))
    async with asyncio.timeout(60):
        return json.loads(await ws.recv())


async def test_a_charger_logs_in_boots_and_leaves():
    async with a_station() as station:
        async with station.connect() as ws:
            assert ws.subprotocol == "ocpp1.6"
            assert (await say(ws, "BootNotification", BOOT))[2]["status"] == "Accepted"
        await until(lambda: station.outbox.told(ChargerDisconnected))

        (connected,) = station.outbox.told(ChargerConnected)
        assert (connected.ocpp_version, connected.security_profile) == ("1.6", 1)


@pytest.mark.parametrize("registration", [Registration.PENDING, Registration.REJECTED])
async def test_p09_who_was_not_let_in_is_held_also_after_it_dialled_anew_without_a_boot(
    registration,
):
    async with a_station() as station:
        station.credentials["CP-1"] = msgspec.structs.replace(
            a_credential(), registration=registration
        )
        for _ in range(2):
            async with station.connect(offers=("ocpp2.0.1",)) as ws:
                assert (await say(ws, "Heartbeat", {}))[2] == "SecurityError"
            await until(lambda: station.chargers.connected_at("CP-1") is None)
        station.credentials["CP-1"] = a_credential()
        async with station.connect(offers=("ocpp2.0.1",)) as ws:
            assert (await say(ws, "Heartbeat", {}))[0] == 3


async def test_b02_who_waits_and_did_not_boot_is_asked_to_each_time_it_comes():
    async with a_station(clock=FakeClock()) as station:
        waits = msgspec.structs.replace(a_credential(), registration=Registration.PENDING)
        station.credentials["CP-1"] = waits
        for _ in range(2):
            async with station.connect(offers=("ocpp2.0.1",)) as ws:
                await say(ws, "Heartbeat", {})
                station.clock.advance(15)
                async with asyncio.timeout(5):
                    asked = json.loads(await ws.recv())
                assert asked[2:] == ["TriggerMessage", {"requestedMessage": "BootNotification"}]
                booted = await say(ws, "BootNotification", BOOT_201)
                assert booted[2]["status"] == "Pending"
            await until(lambda: station.chargers.connected_at("CP-1") is None)


async def test_boot_and_status_pipelined_are_answered_in_order():
    async with a_station() as station, station.connect() as ws:
        status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
        await ws.send(json.dumps([2, "1", "BootNotification", BOOT]))
        await ws.send(json.dumps([2, "2", "StatusNotification", status]))

        assert [json.loads(await ws.recv())[:2] for _ in range(2)] == [[3, "1"], [3, "2"]]
        assert len(station.outbox.told(ConnectorStateReported)) == 1


@pytest.mark.parametrize(
    ("offers", "version"),
    [
        ((), "1.6"),
        (("ocpp2.0.1", "ocpp1.6"), "2.0.1"),
        (("ocpp1.6", "ocpp2.0.1"), "1.6"),
        (("ocpp2.1", "ocpp2.0.1"), "2.1"),
        (("ocpp1.2", "ocpp2.0.1"), "2.0.1"),
    ],
)
async def test_p08_the_version_is_the_first_of_the_chargers_we_speak(offers, version):
    async with a_station() as station, station.connect(offers=offers) as ws:
        await say(ws, "Heartbeat", {})

        assert station.outbox.told(ChargerConnected)[0].ocpp_version == version
        assert ws.subprotocol == (f"ocpp{version}" if offers else None)


async def test_quirk_1_an_empty_offer_is_none():
    async with a_station() as station:
        token = base64.b64encode(f"CP-1:{KEY}".encode()).decode()
        reader, writer = await asyncio.open_connection("127.0.0.1", station.server.port)
        writer.write(
            f"GET /CP-1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: \r\nAuthorization: Basic {token}\r\n\r\n".encode()
        )

        assert b" 101 " in await reader.readline()
        writer.close()
        await writer.wait_closed()


async def test_p08_a_version_we_do_not_speak_is_refused():
    async with a_station() as station:
        assert await station.status_of(offers=("ocpp1.2", "ocpp2.0")) == 400
        assert station.outbox.told(ChargerConnected) == []


@pytest.mark.parametrize(
    ("path", "user", "key"),
    [
        ("/CP-1", None, ""),
        ("/CP-1", "CP-1", "wrong"),
        ("/CP-1", "CP-2", KEY),
        ("/CP-9", "CP-9", KEY),
        ("/CP-9", "CP-1", KEY),
        ("/cp-1", "cp-1", KEY),
        ("/?id=CP-1", "CP-1", KEY),
        ("/CP-1%00", "CP-1", KEY),
        ("/x/%2e%2e/CP-1", "CP-1", KEY),
    ],
)
async def test_s01_s04_whoever_may_not_come_in_hears_the_same(path, user, key):
    async with a_station() as station:
        with pytest.raises(InvalidStatus) as refused:
            async with station.connect(path, user=user, key=key):
                pass

        response = refused.value.response
        assert response.status_code == 401
        assert response.body == b"unauthorized\n"
        assert response.headers["WWW-Authenticate"].startswith("Basic ")
        assert station.outbox.told(ChargerConnected) == []


async def test_s03_a_refused_login_of_a_known_charger_is_an_event_once_a_minute():
    async with a_station() as station:
        for _ in range(3):
            assert await station.status_of(key="wrong") == 401
        assert await station.status_of("/CP-9", user="CP-9") == 401

        (event,) = station.outbox.told(SecurityEventReported)
        assert (event.charger_id, event.info) == ("CP-1", "wrong_key")


async def test_s05_after_ten_failures_not_even_the_right_key_is_heard_for_a_while():
    async with a_station() as station:
        for _ in range(10):
            assert await station.status_of(key="wrong") == 401

        assert await station.status_of() == 401
        async with station.connect("/CP-2", user="CP-2") as other:
            assert (await say(other, "Heartbeat", {}))[0] == 3


@pytest.mark.parametrize(("is_lab", "status"), [(True, 101), (False, 401)])
async def test_s03_profile_0_needs_the_lab(is_lab, status):
    async with a_station(allow_unauthenticated=is_lab) as station:
        station.credentials["CP-1"] = a_credential(security_profile=0)
        if status == 401:
            assert await station.status_of(user=None) == 401
        else:
            async with station.connect(user=None) as ws:
                assert (await say(ws, "Heartbeat", {}))[0] == 3


async def test_p04_a_frame_too_large_closes_1009_and_others_go_on():
    async with (
        a_station() as station,
        station.connect() as ws,
        station.connect("/CP-2", user="CP-2") as other,
    ):
        await ws.send("x" * 65_537)
        with pytest.raises(ConnectionClosed):
            await ws.recv()

        assert ws.close_code == 1009
        assert (await say(other, "Heartbeat", {}))[0] == 3


async def test_p04_an_endless_message_in_fragments_closes_1009():
    async def fragments():
        while True:
            yield "x" * 10_000

    async with a_station() as station, station.connect() as ws:
        with pytest.raises(ConnectionClosed):
            await ws.send(fragments())

        assert ws.close_code == 1009


async def test_p04_a_decompression_bomb_closes_1009():
    async with (
        a_station() as station,
        station.connect(offers=("ocpp2.0.1",), compression="deflate") as ws,
    ):
        await ws.send("x" * 1_000_000)
        with pytest.raises(ConnectionClosed):
            await ws.recv()

        assert ws.close_code == 1009


@pytest.mark.parametrize(("offer", "is_offered"), [("ocpp1.6", False), ("ocpp2.0.1", True)])
async def test_compression_is_for_2x_and_with_small_windows(offer, is_offered):
    extension = ClientPerMessageDeflateFactory(client_max_window_bits=True)
    async with (
        a_station() as station,
        station.connect(offers=(offer,), extensions=[extension]) as ws,
    ):
        header = ws.response.headers.get("Sec-WebSocket-Extensions", "")

        assert ("permessage-deflate" in header) is is_offered
        assert ("server_max_window_bits=10" in header) is is_offered
        assert (await say(ws, "Heartbeat", {}))[0] == 3


async def test_quirk_8_a_binary_frame_is_read_like_a_text():
    async with a_station() as station, station.connect() as ws:
        await ws.send(json.dumps([2, "1", "Heartbeat", {}]).encode())
        reply = await ws.recv()

        assert isinstance(reply, str)
        assert json.loads(reply)[:2] == [3, "1"]


async def test_s02_a_second_connection_is_refused_while_the_first_is_alive():
    async with a_station() as station, station.connect() as first:
        await say(first, "Heartbeat", {})
        assert await station.status_of() == 409

        assert (await say(first, "Heartbeat", {}, "2"))[0] == 3
        assert station.outbox.told(SecurityEventReported)[0].info == "second_connection"


async def test_s02_quirk_4_a_second_connection_replaces_a_half_open_one():
    async with a_station() as station, AsyncExitStack() as stack:
        first = await stack.enter_async_context(station.connect())
        await say(first, "Heartbeat", {})
        # The first stops reading: as after a power cut, nobody answers pings.
        first.transport.pause_reading()
        second = await stack.enter_async_context(station.connect())
        assert (await say(second, "Heartbeat", {}))[0] == 3
        command = asyncio.create_task(
            station.chargers.execute(commands.ResetCharger(charger_id="CP-1"), 5)
        )
        frame = json.loads(await second.recv())
        await second.send(json.dumps([3, frame[1], {"status": "Accepted"}]))

        assert (await command).outcome is CommandOutcome.ACCEPTED
        first.transport.abort()
        await first.wait_closed()
        assert (await say(second, "Heartbeat", {}, "2"))[0] == 3
        assert station.outbox.told(ChargerDisconnected) == []
        assert station.chargers.silent_chargers() == ["CP-2"]


async def test_commands_reach_the_charger_and_its_answer_comes_back():
    async with a_station() as station, station.connect(offers=("ocpp2.0.1",)) as ws:
        await say(ws, "Heartbeat", {})
        request = commands.SetMeterInterval(charger_id="CP-1", interval_s=30)
        command = asyncio.create_task(station.chargers.execute(request, 5))
        frame = json.loads(await ws.recv())
        one = frame[3]["setVariableData"][0]
        result = {
            "component": one["component"],
            "variable": one["variable"],
            "attributeStatus": "RebootRequired",
        }
        await ws.send(json.dumps([3, frame[1], {"setVariableResult": [result]}]))

        answered = await command
        assert answered.outcome is CommandOutcome.ACCEPTED
        assert answered.answer["setVariableResult"] == [result]


async def test_f16_at_shutdown_chargers_are_told_to_come_back():
    async with a_station() as station:
        ws = await station.connect()
        await say(ws, "Heartbeat", {})
    await ws.wait_closed()

    assert ws.close_code == 1012
    assert len(station.outbox.told(ChargerDisconnected)) == 1


async def test_n08_those_who_never_finish_their_handshake_do_not_hold_up_the_others():
    async with a_station() as station:
        writers = []
        for _ in range(100):
            _, writer = await asyncio.open_connection("127.0.0.1", station.server.port)
            writer.write(b"GET /CP-1 HT")
            writers.append(writer)
        async with station.connect() as ws:
            assert (await say(ws, "Heartbeat", {}))[0] == 3
        for writer in writers:
            writer.close()
            await writer.wait_closed()


class Certificates:
    """An authority with server certificates of both kinds and a charger's."""

    def __init__(self, folder) -> None:
        self.authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self.serials: list[str] = []
        """Of the clients' certificates, in order."""
        self.authority.cert_pem.write_to_path(self.ca_file)
        self.server_files = []
        for kind in (trustme.KeyType.ECDSA, trustme.KeyType.RSA):
            issued = self.authority.issue_cert("127.0.0.1", key_type=kind)
            file = folder / f"{kind.name}.pem"
            issued.private_key_and_cert_chain_pem.write_to_path(file)
            self.server_files.append(file)

    def client_called(self, name: str, serial: str, folder) -> ssl.SSLContext:
        """Return a client whose certificate names it beside its serial number, as our house signs them."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        authority = x509.load_pem_x509_certificate(self.authority.cert_pem.bytes())
        signer = load_pem_private_key(self.authority.private_key_pem.bytes(), None)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, serial)]))
            .issuer_name(authority.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(signer, hashes.SHA256())
        )
        file = folder / "client.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
        context = ssl.create_default_context(cafile=self.ca_file)
        context.load_cert_chain(file)
        return context

    def client(self, name: str | None = None, authority=None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca_file)
        if name is not None:
            issuer = authority or self.authority
            issued = issuer.issue_cert(f"{name}.example.org", common_name=name)
            issued.configure_cert(context)
            leaf = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())
            self.serials.append(f"{leaf.serial_number:x}")
        return context


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def secure(certificates):
    async with a_station(
        tls_cert_files=tuple(certificates.server_files), tls_client_ca_file=certificates.ca_file
    ) as station:
        station.credentials["CP-1"] = a_credential(security_profile=2)
        station.credentials["CP-2"] = a_credential("CP-2", security_profile=3)
        yield station


async def test_profile_2_is_key_and_encryption(secure, certificates):
    async with secure.connect(scheme="wss", ssl=certificates.client()) as ws:
        assert (await say(ws, "Heartbeat", {}))[0] == 3
    assert secure.outbox.told(ChargerConnected)[0].security_profile == 2
    assert await secure.status_of(scheme="wss", ssl=certificates.client(), key="wrong") == 401


async def test_profile_3_is_a_certificate_with_the_chargers_name(secure, certificates):
    more = {"path": "/CP-2", "user": None, "scheme": "wss"}
    async with secure.connect(**more, ssl=certificates.client("CP-2")) as ws:
        assert (await say(ws, "Heartbeat", {}))[0] == 3

    assert await secure.status_of(**more, ssl=certificates.client("CP-1")) == 401
    assert await secure.status_of(**more, ssl=certificates.client()) == 401
    with_key = more | {"user": "CP-2"}
    assert await secure.status_of(**with_key, ssl=certificates.client()) == 401


async def test_s03_a_certificate_that_was_replaced_is_no_proof_any_more(secure, certificates):
    more = {"path": "/CP-2", "user": None, "scheme": "wss"}
    old, new = certificates.client("CP-2"), certificates.client("CP-2")
    serials = certificates.serials[-2:]
    secure.credentials["CP-2"] = msgspec.structs.replace(
        a_credential("CP-2", security_profile=3), certificate_serials=serials
    )
    async with secure.connect(**more, ssl=old) as ws:
        await say(ws, "Heartbeat", {})
    await until(lambda: secure.outbox.told(ChargerDisconnected))
    secure.credentials["CP-2"] = msgspec.structs.replace(
        a_credential("CP-2", security_profile=3), certificate_serials=serials[1:]
    )
    status = await secure.status_of(**more, ssl=old)
    async with secure.connect(**more, ssl=new) as ws:
        await say(ws, "Heartbeat", {})

    assert status == 401
    assert [one.certificate_serial for one in secure.outbox.told(ChargerConnected)] == serials
    assert [one.event for one in secure.outbox.told(SecurityEventReported)] == [
        "certificate_replaced"
    ]


def boot_of(serial):
    station = {"vendorName": "V", "model": "M"} | ({"serialNumber": serial} if serial else {})
    return {"reason": "PowerUp", "chargingStation": station}


@pytest.mark.parametrize(
    ("common_name", "serial"), [("SN-7", "SN-7"), ("CP-2", "SN-7"), ("CP-2", None)]
)
async def test_b01_fr_11_a_charger_of_its_certificates_serial_number_is_accepted(
    secure, certificates, tmp_path, common_name, serial
):
    tls = certificates.client_called("CP-2", common_name, tmp_path)
    more = {"path": "/CP-2", "user": None, "scheme": "wss", "offers": ("ocpp2.0.1",)}
    async with secure.connect(**more, ssl=tls) as ws:
        answer = await say(ws, "BootNotification", boot_of(serial))

        assert answer[2]["status"] == "Accepted"
        assert (await say(ws, "Heartbeat", {}, "2"))[0] == 3
    assert secure.outbox.told(ChargerBooted)


@pytest.mark.parametrize("serial", ["SN-8", "CP-2", None])
async def test_b01_fr_12_one_of_another_serial_number_is_closed_and_it_is_told(
    secure, certificates, tmp_path, serial
):
    tls = certificates.client_called("CP-2", "SN-7", tmp_path)
    more = {"path": "/CP-2", "user": None, "scheme": "wss", "offers": ("ocpp2.0.1",)}
    async with secure.connect(**more, ssl=tls) as ws:
        answer = await say(ws, "BootNotification", boot_of(serial))
        async with asyncio.timeout(5):
            await ws.wait_closed()

        assert answer[2]["status"] == "Rejected"
        assert ws.close_code == 1008
    (oddity,) = secure.outbox.told(OddityObserved)
    assert (oddity.oddity, oddity.charger_id) == ("serial_differs", "CP-2")
    assert secure.outbox.told(ChargerBooted) == []


async def test_b01_fr_11_a_serial_number_is_held_against_no_key(secure, certificates):
    more = {"scheme": "wss", "offers": ("ocpp2.0.1",), "ssl": certificates.client("CP-9")}
    async with secure.connect(**more) as ws:
        answer = await say(ws, "BootNotification", boot_of("SN-8"))

        assert answer[2]["status"] == "Accepted"


async def test_s03_a_certificate_of_a_foreign_authority_gets_no_handshake(secure, certificates):
    foreign = certificates.client("CP-2", authority=trustme.CA())
    with pytest.raises((ssl.SSLError, ConnectionError, InvalidMessage)):
        async with secure.connect("/CP-2", user=None, scheme="wss", ssl=foreign):
            pass

    assert secure.outbox.told(ChargerConnected) == []


async def test_s03_profile_2_is_refused_without_encryption():
    async with a_station() as station:
        station.credentials["CP-1"] = a_credential(security_profile=2)

        assert await station.status_of() == 401
        assert station.outbox.told(SecurityEventReported)[0].info == "security_downgraded"


@pytest.mark.parametrize(
    ("ciphers", "is_taken"),
    [
        ("ECDHE-ECDSA-AES128-GCM-SHA256", True),
        ("ECDHE-RSA-AES256-GCM-SHA384", True),
        ("AES128-GCM-SHA256", True),
        ("AES256-GCM-SHA384", True),
        ("AES128-SHA", False),
        ("ECDHE-RSA-AES128-SHA256", False),
    ],
)
async def test_the_suites_of_the_standard_and_no_weaker_ones(
    secure, certificates, ciphers, is_taken
):
    context = certificates.client()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers + ":@SECLEVEL=0")
    if is_taken:
        async with secure.connect(scheme="wss", ssl=context) as ws:
            assert (await say(ws, "Heartbeat", {}))[0] == 3
    else:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await secure.connect(scheme="wss", ssl=context)


async def test_s03_tls_1_1_is_refused(secure, certificates):
    context = certificates.client()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await secure.connect(scheme="wss", ssl=context)


async def test_a_plain_connection_to_a_secure_port_is_dropped(secure):
    def ask() -> bytes:
        with sockets.create_connection(("127.0.0.1", secure.server.port), timeout=60) as raw:
            raw.sendall(b"GET /CP-1 HTTP/1.1\r\nHost: x\r\n\r\n")
            return raw.recv(100)

    assert not (await asyncio.to_thread(ask)).startswith(b"HTTP/1.1 101")


async def test_s03_the_highest_profile_a_charger_came_by_is_kept_also_over_a_restart():
    outbox = FakeOutbox()
    await outbox.record([], Profiles(outbox).note("CP-1", 2, 0))
    again = Profiles(outbox)

    assert again.at_least(a_credential("CP-1")).security_profile == 2
    assert again.at_least(a_credential("CP-1", security_profile=3)).security_profile == 3
    assert again.at_least(a_credential("CP-2")).security_profile == 1
    assert again.at_least(None) is None
    assert again.note("CP-1", 1, 0) == []


def test_s03_what_a_charger_came_by_before_its_profile_was_set_anew_does_not_count():
    profiles = Profiles(FakeOutbox())
    profiles.note("CP-1", 3, 7)
    set_anew = msgspec.structs.replace(a_credential("CP-1"), profile_generation=8)
    is_lower = profiles.at_least(set_anew)
    profiles.note("CP-1", 2, 8)

    assert is_lower.security_profile == 1
    assert profiles.at_least(set_anew).security_profile == 2
    assert profiles.at_least(a_credential("CP-1")).security_profile == 2


async def test_s03_a_note_of_before_generations_is_of_the_first():
    outbox = FakeOutbox()
    await outbox.record([], [Kept("security_profile", "CP-1", b'{"security_profile":2}')])
    profiles = Profiles(outbox)
    set_anew = msgspec.structs.replace(a_credential("CP-1"), profile_generation=1)

    assert profiles.at_least(a_credential("CP-1")).security_profile == 2
    assert profiles.at_least(set_anew).security_profile == 1


async def test_s03_a_profile_the_disk_refused_to_keep_is_kept_at_the_next_login():
    async with a_station() as station:
        station.outbox.is_broken = True
        async with station.connect():
            pass
        await until(lambda: not station.chargers.connected_at("CP-1"))
        station.outbox.is_broken = False
        async with station.connect() as ws:
            await say(ws, "Heartbeat", {})
            kept = station.outbox.kept("security_profile")

        assert json.loads(kept["CP-1"])["security_profile"] == 1


async def test_a_login_tells_which_setting_of_its_profile_it_was_held_against():
    async with a_station() as station:
        station.credentials["CP-1"] = msgspec.structs.replace(a_credential(), profile_generation=5)
        async with station.connect() as ws:
            await say(ws, "Heartbeat", {})

        assert station.outbox.told(ChargerConnected)[0].profile_generation == 5


async def test_s03_who_came_encrypted_once_is_not_let_in_plainly_and_it_is_told():
    async with a_station() as station:
        await station.outbox.record([], Profiles(station.outbox).note("CP-1", 2, 0))
        station.chargers._profiles = Profiles(station.outbox)  # noqa: SLF001 - as after a restart
        status = await station.status_of()

        assert status == 401
        assert [one.event for one in station.outbox.told(SecurityEventReported)] == [
            "security_downgraded"
        ]


@pytest.mark.parametrize(
    ("status", "is_sent_away"), [("Accepted", True), ("RebootRequired", False)]
)
async def test_f13_one_that_goes_by_its_new_key_from_its_next_boot_on_is_not_sent_away(
    status, is_sent_away
):
    clock, salt, key = FakeClock(), "ab" * 16, "cd" * 20
    request = commands.SetChargerKey(charger_id="CP-1", salt=salt, key=key)
    async with a_station(clock=clock) as station, station.connect() as ws:
        station.credentials["CP-1"] = msgspec.structs.replace(
            a_credential(), next_salt=salt, next_key_hash=hash_key(salt, key)
        )
        await say(ws, "BootNotification", BOOT)
        asking = asyncio.create_task(station.chargers.execute(request, 20))
        asked = json.loads(await ws.recv())
        await ws.send(json.dumps([3, asked[1], {"status": status}]))
        given = await asking
        await say(ws, "Heartbeat", {}, "2")
        clock.advance(11)
        if is_sent_away:
            async with asyncio.timeout(5):
                await ws.wait_closed()
        else:
            await say(ws, "Heartbeat", {}, "3")

        assert given.outcome is CommandOutcome.ACCEPTED
        assert (ws.close_code == 1000) is is_sent_away


async def test_f13_a_key_the_plan_does_not_have_on_disk_is_not_given_to_a_charger():
    request = commands.SetChargerKey(charger_id="CP-1", salt="ab" * 16, key="cd" * 20)
    async with a_station() as station, station.connect() as ws:
        await say(ws, "BootNotification", BOOT)
        refused = await station.chargers.execute(request, 5)
        station.credentials["CP-1"] = msgspec.structs.replace(
            a_credential(), next_salt="ab" * 16, next_key_hash=hash_key("ab" * 16, "cd" * 20)
        )
        asking = asyncio.create_task(station.chargers.execute(request, 20))
        asked = json.loads(await ws.recv())
        await ws.send(json.dumps([3, asked[1], {"status": "Accepted"}]))
        given = await asking
        await ws.close()
        async with station.connect(key="cd" * 20):
            connected = station.outbox.told(ChargerConnected)

        assert refused.outcome is CommandOutcome.FAILED
        assert asked[3] == {"key": "AuthorizationKey", "value": "cd" * 20}
        assert given.outcome is CommandOutcome.ACCEPTED
        assert connected[0].key_salt == a_credential().salt


async def test_s03_a_certificate_the_plan_does_not_count_yet_is_not_given_to_a_charger():
    request = commands.DeliverCertificate(charger_id="CP-1", chain="PEM", serial_number="2f")
    async with a_station() as station, station.connect(offers=("ocpp2.0.1",)) as ws:
        await say(ws, "Heartbeat", {})
        station.credentials["CP-1"] = msgspec.structs.replace(
            a_credential(), certificate_serials=["1f"]
        )
        refused = await station.chargers.execute(request, 5)
        station.credentials["CP-1"] = msgspec.structs.replace(
            a_credential(), certificate_serials=["2f", "1f"]
        )
        giving = asyncio.create_task(station.chargers.execute(request, 20))
        asked = json.loads(await ws.recv())
        await ws.send(json.dumps([3, asked[1], {"status": "Accepted"}]))

        assert refused.outcome is CommandOutcome.FAILED
        assert asked[2] == "CertificateSigned"
        assert (await giving).outcome is CommandOutcome.ACCEPTED
