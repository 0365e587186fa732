"""Webhooks as their receivers see them, read with the packages receivers use."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from standardwebhooks import Webhook, WebhookVerificationError

from cloud.adapters.messages.outbound import Outbound
from cloud.adapters.messages.webhooks import SignedWebhooks
from cloud.services.messages import Gone, NotSent
from cloud.services.webhook_endpoints import Delivery
from tests.cloud.builders import NOON
from tests.support.receiver import Receiver

SECRET, OLD_SECRET, OTHER = (
    f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2, 3)
)
DELIVERY = Delivery(
    message_id="m-1",
    kind="moved",
    user_id="u-1",
    subject="New bay: 2",
    text="Please drive to bay 2.\n",
    facts={"reservation_id": "r-1", "station_name": "Gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n"},
    created_at=NOON,
)


@pytest.fixture
def receiver():
    with Receiver() as made:
        yield made


@pytest.fixture
def sender():
    return SignedWebhooks(Outbound(is_lab=True), "https://bays.example")


def test_the_receiver_can_verify_and_read_what_happened(receiver, sender):
    sender.send(receiver.url("/hook"), [SECRET], DELIVERY)
    (received,) = receiver.received
    Webhook(SECRET).verify(received.body, received.headers)
    event = from_structured_event(HTTPMessage(received.headers, received.body))

    assert (event.get_id(), event.get_source()) == ("m-1", "https://bays.example")
    assert (event.get_type(), event.get_subject()) == ("baywatt.notice.moved", "u-1")
    assert event.get_time() == NOON
    assert event.get_specversion() == "1.0"
    assert event.get_data() == {
        **DELIVERY.facts,
        "kind": "moved",
        "subject": "New bay: 2",
        "text": "Please drive to bay 2.\n",
    }
    assert received.headers["content-type"].startswith("application/cloudevents+json")
    assert received.headers["webhook-id"] == "m-1"


def test_a_wrong_secret_another_body_and_an_old_message_do_not_verify(receiver, sender):
    sender.send(receiver.url(), [SECRET], DELIVERY)
    old = SignedWebhooks(sender.outbound, sender.source, lambda: NOON - timedelta(days=1))
    old.send(receiver.url(), [SECRET], DELIVERY)
    fresh, stale = receiver.received

    for secret, body, headers in (
        (OTHER, fresh.body, fresh.headers),
        (SECRET, fresh.body + b" ", fresh.headers),
        (SECRET, fresh.body, fresh.headers | {"webhook-id": "m-2"}),
        (SECRET, stale.body, stale.headers),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)


def test_after_a_rotation_both_secrets_verify(receiver, sender):
    sender.send(receiver.url(), [SECRET, OLD_SECRET], DELIVERY)
    (received,) = receiver.received

    for secret in (SECRET, OLD_SECRET):
        Webhook(secret).verify(received.body, received.headers)


def test_each_attempt_has_the_same_id_and_the_time_it_is_made(receiver):
    instants = iter([datetime.now(UTC), datetime.now(UTC) + timedelta(seconds=10)])
    sender = SignedWebhooks(Outbound(is_lab=True), "https://bays.example", lambda: next(instants))
    for _ in range(2):
        sender.send(receiver.url(), [SECRET], DELIVERY)
    first, second = receiver.received

    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 10


@pytest.mark.parametrize("status", [301, 400, 401, 404, 429, 500, 503])
def test_what_is_not_taken_is_sent_again_later(receiver, sender, status):
    receiver.statuses, receiver.answer_headers = [status], {"Retry-After": "30"}
    with pytest.raises(NotSent, match=str(status)) as refused:
        sender.send(receiver.url(), [SECRET], DELIVERY)

    assert not refused.value.is_final
    assert refused.value.retry_after == timedelta(seconds=30)


def test_an_endpoint_that_says_it_is_gone_is_believed(receiver, sender):
    receiver.statuses = [410]
    with pytest.raises(Gone):
        sender.send(receiver.url(), [SECRET], DELIVERY)
