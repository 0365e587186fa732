"""How an alert looks from outside, with its log."""

from dataclasses import dataclass
from datetime import datetime

from cloud.domain.alerts.rule import Alert
from cloud.services.fact_ports import LogEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """Something maintenance must know."""

    alert_id: str
    key: str
    rule: str
    severity: str
    status: str
    """open acknowledged resolved"""
    station_id: str
    station_name: str
    charger_id: str | None
    bay_id: str | None
    sensor_id: str | None
    title: str
    detail: str
    what_to_do: str
    opened_at: datetime
    last_seen_at: datetime
    count: int
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    resolved_by: str | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLogView:
    """One line of an alert's log."""

    at: datetime
    what: str
    """opened reopened seen_again cleared acknowledged resolved"""
    actor: str
    """A user id; empty: nobody, it happened by itself."""
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDetail:
    """An alert with what became of it, the oldest first."""

    alert: AlertView
    log: list[AlertLogView]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertList:
    """Alerts, the newest first."""

    as_of: datetime
    alerts: list[AlertView]
    next_cursor: str | None = None


def alert_view(alert: Alert, station_name: str) -> AlertView:
    """Return the alert as it leaves the house."""
    status = "open" if alert.acknowledged_at is None else "acknowledged"
    return AlertView(
        alert_id=alert.id,
        key=alert.key,
        rule=alert.rule,
        severity=alert.severity,
        status=status if alert.is_open else "resolved",
        station_id=alert.station_id,
        station_name=station_name,
        charger_id=alert.charger_id,
        bay_id=alert.bay_id,
        sensor_id=alert.sensor_id,
        title=alert.title,
        detail=alert.detail,
        what_to_do=alert.what_to_do,
        opened_at=alert.opened_at,
        last_seen_at=alert.last_seen_at,
        count=alert.count,
        acknowledged_at=alert.acknowledged_at,
        acknowledged_by=alert.acknowledged_by,
        resolved_at=alert.resolved_at,
        resolved_by=alert.resolved_by,
        version=alert.changed_version,
    )


def log_view(entry: LogEntry) -> AlertLogView:
    """Return the line as it leaves the house."""
    return AlertLogView(at=entry.at, what=entry.what, actor=entry.actor, note=entry.note)
