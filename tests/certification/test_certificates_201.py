"""OCPP 2.0.1, block M: certificates; test cases of part 6."""

import base64

import pytest
from cryptography.x509 import ocsp

from tests.certification.pki import hash_data, made, responding

pytestmark = pytest.mark.real

CSMS, MAKER, V2G, MO = (
    "CSMSRootCertificate",
    "ManufacturerRootCertificate",
    "V2GRootCertificate",
    "MORootCertificate",
)
CHAIN = "V2GCertificateChain"
ALGORITHMS = ["SHA256", "SHA384", "SHA512"]
SCHEMA = "urn:iso:15118:2:2013:MsgDef"


async def installed(post, kind):
    """Install a new root and return it."""
    root = made(f"{kind} of a test")
    asked = {"certificateType": kind, "certificate": root.pem}
    command = await post.ask("InstallCertificate", asked)
    assert command["state"] == "accepted"
    assert await post.asked("InstallCertificate") == asked
    return root


async def listed(post, *kinds):
    """Have the charger name its certificates of these kinds; return what it named."""
    asked = {"certificateType": list(kinds)} if kinds else {}
    command = await post.ask("GetInstalledCertificateIds", asked)
    assert await post.asked("GetInstalledCertificateIds") == asked
    return command["answer"]


async def held(post):
    """Return the certificates the API shows, by serial number."""
    items = await post.inventory("certificate")
    return {one["certificateHashData"]["serialNumber"]: one for one in items.values()}


async def becomes_held(post, *roots):
    serials = {f"{one.certificate.serial_number:x}" for one in roots}

    async def is_so():
        return set(await held(post)) == serials

    await post.until(is_so, "the inventory")


async def install(post_of, kind):
    async with post_of() as post:
        await post.booted()
        root = await installed(post, kind)
        await becomes_held(post, root)

        assert next(iter((await held(post)).values()))["certificateType"] == kind


async def test_TC_M_01_CSMS_a_csms_root_is_installed(post_of):
    await install(post_of, CSMS)


async def test_TC_M_02_CSMS_a_manufacturers_root_is_installed(post_of):
    await install(post_of, MAKER)


async def test_TC_M_03_CSMS_a_v2g_root_is_installed(post_of):
    await install(post_of, V2G)


async def test_TC_M_04_CSMS_a_mobility_operators_root_is_installed(post_of):
    await install(post_of, MO)


@pytest.mark.parametrize("status", ["Failed", "Rejected"])
async def test_TC_M_05_CSMS_a_root_that_could_not_be_installed_is_not_held(post_of, status):
    async with post_of() as post:
        await post.booted()
        post.answers("InstallCertificate", {"status": status})
        asked = {"certificateType": CSMS, "certificate": made("no root").pem}
        command = await post.ask("InstallCertificate", asked)

        assert command["state"] == "rejected"
        assert command["answer"] == {"status": status}
        assert await held(post) == {}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_TC_M_12_CSMS_csms_roots_are_listed_by_every_hash_algorithm(post_of, algorithm):
    async with post_of() as post:
        await post.booted()
        post.charger.safe.hash_algorithm = algorithm
        root = made("CSMS")
        post.charger.safe.install(CSMS, root.pem)
        await listed(post, CSMS)
        await becomes_held(post, root)
        (one,) = (await held(post)).values()

        assert one["certificateHashData"] == hash_data(root, root, algorithm)


async def list_one(post_of, kind):
    async with post_of() as post:
        await post.booted()
        root = made(kind)
        post.charger.safe.install(kind, root.pem)
        post.charger.safe.install(CSMS if kind != CSMS else MO, made("another").pem)
        await listed(post, kind)
        await becomes_held(post, root)

        assert next(iter((await held(post)).values()))["certificateType"] == kind


async def test_TC_M_13_CSMS_manufacturers_roots_are_listed(post_of):
    await list_one(post_of, MAKER)


async def test_TC_M_14_CSMS_v2g_roots_are_listed(post_of):
    await list_one(post_of, V2G)


async def test_TC_M_15_CSMS_a_v2g_chain_is_listed_with_those_above_it(post_guarded):
    async with post_guarded() as post:
        await post.booted()
        await post.renewed("SignV2GCertificate")
        await listed(post, CHAIN)
        chain = post.charger.safe.chains["V2GCertificate"]

        async def shown():
            return (await held(post)).get(f"{chain[0].serial_number:x}")

        one = await post.until(shown, "the chain shown")
        assert one["certificateType"] == CHAIN
        assert [child["serialNumber"] for child in one["childCertificateHashData"]] == [
            f"{above.serial_number:x}" for above in chain[1:]
        ]


async def test_TC_M_16_CSMS_mobility_operators_roots_are_listed(post_of):
    await list_one(post_of, MO)


async def test_TC_M_17_CSMS_roots_of_two_kinds_are_listed_together(post_of):
    async with post_of() as post:
        await post.booted()
        ours, makers = made("ours"), made("the maker's")
        post.charger.safe.install(CSMS, ours.pem)
        post.charger.safe.install(MAKER, makers.pem)
        post.charger.safe.install(MO, made("another").pem)
        await listed(post, CSMS, MAKER)

        await becomes_held(post, ours, makers)


async def test_TC_M_18_CSMS_all_certificates_are_listed_and_what_is_not_named_is_gone(post_of):
    async with post_of() as post:
        await post.booted()
        first = await installed(post, CSMS)
        await becomes_held(post, first)
        roots = [made(kind) for kind in (CSMS, MAKER, V2G, MO)]
        post.charger.safe.roots.clear()
        for kind, root in zip((CSMS, MAKER, V2G, MO), roots, strict=True):
            post.charger.safe.install(kind, root.pem)
        await listed(post)

        await becomes_held(post, *roots)


async def test_TC_M_19_CSMS_nothing_of_a_kind_is_no_failure_of_ours(post_of):
    async with post_of() as post:
        await post.booted()
        answer = await listed(post, MAKER)

        assert answer == {"status": "NotFound"}
        assert await held(post) == {}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_TC_M_20_CSMS_a_certificate_is_deleted_by_the_hashes_the_charger_gave(
    post_of, algorithm
):
    async with post_of() as post:
        await post.booted()
        post.charger.safe.hash_algorithm = algorithm
        post.charger.safe.install(CSMS, made("CSMS").pem)
        answer = await listed(post, CSMS)
        data = answer["certificateHashDataChain"][0]["certificateHashData"]
        command = await post.ask("DeleteCertificate", {"certificateHashData": data})

        assert command["state"] == "accepted"
        assert await post.asked("DeleteCertificate") == {"certificateHashData": data}
        await becomes_held(post)


async def test_TC_M_21_CSMS_a_certificate_that_could_not_be_deleted_is_still_held(post_of):
    async with post_of() as post:
        await post.booted()
        root = await installed(post, CSMS)
        answer = await listed(post, CSMS)
        post.answers("DeleteCertificate", {"status": "Failed"})
        data = answer["certificateHashDataChain"][0]["certificateHashData"]
        command = await post.ask("DeleteCertificate", {"certificateHashData": data})

        assert command["state"] == "rejected"
        assert await post.asked("DeleteCertificate") == {"certificateHashData": data}
        await becomes_held(post, root)


async def test_TC_M_24_CSMS_the_status_of_v2g_certificates_is_asked_of_their_responder(post_of):
    with responding() as responder:
        root = responder.issuer = made("V2G root")
        below = made("V2G sub-authority", root)
        async with post_of() as post:
            await post.booted()
            data = hash_data(below, root) | {"responderURL": responder.url}
            answer = await post.call("GetCertificateStatus", {"ocspRequestData": data})

            assert answer["status"] == "Accepted"
            response = ocsp.load_der_ocsp_response(base64.b64decode(answer["ocspResult"]))
            assert response.certificate_status is ocsp.OCSPCertStatus.GOOD
            assert response.serial_number == below.certificate.serial_number
            assert responder.asked[0].serial_number == below.certificate.serial_number


async def test_a_status_nobody_can_tell_is_told_to_be_so(post_of):
    """OCPP 2.0.1 M06.FR.04: a responder that is away."""
    root = made("V2G root")
    async with post_of() as post:
        await post.booted()
        data = hash_data(root, root) | {"responderURL": "http://127.0.0.1:9/ocsp"}

        assert await post.call("GetCertificateStatus", {"ocspRequestData": data}) == {
            "status": "Failed"
        }


async def exchanged(post_of, action):
    async with post_of() as post:
        await post.booted()
        request = {"iso15118SchemaVersion": SCHEMA, "action": action, "exiRequest": "gJgCAAE="}
        answer = await post.call("Get15118EVCertificate", request)

        assert answer["status"] == "Accepted"
        assert b"contract" in base64.b64decode(answer["exiResponse"], validate=True)


async def test_TC_M_26_CSMS_a_car_gets_a_contract_to_install(post_of):
    await exchanged(post_of, "Install")


async def test_TC_M_28_CSMS_a_car_gets_its_contract_renewed(post_of):
    await exchanged(post_of, "Update")
