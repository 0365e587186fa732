"""What chargers' answers teach of their certificates, and how certificates are brought to them."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from contracts import commands
from station_agent.ocpp.certificates import hash_data, key_of
from station_agent.ocpp.handshake import VERSIONS
from station_agent.ocpp.versions import CommandContext, Outbound
from tests.station_agent.ocpp.fakes import NOW, FakeOutbox

DATA = {
    "hashAlgorithm": "SHA512",
    "issuerNameHash": "AA" * 64,
    "issuerKeyHash": "BB" * 64,
    "serialNumber": "1F",
}
KEY = f"SHA512/{'bb' * 64}/1f"


def a_certificate(key, *, issuer="root", subject="root") -> str:
    def name(text):
        return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(0x1F)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


def learn(subprotocol, action, asked, answer):
    version = VERSIONS[subprotocol]
    return version.learn(Outbound(action, asked), answer, "CP-1", NOW)


def chain(kind="CSMSRootCertificate", **more):
    return {"certificateType": kind, "certificateHashData": DATA} | more


def test_asked_for_all_what_it_tells_is_all_there_is():
    answer = {"status": "Accepted", "certificateHashDataChain": [chain()]}

    (fact,) = learn("ocpp2.0.1", "GetInstalledCertificateIds", {}, answer)
    (none,) = learn("ocpp2.0.1", "GetInstalledCertificateIds", {}, {"status": "NotFound"})

    assert [one.key for one in fact.entries] == [KEY]
    assert fact.is_whole
    assert (none.entries, none.is_whole) == ([], True)


def test_asked_for_a_kind_it_tells_of_no_other():
    asked = {"certificateType": ["CSMSRootCertificate"]}
    answer = {"status": "Accepted", "certificateHashDataChain": [chain()]}

    (fact,) = learn("ocpp2.0.1", "GetInstalledCertificateIds", asked, answer)
    nothing = learn("ocpp2.0.1", "GetInstalledCertificateIds", asked, {"status": "NotFound"})

    assert not fact.is_whole
    assert nothing == ()


def test_one_certificate_of_two_uses_is_one_thing():
    chains = [chain("V2GRootCertificate"), chain("MORootCertificate")]
    answer = {"status": "Accepted", "certificateHashDataChain": chains}

    (fact,) = learn("ocpp2.0.1", "GetInstalledCertificateIds", {}, answer)

    assert len(fact.entries) == 1
    assert fact.entries[0].body["certificateTypes"] == ["V2GRootCertificate", "MORootCertificate"]


def test_16_tells_hashes_of_the_kind_asked_for():
    asked = {"certificateType": "CentralSystemRootCertificate"}
    answer = {"status": "Accepted", "certificateHashData": [DATA]}

    (fact,) = learn("ocpp1.6", "GetInstalledCertificateIds", asked, answer)

    assert fact.entries[0].body["certificateType"] == "CentralSystemRootCertificate"
    assert not learn("ocpp1.6", "GetInstalledCertificateIds", asked, {"status": "NotFound"})


@pytest.mark.parametrize("subprotocol", sorted(VERSIONS))
@pytest.mark.parametrize(("status", "is_gone"), [("Accepted", 1), ("NotFound", 1), ("Failed", 0)])
def test_a_deleted_certificate_is_gone(subprotocol, status, is_gone):
    asked = {"certificateHashData": DATA}

    facts = learn(subprotocol, "DeleteCertificate", asked, {"status": status})

    assert [one.gone for one in facts] == [[KEY]] * is_gone


@pytest.mark.parametrize(
    "key",
    [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)],
    ids=["EC", "RSA"],
)
def test_an_installed_root_is_named_as_the_charger_will_name_it(key):
    pem = a_certificate(key)
    asked = {"certificateType": "CSMSRootCertificate", "certificate": pem}

    (fact,) = learn("ocpp2.0.1", "InstallCertificate", asked, {"status": "Accepted"})
    refused = learn("ocpp2.0.1", "InstallCertificate", asked, {"status": "Rejected"})
    bits = x509.SubjectKeyIdentifier.from_public_key(key.public_key())

    assert [one.key for one in fact.entries] == [key_of(hash_data(pem))]
    assert hash_data(pem)["serialNumber"] == "1f"
    assert len(bits.digest) == 20
    assert refused == ()


@pytest.mark.parametrize(
    "pem",
    ["PEM", a_certificate(rsa.generate_private_key(65537, 2048), issuer="x")],
    ids=["no PEM", "a leaf"],
)
def test_what_is_no_root_is_not_named_before_the_charger_does(pem):
    assert hash_data(pem) is None


def test_21_says_which_request_a_certificate_answers():
    request = commands.DeliverCertificate(charger_id="CP-1", chain="PEM", request_id=7)
    context = CommandContext("CP-1", FakeOutbox())

    assert VERSIONS["ocpp2.1"].translate(request, context).payload["requestId"] == 7
    assert "requestId" not in VERSIONS["ocpp2.0.1"].translate(request, context).payload
