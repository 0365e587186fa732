"""Mail over a real SMTP conversation, in this process."""

import email
from email.policy import default
from html import escape

import pytest
from aiosmtpd.controller import Controller

from cloud.adapters.messages.mail import SmtpMail, smtp_address
from cloud.adapters.messages.mailbox import MailboxOnly
from cloud.services.fact_ports import Message
from cloud.services.messages import NotSent
from tests.cloud.builders import NOON
from tests.support.ports import free_port


class Postbox:
    """Takes what comes; answers as told."""

    def __init__(self):
        self.taken = []
        self.answer = "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: ARG002, N802
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: ARG002, N802
        self.taken.append(email.message_from_bytes(envelope.content, policy=default))
        return self.answer


@pytest.fixture
def postbox():
    made = Postbox()
    controller = Controller(made, hostname="127.0.0.1", port=free_port())
    controller.start()
    made.mail = SmtpMail(
        smtp_address(f"smtp://127.0.0.1:{controller.port}"), "Bays <no-reply@bays.example>"
    )
    yield made
    controller.stop()


def a_message(**more):
    known = {
        "id": "m-1",
        "idempotency_key": "k",
        "channel": "mail",
        "recipient": "a@bays.example",
        "subject": "Gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n",
        "body": "Hello\nthere\n",
        "created_at": NOON,
    }
    return Message(**(known | more))


def test_a_message_arrives_as_it_was_written(postbox):
    postbox.mail.send(a_message())
    (mail,) = postbox.taken

    assert (mail["To"], mail["Subject"]) == ("a@bays.example", a_message().subject)
    assert mail["Message-ID"] == "<m-1@bays.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().replace("\r\n", "\n") == "Hello\nthere\n"


def a_notice(**more):
    known = {
        "kind": "booked",
        "body": "Bay 1 is yours.\nSunday\n\nPlug in there.\n\nhttps://bays.example/stations/x\n",
        "data": {
            "link": "https://bays.example/stations/x",
            "link_text": "See it",
            "language": "de",
        },
    }
    return a_message(**(known | more))


def test_a_notice_comes_as_text_and_as_a_page_that_say_the_same(postbox):
    postbox.mail.send(a_notice())
    (mail,) = postbox.taken
    text, page = (part.get_content().replace("\r\n", "\n") for part in mail.iter_parts())

    assert mail.get_content_type() == "multipart/alternative"
    assert text == a_notice().body
    assert '<html lang="de">' in page
    assert "<p>Bay 1 is yours.<br>Sunday</p>" in page
    assert '<a class="go" href="https://bays.example/stations/x">See it</a>' in page
    assert page.count("https://bays.example/stations/x") == 1
    assert "prefers-color-scheme: dark" in page


def test_a_page_asks_nothing_of_the_world(postbox):
    postbox.mail.send(a_notice())
    page = postbox.taken[0].get_body(("html",)).get_content()

    assert [one for one in ("<img", "<script", "@import", "url(", "<link") if one in page] == []


EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</p></body><iframe src=//evil.example>",
    "{{ 7 * 7 }} {% raw %}",
    "=cmd|' /C calc'!A0",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("evil", EVIL)
def test_s09_whatever_a_name_holds_it_is_text_in_a_page(postbox, evil):
    notice = a_notice(
        subject=evil, body=f"{evil}\n", data={"link": evil, "link_text": evil, "language": evil}
    )
    postbox.mail.send(notice)
    page = postbox.taken[0].get_body(("html",)).get_content()

    assert escape(evil, quote=False) in page.replace("&#34;", '"').replace("&#39;", "'")
    assert "<script" not in page
    assert "<img" not in page
    assert "<iframe" not in page
    assert "href" not in page


def test_the_same_message_sent_again_has_the_same_id_and_so_can_be_dropped(postbox):
    for _ in range(2):
        postbox.mail.send(a_notice())
    first, second = postbox.taken

    assert first["Message-ID"] == second["Message-ID"] == "<m-1@bays.example>"


def test_a_recipient_that_does_not_exist_is_final(postbox):
    with pytest.raises(NotSent) as refused:
        postbox.mail.send(a_message(recipient="nobody@bays.example"))

    assert refused.value.is_final


def test_a_server_that_is_busy_is_asked_again_later(postbox):
    postbox.answer = "451 try later"
    with pytest.raises(NotSent, match="451") as refused:
        postbox.mail.send(a_message())

    assert not refused.value.is_final


def test_a_header_that_would_be_two_is_not_sent(postbox):
    with pytest.raises(NotSent):
        postbox.mail.send(a_message(subject="Hi\nBcc: all@bays.example"))

    assert postbox.taken == []


def test_a_server_that_is_away_is_asked_again_later():
    mail = SmtpMail(smtp_address(f"smtp://127.0.0.1:{free_port()}"), "x@y.example")
    with pytest.raises(NotSent) as refused:
        mail.send(a_message())

    assert not refused.value.is_final


def test_without_a_server_the_message_stays_in_the_mailbox():
    assert "mailbox" in MailboxOnly().send(a_message())
