"""A station that is served plainly and encrypted side by side, and posts that know both ways in."""

import itertools
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trustme
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from cloud.adapters.pki.house import HouseAuthority
from contracts.clock import SystemClock
from simulator.chargers.dialer import Address
from simulator.chargers.safe import CHARGING_STATION, Safe
from tests.certification.post import Post
from tests.support.ports import LOOPBACK, free_port
from tests.support.stack import Stack, Station

SUITES = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
)
"""What A00.FR.318 and 319 ask for."""


_CHARGERS = 120
"""More than the cases need: one that has risen to a higher security profile is of no use to another."""


class SecurePost(Post):
    """A post of a guarded station."""

    tls_port: int = 0
    own_tls: ssl.SSLContext | None = None
    """With it the post dials encrypted from the start."""

    @property
    def tls_url(self) -> str:
        """Return where it is served encrypted."""
        return f"wss://{LOOPBACK}:{self.tls_port}"

    @property
    def key(self) -> str:
        """Return the key it was set up with."""
        return self.station.charger_keys[self.charger_id]

    def _address(self) -> Address:
        plain = super()._address()
        if self.own_tls is None:
            return plain
        return Address(self.tls_url, plain.key, self.own_tls, longest_wait_s=1)

    async def knock(
        self, *, user: str = "", key: str | None = None, tls: ssl.SSLContext | None = None
    ) -> int:
        """Try to log in beside the post's own connection; return the HTTP status, 0: it came to none."""
        headers = {} if key is None else self.login(key, user)
        url = self.tls_url if tls else self.plain().url
        try:
            async with connect(
                f"{url}/{self.charger_id}",
                subprotocols=[Subprotocol(one) for one in self.charger.offers],
                additional_headers=headers,
                ssl=tls,
                compression=None,
                proxy=None,
            ):
                return 101
        except InvalidStatus as error:
            return error.response.status_code
        except (OSError, EOFError, WebSocketException):
            return 0

    def plain(self) -> Address:
        """Return where it is served plainly, and by which key."""
        return super()._address()

    def login(self, key: str, user: str = "") -> dict[str, str]:
        """Return the header of a login."""
        login = f"{user or self.charger_id}:{key}".encode()
        return {"Authorization": f"Basic {b64encode(login).decode()}"}

    async def rotation(self) -> dict[str, Any]:
        """Return how the change of its key stands."""
        return await self.get(f"/chargers/{self.charger_id}/key-rotation")

    async def certificates(self) -> list[dict[str, Any]]:
        """Return the certificates it asked for, newest first."""
        return (await self.get(f"/chargers/{self.charger_id}/certificates"))["certificates"]

    async def roots(self) -> dict[str, str]:
        """Return the roots certificates are signed under."""
        return (await self.get(f"/chargers/{self.charger_id}/certificates"))["roots"]

    async def renewed(self, message: str = "SignChargingStationCertificate") -> dict[str, Any]:
        """Have the post ask for a certificate, and wait until it has it; return the certificate."""
        before = len(await self.certificates())
        command = await self.command("trigger_message", message=message)
        assert command["state"] == "accepted"

        async def settled():
            found = await self.certificates()
            return len(found) > before and found[0]["status"] in {"installed", "rejected"}

        await self.until(settled, "the certificate delivered")
        return (await self.certificates())[0]


@dataclass(frozen=True)
class _Stopped(SystemClock):
    """A clock that always shows one instant."""

    at: datetime

    def now(self) -> datetime:
        """See Clock.now."""
        return self.at


@dataclass
class Guarded:
    """A station with certificates of its own."""

    stack: Stack
    station: Station
    tls_port: int
    authority: trustme.CA
    """Whose certificates the station shows."""
    free: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self.free = itertools.cycle(self.station.charger_ids)

    @property
    def root(self) -> str:
        """Return what chargers must trust to dial in encrypted."""
        return self.authority.cert_pem.bytes().decode()

    def post(
        self, version: str = "2.0.1", *, is_encrypted: bool = False, **more: Any
    ) -> SecurePost:
        """Return a charger no case had before."""
        kind = type("Guarded", (SecurePost,), {"own_tls": self.tls() if is_encrypted else None})
        kind.tls_port = self.tls_port
        post: SecurePost = kind(self.stack, self.station, next(self.free), version, **more)
        if is_encrypted:
            post.charger.safe.profile = 2
            post.charger.safe.install("CSMSRootCertificate", self.root)
        return post

    def proof(self, charger_id: str, *, lasts: timedelta, made_ago: timedelta) -> ssl.SSLContext:
        """Return a context that shows a certificate of the authority the station trusts."""
        made_at = datetime.now(UTC) - made_ago
        folder = self.stack.folder / "cloud" / "pki"
        house = HouseAuthority(folder, _Stopped(made_at), good_for=lasts)
        safe = Safe()
        request = safe.request_for(CHARGING_STATION, charger_id)
        signed = house.sign(request, [charger_id], CHARGING_STATION)
        assert safe.take_chain(signed.chain, CHARGING_STATION, made_at)
        safe.install("CSMSRootCertificate", self.root)
        return safe.context()

    def tls(self, suite: str = "", **more: Any) -> ssl.SSLContext:
        """Return a context that trusts the station, of one suite where it is named."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        self.authority.configure_trust(context)
        if suite:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(suite)
        for name, value in more.items():
            setattr(context, name, value)
        return context


def guard(stack: Stack, folder: Path) -> Guarded:
    """Set up a station of its own and start its agent with certificates."""
    station = stack.add_station("guarded", chargers=_CHARGERS, evses=1)
    authority = trustme.CA()
    files = []
    for kind in (trustme.KeyType.ECDSA, trustme.KeyType.RSA):
        issued = authority.issue_cert("localhost", LOOPBACK, common_name=LOOPBACK, key_type=kind)
        file = folder / f"{kind.name}.pem"
        issued.private_key_and_cert_chain_pem.write_to_path(file)
        files.append(str(file))
    roots = stack.get(f"/chargers/{station.charger_ids[0]}/certificates")["roots"]
    anchors = folder / "roots.pem"
    anchors.write_text("".join(sorted(set(roots.values()))))
    tls_port = free_port()
    stack.start_agent(
        station,
        AGENT_BEAT_INTERVAL_S="3",
        AGENT_OCPP_TLS_PORT=str(tls_port),
        AGENT_TLS_CERT_FILES=str(files).replace("'", '"'),
        AGENT_TLS_CLIENT_CA_FILE=str(anchors),
    )
    stack.wait_until_known(station)
    return Guarded(stack, station, tls_port, authority)


def quietly(context: ssl.SSLContext, ciphers: str) -> ssl.SSLContext:
    """Have a context offer what the library would not offer by itself."""
    with suppress(ssl.SSLError):
        context.set_ciphers(ciphers)
    return context
