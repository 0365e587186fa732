"""Web push as a browser and its push service see it: encrypted for one, signed for the other."""

import base64
import json
import os
import time
from dataclasses import dataclass, replace
from datetime import timedelta

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from cloud.adapters.messages.outbound import Outbound
from cloud.adapters.messages.push import WebPush, vapid_of
from cloud.services.messages import Gone, NotSent
from cloud.services.notice_ports import PushSubscription
from cloud.services.push_subscriptions import Push
from tests.cloud.builders import NOON
from tests.support.receiver import Receiver

SEED = bytes(range(32))
PUSH = Push(
    message_id="0" * 31 + "1",
    kind="moved",
    title="New bay: 2 instead of 1",
    body="Please drive to bay 2.",
    link="https://bays.example/stations/greenmarket",
    created_at=NOON,
    is_urgent=True,
    ttl_s=600,
)


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class Browser:
    """Keeps the keys a browser makes when it subscribes."""

    endpoint: str

    def __post_init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = os.urandom(16)

    @property
    def subscription(self) -> PushSubscription:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return PushSubscription(
            id="push-1",
            user_id="u-1",
            endpoint=self.endpoint,
            p256dh=encoded(point),
            auth=encoded(self.auth),
            created_at=NOON,
        )

    def read(self, body: bytes) -> dict:
        plain = http_ece.decrypt(
            body, private_key=self.key, auth_secret=self.auth, version="aes128gcm"
        )
        return json.loads(plain)


@pytest.fixture
def service():
    with Receiver([201]) as receiver:
        yield receiver


@pytest.fixture
def browser(service):
    return Browser(service.url("/push/abc"))


@pytest.fixture
def sender():
    return WebPush(Outbound(is_lab=True), vapid_of("", SEED), "mailto:no-reply@bays.example")


def test_only_the_browser_can_read_what_it_is_told(service, browser, sender):
    sender.push(browser.subscription, PUSH)
    (received,) = service.received

    assert browser.read(received.body) == {
        "id": PUSH.message_id,
        "kind": "moved",
        "title": PUSH.title,
        "body": PUSH.body,
        "link": PUSH.link,
        "created_at": "2026-03-01T12:00:00Z",
    }
    assert b"bay 2" not in received.body
    assert received.path == "/push/abc"
    assert received.headers["content-encoding"] == "aes128gcm"


def test_the_push_service_hears_who_sends_how_urgent_it_is_and_what_it_replaces(
    service, browser, sender
):
    sender.push(browser.subscription, PUSH)
    sender.push(browser.subscription, replace(PUSH, is_urgent=False, ttl_s=86_400))
    urgent, normal = (one.headers for one in service.received)

    assert (urgent["urgency"], urgent["ttl"]) == ("high", "600")
    assert (normal["urgency"], normal["ttl"]) == ("normal", "86400")
    assert urgent["topic"] == normal["topic"] == PUSH.message_id


def test_the_signature_is_ours_for_this_service_and_for_hours(service, browser, sender):
    sender.push(browser.subscription, PUSH)
    authorization = service.received[0].headers["authorization"]
    parts = dict(one.split("=", 1) for one in authorization.removeprefix("vapid ").split(","))
    body = parts["t"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))

    assert Vapid02.verify(authorization)
    assert parts["k"] == sender.public_key
    assert claims["aud"] == service.url("").rstrip("/")
    assert claims["sub"] == "mailto:no-reply@bays.example"
    assert time.time() < claims["exp"] <= time.time() + 24 * 3600


def test_a_signature_of_other_words_does_not_hold(service, browser, sender):
    sender.push(browser.subscription, PUSH)
    authorization = service.received[0].headers["authorization"]
    head, body, signature = authorization.split("t=")[1].split(",")[0].split(".")
    other = body[:-4] + ("AAAA" if body[-4:] != "AAAA" else "BBBB")

    assert not Vapid02.verify(
        f"vapid t={head}.{other}.{signature},k={authorization.split('k=')[1]}"
    )


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_has_gone_is_told_nothing_more(service, browser, sender, status):
    service.statuses = [status]
    with pytest.raises(Gone):
        sender.push(browser.subscription, PUSH)


@pytest.mark.parametrize(("status", "is_final"), [(413, True), (429, False), (500, False)])
def test_a_service_that_does_not_take_it_is_asked_again_where_that_can_help(
    service, browser, sender, status, is_final
):
    service.statuses, service.answer_headers = [status], {"Retry-After": "90"}
    with pytest.raises(NotSent, match=str(status)) as refused:
        sender.push(browser.subscription, PUSH)

    assert refused.value.is_final is is_final
    assert refused.value.retry_after == timedelta(seconds=90)
    assert not isinstance(refused.value, Gone)


def test_the_longest_text_fits_what_push_services_take(service, browser, sender):
    long = replace(PUSH, title="\N{EURO SIGN}" * 255, body="\N{EURO SIGN}" * 459)
    sender.push(browser.subscription, long)

    assert len(service.received[0].body) <= 4096


def test_a_subscription_inside_the_house_is_never_sent_to(service, browser):
    sender = WebPush(Outbound(), vapid_of("", SEED), "mailto:no-reply@bays.example")
    with pytest.raises(NotSent):
        sender.push(browser.subscription, PUSH)

    assert service.received == []


def test_every_process_with_the_same_secret_has_the_same_key_and_a_named_one_wins():
    def public(vapid):
        return WebPush(Outbound(), vapid, "mailto:no-reply@bays.example").public_key

    raw = encoded((7).to_bytes(32))

    assert public(vapid_of("", SEED)) == public(vapid_of("", SEED))
    assert public(vapid_of("", SEED)) != public(vapid_of("", SEED[::-1]))
    assert public(vapid_of(raw, SEED)) == public(vapid_of(raw, SEED[::-1]))
    assert len(base64.urlsafe_b64decode(public(vapid_of("", SEED)) + "=")) == 65


@pytest.mark.parametrize(
    "named", ["x", "AAAA", "not base64!", encoded(b"\0" * 32), "\N{EURO SIGN}"]
)
def test_a_setting_that_is_no_key_is_said_at_once_and_not_repeated(named):
    with pytest.raises(ValueError, match="CLOUD_VAPID_PRIVATE_KEY") as refused:
        vapid_of(named, SEED)

    assert named == "x" or named not in str(refused.value)


@pytest.mark.parametrize("contact", ["", "mailto:", "mailto:nobody", "http://bays.example"])
def test_push_services_must_know_whom_to_write_to(contact):
    with pytest.raises(ValueError, match="written to"):
        WebPush(Outbound(), vapid_of("", SEED), contact)
