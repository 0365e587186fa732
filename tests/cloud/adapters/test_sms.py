"""Short messages by Apprise, to a service on loopback."""

import json

import pytest

from cloud.adapters.messages.sms import AppriseSms
from cloud.services.fact_ports import Message
from cloud.services.messages import NotSent
from tests.cloud.builders import NOON
from tests.support.ports import free_port
from tests.support.receiver import Receiver

# Apprise loads all its services, and one of them something that Python 3.13 has no more
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def a_message(**more) -> Message:
    known = {
        "id": "m-1",
        "idempotency_key": "k",
        "channel": "sms",
        "recipient": "+441382434000",
        "subject": "New bay",
        "body": "Baywatt: New bay. Please drive to bay 2.",
        "created_at": NOON,
    }
    return Message(**(known | more))


def test_a_message_goes_to_its_number_with_its_id():
    with Receiver() as receiver:
        sms = AppriseSms(f"json://127.0.0.1:{receiver.port}/send/{{to}}?:id={{id}}")
        sms.send(a_message())
    (received,) = receiver.received
    said = json.loads(received.body)

    assert received.path.endswith("441382434000")
    assert said["message"] == "Baywatt: New bay. Please drive to bay 2."
    assert said["id"] == "m-1"


def test_a_service_that_refuses_is_asked_again_later():
    with Receiver([503]) as receiver:
        sms = AppriseSms(f"json://127.0.0.1:{receiver.port}/{{to}}")
        with pytest.raises(NotSent) as refused:
            sms.send(a_message())

    assert not refused.value.is_final


def test_a_service_that_is_away_is_asked_again_later():
    sms = AppriseSms(f"json://127.0.0.1:{free_port()}/{{to}}")
    with pytest.raises(NotSent) as refused:
        sms.send(a_message())

    assert not refused.value.is_final


@pytest.mark.parametrize("url", ["", "json://127.0.0.1/", "pigeon://{to}", "http", "{to}"])
def test_a_setting_that_is_no_service_is_said_at_once_and_not_repeated(url):
    with pytest.raises(ValueError, match="CLOUD_SMS_URL") as refused:
        AppriseSms(url)

    assert not url or url not in str(refused.value).replace("with {to} in it", "")
