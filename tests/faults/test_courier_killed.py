"""A courier killed between sending and noting it: what is sent again is known to be the same.

Nobody can send and note it at once. So everything is sent at least once, and each channel says by
which name its receivers can drop the second: Message-ID, Topic, webhook-id.
"""

import asyncio
import email
import json
import threading
from dataclasses import replace
from datetime import UTC, datetime
from email.policy import default

import pytest
from aiosmtpd.controller import Controller

from cloud.adapters.sql import tables
from cloud.domain.notices import Preferences
from cloud.services.notice_ports import WebhookEndpoint
from cloud.services.notices import Notices
from tests.cloud.adapters.test_push import Browser
from tests.cloud.builders import NOON, STATION
from tests.cloud.services.rig import DRIVER, a_rig
from tests.cloud.services.test_notices import DATA, a_notice, tell
from tests.support.ports import free_port
from tests.support.processes import our_program
from tests.support.receiver import Receiver
from tests.support.waiting import eventually

pytestmark = pytest.mark.real

SPEED = 60
SECRET = "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="


class SlowPostbox:
    """Takes mail and answers once it may."""

    def __init__(self, may_answer):
        self.may_answer = may_answer
        self.taken = []

    async def handle_DATA(self, server, session, envelope):  # noqa: ARG002, N802
        self.taken.append(email.message_from_bytes(envelope.content, policy=default))
        await asyncio.to_thread(self.may_answer.wait, 30)
        return "250 OK"


@pytest.fixture
def may_answer():
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def postbox(may_answer):
    made = SlowPostbox(may_answer)
    controller = Controller(made, hostname="127.0.0.1", port=free_port())
    controller.start()
    made.url = f"smtp://127.0.0.1:{controller.port}"
    yield made
    may_answer.set()
    controller.stop()


@pytest.fixture
def world(may_answer):
    """Where browsers' and programs' messages arrive; sms by Apprise as well."""
    with Receiver(may_answer=may_answer) as receiver:
        yield receiver
        may_answer.set()


@pytest.fixture
def rig(database_url, world):
    made = a_rig(database_url)
    browser = Browser(world.url("/push"))
    endpoint = WebhookEndpoint(
        id="hook-1",
        user_id=DRIVER,
        url=world.url("/hook"),
        secrets=(SECRET,),
        kinds=(),
        created_at=NOON,
    )
    with made.open_work() as work:
        work.notices.put_preferences(DRIVER, Preferences(phone="+441382434000"), NOON)
        work.push_subscriptions.put(replace(browser.subscription, user_id=DRIVER))
        work.webhook_endpoints.add(endpoint)
        work.commit()
    yield made
    made.engine.dispose()


@pytest.fixture
def settings(database_url, world, postbox, tmp_path):
    return {
        "CLOUD_DATABASE_URL": database_url,
        "CLOUD_DATA_DIR": str(tmp_path),
        # nobody is there, and messages go out all the same
        "CLOUD_BROKER_URL": f"mqtt://cloud:x@127.0.0.1:{free_port()}",
        "CLOUD_SMTP_URL": postbox.url,
        "CLOUD_SMS_URL": f"json://127.0.0.1:{world.port}/sms/{{to}}?:id={{id}}",
        "CLOUD_LAB_ALLOW_LOCAL_WEBHOOKS": "true",
        "CLOUD_CLOCK": f"fast:{SPEED}:{datetime.now(UTC).isoformat()}",
    }


NAMES = {
    "push": lambda one: one.headers["topic"],
    "hook": lambda one: one.headers["webhook-id"],
    "sms": lambda one: json.loads(one.body)["id"],
}


def names(world, postbox) -> dict[str, list[str]]:
    """Return by which names messages came, in all the ways there are."""
    found = {"mail": [mail["Message-ID"] for mail in postbox.taken], "push": [], "hook": []}
    found["sms"] = []
    for one in world.received:
        way = one.path.split("/")[1]
        found[way].append(NAMES[way](one))
    return found


def have_come(world, postbox, times) -> bool:
    return [len(found) for found in names(world, postbox).values()] == [times] * 4


def test_what_a_killed_courier_had_sent_is_sent_again_under_the_same_name(
    rig, world, postbox, may_answer, settings
):
    moved = DATA | {"from_bay_id": f"{STATION}-2", "trouble": "stolen"}
    tell(rig, a_notice("moved", data=moved), telling=Notices("https://bays.example"))
    with our_program("cloud", "courier", env=settings) as courier:
        courier.start()
        courier.wait_until(lambda: have_come(world, postbox, 1), 30)
        courier.kill()
        before = {row.sent_at for row in rig.rows(tables.messages)}
        may_answer.set()
        courier.start()
        courier.wait_until(lambda: have_come(world, postbox, 2), 30)
        eventually(lambda: sent(rig) == ["mail", "push", "sms", "webhook"])

    assert before == {None}
    assert [len(set(found)) for found in names(world, postbox).values()] == [1] * 4


def sent(rig) -> list[str]:
    return sorted(row.channel for row in rig.rows(tables.messages) if row.sent_at is not None)
