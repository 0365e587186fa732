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


class Files:
    """Where firmware is fetched; answers when told to, with what it is told."""

    def __init__(self, charger):
        self.asked = []
        charger.device.fetch = lambda location, fetched: self.asked.append((location, fetched))

    def answer(self, content):
        self.asked[-1][1](content)


def test_what_cannot_be_fetched_is_tried_again_as_often_as_ordered_and_then_given_up():
    world, charger, csms = connected()
    files = Files(charger)
    csms.ask("UpdateFirmware", order() | {"retries": 2, "retryInterval": 30})
    world.run_for(10)
    for attempts in (1, 2, 3):
        assert len(files.asked) == attempts
        assert steps(csms) == ["Downloading"]
        files.answer(None)
        world.run_for(31)

    assert steps(csms) == ["Downloading", "DownloadFailed"]
    assert len(files.asked) == 3
    assert (charger.firmware.version, charger.evses[1].is_available) == ("1.0.0", True)


def test_what_is_fetched_in_the_end_is_installed():
    world, charger, csms = connected()
    files = Files(charger)
    asked = order(location="http://127.0.0.1/fw-1.4.2.bin") | {"retries": 1}
    del asked["firmware"]["signature"]
    csms.ask("UpdateFirmware", asked)
    world.run_for(10)
    files.answer(None)
    world.run_for(1)
    files.answer(b"code")
    world.run_for(120)

    assert steps(csms) == [one for one in STEPS if one != "SignatureVerified"] + ["Installed"]
    assert {location for location, _ in files.asked} == {"http://127.0.0.1/fw-1.4.2.bin"}
    assert charger.firmware.version == "1.4.2"


def test_what_was_fetched_and_is_not_signed_by_its_certificate_is_not_installed():
    world, charger, csms = connected()
    files = Files(charger)
    csms.ask("UpdateFirmware", order())
    world.run_for(10)
    files.answer(b"code of somebody else")
    world.run_for(60)

    assert steps(csms) == ["Downloading", "Downloaded", "InvalidSignature"]
    events = [one["type"] for one in csms.told("SecurityEventNotification")]
    assert "InvalidFirmwareSignature" in events
    assert charger.firmware.installs == 0


def test_what_comes_of_an_update_that_gave_way_is_not_used():
    world, charger, csms = connected()
    files = Files(charger)
    csms.ask("UpdateFirmware", order(1, "1.4.2"))
    world.run_for(10)
    late = files.asked[0][1]
    csms.ask("UpdateFirmware", order(2, "1.5.0"))
    late(b"old code")
    world.run_for(10)
    files.answer(b"")
    world.run_for(120)

    assert steps(csms) == ["Downloading", *STEPS, "Installed"]
    assert charger.firmware.version == "1.5.0"


def test_16_tries_again_too():
    world, charger, csms = connected("1.6")
    files = Files(charger)
    asked = {"location": "http://127.0.0.1/fw-2.0.bin", "retrieveDate": stamp(MONDAY)}
    csms.ask("UpdateFirmware", asked | {"retries": 1, "retryInterval": 5})
    world.run_for(10)
    files.answer(None)
    world.run_for(10)
    files.answer(None)
    world.run_for(10)

    assert steps(csms) == ["Downloading", "DownloadFailed"]
    assert len(files.asked) == 2


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
