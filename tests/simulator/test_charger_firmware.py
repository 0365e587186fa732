"""An update of firmware goes step by step, and stops where it cannot go on."""

from datetime import timedelta

import pytest

from simulator.chargers.spec import stamp
from tests.simulator.builders import MONDAY, a_car, a_charger, a_world
from tests.simulator.fakes import FakeCsms

STEPS = ["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting"]


def connected(version="2.0.1"):
    world, _ = a_world()
    charger = a_charger(world, version, evses=2)
    csms = FakeCsms({"1.6": "v16", "2.0.1": "v201"}[version])
    csms.connect(charger.line)
    return world, charger, csms


def order(request_id=1, version="1.4.2", **more):
    firmware = {
        "location": f"https://files.example/{version}/fw-{version}.bin",
        "retrieveDateTime": stamp(MONDAY),
        "signingCertificate": "PEM",
        "signature": "c2ln",
    }
    return {"requestId": request_id, "firmware": firmware | more}


def steps(csms):
    return [one["status"] for one in csms.told("FirmwareStatusNotification")]


def test_an_update_ends_in_a_boot_with_the_new_version():
    world, charger, csms = connected()
    answer = csms.ask("UpdateFirmware", order())
    world.run_for(120)

    assert answer[2] == {"status": "Accepted"}
    assert steps(csms) == [*STEPS, "Installed"]
    assert csms.told("BootNotification")[-1]["chargingStation"]["firmwareVersion"] == "1.4.2"
    assert (charger.firmware.version, charger.firmware.installs) == ("1.4.2", 1)


@pytest.mark.parametrize(
    ("fault", "last"),
    [
        ("DownloadFailed", STEPS[:1]),
        ("InvalidSignature", STEPS[:2]),
        ("InstallVerificationFailed", STEPS[:4]),
        ("InstallationFailed", STEPS),
    ],
)
def test_a_fault_ends_it_and_the_old_version_stays(fault, last):
    world, charger, csms = connected()
    charger.firmware.fault = fault
    csms.ask("UpdateFirmware", order())
    world.run_for(120)

    assert steps(csms) == [*last, fault]
    assert (charger.firmware.version, charger.firmware.installs) == ("1.0.0", 0)
    assert charger.evses[1].is_available


def test_an_update_holds_at_a_step_until_it_may_go_on():
    world, charger, csms = connected()
    charger.firmware.holds_at = "Downloading"
    csms.ask("UpdateFirmware", order())
    world.run_for(600)
    held = steps(csms)
    charger.firmware.go_on()
    world.run_for(120)

    assert held == ["Downloading"]
    assert steps(csms) == [*STEPS, "Installed"]


def test_what_is_asked_for_meanwhile_is_told():
    world, _, csms = connected()
    later = stamp(MONDAY + timedelta(hours=1))
    csms.ask("UpdateFirmware", order(installDateTime=later))
    world.run_for(60)
    csms.ask("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})
    world.run_for(1)

    told = csms.told("FirmwareStatusNotification")[-1]
    assert told == {"status": "InstallScheduled", "requestId": 1}
    world.run_for(3_600)
    csms.ask("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})
    world.run_for(1)
    assert csms.told("FirmwareStatusNotification")[-1] == {"status": "Idle"}


def test_it_waits_for_sessions_and_keeps_new_ones_away():
    world, charger, csms = connected()
    charger.plug_in(1, a_car())
    charger.present(1, "TOKEN-1")
    world.run_for(10)
    csms.ask("UpdateFirmware", order())
    world.run_for(60)

    assert steps(csms) == ["DownloadScheduled"]
    assert not charger.evses[2].is_available
    charger.unplug(1)
    world.run_for(120)
    assert steps(csms) == ["DownloadScheduled", *STEPS, "Installed"]
    assert charger.evses[2].is_available


def test_16_tells_signed_and_plain_updates_in_their_own_words():
    world, _, csms = connected("1.6")
    plain = {"location": "ftp://files.example/fw-2.0.bin", "retrieveDate": stamp(MONDAY)}
    csms.ask("UpdateFirmware", plain)
    world.run_for(120)
    csms.ask("SignedUpdateFirmware", order(3))
    world.run_for(120)

    assert steps(csms) == ["Downloading", "Downloaded", "Installing", "Installed"]
    signed = csms.told("SignedFirmwareStatusNotification")
    assert [one["status"] for one in signed] == [*STEPS, "Installed"]
    assert {one["requestId"] for one in signed} == {3}


def test_a_local_controller_publishes_what_it_fetched():
    world, charger, csms = connected()
    asked = {"requestId": 4, "location": "https://files.example/fw.bin", "checksum": "a1"}
    csms.ask("PublishFirmware", asked)
    early = csms.ask("UnpublishFirmware", {"checksum": "a1"})
    world.run_for(60)

    assert early[2] == {"status": "DownloadOngoing"}
    assert charger.publisher.published == {"a1": asked["location"]}
    assert csms.ask("UnpublishFirmware", {"checksum": "a1"})[2] == {"status": "Unpublished"}
    assert csms.ask("UnpublishFirmware", {"checksum": "a1"})[2] == {"status": "NoFirmware"}
