"""What answers to firmware orders teach."""

import pytest

from contracts.commands import UpdateFirmware
from contracts.events import InventoryReported, JobKind, JobProgressed
from station_agent.ocpp import v16, v201
from station_agent.ocpp.versions import CommandContext, Outbound, Untranslatable
from tests.station_agent.ocpp.fakes import NOW, FakeOutbox

FIRMWARE = {
    "location": "https://files.example/fw-2.0.bin",
    "retrieveDateTime": "2026-11-22T12:00:00Z",
    "signingCertificate": "PEM",
    "signature": "c2ln",
}


@pytest.mark.parametrize(
    ("status", "is_over"),
    [
        ("Accepted", False),
        ("AcceptedCanceled", False),
        ("Rejected", True),
        ("InvalidCertificate", True),
        ("RevokedCertificate", True),
    ],
)
@pytest.mark.parametrize(
    ("version", "action"),
    [(v201.VERSION, "UpdateFirmware"), (v16.VERSION, "SignedUpdateFirmware")],
    ids=lambda one: getattr(one, "name", one),
)
def test_an_order_is_a_job_that_begins_or_fails_at_once(version, action, status, is_over):
    order = Outbound(action, {"requestId": 5, "firmware": FIRMWARE})

    (job,) = version.learn(order, {"status": status}, "CP-1", NOW)

    assert job == JobProgressed(
        charger_id="CP-1",
        job=JobKind.FIRMWARE,
        request_id=5,
        status=status,
        is_over=is_over,
        has_failed=is_over,
        detail={
            "location": FIRMWARE["location"],
            "retrieveDateTime": FIRMWARE["retrieveDateTime"],
            "is_signed": True,
        },
        observed_at=NOW,
    )


def test_the_plain_order_of_16_has_no_number_and_an_empty_answer():
    order = Outbound(
        "UpdateFirmware",
        {"location": "ftp://x/fw", "retrieveDate": "2026-11-22T12:00:00Z"},
    )

    (job,) = v16.VERSION.learn(order, {}, "CP-1", NOW)

    assert (job.request_id, job.status, job.is_over) == (0, "Accepted", False)
    assert job.detail == {"location": "ftp://x/fw", "retrieveDate": "2026-11-22T12:00:00Z"}


def test_publishing_is_a_job_that_keeps_the_checksum():
    order = Outbound(
        "PublishFirmware", {"requestId": 6, "location": "ftp://x/fw", "checksum": "a1" * 16}
    )

    (job,) = v201.VERSION.learn(order, {"status": "Accepted"}, "CP-1", NOW)

    assert (job.job, job.request_id) == (JobKind.PUBLISH_FIRMWARE, 6)
    assert job.detail == {"location": "ftp://x/fw", "checksum": "a1" * 16}


@pytest.mark.parametrize(
    ("status", "gone"),
    [("Unpublished", [["a1"]]), ("NoFirmware", [["a1"]]), ("DownloadOngoing", [])],
)
def test_what_is_unpublished_is_gone(status, gone):
    order = Outbound("UnpublishFirmware", {"checksum": "a1"})

    facts = v201.VERSION.learn(order, {"status": status}, "CP-1", NOW)

    assert [one.gone for one in facts if isinstance(one, InventoryReported)] == gone


def test_only_signed_firmware_of_16_has_a_time_of_installation():
    request = UpdateFirmware(
        charger_id="CP-1", location="ftp://x/fw", retrieve_at=NOW, install_at=NOW
    )

    with pytest.raises(Untranslatable, match="signed"):
        v16.VERSION.translate(request, CommandContext("CP-1", FakeOutbox()))
