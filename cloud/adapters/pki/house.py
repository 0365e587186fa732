"""An authority of our own: roots made once and kept in the data folder. For demonstrations and small sites.

Two hierarchies: one for chargers that log in to us, one for charging by ISO 15118 (root, and a sub-authority
that signs), with contracts' authority below the same root. A larger operator's own authorities take its place.
"""

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cloud.services.security_ports import CsrRefused, Signed
from contracts.clock import Clock

CHARGING_STATION: Final = "ChargingStationCertificate"
_ROOT_LASTS: Final = timedelta(days=3650)
_SKEW: Final = timedelta(hours=1)
"""Chargers' clocks may be behind: a certificate is good from a little before it is made."""
_LEAST_EC_BITS: Final = 224
_LEAST_RSA_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class Issuer:
    """A certificate and the key it signs by."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        """Return the certificate."""
        return self.certificate.public_bytes(Encoding.PEM).decode()


class HouseAuthority:
    """Implements CertificateAuthority."""

    def __init__(
        self, folder: Path, clock: Clock, *, good_for: timedelta = timedelta(days=365)
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._good_for = good_for

    def sign(self, csr: str, names: Sequence[str], purpose: str) -> Signed:
        """See CertificateAuthority.sign."""
        request = read_csr(csr, names)
        issuer = self.chargers if purpose == CHARGING_STATION else self.v2g_sub
        leaf = self.issue(issuer, request, names[0])
        above = "" if issuer is self.chargers else issuer.pem
        return Signed(
            chain=leaf.public_bytes(Encoding.PEM).decode() + above,
            serial_number=f"{leaf.serial_number:x}",
            valid_until=leaf.not_valid_after_utc,
        )

    def roots(self) -> dict[str, str]:
        """See CertificateAuthority.roots."""
        return {
            "CSMSRootCertificate": self.chargers.pem,
            "V2GRootCertificate": self.v2g.pem,
            "MORootCertificate": self.v2g.pem,
        }

    def issue(
        self, issuer: Issuer, request: x509.CertificateSigningRequest, name: str
    ) -> x509.Certificate:
        """Sign a request; the name it may be looked up by is added to its subject's own."""
        now = self._clock.now()
        return (
            x509.CertificateBuilder()
            .subject_name(request.subject)
            .issuer_name(issuer.certificate.subject)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SKEW)
            .not_valid_after(now + self._good_for)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(
                x509.ExtendedKeyUsage(
                    [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
                ),
                critical=False,
            )
            .add_extension(_key_identifier(issuer), critical=False)
            .sign(issuer.key, hashes.SHA256())
        )

    @cached_property
    def chargers(self) -> Issuer:
        """Who signs for chargers that log in to us."""
        return self._kept("chargers", "Baywatt chargers", None)

    @cached_property
    def v2g(self) -> Issuer:
        """The root of charging by ISO 15118."""
        return self._kept("v2g-root", "Baywatt V2G root", None)

    @cached_property
    def v2g_sub(self) -> Issuer:
        """Who signs for chargers that speak to cars."""
        return self._kept("v2g-sub", "Baywatt V2G", self.v2g)

    @cached_property
    def contracts(self) -> Issuer:
        """Who signs for cars' contracts."""
        return self._kept("contracts", "Baywatt contracts", self.v2g)

    def _kept(self, name: str, title: str, above: Issuer | None) -> Issuer:
        path = self._folder / f"{name}.pem"
        if not path.exists():
            _write_once(path, _made(title, above, self._clock.now()))
        text = path.read_bytes()
        key = load_pem_private_key(text, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{path} holds a key of another kind than we make")
        return Issuer(x509.load_pem_x509_certificate(text), key)


def read_csr(csr: str, names: Sequence[str]) -> x509.CertificateSigningRequest:
    """Read a request and see that it may be signed (OCPP 2.0.1 A00.FR.502-511, A02.FR.06).

    Raises:
        CsrRefused: it is broken, weak, or of somebody else.
    """
    try:
        request = x509.load_pem_x509_csr(csr.encode())
        is_its_own = request.is_signature_valid
        key = request.public_key()
    except (ValueError, InvalidSignature, TypeError) as error:
        raise CsrRefused(f"cannot be read: {error}") from error
    if not is_its_own:
        raise CsrRefused("is not signed by its own key")
    if not _is_strong(key):
        raise CsrRefused("has a key that is too short")
    called = [str(one.value) for one in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if called and not set(called) & set(names):
        raise CsrRefused(f"is of {called[0]!r}, which is not this charger's name")
    return request


def _is_strong(key: object) -> bool:
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= _LEAST_RSA_BITS
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size >= _LEAST_EC_BITS


def _made(title: str, above: Issuer | None, now: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
    issuer = subject if above is None else above.certificate.subject
    public = key.public_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - _SKEW)
        .not_valid_after(now.astimezone(UTC) + _ROOT_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_SIGNS, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key if above is None else above.key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM) + private


_SIGNS: Final = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _key_identifier(issuer: Issuer) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())


def _write_once(path: Path, content: bytes) -> None:
    """Have the file appear whole; of several processes that make one the first wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{secrets.token_hex(8)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(beside, path)
    except FileExistsError:
        pass
    finally:
        beside.unlink()
