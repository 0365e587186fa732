"""Certificates chargers hold, as the inventory calls them: by OCPP's hashes, whatever the version."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from contracts.events import Event, InventoryEntry, InventoryKind, InventoryReported
from contracts.ids import ChargerId
from contracts.wire import Instant
from station_agent.ocpp.versions import AnswerContext

_MAX_KEY: Final = 255
_GONE: Final = frozenset({"Accepted", "NotFound"})
_ALGORITHM: Final = "SHA256"


def key_of(data: Mapping[str, Any]) -> str:
    """Return one name for a certificate: `SHA256/<issuer's key>/<serial number>`."""
    parts = (data["hashAlgorithm"], data["issuerKeyHash"].lower(), data["serialNumber"].lower())
    return "/".join(parts)[:_MAX_KEY]


def certificates_reported(
    charger_id: ChargerId,
    chains: Iterable[Mapping[str, Any]],
    at: Instant,
    *,
    is_whole: bool = False,
) -> Event:
    """Return the fact that a charger holds these, each with `certificateHashData` and its type."""
    bodies: dict[str, dict[str, Any]] = {}
    for chain in chains:
        body = bodies.setdefault(key_of(chain["certificateHashData"]), dict(chain))
        types = body.setdefault("certificateTypes", [])
        if chain["certificateType"] not in types:
            types.append(chain["certificateType"])
    entries = [InventoryEntry(key=key, body=body) for key, body in bodies.items()]
    return InventoryReported(
        charger_id=charger_id,
        inventory=InventoryKind.CERTIFICATE,
        entries=entries,
        is_whole=is_whole,
        observed_at=at,
    )


def certificate_gone(charger_id: ChargerId, data: Mapping[str, Any], at: Instant) -> Event:
    """Return the fact that a charger does not hold this one any more."""
    return InventoryReported(
        charger_id=charger_id,
        inventory=InventoryKind.CERTIFICATE,
        gone=[key_of(data)],
        observed_at=at,
    )


def learn_deleted(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return that one is not there any more, or never was (DeleteCertificate, M04)."""
    if answer["status"] not in _GONE:
        return ()
    data = context.asked["certificateHashData"]
    return [certificate_gone(context.charger_id, data, context.now)]


def learn_installed(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the root it took (InstallCertificate, M05), named as it will name it; of one that cannot be named, nothing yet."""
    data = hash_data(context.asked["certificate"])
    if answer["status"] != "Accepted" or data is None:
        return ()
    chain = {
        "certificateType": context.asked["certificateType"],
        "certificateHashData": data,
    }
    return [certificates_reported(context.charger_id, [chain], context.now)]


def hash_data(pem: str) -> dict[str, str] | None:
    """Return OCPP's hashes of a root (its own issuer); None: it is none, or cannot be read."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        return None
    is_known = isinstance(certificate.public_key(), ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    if certificate.issuer != certificate.subject or not is_known:
        return None
    return {
        "hashAlgorithm": _ALGORITHM,
        "issuerNameHash": hashlib.sha256(certificate.subject.public_bytes()).hexdigest(),
        "issuerKeyHash": hashlib.sha256(_key_bits(certificate)).hexdigest(),
        "serialNumber": f"{certificate.serial_number:x}",
    }


def _key_bits(certificate: x509.Certificate) -> bytes:
    """Return the key's bits alone, without algorithm, tag and length (RFC 6960, section 4.1.1)."""
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
