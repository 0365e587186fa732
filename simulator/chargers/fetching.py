"""Firmware as chargers get it: fetched over HTTP from this machine, and checked against its signature."""

import asyncio
import binascii
from base64 import b64decode
from http.client import HTTPException
from typing import Final
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from simulator.chargers.device import Fetched

MAX_BYTES: Final = 64 * 2**20
_TIMEOUT_S: Final = 10.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_RUNNING: Final[set[asyncio.Task[None]]] = set()
_PSS: Final = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
_RSA_PADDINGS: Final = (_PSS, padding.PKCS1v15())


class _NoRedirects(HTTPRedirectHandler):
    """Nobody is sent elsewhere: an answer that would is an error."""

    def redirect_request(self, *_: object) -> None:
        """Return none."""


_OPENER: Final = build_opener(ProxyHandler({}), _NoRedirects())


def fetch_over_http(location: str, fetched: Fetched) -> None:
    """GET a file from this machine; of what is elsewhere it is only said that it was fetched."""
    where = urlsplit(location)
    if where.hostname not in _LOOPBACK:
        fetched(b"")
        return
    if where.scheme not in {"http", "https"}:
        fetched(None)
        return
    task = asyncio.ensure_future(_get(location, fetched))
    _RUNNING.add(task)
    task.add_done_callback(_RUNNING.discard)


def is_signed_by(certificate: str, signature: str, content: bytes) -> bool:
    """Whether the certificate's key signed the content: SHA-256 with RSA or ECDSA (OCPP 2.0.1 L01)."""
    try:
        key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
        signed = b64decode(signature, validate=True)
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return False
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _is_of_curve(key, signed, content)
    if isinstance(key, rsa.RSAPublicKey):
        return any(_is_of_rsa(key, signed, content, one) for one in _RSA_PADDINGS)
    return False


async def _get(location: str, fetched: Fetched) -> None:
    fetched(await asyncio.to_thread(_read, location))


def _read(location: str) -> bytes | None:
    try:
        with _OPENER.open(location, timeout=_TIMEOUT_S) as answer:
            content: bytes = answer.read(MAX_BYTES + 1)
    except (OSError, HTTPException, ValueError):
        return None
    return content if 0 < len(content) <= MAX_BYTES else None


def _is_of_curve(key: ec.EllipticCurvePublicKey, signed: bytes, content: bytes) -> bool:
    try:
        key.verify(signed, content, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _is_of_rsa(
    key: rsa.RSAPublicKey, signed: bytes, content: bytes, padded: padding.AsymmetricPadding
) -> bool:
    try:
        key.verify(signed, content, padded, hashes.SHA256())
    except InvalidSignature:
        return False
    return True
