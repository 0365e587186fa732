"""What meters sign in a charge is kept with it, each word once."""

import pytest

from cloud.domain.access import Role, Viewer
from cloud.domain.errors import NotFound
from contracts.events import SignedReadingReported
from tests.cloud.builders import CHARGER, NOON, after
from tests.cloud.services.rig import begun

STAFF = Viewer("staff", Role.MAINTENANCE)


def signed(data, at=NOON, **more):
    known = {
        "charger_id": CHARGER,
        "evse_id": 1,
        "session_id": "s-1",
        "context": "Sample.Clock",
        "method": "ECDSA-secp256r1-SHA256",
        "encoding": "OCMF",
        "public_key": "MFkwEw==",
    }
    return SignedReadingReported(**(known | {"data": data, "observed_at": at} | more))


def kept(rig, viewer=STAFF):
    return rig.sessions.signed_readings("s-1", viewer).signed_readings


@pytest.fixture
def charging(rig):
    rig.pass_by(300)
    rig.agent.tell(begun())
    return rig


def test_a_charge_has_what_its_meter_signed_in_order(charging):
    charging.agent.tell(signed("second", after(9)), signed("first", after(1)))

    first, second = kept(charging)
    assert (first.at, first.data, second.data) == (after(1), "first", "second")
    assert (first.method, first.encoding) == ("ECDSA-secp256r1-SHA256", "OCMF")
    assert (first.context, first.public_key) == ("Sample.Clock", "MFkwEw==")


def test_what_a_charger_repeats_is_kept_once(charging):
    charging.agent.tell(signed("one", after(1)))
    charging.agent.tell(signed("one", after(1)), signed("two", after(2)))

    assert [one.data for one in kept(charging)] == ["one", "two"]


def test_what_is_signed_in_no_charge_or_by_a_stranger_belongs_to_none(charging):
    stranger = signed("theirs", charger_id="STRANGER")
    charging.agent.tell(signed("idle", session_id=None), stranger)

    assert kept(charging) == []


def test_only_who_may_see_the_charge_sees_what_was_signed(charging):
    charging.agent.tell(signed("one"))

    with pytest.raises(NotFound):
        kept(charging, Viewer("somebody", Role.DRIVER))
    with pytest.raises(NotFound):
        charging.sessions.signed_readings("nothing", STAFF)
