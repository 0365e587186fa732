"""Mail by SMTP."""

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from functools import cache
from typing import Final
from urllib.parse import unquote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from cloud.services.fact_ports import Message
from cloud.services.messages import NotSent

_TIMEOUT_S: Final = 10
_PORTS: Final = {"smtp": 25, "smtps": 465}
_REFUSED_FROM: Final = 500
"""SMTP: answers from 500 on are final (RFC 5321, 4.2.1)."""


@dataclass(frozen=True, slots=True)
class SmtpAddress:
    """The mail server, and who we are to it."""

    host: str
    port: int
    is_tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)


def smtp_address(url: str) -> SmtpAddress:
    """Read `smtp://` or `smtps://`, with user and password where the server wants them.

    Raises:
        ValueError: it is neither; the text never repeats a password.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(
            "a mail server's address is smtp://[user:password@]host[:port] or smtps://"
        )
    return SmtpAddress(
        host=parts.hostname,
        port=parts.port or _PORTS[parts.scheme],
        is_tls=parts.scheme == "smtps",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


class SmtpMail:
    """See Channel: one connection a message; STARTTLS where the server offers it."""

    def __init__(self, address: SmtpAddress, sender: str) -> None:
        self._address = address
        self._sender = sender

    def send(self, message: Message) -> str:
        """See Channel.send."""
        try:
            with self._connect() as server:
                server.send_message(written(message, self._sender))
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            is_final = all(code >= _REFUSED_FROM for code in codes)
            raise NotSent(f"the recipient was refused: {codes}", is_final=is_final) from error
        except smtplib.SMTPResponseException as error:
            text = error.smtp_error
            said = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
            raise NotSent(f"{error.smtp_code} {said}") from error
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise NotSent(f"{type(error).__name__}: {error}") from error
        return ""

    def _connect(self) -> smtplib.SMTP:
        address, context = self._address, ssl.create_default_context()
        if address.is_tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                address.host, address.port, timeout=_TIMEOUT_S, context=context
            )
        else:
            server = smtplib.SMTP(address.host, address.port, timeout=_TIMEOUT_S)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
        if address.user:
            server.login(address.user, address.password)
        return server


def written(message: Message, sender: str) -> EmailMessage:
    """Return the mail; the same message has the same id however often it is sent."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = message.recipient
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(message.created_at)
    domain = parseaddr(sender)[1].partition("@")[2] or None
    mail["Message-ID"] = f"<{message.id}@{domain}>" if domain else make_msgid()
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.body)
    if message.kind is not None:
        mail.add_alternative(_page(message), subtype="html")
    return mail


def _page(message: Message) -> str:
    """Return the same text for readers with colours; whatever is in it, it is text."""
    facts = message.data or {}
    link = str(facts.get("link", ""))
    paragraphs = [part.strip() for part in message.body.split("\n\n")]
    return (
        _templates()
        .get_template("mail.html")
        .render(
            language=facts.get("language", "en"),
            subject=message.subject,
            paragraphs=[part.splitlines() for part in paragraphs if part != link],
            link=link if link.startswith(("https://", "http://")) else "",
            link_text=facts.get("link_text", ""),
        )
    )


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("cloud.adapters.messages", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
