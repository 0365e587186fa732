"""OCPP 2.0.1, block L: firmware management; test cases of part 6."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from simulator.chargers.evse import State
from simulator.journal import Kind
from tests.support.receiver import Receiver
from tests.support.stack import TOKEN

pytestmark = pytest.mark.real

PACE_S = 0.02
SIGNED = {"signingCertificate": "-----BEGIN CERTIFICATE-----", "signature": "c2lnbmF0dXJl"}
STEPS = ["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting"]


def instant(after_s=0.0):
    return (datetime.now(UTC) + timedelta(seconds=after_s)).isoformat()


def order(request_id=7, version="2.1.0", **more):
    firmware = {
        "location": f"https://files.example/fw-{version}.bin",
        "retrieveDateTime": instant(-1),
        **SIGNED,
        **more,
    }
    return {"requestId": request_id, "firmware": firmware}


def steps(post):
    return [one["status"] for one in post.sent("FirmwareStatusNotification")]


async def job(post, request_id=7, kind="firmware"):
    found = [one for one in await post.jobs(kind) if one["request_id"] == request_id]
    return found[0] if found else None


async def over(post, request_id=7, kind="firmware"):
    async def ended():
        one = await job(post, request_id, kind)
        return one if one and one["is_over"] else None

    return await post.until(ended, f"the end of job {request_id}")


async def version(post):
    return (await post.get(f"/chargers/{post.charger_id}"))["charger"]["firmware_version"]


async def ready(post):
    await post.booted()
    await post.until(partial(version, post), "what runs on it is known")
    post.charger.firmware.pace_s = PACE_S
    return post


async def test_TC_L_01_CSMS_a_signed_update_is_installed(post_of):
    async with post_of() as post:
        await ready(post)
        asked = order()
        command = await post.ask("UpdateFirmware", asked)

        assert await post.asked("UpdateFirmware") == asked
        assert command["state"] == "accepted"
        ended = await over(post)
        assert steps(post) == [*STEPS, "Installed"]
        assert (ended["status"], ended["has_failed"]) == ("Installed", False)
        assert ended["detail"]["location"] == asked["firmware"]["location"]
        assert post.sent("BootNotification")[-1]["reason"] == "FirmwareUpdate"
        assert await version(post) == "2.1.0"


async def test_what_is_installed_was_really_fetched_at_the_second_try(post_of):
    async with post_of() as post:
        await ready(post)
        with Receiver(statuses=[503, 200], answer_body=b"code") as files:
            asked = order(location=files.url("/fw-3.1.0.bin"))
            del asked["firmware"]["signature"]
            await post.ask("UpdateFirmware", asked | {"retries": 1, "retryInterval": 0})
            ended = await over(post)
        (boot,) = (one for one in post.sent("BootNotification") if one["reason"] != "PowerUp")

    assert [(one.method, one.path) for one in files.received] == [("GET", "/fw-3.1.0.bin")] * 2
    assert ended["status"] == "Installed"
    assert steps(post) == [*(one for one in STEPS if one != "SignatureVerified"), "Installed"]
    assert boot["chargingStation"]["firmwareVersion"] == "3.1.0"


@pytest.mark.parametrize(("status", "last"), [(404, "DownloadFailed"), (200, "InvalidSignature")])
async def test_what_is_not_there_or_not_signed_is_not_installed(post_of, status, last):
    async with post_of() as post:
        await ready(post)
        running = await version(post)
        with Receiver(statuses=[status], answer_body=b"code") as files:
            await post.ask("UpdateFirmware", order(location=files.url("/fw-3.1.0.bin")))
            ended = await over(post)

        assert (ended["status"], ended["has_failed"]) == (last, True)
        assert steps(post)[-1] == last
        assert await version(post) == running


async def test_TC_L_02_CSMS_an_update_is_installed_at_its_time(post_of):
    async with post_of() as post:
        await ready(post)
        command = await post.ask("UpdateFirmware", order(installDateTime=instant(8)))

        asked = (await post.asked("UpdateFirmware"))["firmware"]
        assert asked["installDateTime"] > asked["retrieveDateTime"]
        assert command["state"] == "accepted"
        assert (await over(post))["status"] == "Installed"
        assert steps(post) == [*STEPS[:3], "InstallScheduled", *STEPS[3:], "Installed"]


async def test_TC_L_03_CSMS_an_update_is_fetched_at_its_time(post_of):
    async with post_of() as post:
        await ready(post)
        await post.ask("UpdateFirmware", order(retrieveDateTime=instant(8)))

        retrieve_at = (await post.asked("UpdateFirmware"))["firmware"]["retrieveDateTime"]
        (asked,) = post.tape.of(Kind.ASKED, "UpdateFirmware")
        assert datetime.fromisoformat(retrieve_at) > asked.at
        assert (await over(post))["status"] == "Installed"
        assert steps(post) == ["DownloadScheduled", *STEPS, "Installed"]


async def test_TC_L_04_CSMS_a_revoked_certificate_ends_the_job_at_once(post_of):
    async with post_of() as post:
        await ready(post)
        post.charger.firmware.fault = "RevokedCertificate"
        command = await post.ask("UpdateFirmware", order())

        assert command["state"] == "rejected"
        ended = await over(post)
        assert (ended["status"], ended["has_failed"]) == ("RevokedCertificate", True)
        assert steps(post) == []


async def test_TC_L_05_CSMS_an_invalid_certificate_is_told_as_a_security_event(post_of):
    async with post_of() as post:
        await ready(post)
        post.charger.firmware.fault = "InvalidCertificate"
        command = await post.ask("UpdateFirmware", order())

        assert command["state"] == "rejected"
        assert (await over(post))["status"] == "InvalidCertificate"

        (alert,) = await post.until(post.alerts, "an alert")
        assert alert["rule"] == "security_event"
        (event,) = await post.facts("security_event_reported")
        assert event["event"] == "InvalidFirmwareSigningCertificate"


async def test_TC_L_06_CSMS_nothing_is_installed_whose_signature_does_not_fit(post_of):
    async with post_of() as post:
        await ready(post)
        before = await version(post)
        post.charger.firmware.fault = "InvalidSignature"
        await post.ask("UpdateFirmware", order())

        ended = await over(post)
        assert steps(post) == ["Downloading", "Downloaded", "InvalidSignature"]
        assert (ended["status"], ended["has_failed"]) == ("InvalidSignature", True)

        (alert,) = await post.until(post.alerts, "an alert")
        assert alert["rule"] == "security_event"
        (event,) = await post.facts("security_event_reported")
        assert event["event"] == "InvalidFirmwareSignature"
        assert post.charger.firmware.installs == 0
        assert await version(post) == before


async def fails_at(post_of, fault, before):
    async with post_of() as post:
        await ready(post)
        running = await version(post)
        post.charger.firmware.fault = fault
        await post.ask("UpdateFirmware", order())

        ended = await over(post)
        assert steps(post) == [*before, fault]
        assert (ended["status"], ended["has_failed"]) == (fault, True)
        assert await version(post) == running


async def test_TC_L_07_CSMS_an_update_that_cannot_be_fetched_says_so(post_of):
    await fails_at(post_of, "DownloadFailed", STEPS[:1])


async def test_TC_L_08_CSMS_an_update_that_does_not_verify_says_so(post_of):
    await fails_at(post_of, "InstallVerificationFailed", STEPS[:4])


async def test_TC_L_09_CSMS_an_update_that_cannot_be_installed_says_so(post_of):
    await fails_at(post_of, "InstallationFailed", STEPS)


async def downloading(post):
    """Order an update, and have the charger fetch it for as long as the test wants."""
    post.charger.firmware.holds_at = "Downloading"
    await post.ask("UpdateFirmware", order(7))
    await post.until(lambda: steps(post) == ["Downloading"], "the first is fetched")


async def test_TC_L_10_CSMS_a_newer_update_takes_the_place_of_one_under_way(post_of):
    async with post_of() as post:
        await ready(post)
        await downloading(post)
        post.charger.firmware.holds_at = ""
        command = await post.ask("UpdateFirmware", order(8, "2.2.0"))

        assert command["state"] == "accepted"
        assert command["answer"]["status"] == "AcceptedCanceled"
        assert (await over(post, 8))["status"] == "Installed"
        assert (await over(post, 7))["status"] == "Canceled"
        assert steps(post) == ["Downloading", *STEPS, "Installed"]
        assert await version(post) == "2.2.0"


async def test_TC_L_11_CSMS_an_update_that_cannot_be_canceled_goes_on(post_of):
    async with post_of() as post:
        await ready(post)
        post.charger.firmware.is_cancelable = False
        await downloading(post)
        command = await post.ask("UpdateFirmware", order(8, "2.2.0"))

        assert command["state"] == "rejected"
        assert steps(post) == ["Downloading"]
        post.charger.firmware.go_on()
        assert (await over(post, 7))["status"] == "Installed"
        assert steps(post) == [*STEPS, "Installed"]
        assert (await over(post, 8))["has_failed"]
        assert await version(post) == "2.1.0"


async def test_TC_L_13_CSMS_an_update_waits_for_a_session_and_keeps_others_away(post_of):
    async with post_of() as post:
        await ready(post)
        charger = post.charger
        charger.plug_in(1, post.car())
        charger.present(1, TOKEN)
        await post.until(lambda: charger.evses[1].session, "a session")
        await post.ask("UpdateFirmware", order())

        await post.until(lambda: steps(post) == ["DownloadScheduled"], "it waits")
        await post.until(lambda: charger.evses[2].state is State.UNAVAILABLE, "nobody else begins")

        async def shown():
            seen = await post.get(f"/chargers/{post.charger_id}")
            return {one["evse_id"]: one["state"] for one in seen["connectors"] if one["evse_id"]}

        async def held_back():
            return (await shown())[2] == "unavailable"

        await post.until(held_back, "the cloud sees it")
        charger.present(1, TOKEN)
        charger.unplug(1)
        assert (await over(post))["status"] == "Installed"
        assert steps(post) == ["DownloadScheduled", *STEPS, "Installed"]

        async def free():
            return set((await shown()).values()) == {"free"}

        await post.until(free, "all are free again")


# --- a local controller ---------------------------------------------------------------------------

CHECKSUM = "0cc175b9c0f1b6a831c399e269772661"
PUBLISHING = {
    "requestId": 9,
    "location": "https://files.example/fw-3.0.bin",
    "checksum": CHECKSUM,
}


def publishing(post):
    return [one["status"] for one in post.sent("PublishFirmwareStatusNotification")]


async def test_TC_L_17_CSMS_published_firmware_is_held_with_where_it_can_be_had(post_of):
    async with post_of() as post:
        await ready(post)
        post.charger.publisher.pace_s = PACE_S
        command = await post.ask("PublishFirmware", PUBLISHING)

        assert await post.asked("PublishFirmware") == PUBLISHING
        assert command["state"] == "accepted"
        ended = await over(post, 9, "publish_firmware")
        assert publishing(post) == ["Downloading", "Downloaded", "ChecksumVerified", "Published"]
        assert ended["status"] == "Published"
        assert await post.inventory("firmware") == {
            CHECKSUM: {
                "location": PUBLISHING["location"],
                "published_at": ["http://local-controller.example/fw-3.0.bin"],
                "request_id": 9,
            }
        }


async def publishes_nothing(post_of, fault, before):
    async with post_of() as post:
        await ready(post)
        post.charger.publisher.pace_s = PACE_S
        post.charger.publisher.fault = fault
        await post.ask("PublishFirmware", PUBLISHING)

        assert await post.asked("PublishFirmware") == PUBLISHING
        ended = await over(post, 9, "publish_firmware")
        assert publishing(post) == [*before, fault]
        assert (ended["status"], ended["has_failed"]) == (fault, True)
        assert await post.inventory("firmware") == {}


async def test_TC_L_19_CSMS_damaged_firmware_is_not_published(post_of):
    await publishes_nothing(post_of, "InvalidChecksum", ["Downloading", "Downloaded"])


async def test_TC_L_20_CSMS_firmware_that_cannot_be_published_is_not_held(post_of):
    before = ["Downloading", "Downloaded", "ChecksumVerified"]
    await publishes_nothing(post_of, "PublishFailed", before)


async def test_TC_L_24_CSMS_firmware_that_cannot_be_fetched_is_not_published(post_of):
    await publishes_nothing(post_of, "DownloadFailed", ["Downloading"])


async def test_TC_L_21_CSMS_unpublished_firmware_is_held_no_more(post_of):
    async with post_of() as post:
        await ready(post)
        post.charger.publisher.pace_s = PACE_S
        await post.ask("PublishFirmware", PUBLISHING)
        await over(post, 9, "publish_firmware")
        command = await post.ask("UnpublishFirmware", {"checksum": CHECKSUM})

        assert await post.asked("UnpublishFirmware") == {"checksum": CHECKSUM}
        assert command["state"] == "accepted"
        assert command["answer"] == {"status": "Unpublished"}

        async def gone():
            return await post.inventory("firmware") == {}

        await post.until(gone, "it is gone")


async def does_not_unpublish(post_of, status):
    async with post_of() as post:
        await ready(post)
        if status == "DownloadOngoing":
            await post.ask("PublishFirmware", PUBLISHING)
        command = await post.ask("UnpublishFirmware", {"checksum": CHECKSUM})

        assert command["state"] == "rejected"
        assert command["answer"] == {"status": status}


async def test_TC_L_22_CSMS_what_is_not_published_cannot_be_taken_back(post_of):
    await does_not_unpublish(post_of, "NoFirmware")


async def test_TC_L_23_CSMS_what_is_being_fetched_cannot_be_taken_back(post_of):
    await does_not_unpublish(post_of, "DownloadOngoing")
