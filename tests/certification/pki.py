"""Certificates as an operator, a car and its provider have them; and a responder that answers for them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from tests.support.ports import LOOPBACK, free_port


@dataclass
class Issuer:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()


def made(name: str, above: Issuer | None = None, *, responder: str = "") -> Issuer:
    """Make a certificate, by itself or below another."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if above is None else above.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=above is None, path_length=None), critical=True)
    )
    if responder:
        place = x509.UniformResourceIdentifier(responder)
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    return Issuer(builder.sign(key if above is None else above.key, hashes.SHA256()), key)


def hash_data(one: Issuer, above: Issuer, algorithm: str = "SHA256") -> dict[str, str]:
    """Name a certificate as OCPP does."""
    digest = algorithm.lower()
    bits = above.certificate.public_key().public_bytes(
        Encoding.X962, PublicFormat.UncompressedPoint
    )
    return {
        "hashAlgorithm": algorithm,
        "issuerNameHash": hashlib.new(digest, above.certificate.subject.public_bytes()).hexdigest(),
        "issuerKeyHash": hashlib.new(digest, bits).hexdigest(),
        "serialNumber": f"{one.certificate.serial_number:x}",
    }


@dataclass
class Responder:
    """An OCSP service on this machine."""

    url: str
    asked: list[ocsp.OCSPRequest] = field(default_factory=list)
    issuer: Issuer | None = None
    is_revoked: bool = False

    def answer(self, body: bytes) -> bytes:
        request = ocsp.load_der_ocsp_request(body)
        self.asked.append(request)
        assert self.issuer is not None
        now = datetime.now(UTC)
        status = ocsp.OCSPCertStatus.REVOKED if self.is_revoked else ocsp.OCSPCertStatus.GOOD
        response = (
            ocsp.OCSPResponseBuilder()
            .add_response_by_hash(
                issuer_name_hash=request.issuer_name_hash,
                issuer_key_hash=request.issuer_key_hash,
                serial_number=request.serial_number,
                algorithm=request.hash_algorithm,
                cert_status=status,
                this_update=now,
                next_update=now + timedelta(days=1),
                revocation_time=now if self.is_revoked else None,
                revocation_reason=None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, self.issuer.certificate)
            .sign(self.issuer.key, hashes.SHA256())
        )
        return response.public_bytes(Encoding.DER)


@contextmanager
def responding() -> Iterator[Responder]:
    """Run a responder."""
    port = free_port()
    responder = Responder(f"http://{LOOPBACK}:{port}/ocsp")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = responder.answer(body)
            self.send_response(200)
            self.send_header("Content-Type", "application/ocsp-response")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer((LOOPBACK, port), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield responder
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
