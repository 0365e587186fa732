"""What gateways told, in SQL: each event once."""

from datetime import datetime

from sqlalchemy import Connection, insert, update
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.tables import gateway_events as events
from cloud.services.money_ports import GatewayEvent


class SqlGatewayEvents:
    """See GatewayEvents."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, event: GatewayEvent, at: datetime) -> bool:
        """See GatewayEvents.add. A second one waits in the database for the first to end."""
        values = {
            "provider": event.provider,
            "event_id": event.event_id,
            "kind": event.kind[:80],
            "body": dict(event.body),
            "received_at": at,
        }
        try:
            with self._connection.begin_nested():
                self._connection.execute(insert(events).values(**values))
        except IntegrityError:
            return False
        return True

    def applied(self, event: GatewayEvent, at: datetime) -> None:
        """See GatewayEvents.applied."""
        self._connection.execute(
            update(events)
            .where(events.c.provider == event.provider, events.c.event_id == event.event_id)
            .values(applied_at=at)
        )
