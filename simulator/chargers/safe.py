"""What a charger proves itself by: its key, its certificates, the roots it trusts, its network profiles."""

import hashlib
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

CSMS_ROOTS: Final = frozenset({"CSMSRootCertificate", "CentralSystemRootCertificate"})
CHARGING_STATION: Final = "ChargingStationCertificate"
TLS_PROFILE: Final = 2
CERTIFICATE_PROFILE: Final = 3


def _nowhere(**_: Any) -> None:
    """Without a socket there is nothing to dial."""


@dataclass(slots=True)
class Safe:
    """One charger's."""

    redial: Callable[..., None] = _nowhere
    """Dials anew by other fields of Address; whoever owns the socket sets it."""
    profile: int = 1
    tls_url: str = ""
    """Where it dials encrypted, once it is told to by a profile alone (1.6)."""
    hash_algorithm: str = "SHA256"
    roots: dict[str, list[x509.Certificate]] = field(default_factory=dict)
    """By OCPP's name of their use."""
    asked_by: dict[str, ec.EllipticCurvePrivateKey] = field(default_factory=dict)
    """The keys of requests to sign that wait for their certificate, by purpose."""
    chains: dict[str, list[x509.Certificate]] = field(default_factory=dict)
    """Its own certificates, with those above them, by purpose."""
    keys: dict[str, ec.EllipticCurvePrivateKey] = field(default_factory=dict)
    slots: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Network profiles, as SetNetworkProfile has them."""
    priority: list[int] = field(default_factory=list)

    def request_for(self, purpose: str, name: str) -> str:
        """Return a request to sign, of a new key, in PEM."""
        key = self.asked_by[purpose] = ec.generate_private_key(ec.SECP256R1())
        subject = [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "GB"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Baywatt Labs"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    def take_chain(self, pem: str, purpose: str, now: datetime) -> bool:
        """Take a signed certificate; False: it is not of the key asked for, or not good now."""
        key = self.asked_by.get(purpose)
        try:
            chain = x509.load_pem_x509_certificates(pem.encode())
        except ValueError:
            return False
        if key is None or chain[0].public_key() != key.public_key():
            return False
        if not chain[0].not_valid_before_utc <= now < chain[0].not_valid_after_utc:
            return False
        self.chains[purpose], self.keys[purpose] = chain, self.asked_by.pop(purpose)
        return True

    def install(self, kind: str, pem: str) -> bool:
        """Trust a root; False: it is none."""
        try:
            root = x509.load_pem_x509_certificate(pem.encode())
            root.verify_directly_issued_by(root)
        except (ValueError, TypeError, InvalidSignature):
            return False
        self.roots.setdefault(kind, []).append(root)
        return True

    def installed(self, kinds: list[str]) -> list[dict[str, Any]]:
        """Return what is installed of these kinds, or of all, as 2.0.1 names it."""
        found = [
            {"certificateType": kind, "certificateHashData": self.hash_of(root, root)}
            for kind, roots in self.roots.items()
            for root in roots
            if not kinds or kind in kinds
        ]
        chain = self.chains.get("V2GCertificate") or self.chains.get("")
        if chain and (not kinds or "V2GCertificateChain" in kinds):
            found.append(self._v2g(chain))
        return found

    def delete(self, data: dict[str, Any]) -> bool:
        """Trust a root no longer; False: there is none called so."""
        for roots in self.roots.values():
            for root in roots:
                if self.hash_of(root, root) == data:
                    roots.remove(root)
                    return True
        return False

    def hash_of(self, certificate: x509.Certificate, issuer: x509.Certificate) -> dict[str, str]:
        """Return OCPP's name of a certificate (CertificateHashDataType)."""
        digest = self.hash_algorithm.lower()
        return {
            "hashAlgorithm": self.hash_algorithm,
            "issuerNameHash": hashlib.new(digest, issuer.subject.public_bytes()).hexdigest(),
            "issuerKeyHash": hashlib.new(digest, _key_bits(issuer)).hexdigest(),
            "serialNumber": f"{certificate.serial_number:x}",
        }

    def refuses(self, profile: int) -> bool:
        """Whether it will not go over to a security profile (A05.FR.02, A05.FR.03)."""
        if profile < self.profile:
            return True
        has_root = any(self.roots.get(kind) for kind in CSMS_ROOTS)
        has_own = CHARGING_STATION in self.chains or "" in self.chains
        if profile >= TLS_PROFILE and not has_root:
            return True
        return profile == CERTIFICATE_PROFILE and not has_own

    def go_over(self) -> None:
        """Dial by the network profile that comes first from now on; done at a start."""
        if not self.priority:
            return
        data = self.slots[self.priority[0]]
        url, profile = data["ocppCsmsUrl"], data["securityProfile"]
        self.profile = profile
        tls = self.context() if profile >= TLS_PROFILE else None
        self.redial(url=url, tls=tls, is_keyed=profile != CERTIFICATE_PROFILE)

    def context(self) -> ssl.SSLContext:
        """Return a context that trusts its roots, and shows its own certificate if it has one."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False  # the simulated site has addresses, no names
        for kind in CSMS_ROOTS:
            for root in self.roots.get(kind, ()):
                context.load_verify_locations(cadata=root.public_bytes(Encoding.PEM).decode())
        purpose = CHARGING_STATION if CHARGING_STATION in self.chains else ""
        if purpose in self.chains:
            _load(context, self.chains[purpose], self.keys[purpose])
        return context

    def _v2g(self, chain: list[x509.Certificate]) -> dict[str, Any]:
        issuers = [*chain[1:], *self.roots.get("V2GRootCertificate", ())] or chain
        above = [*issuers[1:], issuers[-1]]
        children = [
            self.hash_of(one, issuer)
            for one, issuer in zip(issuers, above, strict=True)
            if one in chain
        ]
        told: dict[str, Any] = {
            "certificateType": "V2GCertificateChain",
            "certificateHashData": self.hash_of(chain[0], issuers[0]),
        }
        return told | ({"childCertificateHashData": children[:4]} if children else {})


def _key_bits(certificate: x509.Certificate) -> bytes:
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    raise TypeError("a key of a kind chargers have not")


def _load(
    context: ssl.SSLContext, chain: list[x509.Certificate], key: ec.EllipticCurvePrivateKey
) -> None:
    """Load a chain with its key; the standard library takes files only."""
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "own.pem"
        file.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in chain) + private)
        context.load_cert_chain(file)
