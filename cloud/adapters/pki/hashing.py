"""How OCPP and OCSP name certificates (RFC 6960, section 4.1.1)."""

import hashlib
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID

from cloud.services.security_ports import CertificateHash

ALGORITHMS: Final[dict[str, hashes.HashAlgorithm]] = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}


def hash_of(
    certificate: x509.Certificate, issuer: x509.Certificate, algorithm: str = "SHA256"
) -> CertificateHash:
    """Return a certificate's name, and the responder it names itself."""
    digest = algorithm.lower()
    return CertificateHash(
        algorithm=algorithm,
        issuer_name_hash=hashlib.new(digest, issuer.subject.public_bytes()).hexdigest(),
        issuer_key_hash=key_hash(issuer, digest),
        serial_number=f"{certificate.serial_number:x}",
        responder_url=responder_of(certificate),
    )


def key_hash(certificate: x509.Certificate, digest: str) -> str:
    """Return the hash of a key's bits alone, without algorithm and length."""
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        bits = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    elif isinstance(key, rsa.RSAPublicKey):
        bits = key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    else:
        raise TypeError("a key of a kind no V2G certificate has")
    return hashlib.new(digest, bits).hexdigest()


def responder_of(certificate: x509.Certificate) -> str:
    """Return where its revocation can be asked; empty: it does not say."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
    except x509.ExtensionNotFound:
        return ""
    places = [
        str(one.access_location.value)
        for one in access.value
        if one.access_method == AuthorityInformationAccessOID.OCSP
    ]
    return places[0] if places else ""
