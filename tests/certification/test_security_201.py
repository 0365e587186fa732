"""OCPP 2.0.1, block A: security; test cases of part 6."""

import ssl
from datetime import timedelta

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from simulator.chargers.safe import CHARGING_STATION
from tests.certification.secure import SUITES, quietly

pytestmark = pytest.mark.real

BOOT = {"reason": "PowerUp", "chargingStation": {"vendorName": "Baywatt Labs", "model": "Virtual"}}
PASSWORD = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
PRIORITY = {
    "component": {"name": "OCPPCommCtrlr"},
    "variable": {"name": "NetworkConfigurationPriority"},
}


async def known_by(post, profile):
    async def is_so():
        found = (await post.get(f"/chargers/{post.charger_id}"))["charger"]
        return found["is_connected"] and found["security_profile"] == profile

    await post.until(is_so, f"known by profile {profile}")


async def test_TC_A_01_CSMS_a_charger_with_its_password_is_let_in(post_guarded):
    async with post_guarded() as post:
        await post.booted()
        answer = await post.call("BootNotification", BOOT)

        assert answer["status"] == "Accepted"
        assert (await post.facts("charger_connected"))[0]["security_profile"] == 1


@pytest.mark.parametrize("user", ["{}Invalid", "other"])
async def test_TC_A_02_CSMS_a_user_name_that_is_not_the_chargers_is_refused(post_guarded, user):
    post = post_guarded()

    assert await post.knock(user=user.format(post.charger_id), key=post.key) == 401

    async def told():
        return [one["info"] for one in await post.facts("security_event_reported")]

    assert await post.until(told) == ["wrong_key"]


async def test_TC_A_03_CSMS_a_wrong_password_is_refused(post_guarded):
    post = post_guarded()

    assert await post.knock(key="0123456789abcdefABCDEF-*_=:+|@.01234567") == 401
    assert await post.knock(key="") == 401
    assert await post.knock() == 401
    assert not (await post.get(f"/chargers/{post.charger_id}"))["charger"]["is_connected"]


@pytest.mark.parametrize("suite", SUITES)
async def test_TC_A_04_CSMS_the_station_shows_its_certificate_in_every_suite_asked_for(
    post_guarded, guarded, suite
):
    async with post_guarded(is_encrypted=True) as post:
        await post.booted()
        answer = await post.call("BootNotification", BOOT)
        pem = ssl.get_server_certificate(("127.0.0.1", post.tls_port))
        shown = x509.load_pem_x509_certificate(pem.encode())

        assert answer["status"] == "Accepted"
        assert shown.serial_number > 0
        key = shown.public_key()
        assert key.key_size >= (224 if isinstance(key, ec.EllipticCurvePublicKey) else 2048)
        names = shown.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        assert [one.value for one in names] == ["127.0.0.1"]
        await known_by(post, 2)
    other = post_guarded()

    assert await other.knock(key=other.key, tls=guarded.tls(suite)) == 101


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
async def test_TC_A_06_CSMS_a_tls_version_below_12_is_refused(post_guarded, guarded):
    post = post_guarded()
    old = guarded.tls()
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    quietly(old, "ALL:@SECLEVEL=0")
    refused = await post.knock(key=post.key, tls=old)

    assert refused == 0
    async with post_guarded(is_encrypted=True) as other:
        await other.booted()
        assert (await other.call("BootNotification", BOOT))["status"] == "Accepted"


async def to_certificate(post, guarded):
    """Have the post ask for its certificate, and log in by nothing but that."""
    await post.booted()
    made = await post.renewed()
    assert made["status"] == "installed"
    post.charger.safe.install("CSMSRootCertificate", guarded.root)
    post.charger.safe.slots[1] = {"ocppCsmsUrl": post.tls_url, "securityProfile": 3}
    post.charger.safe.priority = [1]
    post.charger.safe.go_over()
    await known_by(post, 3)


async def test_TC_A_07_CSMS_a_charger_with_its_certificate_is_let_in(post_guarded, guarded):
    async with post_guarded() as post:
        await to_certificate(post, guarded)
        answer = await post.call("BootNotification", BOOT)

        assert answer["status"] == "Accepted"
        connected = (await post.facts("charger_connected"))[0]
        assert connected["security_profile"] == 3
        assert "key_salt" not in connected


def proof_of_nobody_known(charger_id, guarded):
    """Return a context that shows a certificate of an authority the station does not know."""
    context = guarded.tls()
    trustme.CA().issue_cert(charger_id, common_name=charger_id).configure_cert(context)
    return context


async def comes_back(post):
    """Have the charger dial in anew, by the certificate it has."""
    before = len(post.sent("BootNotification"))
    post.charger.line.must_boot()
    post.dialer.hang_up()
    await post.until(lambda: len(post.sent("BootNotification")) > before, "back")
    await post.until(lambda: post.charger.line.is_booted, "accepted")
    await known_by(post, 3)


@pytest.mark.parametrize("kind", ["unknown", "expired", "of another"])
async def test_TC_A_08_CSMS_a_certificate_that_is_no_good_is_refused(post_guarded, guarded, kind):
    async with post_guarded() as post:
        await to_certificate(post, guarded)
        day = timedelta(days=1)
        shown = {
            "unknown": lambda: proof_of_nobody_known(post.charger_id, guarded),
            "expired": lambda: guarded.proof(post.charger_id, lasts=day, made_ago=2 * day),
            "of another": lambda: guarded.proof("other", lasts=day, made_ago=timedelta(0)),
        }[kind]()

        # the handshake itself fails, but for the one that is good and somebody else's
        assert await post.knock(tls=shown) == (401 if kind == "of another" else 0)
        await comes_back(post)


@pytest.mark.parametrize(("age", "status"), [(2, 101), (4, 0)], ids=["still good", "expired"])
async def test_a_certificate_of_the_trusted_authority_is_let_in_until_it_expires(
    post_guarded, guarded, age, status
):
    # of a charger we signed none for: where we did, only what we signed counts
    post = post_guarded()
    day = timedelta(days=1)
    shown = guarded.proof(post.charger_id, lasts=3 * day, made_ago=age * day)

    assert await post.knock(tls=shown) == status


async def test_TC_A_09_CSMS_a_new_password_is_set_and_the_only_one_taken_from_then_on(post_guarded):
    async with post_guarded() as post:
        await post.booted()
        await post.post(f"/chargers/{post.charger_id}/key-rotation")
        asked = (await post.asked("SetVariables"))["setVariableData"]
        new = asked[0]["attributeValue"]

        async def done():
            return (await post.rotation())["status"] == "done"

        await post.until(done, "the new key in force")
        await post.until(lambda: post.charger.line.is_up, "back")

        assert [{name: one[name] for name in PASSWORD} for one in asked] == [PASSWORD]
        assert 16 <= len(new) <= 40
        assert new != post.key
        assert (await post.call("BootNotification", BOOT))["status"] == "Accepted"

        async def is_old_refused():
            return await post.knock(key=post.key) == 401

        await post.until(is_old_refused, "the old key refused")
        commands = (await post.get(f"/chargers/{post.charger_id}"))["commands"]
        assert new not in str(commands)
        assert new not in str(await post.facts("inventory_reported"))


async def test_TC_A_10_CSMS_a_password_that_was_rejected_leaves_the_old_one_good(post_guarded):
    async with post_guarded() as post:
        await post.booted()
        post.answers(
            "SetVariables",
            {"setVariableResult": [{"attributeStatus": "Rejected", **PASSWORD}]},
        )
        await post.post(f"/chargers/{post.charger_id}/key-rotation")
        asked = (await post.asked("SetVariables"))["setVariableData"]

        async def over():
            return not (await post.rotation())["is_open"]

        await post.until(over, "the change given up")
        before = len(post.sent("BootNotification"))
        post.charger.line.must_boot()
        post.dialer.hang_up()
        await post.until(lambda: len(post.sent("BootNotification")) > before, "back")
        await post.until(lambda: post.charger.line.is_booted, "accepted")

        assert asked[0]["variable"] == PASSWORD["variable"]
        assert (await post.rotation())["status"] == "refused"

        async def is_new_refused():
            return await post.knock(key=asked[0]["attributeValue"]) == 401

        await post.until(is_new_refused, "the new key refused")


def signed_under(chain, root):
    """Whether a chain leads to a root."""
    certificates = x509.load_pem_x509_certificates(chain.encode())
    above = [*certificates[1:], x509.load_pem_x509_certificate(root.encode())]
    for one, issuer in zip(certificates, above, strict=True):
        one.verify_directly_issued_by(issuer)
    return certificates[0]


async def test_TC_A_11_CSMS_a_chargers_certificate_is_renewed_at_our_request(post_guarded, guarded):
    async with post_guarded() as post:
        await to_certificate(post, guarded)
        await post.asked("TriggerMessage")
        before = await post.asked("CertificateSigned")
        made = await post.renewed()
        triggered = await post.asked("TriggerMessage")
        delivered = await post.asked("CertificateSigned")
        root = (await post.roots())["CSMSRootCertificate"]
        leaf = signed_under(delivered["certificateChain"], root)

        assert triggered == {"requestedMessage": "SignChargingStationCertificate"}
        assert delivered["certificateType"] == CHARGING_STATION
        assert made["status"] == "installed"
        assert made["serial_number"] == f"{leaf.serial_number:x}"
        assert leaf.public_key() == post.charger.safe.keys[CHARGING_STATION].public_key()
        names = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        assert [one.value for one in names] == [post.charger_id]
        assert delivered["certificateChain"] != before["certificateChain"]
        connections = len(await post.facts("charger_connected"))
        post.charger.safe.go_over()

        async def is_back():
            return len(await post.facts("charger_connected")) > connections

        await post.until(is_back, "back with the new certificate")
        await known_by(post, 3)
        assert (await post.call("BootNotification", BOOT))["status"] == "Accepted"


async def test_TC_A_12_CSMS_a_v2g_certificate_is_renewed_at_our_request(post_guarded):
    async with post_guarded() as post:
        await post.booted()
        made = await post.renewed("SignV2GCertificate")
        triggered = await post.asked("TriggerMessage")
        delivered = await post.asked("CertificateSigned")
        root = (await post.roots())["V2GRootCertificate"]
        leaf = signed_under(delivered["certificateChain"], root)

        assert triggered == {"requestedMessage": "SignV2GCertificate"}
        assert delivered["certificateType"] == "V2GCertificate"
        assert made["purpose"] == "V2GCertificate"
        assert leaf.public_key().key_size >= 224


async def test_TC_A_13_CSMS_a_combined_certificate_is_renewed_at_our_request(post_guarded):
    async with post_guarded() as post:
        await post.booted()
        made = await post.renewed("SignCombinedCertificate")
        triggered = await post.asked("TriggerMessage")
        delivered = await post.asked("CertificateSigned")
        root = (await post.roots())["V2GRootCertificate"]
        leaf = signed_under(delivered["certificateChain"], root)

        assert triggered == {"requestedMessage": "SignCombinedCertificate"}
        assert "certificateType" not in delivered
        assert made["purpose"] == ""
        assert leaf.serial_number > 0
        names = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        assert [one.value for one in names] == [post.charger_id]


async def test_TC_A_14_CSMS_a_charger_that_rejects_its_certificate_is_looked_at(post_guarded):
    async with post_guarded() as post:
        await post.booted()
        post.answers("CertificateSigned", {"status": "Rejected"})
        made = await post.renewed()
        await post.call(
            "SecurityEventNotification",
            {"type": "InvalidChargingStationCertificate", "timestamp": "2026-11-28T08:00:00Z"},
        )

        async def raised():
            return "security_event" in [one["rule"] for one in await post.alerts()]

        assert made["status"] == "rejected"
        await post.until(raised, "an alert")


def profile_at(url, profile):
    return {
        "messageTimeout": 30,
        "ocppCsmsUrl": url,
        "ocppInterface": "Wired0",
        "ocppTransport": "JSON",
        "ocppVersion": "OCPP20",
        "securityProfile": profile,
    }


@pytest.mark.parametrize("start", [1, 2])
async def test_TC_A_19_CSMS_a_higher_security_profile_is_taken_and_never_left(
    post_guarded, guarded, start
):
    async with post_guarded(is_encrypted=start == 2) as post:
        await post.booted()
        root = {"certificateType": "CSMSRootCertificate", "certificate": guarded.root}
        await post.ask("InstallCertificate", root)
        if start == 2:
            await post.renewed()
        data = profile_at(post.tls_url, start + 1)
        slot = await post.ask("SetNetworkProfile", {"configurationSlot": 1, "connectionData": data})
        priority = await post.ask(
            "SetVariables", {"setVariableData": [{**PRIORITY, "attributeValue": "1"}]}
        )
        before = len(post.sent("BootNotification"))
        reset = await post.command("reset_charger")
        await post.until(lambda: len(post.sent("BootNotification")) > before, "booted again")
        await known_by(post, start + 1)

        assert [one["state"] for one in (slot, priority, reset)] == ["accepted"] * 3
        assert (await post.asked("SetNetworkProfile"))["connectionData"] == data
        lower = guarded.tls() if start == 2 else None
        assert await post.knock(key=post.key, tls=lower) == 401
