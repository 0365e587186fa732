"""OCPP 2.0.1, C07: authorisation by a contract's certificate; test cases of part 6."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.certification.pki import Issuer, hash_data, made, responding

pytestmark = pytest.mark.real

EMAID = "DEBAYC123456789"


@pytest.fixture
def provider(house) -> Issuer:
    """Who signs contracts here: the test PKI's own, as a provider would have it."""
    house.stack.put_token(EMAID)
    house.stack.get(f"/chargers/{house.fresh.station.charger_ids[0]}/certificates")
    file = house.stack.folder / "cloud" / "pki" / "contracts.pem"
    text = file.read_bytes()
    return Issuer(x509.load_pem_x509_certificate(text), load_pem_private_key(text, None))


async def authorized(post, **more):
    token = {"idToken": EMAID, "type": "eMAID"}
    return await post.call("Authorize", {"idToken": token, **more})


async def begun(post):
    """Begin a session by the contract; return what the charger is told."""
    event = {
        "eventType": "Started",
        "timestamp": "2026-11-28T08:00:00Z",
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": post.charger.new_uuid()},
        "idToken": {"idToken": EMAID, "type": "eMAID"},
        "evse": {"id": 1, "connectorId": 1},
    }
    return await post.call("TransactionEvent", event)


async def test_TC_C_50_CSMS_a_contract_the_charger_verified_is_accepted_once_its_responder_says_so(
    post_of, provider
):
    with responding() as responder:
        responder.issuer = provider
        contract = made(EMAID, provider)
        async with post_of() as post:
            await post.booted()
            data = hash_data(contract, provider) | {"responderURL": responder.url}
            answer = await authorized(post, iso15118CertificateHashData=[data])
            told = await begun(post)

            assert answer["idTokenInfo"]["status"] == "Accepted"
            assert answer["certificateStatus"] == "Accepted"
            assert told["idTokenInfo"]["status"] == "Accepted"
            assert [one.serial_number for one in responder.asked] == [
                contract.certificate.serial_number
            ]


async def test_TC_C_51_CSMS_a_contract_that_was_revoked_is_not_accepted(post_of, provider):
    with responding() as responder:
        responder.issuer, responder.is_revoked = provider, True
        contract = made(EMAID, provider)
        async with post_of() as post:
            await post.booted()
            data = hash_data(contract, provider) | {"responderURL": responder.url}
            answer = await authorized(post, iso15118CertificateHashData=[data])

            assert answer["idTokenInfo"]["status"] == "Invalid"
            assert answer["certificateStatus"] == "CertificateRevoked"
            assert len(responder.asked) == 1


async def test_TC_C_52_CSMS_a_contract_we_verify_is_accepted_by_its_own_responder(
    post_of, provider
):
    with responding() as responder:
        responder.issuer = provider
        contract = made(EMAID, provider, responder=responder.url)
        async with post_of() as post:
            await post.booted()
            answer = await authorized(post, certificate=contract.pem)
            told = await begun(post)

            assert answer["idTokenInfo"]["status"] == "Accepted"
            assert answer["certificateStatus"] == "Accepted"
            assert told["idTokenInfo"]["status"] == "Accepted"
            assert [one.serial_number for one in responder.asked] == [
                contract.certificate.serial_number
            ]


async def test_a_contract_of_nobody_we_know_charges_nothing(post_of, provider):
    del provider
    stranger = made("a stranger")
    async with post_of() as post:
        await post.booted()
        answer = await authorized(post, certificate=made(EMAID, stranger).pem)

        assert answer["idTokenInfo"]["status"] == "Invalid"
        assert answer["certificateStatus"] == "CertChainError"
