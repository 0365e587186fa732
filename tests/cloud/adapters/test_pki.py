"""An authority of our own: what it signs, and what it does not."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from cloud.adapters.messages.outbound import Answered
from cloud.adapters.pki.contracts import HouseContracts
from cloud.adapters.pki.hashing import hash_of, responder_of
from cloud.adapters.pki.house import HouseAuthority
from cloud.adapters.pki.responder import Responders
from cloud.services.messages import NotSent
from cloud.services.security_ports import AuthorityAway, CsrRefused
from tests.certification.pki import Responder, made
from tests.cloud.api.fakes import StillClock

NAMES = ["CP-1", "SN-7"]
WEAK = rsa.generate_private_key(65537, 1024)  # noqa: S505 - weak is what it is to be


def a_csr(key=None, name="CP-1", *, spoilt=False) -> str:
    key = key or ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(x509.NameOID.COMMON_NAME, name)] if name else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    request = builder.sign(key, hashes.SHA256())
    if not spoilt:
        return request.public_bytes(Encoding.PEM).decode()
    altered = request.public_bytes(Encoding.DER).replace(b"CP-1", b"SN-7")
    return x509.load_der_x509_csr(altered).public_bytes(Encoding.PEM).decode()


@pytest.fixture
def clock():
    return StillClock()


@pytest.fixture
def house(tmp_path, clock):
    return HouseAuthority(tmp_path / "pki", clock)


@pytest.mark.parametrize("name", NAMES)
def test_the_charger_is_found_by_its_id_whatever_it_calls_itself(house, name):
    signed = house.sign(a_csr(name=name), NAMES, "ChargingStationCertificate")
    leaf = x509.load_pem_x509_certificate(signed.chain.encode())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert names.get_values_for_type(x509.DNSName) == ["CP-1"]


@pytest.mark.parametrize(
    ("purpose", "root", "length"),
    [
        ("ChargingStationCertificate", "CSMSRootCertificate", 1),
        ("V2GCertificate", "V2GRootCertificate", 2),
        ("", "V2GRootCertificate", 2),
    ],
)
def test_a_request_is_signed_under_the_root_of_its_purpose(house, purpose, root, length):
    signed = house.sign(a_csr(name=""), NAMES, purpose)
    chain = x509.load_pem_x509_certificates(signed.chain.encode())
    anchor = x509.load_pem_x509_certificate(house.roots()[root].encode())

    assert len(chain) == length
    for one, above in zip(chain, [*chain[1:], anchor], strict=True):
        one.verify_directly_issued_by(above)
    assert signed.serial_number == f"{chain[0].serial_number:x}"
    assert signed.valid_until == chain[0].not_valid_after_utc


@pytest.mark.parametrize(
    ("csr", "why"),
    [
        ("no PEM", "cannot be read"),
        (a_csr(spoilt=True), "not signed by its own key"),
        (a_csr(name="CP-2"), "not this charger's name"),
        (a_csr(WEAK), "too short"),
        (a_csr(ec.generate_private_key(ec.SECP192R1())), "too short"),
    ],
    ids=["no PEM", "broken", "another's", "weak RSA", "weak curve"],
)
def test_a_request_that_is_broken_weak_or_of_another_is_not_signed(house, csr, why):
    with pytest.raises(CsrRefused, match=why):
        house.sign(csr, NAMES, "ChargingStationCertificate")


def test_another_process_on_the_same_folder_is_the_same_authority(house, tmp_path, clock):
    again = HouseAuthority(tmp_path / "pki", clock)

    assert again.roots() == house.roots()
    modes = {one.stat().st_mode & 0o777 for one in (tmp_path / "pki").iterdir()}
    assert modes == {0o600}


class Net:
    """See Post; what is asked goes to a responder of ours, or nowhere."""

    def __init__(self, responder=None, answer=None):
        self.responder = responder
        self.answer = answer

    def post(self, url, body, headers, *, most_bytes=0):
        assert url
        assert most_bytes
        assert headers["Content-Type"] == "application/ocsp-request"
        if self.responder is None and self.answer is None:
            raise NotSent("nobody there")
        return Answered(200, None, self.answer or self.responder.answer(body))


def a_contract(house, *, responder=""):
    return made("EMAID", house.contracts, responder=responder)


def test_a_status_is_told_by_the_responder_a_certificate_names_else_by_us(house, clock):
    clock.at = clock.at.now(clock.at.tzinfo)
    contract = a_contract(house, responder="http://ocsp.example/x")
    asked = hash_of(contract.certificate, house.contracts.certificate)
    responder = Responder("http://ocsp.example/x", issuer=house.contracts, is_revoked=True)
    by_it = HouseContracts(house, clock, Responders(Net(responder)))
    by_us = HouseContracts(house, clock, Responders(Net()))

    assert responder_of(contract.certificate) == "http://ocsp.example/x"
    assert by_it.contract_status(contract.pem, []) == "CertificateRevoked"
    assert by_us.contract_status(contract.pem, []) == "Accepted"
    by_us.revoked.add(contract.certificate.serial_number)
    assert by_us.contract_status("", [asked]) == "CertificateRevoked"


def test_a_responder_that_speaks_of_another_certificate_is_not_believed(house, clock):
    stranger = made("stranger")
    other = hash_of(made("a", stranger).certificate, stranger.certificate)
    ours = HouseContracts(house, clock)
    good = hash_of(house.v2g_sub.certificate, house.v2g.certificate)
    answer = ours.ocsp(good)
    asked = type(other)(
        **{one: getattr(other, one) for one in other.__slots__}
        | {"responder_url": "http://ocsp.example"}
    )

    assert ours.ocsp(other) is None
    for said in (
        answer,
        b"no DER",
        ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(
            Encoding.DER
        ),
    ):
        with pytest.raises(AuthorityAway):
            HouseContracts(house, clock, Responders(Net(answer=said))).ocsp(asked)


@pytest.mark.parametrize(
    ("chain", "word"),
    [("no PEM", "CertChainError"), (made("EMAID").pem, "CertChainError"), ("", "CertChainError")],
    ids=["no PEM", "unknown", "nothing"],
)
def test_a_contract_of_nobody_we_know_is_none(house, clock, chain, word):
    assert HouseContracts(house, clock).contract_status(chain, []) == word


def test_a_contract_past_its_end_is_expired(house, clock):
    contract = a_contract(house)
    clock.at = contract.certificate.not_valid_after_utc

    assert HouseContracts(house, clock).contract_status(contract.pem, []) == "CertificateExpired"


def test_a_forged_signature_is_found(house, clock):
    forger = made(house.contracts.certificate.subject.rfc4514_string().removeprefix("CN="))
    contract = made("EMAID", forger)

    assert HouseContracts(house, clock).contract_status(contract.pem, []) == "SignatureError"


@pytest.mark.parametrize("exi", ["", "not base64!"])
def test_what_is_no_message_of_a_car_gets_none_back(house, clock, exi):
    assert HouseContracts(house, clock).ev_certificate("urn:x", "Install", exi) is None
