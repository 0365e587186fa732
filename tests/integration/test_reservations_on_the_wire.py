"""Reservations of the plan at a charger, over real sockets and a real broker, in both OCPP families."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.events import SessionStarted
from contracts.plan import PlannedReservation
from tests.integration.cloudlike import STATION, TOKEN, CloudLike
from tests.integration.site import Site
from tests.support.waiting import eventually_async
from tests.system.acts import BOOT, stamp

pytestmark = pytest.mark.real

DRIVER = "app00c0ffee0001"
NUMBER = 770_077


class Old:
    """A 1.6 charger, in the words of the tests."""

    subprotocol = "ocpp1.6"

    async def boot(self, charger):
        await charger.call("BootNotification", BOOT)
        body = {"connectorId": 1, "status": "Available", "errorCode": "NoError"}
        await charger.call("StatusNotification", body | {"timestamp": _now()})

    async def start(self, charger, token, **more):
        body = {"connectorId": 1, "idTag": token, "meterStart": 0, "timestamp": _now()}
        answer = await charger.call("StartTransaction", body | more)
        return answer["idTagInfo"]["status"]

    def numbered(self):
        return {"reservationId": NUMBER}

    refused = "Blocked"

    def reserved(self, payload):
        return payload["reservationId"], payload["connectorId"], payload["idTag"]


class New:
    """A 2.0.1 charger, in the words of the tests."""

    subprotocol = "ocpp2.0.1"

    async def boot(self, charger):
        station = {"vendorName": "V", "model": "M"}
        boot = {"reason": "PowerUp", "chargingStation": station}
        await charger.call("BootNotification", boot)
        body = {"evseId": 1, "connectorId": 1, "connectorStatus": "Available"}
        await charger.call("StatusNotification", body | {"timestamp": _now()})

    async def start(self, charger, token, **more):
        body = {
            "eventType": "Started",
            "timestamp": _now(),
            "triggerReason": "Authorized",
            "seqNo": 0,
            "transactionInfo": {"transactionId": f"tx-{token}"},
            "evse": {"id": 1, "connectorId": 1},
            "idToken": {"idToken": token, "type": "Central"},
        }
        answer = await charger.call("TransactionEvent", body | more)
        return answer["idTokenInfo"]["status"]

    def numbered(self):
        return {"reservationId": NUMBER}

    refused = "NotAtThisTime"

    def reserved(self, payload):
        return payload["id"], payload["evseId"], payload["idToken"]["idToken"]


def _now():
    return stamp(datetime.now(UTC))


def a_promise():
    now = datetime.now(UTC)
    return PlannedReservation(
        reservation_id="r-77",
        reservation_number=NUMBER,
        bay_id=f"{STATION}-1",
        token=DRIVER,
        protect_from=now - timedelta(minutes=1),
        starts_at=now + timedelta(minutes=9),
        ends_at=now + timedelta(hours=1),
    )


@pytest.fixture
def cloud(broker):
    with CloudLike(broker) as one:
        one.plan(reservations=[a_promise()])
        yield one


@pytest.fixture
def site(broker, cloud, tmp_path):
    made = Site(broker, tmp_path)
    made.start()
    yield made
    made.agent.stop()


def asked(charger, action):
    return [payload for name, payload in charger.asked if name == action]


@pytest.mark.parametrize("words", [Old(), New()], ids=lambda one: one.subprotocol)
async def test_a_reserved_evse_is_kept_for_its_driver_who_may_come_early(site, cloud, words):
    async with site.charger(words.subprotocol) as charger:
        charger.answers["ReserveNow"] = lambda _: {"status": "Accepted"}
        await words.boot(charger)
        (told,) = await eventually_async(lambda: asked(charger, "ReserveNow"))
        other = await words.start(charger, TOKEN)
        own = await words.start(charger, DRIVER, **words.numbered())
    events = await eventually_async(
        lambda: (
            (known := cloud.commit())
            and len([one for one in known if isinstance(one, SessionStarted)]) == 2
            and known
        )
    )

    assert words.reserved(told) == (NUMBER, 1, DRIVER)
    assert (other, own) == (words.refused, "Accepted")
    started = [one for one in events if isinstance(one, SessionStarted)]
    assert [one.reservation_id for one in started] == [None, "r-77"]
    assert [one.is_authorized for one in started] == [False, True]


@pytest.mark.parametrize("words", [Old(), New()], ids=lambda one: one.subprotocol)
async def test_a_killed_agent_tells_a_charger_again_and_undoes_it_when_the_plan_says_so(
    site, cloud, words
):
    async with site.charger(words.subprotocol) as charger:
        charger.answers["ReserveNow"] = lambda _: {"status": "Accepted"}
        await words.boot(charger)
        await eventually_async(lambda: asked(charger, "ReserveNow"))
        site.agent.kill()
    site.start()
    async with site.charger(words.subprotocol) as charger:
        charger.answers["ReserveNow"] = lambda _: {"status": "Accepted"}
        charger.answers["CancelReservation"] = lambda _: {"status": "Accepted"}
        await words.boot(charger)
        await eventually_async(lambda: asked(charger, "ReserveNow"))
        cloud.plan(version=2)
        (undone,) = await eventually_async(lambda: asked(charger, "CancelReservation"))

    assert undone == {"reservationId": NUMBER}
    assert len(asked(charger, "ReserveNow")) == 1


async def test_who_removes_a_reservation_is_told_of_it_again_and_refuses_others_meanwhile(site):
    words = New()
    async with site.charger(words.subprotocol) as charger:
        charger.answers["ReserveNow"] = lambda _: {"status": "Accepted"}
        await words.boot(charger)
        await eventually_async(lambda: asked(charger, "ReserveNow"))
        removed = {"reservationId": NUMBER, "reservationUpdateStatus": "Removed"}
        answer = await charger.call("ReservationStatusUpdate", removed)
        other = await words.start(charger, TOKEN)
        first, again = await eventually_async(
            lambda: len(told := asked(charger, "ReserveNow")) > 1 and told
        )

    assert (answer, other) == ({}, words.refused)
    assert first == again
