"""What notices say: what happened, and what to do.

Names come from people and chargers, so each is made one plain line before it is put into a text.
A line whose places are not all known is left out: no notice fails for want of a detail.
"""

import gettext
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

import structlog

from cloud.domain.notices import NEEDS, NoticeKind
from cloud.domain.reservations import Trouble
from cloud.services.formats import Formats, number
from cloud.services.texts import LANGUAGES, SOURCE_LANGUAGE, load
from cloud.services.texts import mark as _

log = structlog.get_logger(__name__)

SMS_LENGTH: Final = 459
"""Three parts of a long message (3GPP TS 23.040)."""
_NAME_LENGTH: Final = 200

Line = str | tuple[str, ...]
"""A text with places; of several the first whose places are all known."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What a kind of notice says, in the source language."""

    subject: str
    what: tuple[Line, ...]
    todo: Line


@dataclass(frozen=True, slots=True)
class Written:
    """A notice in its reader's words."""

    subject: str
    glance: str
    """What a screen shows under the subject."""
    sms: str
    body: str
    more: str
    """What a link to more is called."""


_ADDRESS: Final = _("Address: %(address)s")
_SLOT: Final = _("Bay %(bay)s at %(station_name)s, %(slot)s.")
_NOTHING_TO_DO: Final = _("You need not do anything.")
_LEAVE: Final = _("Please unplug and leave now, so that the next driver can charge.")
_REST_BACK: Final = _("To pay: %(due_minor)s. What was set aside beyond that goes back to you.")
_NO_PAY: Final = _("You pay nothing for it; what was set aside goes back to you.")
_A_MINUTE: Final = _("Staying longer costs %(fee_per_min_minor)s a minute.")

TEXTS: Final[dict[NoticeKind, Wording]] = {
    NoticeKind.BOOKED: Wording(
        _("Booked: bay %(bay)s at %(station_name)s, %(slot)s"),
        (
            _("Bay %(bay)s at %(station_name)s is yours: %(slot)s."),
            _("%(amount_minor)s is set aside. In the end you pay what you used."),
            _ADDRESS,
        ),
        _("Plug in there and charge. If your plans change, move or cancel the booking in time."),
    ),
    NoticeKind.PAYMENT_FAILED: Wording(
        _("Payment failed: bay %(bay)s at %(station_name)s is not booked yet"),
        (
            _("The payment was refused: %(reason)s. Nothing was taken."),
            _SLOT,
        ),
        _("Try again or use another card: the bay is kept for you until %(held_until_time)s."),
    ),
    NoticeKind.PAY_AGAIN: Wording(
        _("Please pay again: bay %(bay)s at %(station_name)s, %(slot)s"),
        (
            _("Banks set money aside for some days only, and now yours refused: %(reason)s."),
            _SLOT,
        ),
        _("Pay another way by %(held_until)s, or the bay is given free. Nothing is taken then."),
    ),
    NoticeKind.REMINDER: Wording(
        _("Soon: bay %(bay)s at %(station_name)s, from %(starts_at_time)s"),
        (
            _("Your slot at bay %(bay)s, %(station_name)s, begins soon: %(slot)s."),
            _ADDRESS,
        ),
        _("If you cannot come, cancel now, so that somebody else can charge."),
    ),
    NoticeKind.BAY_BLOCKED: Wording(
        _("Your bay %(bay)s at %(station_name)s is not available"),
        (
            _("Bay %(bay)s at %(station_name)s is not available: %(trouble)s."),
            _("Your slot: %(slot)s."),
        ),
        _("Please wait for our next message: we are looking for another bay for you."),
    ),
    NoticeKind.MOVED: Wording(
        _("New bay: %(bay)s at %(station_name)s, instead of %(from_bay)s"),
        (
            _("You now have bay %(bay)s at %(station_name)s: %(slot)s."),
            _("Bay %(from_bay)s is not available: %(trouble)s."),
            _("It costs %(refund_minor)s less: the difference goes back to you."),
            _ADDRESS,
        ),
        _("Please drive to bay %(bay)s and plug in there."),
    ),
    NoticeKind.OFFER: Wording(
        _("Please choose: your bay at %(station_name)s is not available"),
        (
            (
                _("We cannot keep bay %(bay)s at %(station_name)s, %(slot)s: %(trouble)s."),
                _("We cannot keep bay %(bay)s at %(station_name)s, %(slot)s."),
            ),
            _("Instead you can have:\n%(options)s"),
        ),
        _(
            "Choose by %(expires_at_time)s. If you choose nothing, the booking ends and costs nothing."
        ),
    ),
    NoticeKind.WAITLIST_OFFER: Wording(
        _("Free now: a bay at %(station_name)s"),
        (_("What you are waiting for is free:\n%(options)s"),),
        _("Take it by %(expires_at_time)s; after that it is offered to the next in line."),
    ),
    NoticeKind.SESSION_STARTED: Wording(
        _("Charging at bay %(bay)s, %(station_name)s"),
        (
            _(
                "Your car has been charging at bay %(bay)s, %(station_name)s, since %(started_at_time)s."
            ),
        ),
        _NOTHING_TO_DO,
    ),
    NoticeKind.TARGET_REACHED: Wording(
        _("Charged enough: bay %(bay)s at %(station_name)s"),
        (
            _("Your car at bay %(bay)s, %(station_name)s, has what you wanted."),
            _("Charge level: %(soc_pct)s %%."),
            _("Energy: %(energy_wh)s."),
            _("Your slot ends at %(ends_at_time)s."),
        ),
        _("You can unplug and leave; somebody else may be waiting."),
    ),
    NoticeKind.SLOT_ENDING: Wording(
        _("Your slot ends at %(ends_at_time)s: bay %(bay)s at %(station_name)s"),
        (
            _("Your slot at bay %(bay)s, %(station_name)s, ends at %(ends_at_time)s."),
            _A_MINUTE,
        ),
        _("Please unplug and leave by then, or make the slot longer if the bay is free."),
    ),
    NoticeKind.SESSION_ENDED: Wording(
        _("Charging ended: %(energy_wh)s at bay %(bay)s, %(station_name)s"),
        (
            _("Charging at bay %(bay)s, %(station_name)s, has ended. Energy: %(energy_wh)s."),
            _("Cost so far: %(cost_minor)s."),
        ),
        _("Please unplug and leave the bay to the next driver."),
    ),
    NoticeKind.OVERSTAY_STARTED: Wording(
        _("Your slot is over: please leave bay %(bay)s at %(station_name)s"),
        (
            _("Your slot at bay %(bay)s, %(station_name)s, ended at %(ends_at_time)s."),
            _A_MINUTE,
        ),
        _LEAVE,
    ),
    NoticeKind.OVERSTAY_CONTINUES: Wording(
        _("%(overstay_min)s minutes over: please leave bay %(bay)s at %(station_name)s"),
        (
            _(
                "Your car is %(overstay_min)s minutes longer in bay %(bay)s at %(station_name)s "
                "than booked."
            ),
            _("So far this costs %(fee_minor)s."),
        ),
        _LEAVE,
    ),
    NoticeKind.NOT_SEEN: Wording(
        _("Are you there? Bay %(bay)s at %(station_name)s is seen empty"),
        (
            _("You said that you are at bay %(bay)s, %(station_name)s, but no car is seen there."),
            _SLOT,
        ),
        _(
            "Please park there or plug in by %(held_until_time)s; else it counts as if you had not "
            "come."
        ),
    ),
    NoticeKind.NO_SHOW: Wording(
        _("Missed: bay %(bay)s at %(station_name)s, %(slot)s"),
        (
            (
                _(
                    "You said at %(said_at_time)s that you were there, but the bay was seen empty; "
                    "it was given free."
                ),
                _("Nobody came, and the bay was seen empty; it was given free."),
            ),
            _SLOT,
            _REST_BACK,
        ),
        _("If you were there all the same, please write to the operator of the station."),
    ),
    NoticeKind.CANCELED: Wording(
        _("Canceled: bay %(bay)s at %(station_name)s, %(slot)s"),
        (_("Your booking is canceled."), _SLOT, _REST_BACK),
        _NOTHING_TO_DO,
    ),
    NoticeKind.FAILED: Wording(
        _("We are sorry: bay %(bay)s at %(station_name)s could not be kept for you"),
        (
            (
                _("We could not keep our promise: %(trouble)s."),
                _("We could not keep our promise."),
            ),
            _SLOT,
            _NO_PAY,
        ),
        _("Please choose another bay or another time."),
    ),
    NoticeKind.REFUNDED: Wording(
        _("%(amount_minor)s goes back to you"),
        (
            _("%(amount_minor)s goes back to where it came from, your card or your wallet."),
            _SLOT,
        ),
        _("You need not do anything. On a card it may take some days until you see it."),
    ),
    NoticeKind.REFUND_RETURNED: Wording(
        _("%(amount_minor)s could not be given back to your card"),
        (
            (
                _("Your bank sent %(amount_minor)s back to us: %(reason)s."),
                _("Your bank sent %(amount_minor)s back to us."),
            ),
            _SLOT,
        ),
        _("The money is still yours: we look at it, and settle it with you."),
    ),
    NoticeKind.RECEIPT: Wording(
        _("Receipt %(number)s: %(total_minor)s"),
        (
            _("Your receipt %(number)s is there: %(total_minor)s in all."),
            _SLOT,
            _("Energy: %(energy_wh)s."),
        ),
        _("You find it in the app, to read and to print."),
    ),
    NoticeKind.WALLET_TOPPED_UP: Wording(
        _("%(amount_minor)s is in your wallet"),
        (_("%(amount_minor)s was added to your wallet. There is %(balance_minor)s in it now."),),
        _NOTHING_TO_DO,
    ),
    NoticeKind.SUBSCRIPTION_RENEWED: Wording(
        _("Your plan %(plan_name)s goes on"),
        (
            _("%(amount_minor)s was taken for %(plan_name)s."),
            _("It is paid until %(paid_until)s."),
        ),
        _("You need not do anything; you can end it at any time."),
    ),
    NoticeKind.SUBSCRIPTION_UNPAID: Wording(
        _("Your plan %(plan_name)s could not be paid"),
        (
            _("%(amount_minor)s for %(plan_name)s was refused."),
            _("Until it is paid, you charge at the usual prices."),
        ),
        _("Please give us another card, or top up your wallet."),
    ),
    NoticeKind.WEBHOOK_DISABLED: Wording(
        _("Your webhook was switched off"),
        (_("Nothing can be delivered to %(url)s any more: %(reason)s."),),
        _("Mend it and send it a test event: when that arrives, it is switched on again."),
    ),
}

TROUBLES: Final[dict[Trouble, str]] = {
    Trouble.STOLEN: _("another car stands there"),
    Trouble.OUT_OF_ORDER: _("the charger is out of order"),
    Trouble.SILENT: _("the station does not answer"),
    Trouble.STILL_OCCUPIED: _("the car before has not left yet"),
    Trouble.WITHDRAWN: _("the operator has taken it out of service"),
}

MORE: Final = _("See it on Baywatt")
OPTION: Final = _("%(n)s. Bay %(bay)s at %(station_name)s, %(slot)s")
AWAY: Final = _("%(distance)s away")
ABOUT: Final = _("about %(price)s")


def write(kind: NoticeKind, facts: Mapping[str, Any], *, language: str, timezone: str) -> Written:
    """Return what a notice says; instants as the clocks of `timezone` show them.

    Args:
        kind: of the notice.
        facts: see `NEEDS`; what is missing is left out, and logged.
        language: a key of `LANGUAGES`; another is the source language.
        timezone: a zone's name; another is UTC.
    """
    missing = sorted(NEEDS[kind] - {name for name, value in facts.items() if value is not None})
    if missing:
        log.warning("notice.incomplete", kind=str(kind), missing=missing)
    known = language if language in LANGUAGES else SOURCE_LANGUAGE
    writer = _Writer(_catalogue(known), Formats(known), timezone)
    return writer.write(TEXTS[kind], facts)


@dataclass(frozen=True, slots=True)
class _Writer:
    """One language and one zone."""

    catalogue: gettext.NullTranslations
    formats: Formats
    timezone: str

    def write(self, wording: Wording, facts: Mapping[str, Any]) -> Written:
        places = self._places(facts)
        subject = self.catalogue.gettext(wording.subject) % _Gaps(places)
        lines = [self._line(one, places) for one in wording.what]
        what = [one for one in lines if one]
        todo = self._line(wording.todo, places)
        return Written(
            subject=plain(subject, 255),
            glance=plain(" ".join([*what[:1], todo]), SMS_LENGTH),
            sms=plain(f"Baywatt: {subject}. {todo}", SMS_LENGTH),
            body="\n\n".join([*what, todo]).strip() + "\n",
            more=self.catalogue.gettext(MORE),
        )

    def _line(self, line: Line, places: Mapping[str, str]) -> str:
        for text in (line,) if isinstance(line, str) else line:
            try:
                return self.catalogue.gettext(text) % places
            except KeyError:
                continue
        return ""

    def _places(self, facts: Mapping[str, Any]) -> dict[str, str]:
        """Return what is known, as it is written; what cannot be written is not known."""
        places: dict[str, str] = {}
        for name, value in facts.items():
            if value is None or value == "":
                continue
            try:
                places |= self._place(name, value, facts)
            except (ValueError, TypeError, LookupError) as error:
                log.warning("notice.unreadable", place=name, error=type(error).__name__)
        if {"starts_at", "ends_at"} <= places.keys():
            places["slot"] = self._slot(facts)
        return places

    def _place(self, name: str, value: Any, facts: Mapping[str, Any]) -> dict[str, str]:
        how = _BY_NAME.get(name) or _BY_ENDING.get(name.rpartition("_")[2])
        if how is not None:
            return how(self, name, value, facts)
        if isinstance(value, str | int | float):
            return {name: plain(str(value))}
        return {}

    def _slot(self, facts: Mapping[str, Any]) -> str:
        starts_at, ends_at = _instant(facts["starts_at"]), _instant(facts["ends_at"])
        return self.formats.slot(starts_at, ends_at, self.timezone)

    def money(self, name: str, value: Any, facts: Mapping[str, Any]) -> dict[str, str]:
        return {name: self.formats.money(int(value), str(facts["currency"]))}

    def instant(self, name: str, value: Any, _facts: Mapping[str, Any]) -> dict[str, str]:
        at = _instant(value)
        return {
            name: self.formats.instant(at, self.timezone),
            f"{name}_time": self.formats.time(at, self.timezone),
        }

    def energy(self, name: str, value: Any, _facts: Mapping[str, Any]) -> dict[str, str]:
        return {name: self.formats.energy(int(value))}

    def whole(self, name: str, value: Any, _facts: Mapping[str, Any]) -> dict[str, str]:
        return {name: str(round(float(value)))}

    def reason(self, name: str, value: Any, _facts: Mapping[str, Any]) -> dict[str, str]:
        return {name: plain(str(value)).rstrip(".!")}

    def bay(self, name: str, value: Any, _facts: Mapping[str, Any]) -> dict[str, str]:
        return {name.removesuffix("_name"): number(plain(str(value)))}

    def address(self, name: str, value: Any, facts: Mapping[str, Any]) -> dict[str, str]:
        parts = [plain(str(one)) for one in (value, facts.get("city")) if one]
        return {name: ", ".join(parts)} if parts else {}

    def trouble(self, name: str, value: Any, _facts: Mapping[str, Any]) -> dict[str, str]:
        return {name: self.catalogue.gettext(TROUBLES[Trouble(value)])}

    def options(self, name: str, value: Any, _facts: Mapping[str, Any]) -> dict[str, str]:
        lines = [self._option(n, one) for n, one in enumerate(value, 1)]
        return {name: "\n".join(lines)} if lines else {}

    def _option(self, n: int, option: Mapping[str, Any]) -> str:
        say = self.catalogue.gettext
        bay = number(plain(str(option["bay_name"])))
        station_name = plain(str(option["station_name"]))
        named = {"n": n, "bay": bay, "station_name": station_name, "slot": self._slot(option)}
        parts = [say(OPTION) % named]
        if option.get("distance_m"):
            parts.append(say(AWAY) % {"distance": self.formats.distance(option["distance_m"])})
        if option.get("price_minor") is not None:
            price = self.formats.money(option["price_minor"], option["currency"])
            parts.append(say(ABOUT) % {"price": price})
        return ", ".join(parts)


_Write = Callable[[_Writer, str, Any, Mapping[str, Any]], dict[str, str]]

_BY_NAME: Final[dict[str, _Write]] = {
    "held_until": _Writer.instant,
    "paid_until": _Writer.instant,
    "reason": _Writer.reason,
    "bay_name": _Writer.bay,
    "from_bay_name": _Writer.bay,
    "address": _Writer.address,
    "trouble": _Writer.trouble,
    "options": _Writer.options,
}
_BY_ENDING: Final[dict[str, _Write]] = {
    "minor": _Writer.money,
    "at": _Writer.instant,
    "wh": _Writer.energy,
    "pct": _Writer.whole,
    "min": _Writer.whole,
}
"""How a fact is written, by its name or by its unit; others are names."""


class _Gaps(dict[str, str]):
    """Places of a subject, which cannot be left out."""

    def __missing__(self, name: str) -> str:
        return "\N{HORIZONTAL ELLIPSIS}"


def plain(text: str, length: int = _NAME_LENGTH) -> str:
    """Return a text as one line of visible characters, not longer than that."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= length else f"{line[: length - 1]}\N{HORIZONTAL ELLIPSIS}"


def _instant(value: Any) -> datetime:
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError("an instant without a zone")
    return at


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return load(language)
