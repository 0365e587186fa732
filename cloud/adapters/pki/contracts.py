"""Cars' contracts and V2G certificates by our own authority: a test PKI, for demonstrations and tests.

What a car gets to install is not the real EXI of ISO 15118-2, which only its provider can make: it is
marked bytes in its place. A provider's service takes the place of this by its own adapter.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from cloud.adapters.pki.house import HouseAuthority, Issuer
from cloud.services.security_ports import CertificateHash
from contracts.clock import Clock

MARK: Final = b"\x80\x98baywatt test contract:"
"""EXI's cookie-less distinguishing bits, and what says that this is none."""
ALGORITHMS: Final[dict[str, hashes.HashAlgorithm]] = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}
_FRESH_FOR: Final = timedelta(days=1)


class HouseContracts:
    """Implements ContractAuthority."""

    def __init__(self, authority: HouseAuthority, clock: Clock) -> None:
        self._authority = authority
        self._clock = clock
        self.revoked: set[int] = set()
        """Serial numbers that are not good any more."""

    def ev_certificate(self, schema: str, action: str, exi_request: str) -> str | None:
        """See ContractAuthority.ev_certificate."""
        try:
            asked = base64.b64decode(exi_request, validate=True)
        except ValueError:
            return None
        if not asked:
            return None
        proof = hashlib.sha256(f"{schema}\0{action}\0".encode() + asked).digest()
        return base64.b64encode(MARK + proof).decode()

    def ocsp(self, asked: CertificateHash) -> bytes | None:
        """See ContractAuthority.ocsp."""
        issuer = self._issuer_of(asked)
        if issuer is None:
            return None
        now = self._clock.now()
        serial = int(asked.serial_number, 16)
        is_revoked = serial in self.revoked
        status = ocsp.OCSPCertStatus.REVOKED if is_revoked else ocsp.OCSPCertStatus.GOOD
        response = (
            ocsp.OCSPResponseBuilder()
            .add_response_by_hash(
                issuer_name_hash=bytes.fromhex(asked.issuer_name_hash),
                issuer_key_hash=bytes.fromhex(asked.issuer_key_hash),
                serial_number=serial,
                algorithm=ALGORITHMS[asked.algorithm],
                cert_status=status,
                this_update=now,
                next_update=now + _FRESH_FOR,
                revocation_time=now if is_revoked else None,
                revocation_reason=None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
            .sign(issuer.key, hashes.SHA256())
        )
        return response.public_bytes(Encoding.DER)

    def contract_status(self, chain: str, hashes: Sequence[CertificateHash]) -> str:
        """See ContractAuthority.contract_status."""
        serials = [int(one.serial_number, 16) for one in hashes]
        if chain:
            try:
                certificates = x509.load_pem_x509_certificates(chain.encode())
            except ValueError:
                return "CertChainError"
            word = self._judged(certificates[0])
            if word != "Accepted":
                return word
            serials += [one.serial_number for one in certificates]
        elif not all(self._issuer_of(one) for one in hashes) or not hashes:
            return "CertChainError"
        return "CertificateRevoked" if self.revoked & set(serials) else "Accepted"

    def _judged(self, certificate: x509.Certificate) -> str:
        issuer = next((one for one in self._issuers if _is_under(certificate, one)), None)
        if issuer is None:
            return "CertChainError"
        try:
            certificate.verify_directly_issued_by(issuer.certificate)
        except (InvalidSignature, ValueError, TypeError):
            return "SignatureError"
        is_good = certificate.not_valid_before_utc <= self._clock.now()
        is_good &= self._clock.now() < certificate.not_valid_after_utc
        return "Accepted" if is_good else "CertificateExpired"

    def _issuer_of(self, asked: CertificateHash) -> Issuer | None:
        return next((one for one in self._issuers if _is_issuer(one, asked)), None)

    @property
    def _issuers(self) -> tuple[Issuer, ...]:
        house = self._authority
        return (house.contracts, house.v2g_sub, house.v2g, house.chargers)


def hash_of(
    certificate: x509.Certificate, issuer: x509.Certificate, algorithm: str
) -> CertificateHash:
    """Return how OCPP names a certificate (CertificateHashDataType, RFC 6960 section 4.1.1)."""
    digest = algorithm.lower()
    name = hashlib.new(digest, issuer.subject.public_bytes()).hexdigest()
    return CertificateHash(
        algorithm, name, _key_hash(issuer, digest), f"{certificate.serial_number:x}"
    )


def _is_issuer(issuer: Issuer, asked: CertificateHash) -> bool:
    digest = asked.algorithm.lower()
    return asked.issuer_key_hash.lower() == _key_hash(issuer.certificate, digest)


def _key_hash(issuer: x509.Certificate, digest: str) -> str:
    """RFC 6960: over the key's bits alone, without algorithm and length."""
    bits = issuer.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return hashlib.new(digest, bits).hexdigest()


def _is_under(certificate: x509.Certificate, issuer: Issuer) -> bool:
    return certificate.issuer == issuer.certificate.subject
