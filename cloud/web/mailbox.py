"""`/mailbox`: all outgoing messages, for demonstrations only; where it is not enabled there is none."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request, Response

from cloud.services.messages import MailView
from cloud.web.routes import error_page, router_of
from cloud.web.site import Site
from cloud.web.texts import mark as _

CHANNELS: Final[dict[str, str]] = {
    "app": _("Inbox"),
    "push": _("Browser"),
    "mail": _("Mail"),
    "sms": _("Short message"),
    "webhook": _("Webhook"),
}

_TO_SOMEBODY: Final = frozenset({"mail", "sms"})
"""Channels whose recipient is an address people know; of others it is an id."""
_CODE: Final = re.compile(r"(?<!\d)\d{6}(?!\d)")


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as the mailbox shows it."""

    mail: MailView
    to: str
    code: str
    """The one-time code it brings, if it does."""


def routes(site: Site) -> APIRouter:
    """Return the pages of this module."""
    router = router_of(site)

    @router.get("/mailbox")
    def mailbox(request: Request) -> Response:
        """Show the messages, newest first."""
        if not site.settings.show_mailbox:
            return error_page(site, request, 404)
        mails = site.parts.mailbox(100)
        names = site.parts.names(_users(mails))
        letters = [_letter(one, names) for one in mails]
        return site.page(request, "mailbox.html", letters=letters, channels=CHANNELS)

    return router


def _users(mails: Sequence[MailView]) -> set[str]:
    return {one.recipient for one in mails if one.channel == "app"}


def _letter(mail: MailView, names: dict[str, str]) -> Letter:
    known = mail.recipient if mail.channel in _TO_SOMEBODY else mail.recipient[:8]
    found = _CODE.search(mail.body) if mail.kind is None else None
    return Letter(mail, names.get(mail.recipient, known), found[0] if found else "")
