"""What messages with a one-time code say, in their reader's language."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cloud.domain.otp import VALID_FOR
from cloud.services.formats import Formats
from cloud.services.texts import SOURCE_LANGUAGE

_MINUTES: Final = int(VALID_FOR.total_seconds()) // 60
_NAME_LENGTH: Final = 60


@dataclass(frozen=True, slots=True)
class Wording:
    """The message by mail, and to a telephone."""

    subject: str
    body: str
    sms: str


WORDINGS: Final[dict[str, Wording]] = {
    "en": Wording(
        subject="Your code to confirm a charging bay",
        body=(
            "Your code is %(code)s\n\n"
            "It confirms a bay at %(station)s, %(slot)s, and is good for %(minutes)s minutes.\n\n"
            "Nobody of ours will ever ask you for it. If you have not just asked for a bay, "
            "you need not do anything.\n"
        ),
        sms="%(code)s is your Baywatt code for %(station)s, %(slot)s. Good for %(minutes)s minutes.",
    ),
    "de": Wording(
        subject="Ihr Code, um einen Ladeplatz zu bestätigen",
        body=(
            "Ihr Code ist %(code)s\n\n"
            "Er bestätigt einen Platz, %(station)s, %(slot)s, und gilt %(minutes)s Minuten.\n\n"
            "Niemand von uns wird Sie je danach fragen. Haben Sie nicht eben um einen Platz "
            "gebeten, müssen Sie nichts tun.\n"
        ),
        sms="%(code)s ist Ihr Baywatt-Code, %(station)s, %(slot)s. Er gilt %(minutes)s Minuten.",
    ),
}
"""By language, as in texts.LANGUAGES."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the code confirms."""

    station_name: str
    timezone: str
    starts_at: datetime
    ends_at: datetime


def write(code: str, about: About, language: str) -> Wording:
    """Return what the message says; of a language that is not known, the source language."""
    known = language if language in WORDINGS else SOURCE_LANGUAGE
    slot = Formats(known).slot(about.starts_at, about.ends_at, about.timezone)
    # names come from people: one plain line of them
    station = " ".join(about.station_name.split())[:_NAME_LENGTH]
    places = {"code": code, "station": station, "slot": slot, "minutes": _MINUTES}
    wording = WORDINGS[known]
    return Wording(wording.subject, wording.body % places, wording.sms % places)
