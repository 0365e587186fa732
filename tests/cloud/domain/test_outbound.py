"""Requests that users ask for go to public addresses only (S15)."""

import pytest

from cloud.domain.errors import NotValid
from cloud.domain.outbound import Target, is_allowed, target_of

PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.192",
    "192.88.99.1",
    "168.63.129.16",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff0e::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "2001::1",
]
PUBLIC = ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::"]


@pytest.mark.parametrize("address", PRIVATE)
def test_s15_an_address_that_is_not_public_is_refused(address):
    assert not is_allowed(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address):
    assert is_allowed(address)


def test_a_lab_may_ask_itself_and_no_other_private_place():
    assert is_allowed("127.0.0.1", is_lab=True)
    assert is_allowed("::1", is_lab=True)
    assert not is_allowed("169.254.169.254", is_lab=True)
    assert not is_allowed("10.0.0.1", is_lab=True)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hook.example",
        "//hook.example/",
        "http://hook.example/",
        "file:///etc/passwd",
        "gopher://hook.example/",
        "ftp://hook.example/",
        "https://",
        "https:///path",
        "https://user@hook.example/",
        "https://user:secret@hook.example/",
        "https://@hook.example/",
        "https://hook.example:99999/",
        "https://hook.example:port/",
        "https://[::1/",
        "https://[::1]/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:127.0.0.1]/",
        "https://localhost/",
        "https://localhost./",
        "https://some.localhost/",
        "https://h\N{CYRILLIC SMALL LETTER O}ok.example/",
        "https://hook.example/a b",
        "https://hook.example/\r\nHost: other",
        "https://hook.example/" + "x" * 500,
    ],
)
def test_s15_what_names_no_public_server_by_https_is_refused(url):
    with pytest.raises(NotValid):
        target_of(url)


def test_a_target_says_where_to_connect_and_what_to_ask():
    assert target_of("https://Hook.example/a?b=c#d") == Target(
        is_tls=True, host="hook.example", port=443, path="/a?b=c"
    )
    assert target_of("https://hook.example:8443") == Target(
        is_tls=True, host="hook.example", port=8443, path="/"
    )


def test_a_lab_may_use_plain_http_and_its_own_names():
    assert target_of("http://localhost:8000/x", is_lab=True) == Target(
        is_tls=False, host="localhost", port=8000, path="/x"
    )
    assert target_of("http://127.0.0.1/", is_lab=True).port == 80
    with pytest.raises(NotValid):
        target_of("ftp://127.0.0.1/", is_lab=True)
