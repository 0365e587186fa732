"""OCPP 1.6, security whitepaper: keys, certificates, profiles; cases of the compliance testing tool."""

import pytest
from cryptography import x509
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from simulator.chargers.safe import CHARGING_STATION
from tests.certification.pki import hash_data, made
from tests.certification.test_security_201 import known_by, signed_under

pytestmark = pytest.mark.real

BOOT = {"chargePointVendor": "Baywatt Labs", "chargePointModel": "Virtual 1"}
OURS, MAKER = "CentralSystemRootCertificate", "ManufacturerRootCertificate"
AT = "2026-11-28T08:00:00Z"


async def rekeyed(post):
    """Have the post's key changed; return the new one."""
    await post.post(f"/chargers/{post.charger_id}/key-rotation")
    asked = await post.asked("ChangeConfiguration")

    async def done():
        return (await post.rotation())["status"] == "done"

    await post.until(done, "the new key in force")
    assert asked["key"] == "AuthorizationKey"
    return asked["value"]


async def test_TC_073_CSMS_a_charge_points_password_is_changed(post_guarded):
    async with post_guarded("1.6") as post:
        await post.booted()
        new = await rekeyed(post)
        await post.until(lambda: post.charger.line.is_up, "back")

        assert 16 <= len(bytes.fromhex(new)) <= 20
        assert (await post.call("BootNotification", BOOT))["status"] == "Accepted"

        async def is_old_refused():
            return await post.knock(key=post.key) == 401

        await post.until(is_old_refused, "the old key refused")


async def test_TC_074_CSMS_a_charge_points_certificate_is_renewed_at_our_request(post_guarded):
    async with post_guarded("1.6") as post:
        await post.booted()
        made_one = await post.renewed()
        triggered = await post.asked("ExtendedTriggerMessage")
        delivered = await post.asked("CertificateSigned")
        leaf = signed_under(
            delivered["certificateChain"], (await post.roots())["CSMSRootCertificate"]
        )

        assert triggered == {"requestedMessage": "SignChargePointCertificate"}
        assert list(delivered) == ["certificateChain"]
        assert made_one["status"] == "installed"
        assert leaf.public_key() == post.charger.safe.keys[CHARGING_STATION].public_key()


async def installs(post_guarded, kind):
    async with post_guarded("1.6") as post:
        await post.booted()
        root = made(kind)
        asked = {"certificateType": kind, "certificate": root.pem}
        command = await post.ask("InstallCertificate", asked)
        listed = await post.ask("GetInstalledCertificateIds", {"certificateType": kind})

        assert await post.asked("InstallCertificate") == asked
        assert command["state"] == "accepted"
        assert listed["answer"]["certificateHashData"] == [hash_data(root, root)]

        async def held():
            return [
                one["certificateType"] for one in (await post.inventory("certificate")).values()
            ]

        assert await post.until(held, "the inventory") == [kind]


async def test_TC_075_1_CSMS_a_manufacturers_root_is_installed_and_listed(post_guarded):
    await installs(post_guarded, MAKER)


async def test_TC_075_2_CSMS_a_central_systems_root_is_installed_and_listed(post_guarded):
    await installs(post_guarded, OURS)


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
async def test_TC_076_CSMS_a_certificate_is_deleted_by_the_hashes_the_charge_point_gave(
    post_guarded, algorithm
):
    async with post_guarded("1.6") as post:
        await post.booted()
        post.charger.safe.hash_algorithm = algorithm
        post.charger.safe.install(OURS, made("ours").pem)
        listed = await post.ask("GetInstalledCertificateIds", {"certificateType": OURS})
        (data,) = listed["answer"]["certificateHashData"]
        command = await post.ask("DeleteCertificate", {"certificateHashData": data})

        assert await post.asked("DeleteCertificate") == {"certificateHashData": data}
        assert command["state"] == "accepted"

        async def is_gone():
            return not await post.inventory("certificate")

        await post.until(is_gone, "gone")


async def is_alerted(post):
    async def raised():
        return "security_event" in [one["rule"] for one in await post.alerts()]

    await post.until(raised, "an alert")


async def test_TC_077_CSMS_a_charge_point_tells_that_its_new_certificate_is_no_good(post_guarded):
    async with post_guarded("1.6") as post:
        await post.booted()
        post.answers("CertificateSigned", {"status": "Rejected"})
        made_one = await post.renewed()
        event = {"type": "InvalidChargePointCertificate", "timestamp": AT}

        assert made_one["status"] == "rejected"
        assert await post.call("SecurityEventNotification", event) == {}
        await is_alerted(post)


async def test_TC_078_CSMS_a_charge_point_tells_that_our_root_is_no_good(post_guarded):
    async with post_guarded("1.6") as post:
        await post.booted()
        post.answers("InstallCertificate", {"status": "Rejected"})
        asked = {"certificateType": OURS, "certificate": made("ours").pem}
        command = await post.ask("InstallCertificate", asked)
        event = {"type": "InvalidCentralSystemCertificate", "timestamp": AT}

        assert await post.asked("InstallCertificate") == asked
        assert command["state"] == "rejected"
        assert await post.call("SecurityEventNotification", event) == {}
        await is_alerted(post)


@pytest.mark.parametrize("start", [1, 2])
async def test_TC_083_CSMS_a_higher_security_profile_is_taken_and_never_left(
    post_guarded, guarded, start
):
    async with post_guarded("1.6", is_encrypted=start == 2) as post:
        await post.booted()
        post.charger.safe.tls_url = post.tls_url
        await post.ask("InstallCertificate", {"certificateType": OURS, "certificate": guarded.root})
        if start == 2:
            await post.renewed()
        change = {"key": "SecurityProfile", "value": str(start + 1)}
        changed = await post.ask("ChangeConfiguration", change)
        before = len(post.sent("BootNotification"))
        reset = await post.command("reset_charger", reset="hard")
        await post.until(lambda: len(post.sent("BootNotification")) > before, "booted again")
        await known_by(post, start + 1)

        assert [one["state"] for one in (changed, reset)] == ["accepted"] * 2
        assert await post.asked("ChangeConfiguration") == change
        assert await post.asked("Reset") == {"type": "Hard"}
        lower = guarded.tls() if start == 2 else None
        assert await post.knock(key=post.key, tls=lower) == 401


async def test_TC_085_CSMS_a_charge_point_with_its_password_is_let_in(post_guarded):
    async with post_guarded("1.6") as post:
        await post.booted()

        assert (await post.call("BootNotification", BOOT))["status"] == "Accepted"
        await known_by(post, 1)


async def test_TC_086_CSMS_a_charge_point_is_served_encrypted(post_guarded):
    async with post_guarded("1.6", is_encrypted=True) as post:
        await post.booted()

        assert (await post.call("BootNotification", BOOT))["status"] == "Accepted"
        await known_by(post, 2)


async def test_TC_087_CSMS_a_charge_point_with_its_certificate_is_let_in(post_guarded, guarded):
    async with post_guarded("1.6") as post:
        await post.booted()
        await post.renewed()
        post.charger.safe.install(OURS, guarded.root)
        post.charger.safe.slots[0] = {"ocppCsmsUrl": post.tls_url, "securityProfile": 3}
        post.charger.safe.priority = [0]
        post.charger.safe.go_over()
        await known_by(post, 3)
        chain = post.charger.safe.chains[CHARGING_STATION]

        assert (await post.call("BootNotification", BOOT))["status"] == "Accepted"
        names = chain[0].subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        assert [one.value for one in names] == [post.charger_id]


@pytest.mark.parametrize(
    ("offers", "expected"),
    [(["ocpp1.6"], "ocpp1.6"), (["ocpp0.1", "ocpp1.6"], "ocpp1.6"), (["ocpp0.1"], None)],
)
async def test_TC_088_CSMS_a_subprotocol_is_agreed_on_or_the_connection_refused(
    post_guarded, offers, expected
):
    post = post_guarded("1.6")
    address = post.plain()
    dialling = connect(
        f"{address.url}/{post.charger_id}",
        subprotocols=[Subprotocol(one) for one in offers],
        additional_headers=post.login(address.key),
        compression=None,
        proxy=None,
    )
    if expected is None:
        with pytest.raises(InvalidStatus) as refused:
            await dialling
        assert refused.value.response.status_code == 400
    else:
        async with dialling as ws:
            assert ws.subprotocol == expected
