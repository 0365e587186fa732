"""Where a connection came from, and whose word is taken for it (FAULTS S03, S05)."""

import pytest

from station_agent.ocpp.arrival import Arrival, behind_proxies, is_within, networks

TRUSTED = networks("10.0.0.0/8, 2001:db8::1")


def arrived(address, *, forwarded_for=(), proto=(), trusted=TRUSTED):
    return behind_proxies(
        Arrival(address), forwarded_for=forwarded_for, forwarded_proto=proto, trusted=trusted
    )


def test_s03_nobody_but_a_proxy_of_ours_can_say_it_was_encrypted():
    assert arrived("192.0.2.7", forwarded_for=["1.1.1.1"], proto=["https"]) == Arrival("192.0.2.7")
    assert arrived("10.1.1.1", proto=["https"], trusted=()) == Arrival("10.1.1.1")


@pytest.mark.parametrize(
    ("proto", "is_encrypted"),
    [(["https"], True), (["WSS"], True), (["http"], False), ([], False), (["https, http"], False)],
)
def test_a_proxy_of_ours_says_how_it_was_reached(proto, is_encrypted):
    assert arrived("10.1.1.1", proto=proto).is_encrypted is is_encrypted


@pytest.mark.parametrize(
    ("forwarded_for", "address"),
    [
        (["192.0.2.7"], "192.0.2.7"),
        (["198.51.100.9, 192.0.2.7, 10.2.2.2"], "192.0.2.7"),
        (["198.51.100.9", "192.0.2.7"], "192.0.2.7"),
        ([], "10.1.1.1"),
        (["10.2.2.2"], "10.1.1.1"),
        (["nonsense"], "nonsense"),
    ],
)
def test_s05_the_last_address_that_is_no_proxy_of_ours_counts(forwarded_for, address):
    assert arrived("10.1.1.1", forwarded_for=forwarded_for).address == address


def test_networks_are_read_strictly():
    assert is_within("2001:db8::1", TRUSTED)
    assert not is_within("", TRUSTED)
    with pytest.raises(ValueError, match="does not appear to be"):
        networks("10.0.0.0/8 and others")
