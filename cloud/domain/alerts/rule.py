"""What an alert is, what a rule is, and how what rules say becomes alerts that open and close.

A rule looks at one kind of snapshot. It names its `scope`, a prefix of the keys it may raise; an open
alert in the scope that the rule no longer raises has cleared by itself.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, Protocol

from cloud.domain.policy import Policy


class Severity(StrEnum):
    """How urgent."""

    CRITICAL = "critical"
    """Danger, or a whole station gone: now."""
    MAJOR = "major"
    """A bay or charger cannot be used: today."""
    MINOR = "minor"
    """Works, but will not for ever: with the next visit."""
    INFO = "info"
    """Worth knowing; nobody is sent a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """What a rule found wrong."""

    key: str
    rule: str
    severity: Severity
    station_id: str
    title: str
    detail: str = ""
    what_to_do: str = ""
    charger_id: str | None = None
    bay_id: str | None = None
    sensor_id: str | None = None
    seen_at: datetime | None = None
    """The evidence's own instant: newer evidence of an open alert is counted."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that a rule finds wrong with a snapshot, and when time alone may change that."""

    scope: str
    raised: tuple[Raised, ...] = ()
    recheck_at: datetime | None = None


class Rule(Protocol):
    """One reason to tell maintenance."""

    @property
    def name(self) -> str:
        """Stable, the first part of each key."""
        ...

    def check(self, snapshot: Any, policy: Policy, now: datetime) -> Verdict | None:
        """Judge the snapshot; None: nothing can be said of it now, so leave its alerts alone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something maintenance must know, from its opening to its end."""

    id: str
    key: str
    rule: str
    severity: str
    station_id: str
    charger_id: str | None = None
    bay_id: str | None = None
    sensor_id: str | None = None
    title: str
    detail: str = ""
    what_to_do: str = ""
    opened_at: datetime
    last_seen_at: datetime
    count: int = 1
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    changed_version: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it still stands, acknowledged or not."""
        return self.resolved_at is None


class Happening(StrEnum):
    """What became of an alert; the words of its log."""

    OPENED = "opened"
    REOPENED = "reopened"
    SEEN = "seen_again"
    CLEARED = "cleared"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Happened:
    """An alert after something became of it."""

    happening: Happening
    alert: Alert


LOOK_AGAIN_AFTER: Final = timedelta(minutes=1)
"""An alert raised by time is looked at again: news may have come while it was raised."""

PART_LENGTH: Final = 60


def key_of(rule: str, *parts: object) -> str:
    """Return a key that fits its column; parts that do not are hashed."""
    return "/".join([rule, *(_part(str(part)) for part in parts)])


def _part(text: str) -> str:
    is_plain = text.isascii() and text.isprintable() and len(text) <= PART_LENGTH
    return text if is_plain else sha256(text.encode()).hexdigest()[:32]


def is_within(key: str, scope: str) -> bool:
    """Whether a key belongs to a scope."""
    return key == scope or key.startswith(scope + "/")


def settle(
    verdicts: Iterable[Verdict],
    known: Sequence[Alert],
    policy: Policy,
    now: datetime,
    new_id: Callable[[], str],
) -> list[Happened]:
    """Return what becomes of alerts by these verdicts; pure but for `new_id()`.

    Args:
        verdicts: at most one for a scope.
        known: the open alerts of these scopes, and those lately cleared by themselves.
        policy: `flapping_within` says what lately is.
        now: our clock.
        new_id: returns an id for a new alert.
    """
    open_ones = {alert.key: alert for alert in known if alert.is_open}
    closed = {
        alert.key: alert
        for alert in sorted(known, key=lambda one: one.last_seen_at)
        if not alert.is_open and _is_flapping(alert, policy, now)
    }
    happened: list[Happened] = []
    for verdict in verdicts:
        raised = {one.key: one for one in verdict.raised}
        for key, one in raised.items():
            happened += _raise(one, open_ones.get(key), closed.get(key), now, new_id)
        happened += [
            Happened(Happening.CLEARED, _cleared(alert, now))
            for key, alert in open_ones.items()
            if is_within(key, verdict.scope) and key not in raised
        ]
    return happened


def _is_flapping(alert: Alert, policy: Policy, now: datetime) -> bool:
    is_by_itself = alert.resolved_at is not None and alert.resolved_by is None
    return is_by_itself and now - (alert.resolved_at or now) <= policy.flapping_within


def _raise(
    one: Raised,
    standing: Alert | None,
    closed: Alert | None,
    now: datetime,
    new_id: Callable[[], str],
) -> list[Happened]:
    if standing is not None:
        return _seen(one, standing)
    if closed is not None:
        again = replace(
            closed,
            resolved_at=None,
            acknowledged_at=None,
            acknowledged_by=None,
            severity=one.severity,
            detail=one.detail[:500],
            last_seen_at=now,
            count=closed.count + 1,
            changed_version=closed.changed_version + 1,
        )
        return [Happened(Happening.REOPENED, again)]
    return [Happened(Happening.OPENED, _opened(one, new_id(), now))]


def _seen(one: Raised, standing: Alert) -> list[Happened]:
    is_newer = one.seen_at is not None and one.seen_at > standing.last_seen_at
    if not is_newer and one.detail[:500] == standing.detail:
        return []
    again = replace(
        standing,
        detail=one.detail[:500],
        severity=one.severity,
        last_seen_at=max(one.seen_at or standing.last_seen_at, standing.last_seen_at),
        count=standing.count + int(is_newer),
        changed_version=standing.changed_version + 1,
    )
    return [Happened(Happening.SEEN, again)]


def _opened(one: Raised, alert_id: str, now: datetime) -> Alert:
    return Alert(
        id=alert_id,
        key=one.key,
        rule=one.rule,
        severity=one.severity,
        station_id=one.station_id,
        charger_id=one.charger_id,
        bay_id=one.bay_id,
        sensor_id=one.sensor_id,
        title=one.title[:200],
        detail=one.detail[:500],
        what_to_do=one.what_to_do[:500],
        opened_at=now,
        last_seen_at=max(now, one.seen_at or now),
        changed_version=1,
    )


def _cleared(alert: Alert, now: datetime) -> Alert:
    return replace(
        alert, resolved_at=now, resolved_by=None, changed_version=alert.changed_version + 1
    )
