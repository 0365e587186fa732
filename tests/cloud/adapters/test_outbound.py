"""Requests that users ask for reach what is public, once resolved, and nothing else (S15)."""

import socket
import ssl
import threading
from datetime import timedelta

import pytest
import trustme

from cloud.adapters.messages import outbound
from cloud.adapters.messages.outbound import Answered, Outbound
from cloud.services.messages import NotSent
from tests.support.ports import free_port
from tests.support.receiver import Receiver

LAB = Outbound(is_lab=True)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def secured(authority):
    """A server that can prove to be hook.example, and what somebody believes who knows it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("hook.example").configure_cert(context)
    with Receiver(tls=context) as receiver:
        yield receiver


def believing(authority, addresses=("127.0.0.1",)) -> Outbound:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return Outbound(is_lab=True, context=context, resolve=lambda _host, _port: list(addresses))


@pytest.fixture
def sentinel():
    """A server that must never be reached; connections to it are counted."""
    reached = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        is_over = threading.Event()

        def listen():
            while not is_over.is_set():
                try:
                    server.accept()[0].close()
                except TimeoutError:
                    continue
                reached.append(True)

        thread = threading.Thread(target=listen)
        thread.start()
        yield server.getsockname()[1], reached
        is_over.set()
        thread.join()


def test_what_is_sent_arrives_as_it_is(authority, secured):
    answered = believing(authority).post(
        f"https://hook.example:{secured.port}/a?b=c", b"{}", {"Content-Type": "text/x"}
    )
    (received,) = secured.received

    assert answered == Answered(200)
    assert (received.method, received.path, received.body) == ("POST", "/a?b=c", b"{}")
    assert received.headers["content-type"] == "text/x"
    assert received.headers["host"] == f"hook.example:{secured.port}"


def test_an_address_that_does_not_answer_is_passed_over(authority, secured):
    both = believing(authority, ["::1", "127.0.0.1"])

    assert both.post(f"https://hook.example:{secured.port}/", b"", {}).is_success


def test_a_server_that_is_not_who_it_should_be_gets_nothing(authority, secured):
    with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
        believing(authority).post(f"https://other.example:{secured.port}/", b"secret", {})
    with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
        Outbound(is_lab=True, resolve=lambda *_: ["127.0.0.1"]).post(
            f"https://hook.example:{secured.port}/", b"secret", {}
        )

    assert secured.received == []


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:{port}/",
        "https://[::1]:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://2130706433:{port}/",
        "https://0x7f000001:{port}/",
        "https://0177.0.0.1:{port}/",
        "https://127.1:{port}/",
        "https://localhost:{port}/",
        "https://localhost.:{port}/",
        "http://127.0.0.1:{port}/",
        "gopher://127.0.0.1:{port}/",
        "file://127.0.0.1:{port}/etc/passwd",
        "https://169.254.169.254/latest/meta-data/",
        "https://a@127.0.0.1:{port}/",
    ],
)
def test_s15_no_spelling_of_a_private_address_is_connected_to(sentinel, url):
    port, reached = sentinel
    with pytest.raises(NotSent):
        Outbound().post(url.format(port=port), b"", {})

    assert reached == []


def test_s15_a_name_that_leads_inside_is_not_followed_however_many_others_it_has(sentinel):
    port, reached = sentinel
    for addresses in (["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:10.0.0.1"], []):
        with pytest.raises(NotSent, match="not public"):
            Outbound(resolve=lambda *_, found=addresses: found).post(
                f"https://hook.example:{port}/", b"", {}
            )

    assert reached == []


def test_s15_a_name_is_resolved_once_and_what_was_judged_is_connected_to(monkeypatch):
    answers = iter([["203.0.114.1"], ["127.0.0.1"]])
    dialled = []

    def dial(address, timeout):
        dialled.append(address)
        raise OSError("unreachable")

    monkeypatch.setattr(outbound.socket, "create_connection", dial)
    with pytest.raises(NotSent, match="unreachable"):
        Outbound(resolve=lambda *_: next(answers)).post("https://hook.example/", b"", {})

    assert dialled == [("203.0.114.1", 443)]
    assert next(answers) == ["127.0.0.1"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_s15_a_redirect_is_an_answer_and_no_way(sentinel, status):
    port, reached = sentinel
    headers = {"Location": f"http://127.0.0.1:{port}/"}
    with Receiver([status], headers) as receiver:
        answered = LAB.post(receiver.url(), b"", {})

    assert (answered.status, answered.is_success) == (status, False)
    assert reached == []


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("120", timedelta(minutes=2)),
        ("99999999", timedelta(hours=8)),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("-1", None),
    ],
)
def test_how_long_to_wait_is_heard_within_reason(said, meant):
    with Receiver([429], {"Retry-After": said}) as receiver:
        answered = LAB.post(receiver.url(), b"", {})

    assert answered == Answered(429, meant)


def test_who_answers_a_byte_at_a_time_is_cut_off(monkeypatch):
    monkeypatch.setattr(outbound, "_IN_ALL_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        is_over = threading.Event()

        def drip():
            connection, _ = server.accept()
            with connection:
                connection.recv(1_000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not is_over.wait(0.05):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        with pytest.raises(NotSent):
            LAB.post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"", {})
        is_over.set()
        thread.join()


def test_who_never_ends_the_handshake_is_cut_off(monkeypatch, authority):
    monkeypatch.setattr(outbound, "_IN_ALL_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://hook.example:{server.getsockname()[1]}/"
        with pytest.raises(NotSent):
            believing(authority).post(url, b"", {})


def test_what_is_no_http_is_not_sent():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.recv(1_000)
                connection.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(NotSent, match="BadStatusLine"):
            LAB.post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"", {})
        thread.join()


def test_where_nobody_listens_it_is_tried_again_later():
    with pytest.raises(NotSent, match="refused") as refused:
        LAB.post(f"http://127.0.0.1:{free_port()}/", b"", {})

    assert not refused.value.is_final
