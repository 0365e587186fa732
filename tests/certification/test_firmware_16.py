"""OCPP 1.6, Firmware Management and the whitepaper's signed firmware; cases of the certification list."""

from datetime import UTC, datetime
from functools import partial

import pytest

pytestmark = pytest.mark.real

PACE_S = 0.02
SIGNED_STEPS = [
    "Downloading",
    "Downloaded",
    "SignatureVerified",
    "Installing",
    "InstallRebooting",
]


@pytest.fixture
def post_16(post_of):
    """A maker of posts that speak 1.6."""
    return partial(post_of, "1.6")


def wanted(version="2.1.0", **more):
    return {
        "location": f"https://files.example/fw-{version}.bin",
        "retrieve_at": datetime.now(UTC).isoformat(),
        **more,
    }


SIGNATURE = {"signing_certificate": "-----BEGIN CERTIFICATE-----", "signature": "c2lnbmF0dXJl"}


def plain_steps(post):
    return [one["status"] for one in post.sent("FirmwareStatusNotification")]


def signed_steps(post):
    return [one["status"] for one in post.sent("SignedFirmwareStatusNotification")]


async def ready(post):
    await post.booted()
    await post.until(partial(version, post), "what runs on it is known")
    post.charger.firmware.pace_s = PACE_S


async def over(post):
    async def ended():
        found = await post.jobs("firmware")
        return found[0] if found and found[0]["is_over"] else None

    return await post.until(ended, "the end of the update")


async def version(post):
    return (await post.get(f"/chargers/{post.charger_id}"))["charger"]["firmware_version"]


async def test_TC_044_1_CSMS_firmware_is_fetched_and_installed(post_16):
    async with post_16() as post:
        await ready(post)
        body = wanted()
        command = await post.command("update_firmware", **body)

        asked = await post.asked("UpdateFirmware")
        assert asked["location"] == body["location"]
        assert datetime.fromisoformat(asked["retrieveDate"]) <= datetime.now(UTC)
        assert command["state"] == "accepted"
        job = await over(post)
        assert plain_steps(post) == ["Downloading", "Downloaded", "Installing", "Installed"]
        assert (job["status"], job["request_id"], job["has_failed"]) == ("Installed", 0, False)
        assert await version(post) == "2.1.0"


async def fails(post_16, fault, steps):
    async with post_16() as post:
        await ready(post)
        running = await version(post)
        post.charger.firmware.fault = fault
        await post.command("update_firmware", **wanted())

        job = await over(post)
        assert plain_steps(post) == steps
        assert (job["status"], job["has_failed"]) == (fault, True)
        assert await version(post) == running


async def test_TC_044_2_CSMS_firmware_that_cannot_be_fetched_is_told(post_16):
    await fails(post_16, "DownloadFailed", ["Downloading", "DownloadFailed"])


async def test_TC_044_3_CSMS_firmware_that_cannot_be_installed_is_told(post_16):
    steps = ["Downloading", "Downloaded", "Installing", "InstallationFailed"]
    await fails(post_16, "InstallationFailed", steps)


async def test_TC_080_CSMS_signed_firmware_is_checked_and_installed(post_16):
    async with post_16() as post:
        await ready(post)
        body = wanted(**SIGNATURE)
        command = await post.command("update_firmware", **body)

        asked = await post.asked("SignedUpdateFirmware")
        assert asked["firmware"]["location"] == body["location"]
        assert asked["firmware"]["signingCertificate"] == SIGNATURE["signing_certificate"]
        assert asked["firmware"]["signature"] == SIGNATURE["signature"]
        assert command["state"] == "accepted"
        job = await over(post)
        assert signed_steps(post) == [*SIGNED_STEPS, "Installed"]
        assert (job["status"], job["request_id"]) == ("Installed", asked["requestId"])
        assert await version(post) == "2.1.0"


async def test_TC_081_CSMS_firmware_whose_signature_does_not_fit_is_an_alert_and_not_installed(
    post_16,
):
    async with post_16() as post:
        await ready(post)
        running = await version(post)
        post.charger.firmware.fault = "InvalidSignature"
        await post.command("update_firmware", **wanted(**SIGNATURE))

        job = await over(post)
        assert signed_steps(post) == ["Downloading", "Downloaded", "InvalidSignature"]
        assert (job["status"], job["has_failed"]) == ("InvalidSignature", True)
        assert await post.until(post.alerts, "an alert")
        assert [one["rule"] for one in await post.alerts()] == ["security_event"]
        assert post.charger.firmware.installs == 0
        assert await version(post) == running


@pytest.mark.parametrize("word", ["InvalidCertificate", "RevokedCertificate"])
async def test_16_whitepaper_a_signing_certificate_that_is_no_good_ends_the_job(post_16, word):
    async with post_16() as post:
        await ready(post)
        post.charger.firmware.fault = word
        command = await post.command("update_firmware", **wanted(**SIGNATURE))

        assert command["state"] == "rejected"
        assert (await over(post))["status"] == word
        assert signed_steps(post) == []
