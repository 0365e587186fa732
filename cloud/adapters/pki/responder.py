"""Asking OCSP responders (RFC 6960) at the address a certificate, or a charger, names."""

from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from cloud.adapters.messages.outbound import Answered
from cloud.adapters.pki.hashing import ALGORITHMS
from cloud.services.messages import NotSent
from cloud.services.security_ports import AuthorityAway, CertificateHash

MOST_BYTES: Final = 8_000
"""More than a charger could be told (GetCertificateStatusResponse)."""
_HEADERS: Final = {
    "Content-Type": "application/ocsp-request",
    "Accept": "application/ocsp-response",
}


class Post(Protocol):
    """See Outbound: judged addresses only."""

    def post(
        self, url: str, body: bytes, headers: dict[str, str], *, most_bytes: int = 0
    ) -> Answered:
        """See Outbound.post."""
        ...


@dataclass(frozen=True, slots=True)
class Responders:
    """Whoever a certificate's responder is."""

    outbound: Post

    def ask(self, asked: CertificateHash) -> bytes:
        """Return the response as it came, once it is one on this certificate.

        Raises:
            AuthorityAway: there is none, or it says something else.
        """
        try:
            request = (
                ocsp.OCSPRequestBuilder()
                .add_certificate_by_hash(
                    bytes.fromhex(asked.issuer_name_hash),
                    bytes.fromhex(asked.issuer_key_hash),
                    int(asked.serial_number, 16),
                    ALGORITHMS[asked.algorithm],
                )
                .build()
            )
            body = request.public_bytes(Encoding.DER)
            answer = self.outbound.post(
                asked.responder_url, body, dict(_HEADERS), most_bytes=MOST_BYTES
            )
            response = ocsp.load_der_ocsp_response(answer.body)
        except (NotSent, ValueError) as error:
            raise AuthorityAway(f"responder: {error}") from error
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise AuthorityAway(f"responder: {response.response_status.name}")
        if response.serial_number != int(asked.serial_number, 16):
            raise AuthorityAway("responder: speaks of another certificate")
        return answer.body
