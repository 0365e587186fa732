"""Addresses as settings write them; an error never repeats a password."""

import pytest

from cloud.adapters.messages.mail import smtp_address
from cloud.adapters.mqtt import broker_address


def test_a_brokers_address_is_read():
    address = broker_address("mqtts://me:p%40ss@broker.example")

    assert (address.host, address.port, address.is_tls) == ("broker.example", 8883, True)
    assert (address.user, address.password) == ("me", "p@ss")
    assert "p@ss" not in repr(address)


@pytest.mark.parametrize("url", ["", "http://x", "mqtt://", "mqtt://u:secret@h/path"])
def test_what_is_no_brokers_address_is_refused(url):
    with pytest.raises(ValueError, match="mqtt://") as refused:
        broker_address(url)

    assert "secret" not in str(refused.value)


def test_a_mail_servers_address_is_read():
    plain, tls = smtp_address("smtp://mail.example"), smtp_address("smtps://me:pw@mail.example:99")

    assert (plain.host, plain.port, plain.is_tls) == ("mail.example", 25, False)
    assert (tls.port, tls.is_tls, tls.user, tls.password) == (99, True, "me", "pw")


@pytest.mark.parametrize("url", ["", "mail.example", "http://u:secret@h"])
def test_what_is_no_mail_servers_address_is_refused(url):
    with pytest.raises(ValueError, match="smtp://") as refused:
        smtp_address(url)

    assert "secret" not in str(refused.value)
