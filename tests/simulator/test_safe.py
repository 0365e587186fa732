"""What simulated chargers prove themselves by: they refuse what a real one would."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from simulator.chargers.safe import CHARGING_STATION, Safe
from tests.certification.pki import hash_data, made

CSMS = "CSMSRootCertificate"


def signed(csr, issuer, *, lasts=timedelta(days=1)) -> str:
    request = x509.load_pem_x509_csr(csr.encode())
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(request.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + lasts)
        .sign(issuer.key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM).decode()


def test_a_certificate_is_taken_for_the_key_that_was_asked_by_and_only_once():
    safe, issuer, now = Safe(), made("issuer"), datetime.now(UTC)
    pem = signed(safe.request_for(CHARGING_STATION, "CP-1"), issuer)

    assert safe.take_chain(pem, CHARGING_STATION, now)
    assert not safe.take_chain(pem, CHARGING_STATION, now)
    assert not safe.take_chain("no PEM", CHARGING_STATION, now)


def test_a_certificate_of_another_key_or_past_its_end_is_not_taken():
    safe, issuer, now = Safe(), made("issuer"), datetime.now(UTC)
    csr = safe.request_for(CHARGING_STATION, "CP-1")

    assert not safe.take_chain(made("CP-1", issuer).pem, CHARGING_STATION, now)
    assert not safe.take_chain(signed(csr, issuer, lasts=timedelta(days=-1)), CHARGING_STATION, now)


def test_roots_are_named_by_the_algorithm_it_uses_and_deleted_by_that_name():
    safe, root = Safe(hash_algorithm="SHA512"), made("root")
    safe.install(CSMS, root.pem)
    (told,) = safe.installed([CSMS])

    assert told["certificateHashData"] == hash_data(root, root, "SHA512")
    assert not safe.delete(hash_data(root, root))
    assert safe.delete(told["certificateHashData"])
    assert safe.installed([]) == []


@pytest.mark.parametrize("pem", ["no PEM", made("leaf", made("root")).pem], ids=["no PEM", "leaf"])
def test_what_is_no_root_is_not_installed(pem):
    assert not Safe().install(CSMS, pem)


@pytest.mark.parametrize(
    ("profile", "has_root", "has_own", "refused"),
    [
        (0, True, True, True),
        (1, False, False, False),
        (2, False, False, True),
        (2, True, False, False),
        (3, True, False, True),
        (3, True, True, False),
    ],
)
def test_a_security_profile_needs_what_it_is_proven_by_and_is_never_lowered(
    profile, has_root, has_own, refused
):
    safe = Safe(profile=1)
    if has_root:
        safe.install(CSMS, made("root").pem)
    if has_own:
        csr = safe.request_for(CHARGING_STATION, "CP-1")
        safe.take_chain(signed(csr, made("issuer")), CHARGING_STATION, datetime.now(UTC))

    assert safe.refuses(profile) is refused
