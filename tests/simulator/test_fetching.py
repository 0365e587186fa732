"""Firmware comes from this machine alone, whole, and by the signature of who made it."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from simulator.chargers.fetching import fetch_over_http, is_signed_by
from tests.support.ports import free_port
from tests.support.receiver import Receiver
from tests.support.waiting import eventually_async

FIRMWARE = b"\x7fELF" * 999
_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Maker")])


def a_certificate(key):
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(_NAME, _NAME, key.public_key(), 1, now, now + timedelta(days=1))
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def by_curve(content):
    key = ec.generate_private_key(ec.SECP256R1())
    return a_certificate(key), key.sign(content, ec.ECDSA(hashes.SHA256()))


def by_rsa(padded):
    def sign(content):
        key = rsa.generate_private_key(65_537, 2_048)
        return a_certificate(key), key.sign(content, padded, hashes.SHA256())

    return sign


PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)


@pytest.mark.parametrize("sign", [by_curve, by_rsa(PSS), by_rsa(padding.PKCS1v15())])
def test_only_what_was_signed_fits_its_signature(sign):
    certificate, signed = sign(FIRMWARE)
    signature = b64encode(signed).decode()

    assert is_signed_by(certificate, signature, FIRMWARE)
    assert not is_signed_by(certificate, signature, FIRMWARE + b"!")
    assert not is_signed_by(by_curve(b"")[0], signature, FIRMWARE)
    assert not is_signed_by(certificate, "?", FIRMWARE)
    assert not is_signed_by("-----BEGIN CERTIFICATE-----", signature, FIRMWARE)


async def fetch(location):
    came = []
    fetch_over_http(location, came.append)
    return (await eventually_async(lambda: came))[0]


async def test_what_is_there_is_fetched_and_what_is_not_is_not():
    with Receiver(answer_body=FIRMWARE) as server:
        assert await fetch(server.url("/fw-2.1.0.bin")) == FIRMWARE
        server.statuses = [404]
        assert await fetch(server.url("/fw-2.1.0.bin")) is None
        server.statuses, server.answer_body = [200], b""
        assert await fetch(server.url("/fw-2.1.0.bin")) is None
        assert [one.method for one in server.received] == ["GET"] * 3
    assert await fetch(f"http://127.0.0.1:{free_port()}/fw.bin") is None
    assert await fetch("ftp://127.0.0.1/fw.bin") is None


async def test_nobody_is_sent_elsewhere():
    with Receiver() as other, Receiver([302], {"Location": other.url("/fw.bin")}) as server:
        assert await fetch(server.url("/fw.bin")) is None
        assert other.received == []


async def test_what_is_on_another_machine_is_not_asked_for():
    assert await fetch("https://files.example/fw-2.1.0.bin") == b""
