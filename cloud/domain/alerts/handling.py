"""What people do with alerts."""

from dataclasses import replace
from datetime import datetime

from cloud.domain.alerts.rule import Alert
from cloud.domain.errors import AlertAlreadyHandled


def acknowledged(alert: Alert, user_id: str, now: datetime) -> Alert:
    """Return the alert with somebody seeing to it.

    Raises:
        AlertAlreadyHandled: somebody does, or it is over.
    """
    _refuse_over(alert)
    if alert.acknowledged_at is not None:
        raise AlertAlreadyHandled(alert.id, f"{alert.acknowledged_by} has acknowledged it already.")
    return replace(
        alert,
        acknowledged_at=now,
        acknowledged_by=user_id,
        changed_version=alert.changed_version + 1,
    )


def resolved(alert: Alert, user_id: str, now: datetime) -> Alert:
    """Return the alert ended by a person; it stays acknowledged by whom it was.

    Raises:
        AlertAlreadyHandled: it is over already.
    """
    _refuse_over(alert)
    return replace(
        alert, resolved_at=now, resolved_by=user_id, changed_version=alert.changed_version + 1
    )


def _refuse_over(alert: Alert) -> None:
    if not alert.is_open:
        who = (
            f"{alert.resolved_by} has resolved it" if alert.resolved_by else "it cleared by itself"
        )
        raise AlertAlreadyHandled(alert.id, f"It is over: {who}.")
