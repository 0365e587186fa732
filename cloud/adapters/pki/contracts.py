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
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from cloud.adapters.pki.hashing import ALGORITHMS, hash_of, key_hash
from cloud.adapters.pki.house import HouseAuthority, Issuer
from cloud.adapters.pki.responder import Responders
from cloud.services.security_ports import AuthorityAway, CertificateHash
from contracts.clock import Clock

MARK: Final = b"\x80\x98baywatt test contract:"
"""EXI's cookie-less distinguishing bits, and what says that this is none."""
REVOCATION: Final = {
    ocsp.OCSPCertStatus.GOOD: "Accepted",
    ocsp.OCSPCertStatus.REVOKED: "CertificateRevoked",
}
"""OCPP's words for a responder's."""
_FRESH_FOR: Final = timedelta(days=1)


class HouseContracts:
    """Implements ContractAuthority."""

    def __init__(
        self, authority: HouseAuthority, clock: Clock, responders: Responders | None = None
    ) -> None:
        """Make one.

        Args:
            authority: whose certificates it knows.
            clock: by which they are good.
            responders: asked of certificates that name one; None: it judges by itself alone.
        """
        self._clock = clock
        self._issuers = (
            authority.contracts,
            authority.v2g_sub,
            authority.v2g,
            authority.chargers,
        )
        self._responders = responders
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
        """See ContractAuthority.ocsp. One that is ours we answer for ourselves, should its own be away."""
        issuer = self._issuer_of(asked)
        if asked.responder_url and self._responders is not None:
            try:
                return self._responders.ask(asked)
            except AuthorityAway:
                if issuer is None:
                    raise
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
        asked = list(hashes)
        if chain:
            try:
                certificates = x509.load_pem_x509_certificates(chain.encode())
            except ValueError:
                return "CertChainError"
            word = self._judged(certificates[0])
            if word != "Accepted":
                return word
            if not asked:
                asked = self._hashes_of(certificates)
        words = [self._revocation(one) for one in asked] or ["CertChainError"]
        return next((one for one in words if one != "Accepted"), "Accepted")

    def _hashes_of(self, chain: Sequence[x509.Certificate]) -> list[CertificateHash]:
        """Return what to ask of a chain's certificates, each below one of ours or of the chain."""
        above = [*chain, *(one.certificate for one in self._issuers)]
        return [
            hash_of(one, issuer)
            for one in chain
            if (issuer := next((two for two in above if two.subject == one.issuer), None))
        ]

    def _revocation(self, asked: CertificateHash) -> str:
        response = self.ocsp(asked)
        if response is None:
            return "CertChainError"
        status = ocsp.load_der_ocsp_response(response).certificate_status
        return REVOCATION.get(status, "CertChainError")

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


def _is_issuer(issuer: Issuer, asked: CertificateHash) -> bool:
    digest = asked.algorithm.lower()
    return asked.issuer_key_hash.lower() == key_hash(issuer.certificate, digest)


def _is_under(certificate: x509.Certificate, issuer: Issuer) -> bool:
    return certificate.issuer == issuer.certificate.subject
