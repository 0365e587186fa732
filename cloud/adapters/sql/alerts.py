"""Alerts and their logs, in SQL. The unique `open_key` makes sure that a key is open once."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, false, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.tables import alert_log, alerts, stations
from cloud.domain.alerts.rule import Alert, Happened, Happening
from cloud.services.fact_ports import AlertPage, LogEntry
from cloud.services.ports import TransactionLost

_ALERT: Final = Reader(alerts, Alert)
_NAMES: Final = tuple(Alert.__dataclass_fields__)
_UNLOGGED: Final = frozenset({Happening.SEEN})
"""Repetitions are counted in the alert; each would be a line that tells nothing."""


class SqlAlerts:
    """See Alerts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, alert_id: str) -> Alert | None:
        """See Alerts.get."""
        query = select(*_ALERT.columns).where(alerts.c.id == alert_id)
        return _ALERT.one(self._connection.execute(query).one_or_none())

    def known(self, station_ids: Collection[str], since: datetime) -> list[Alert]:
        """See Alerts.known."""
        if not station_ids:
            return []
        is_open = alerts.c.open_key.is_not(None)
        cleared = and_(alerts.c.resolved_at >= since, alerts.c.resolved_by.is_(None))
        query = select(*_ALERT.columns).where(
            alerts.c.station_id.in_(sorted(station_ids)), or_(is_open, cleared)
        )
        return _ALERT.all(self._connection.execute(query))

    def page(self, page: AlertPage) -> list[Alert]:
        """See Alerts.page."""
        query = select(*_ALERT.columns)
        if page.statuses:
            query = query.where(or_(*(_has_status(status) for status in page.statuses)))
        if page.owner_id is not None:
            own = select(stations.c.id).where(stations.c.owner_id == page.owner_id)
            query = query.where(alerts.c.station_id.in_(own))
        if page.station_id is not None:
            query = query.where(alerts.c.station_id == page.station_id)
        if page.before is not None:
            at, alert_id = page.before
            is_same = and_(alerts.c.opened_at == at, alerts.c.id < alert_id)
            query = query.where(or_(alerts.c.opened_at < at, is_same))
        query = query.order_by(alerts.c.opened_at.desc(), alerts.c.id.desc()).limit(page.limit)
        return _ALERT.all(self._connection.execute(query))

    def put(self, happened: Sequence[Happened], at: datetime, actor: str, note: str) -> None:
        """See Alerts.put."""
        try:
            for one in happened:
                self._put(one)
        except IntegrityError as error:
            raise TransactionLost("an alert was opened by somebody else") from error
        entries = [
            {
                "alert_id": one.alert.id,
                "version": one.alert.changed_version,
                "at": at,
                "actor": actor,
                "what": one.happening,
                "note": note,
            }
            for one in happened
            if one.happening not in _UNLOGGED
        ]
        if entries:
            self._connection.execute(insert(alert_log), entries)

    def log(self, alert_id: str) -> list[LogEntry]:
        """See Alerts.log."""
        columns = (
            alert_log.c.version,
            alert_log.c.at,
            alert_log.c.actor,
            alert_log.c.what,
            alert_log.c.note,
        )
        query = select(*columns).where(alert_log.c.alert_id == alert_id)
        rows = self._connection.execute(query.order_by(alert_log.c.version))
        return [LogEntry(*row) for row in rows]

    def _put(self, one: Happened) -> None:
        alert = one.alert
        values: dict[str, Any] = {name: getattr(alert, name) for name in _NAMES}
        values["open_key"] = alert.key if alert.is_open else None
        if one.happening is Happening.OPENED:
            self._connection.execute(insert(alerts).values(**values))
            return
        statement = update(alerts).where(
            alerts.c.id == alert.id, alerts.c.changed_version == alert.changed_version - 1
        )
        if self._connection.execute(statement.values(**values)).rowcount != 1:
            raise TransactionLost(f"alert {alert.id} was changed by somebody else")


def _has_status(status: str) -> ColumnElement[bool]:
    is_open = alerts.c.open_key.is_not(None)
    match status:
        case "open":
            return and_(is_open, alerts.c.acknowledged_at.is_(None))
        case "acknowledged":
            return and_(is_open, alerts.c.acknowledged_at.is_not(None))
        case "resolved":
            return alerts.c.open_key.is_(None)
        case _:
            return false()
