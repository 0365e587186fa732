"""What users are told of, by which ways, and when: pure, decided before anything is written.

Nobody is told more than they want to hear: each kind has its usual channels, users choose their own,
and quiet hours hold back what can wait. What cannot wait (`URGENT`) is a bay that is lost or a bill
that grows.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo


class NoticeKind(StrEnum):
    """What a notice is about."""

    BOOKED = "booked"
    PAYMENT_FAILED = "payment_failed"
    PAY_AGAIN = "pay_again"
    """What the bank kept for a slot far ahead is gone, and the card was declined."""
    REMINDER = "reminder"
    """Ten minutes before the slot."""
    BAY_BLOCKED = "bay_blocked"
    """The promised bay is in danger; something else is being looked for."""
    MOVED = "moved"
    """Another bay was promised instead."""
    OFFER = "offer"
    """Other bays or times, to be taken with one call."""
    WAITLIST_OFFER = "waitlist_offer"
    """What was waited for is free."""
    SESSION_STARTED = "session_started"
    TARGET_REACHED = "target_reached"
    SLOT_ENDING = "slot_ending"
    """Ten minutes before the end of the slot."""
    SESSION_ENDED = "session_ended"
    OVERSTAY_STARTED = "overstay_started"
    OVERSTAY_CONTINUES = "overstay_continues"
    """Each quarter of an hour."""
    NOT_SEEN = "not_seen"
    """They say that they are there, and the bay is seen empty."""
    NO_SHOW = "no_show"
    CANCELED = "canceled"
    FAILED = "failed"
    """We could not keep the promise; nobody pays."""
    REFUNDED = "refunded"
    REFUND_RETURNED = "refund_returned"
    """The bank sent it back: it did not reach its owner."""
    RECEIPT = "receipt"
    WALLET_TOPPED_UP = "wallet_topped_up"
    SUBSCRIPTION_RENEWED = "subscription_renewed"
    SUBSCRIPTION_UNPAID = "subscription_unpaid"
    WEBHOOK_DISABLED = "webhook_disabled"
    """An endpoint of theirs has failed for days and is not tried any more."""


class Channel(StrEnum):
    """A way to reach somebody."""

    APP = "app"
    """The inbox in the app: everything is there, whatever else was chosen."""
    PUSH = "push"
    MAIL = "mail"
    SMS = "sms"
    WEBHOOK = "webhook"
    """A program of theirs; each endpoint chooses its own kinds."""


URGENT: Final = frozenset(
    {
        NoticeKind.MOVED,
        NoticeKind.BAY_BLOCKED,
        NoticeKind.OFFER,
        NoticeKind.PAY_AGAIN,
        NoticeKind.OVERSTAY_STARTED,
        NoticeKind.OVERSTAY_CONTINUES,
        NoticeKind.NOT_SEEN,
        NoticeKind.FAILED,
    }
)
"""What breaks quiet hours."""

PASSING: Final = frozenset({NoticeKind.REMINDER, NoticeKind.SLOT_ENDING, NoticeKind.WAITLIST_OFFER})
"""What is of no use later: where quiet hours hold it back, it stays in the inbox alone."""

USEFUL_FOR: Final = timedelta(minutes=10)
"""So long what passes is worth sending."""

DISTURBING: Final = frozenset({Channel.PUSH, Channel.MAIL, Channel.SMS})
"""Channels quiet hours are about, and users choose among."""

_ON_PAPER: Final = frozenset({Channel.PUSH, Channel.MAIL})
_AT_ONCE: Final = frozenset({Channel.PUSH, Channel.MAIL, Channel.SMS})
_IN_PASSING: Final = frozenset({Channel.PUSH})
_FILED: Final = frozenset({Channel.MAIL})

USUAL: Final[dict[NoticeKind, frozenset[Channel]]] = {
    NoticeKind.BOOKED: _ON_PAPER,
    NoticeKind.PAYMENT_FAILED: _ON_PAPER,
    NoticeKind.PAY_AGAIN: _AT_ONCE,
    NoticeKind.REMINDER: _AT_ONCE,
    NoticeKind.BAY_BLOCKED: _AT_ONCE,
    NoticeKind.MOVED: _AT_ONCE,
    NoticeKind.OFFER: _AT_ONCE,
    NoticeKind.WAITLIST_OFFER: _AT_ONCE,
    NoticeKind.SESSION_STARTED: _IN_PASSING,
    NoticeKind.TARGET_REACHED: _IN_PASSING,
    NoticeKind.SLOT_ENDING: _AT_ONCE,
    NoticeKind.SESSION_ENDED: _IN_PASSING,
    NoticeKind.OVERSTAY_STARTED: _AT_ONCE,
    NoticeKind.OVERSTAY_CONTINUES: _AT_ONCE,
    NoticeKind.NOT_SEEN: _AT_ONCE,
    NoticeKind.NO_SHOW: _ON_PAPER,
    NoticeKind.CANCELED: _ON_PAPER,
    NoticeKind.FAILED: _AT_ONCE,
    NoticeKind.REFUNDED: _ON_PAPER,
    NoticeKind.REFUND_RETURNED: _ON_PAPER,
    NoticeKind.RECEIPT: _FILED,
    NoticeKind.WALLET_TOPPED_UP: _FILED,
    NoticeKind.SUBSCRIPTION_RENEWED: _FILED,
    NoticeKind.SUBSCRIPTION_UNPAID: _ON_PAPER,
    NoticeKind.WEBHOOK_DISABLED: _FILED,
}
"""Where each kind goes unless its user chose otherwise."""

Needed = frozenset[str]

_BAY: Final = frozenset({"station_name", "bay_name", "starts_at", "ends_at"})

NEEDS: Final[dict[NoticeKind, Needed]] = {
    NoticeKind.BOOKED: _BAY | {"amount_minor", "currency"},
    NoticeKind.PAYMENT_FAILED: _BAY | {"reason", "held_until"},
    NoticeKind.PAY_AGAIN: _BAY | {"reason", "held_until"},
    NoticeKind.REMINDER: _BAY,
    NoticeKind.BAY_BLOCKED: _BAY | {"trouble"},
    NoticeKind.MOVED: _BAY | {"from_bay_name", "trouble"},
    NoticeKind.OFFER: _BAY | {"trouble", "offer_id", "options", "expires_at"},
    NoticeKind.WAITLIST_OFFER: frozenset({"station_name", "offer_id", "options", "expires_at"}),
    NoticeKind.SESSION_STARTED: frozenset({"station_name", "bay_name", "started_at"}),
    NoticeKind.TARGET_REACHED: frozenset({"station_name", "bay_name"}),
    NoticeKind.SLOT_ENDING: _BAY,
    NoticeKind.SESSION_ENDED: frozenset({"station_name", "bay_name", "energy_wh"}),
    NoticeKind.OVERSTAY_STARTED: _BAY,
    NoticeKind.OVERSTAY_CONTINUES: _BAY | {"overstay_min"},
    NoticeKind.NOT_SEEN: _BAY | {"held_until"},
    NoticeKind.NO_SHOW: _BAY | {"due_minor", "currency"},
    NoticeKind.CANCELED: _BAY | {"due_minor", "currency"},
    NoticeKind.FAILED: _BAY,
    NoticeKind.REFUNDED: frozenset({"amount_minor", "currency"}),
    NoticeKind.REFUND_RETURNED: frozenset({"amount_minor", "currency"}),
    NoticeKind.RECEIPT: frozenset({"receipt_id", "number", "total_minor", "currency"}),
    NoticeKind.WALLET_TOPPED_UP: frozenset({"amount_minor", "balance_minor", "currency"}),
    NoticeKind.SUBSCRIPTION_RENEWED: frozenset(
        {"plan_name", "amount_minor", "currency", "paid_until"}
    ),
    NoticeKind.SUBSCRIPTION_UNPAID: frozenset({"plan_name", "amount_minor", "currency"}),
    NoticeKind.WEBHOOK_DISABLED: frozenset({"url", "reason"}),
}
"""What the texts of a kind cannot do without. Names of a `station_id`, `bay_id` and `from_bay_id`
are looked up where a notice does not bring them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """When somebody wants to sleep, by the clock on their wall; may go past midnight."""

    starts: time
    ends: time

    def is_at(self, wall: time) -> bool:
        """Whether it is quiet at this time of the day; never where both ends are the same."""
        if self.starts <= self.ends:
            return self.starts <= wall < self.ends
        return wall >= self.starts or wall < self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """How a user wants to be told."""

    language: str = "en"
    timezone: str = ""
    """Empty: instants are written as the clock at the station shows them."""
    phone: str = ""
    """E.164: `+441382434000`."""
    quiet: Quiet | None = None
    """By `timezone`; of no effect without one."""
    choices: Mapping[NoticeKind, Mapping[Channel, bool]] = field(default_factory=dict)
    """What differs from `USUAL`."""

    def wants(self, kind: NoticeKind, channel: Channel) -> bool:
        """Whether a notice of this kind is to come by this channel."""
        if channel not in DISTURBING:
            return True
        return self.choices.get(kind, {}).get(channel, channel in USUAL[kind])


def plan_of(
    kind: NoticeKind, preferences: Preferences, reachable: Collection[Channel], now: datetime
) -> list[tuple[Channel, datetime]]:
    """Return by which of the reachable channels a notice goes, and when, in the enum's order."""
    ends_at = _quiet_until(preferences, now)
    planned = []
    for channel in Channel:
        if channel not in reachable or not preferences.wants(kind, channel):
            continue
        if ends_at is None or kind in URGENT or channel not in DISTURBING:
            planned.append((channel, now))
        elif kind not in PASSING:
            planned.append((channel, ends_at))
    return planned


def _quiet_until(preferences: Preferences, now: datetime) -> datetime | None:
    """Return when the quiet hours end that `now` lies in; None: it lies in none."""
    quiet = preferences.quiet
    if quiet is None or not preferences.timezone:
        return None
    zone = ZoneInfo(preferences.timezone)
    wall = now.astimezone(zone)
    if not quiet.is_at(wall.time()):
        return None
    # the end may come twice a day, or be left out, when clocks are changed: the next one that is
    # really past the quiet counts
    ends = [
        datetime.combine(wall.date() + timedelta(days=days), quiet.ends, zone).replace(fold=fold)
        for days in range(3)
        for fold in (0, 1)
    ]
    instants = [one.astimezone(UTC) for one in ends]
    return min(
        one for one in instants if one > now and not quiet.is_at(one.astimezone(zone).time())
    )


def is_too_late(kind: str | None, told_at: datetime, now: datetime) -> bool:
    """Whether a message of this kind would only confuse by now; null: it is no notice."""
    return kind in PASSING and now - told_at > USEFUL_FOR
