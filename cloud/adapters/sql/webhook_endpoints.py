"""Programs that want to be told, in SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from cloud.adapters.sql.tables import webhook_endpoints
from cloud.domain.notices import NoticeKind
from cloud.services.notice_ports import WebhookEndpoint

_ENDPOINTS: Final = select(webhook_endpoints)


class SqlWebhookEndpoints:
    """See WebhookEndpoints."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, endpoint: WebhookEndpoint) -> None:
        """See WebhookEndpoints.add."""
        self._connection.execute(
            insert(webhook_endpoints).values(
                id=endpoint.id,
                user_id=endpoint.user_id,
                url=endpoint.url,
                secret=" ".join(endpoint.secrets),
                kinds=list(endpoint.kinds),
                created_at=endpoint.created_at,
                last_error="",
            )
        )

    def get(self, endpoint_id: str) -> WebhookEndpoint | None:
        """See WebhookEndpoints.get."""
        query = _ENDPOINTS.where(webhook_endpoints.c.id == endpoint_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _endpoint(row)

    def of_user(self, user_id: str) -> list[WebhookEndpoint]:
        """See WebhookEndpoints.of_user."""
        query = _ENDPOINTS.where(webhook_endpoints.c.user_id == user_id)
        order = (webhook_endpoints.c.created_at, webhook_endpoints.c.id)
        return [_endpoint(row) for row in self._connection.execute(query.order_by(*order))]

    def rotate(self, endpoint_id: str, secrets: Sequence[str]) -> None:
        """See WebhookEndpoints.rotate."""
        self._update(endpoint_id, secret=" ".join(secrets))

    def failed(self, endpoint_id: str, error: str, at: datetime) -> None:
        """See WebhookEndpoints.failed."""
        first = func.coalesce(webhook_endpoints.c.failing_since, at)
        self._update(endpoint_id, failing_since=first, last_error=error[:500])

    def succeeded(self, endpoint_id: str) -> None:
        """See WebhookEndpoints.succeeded."""
        self._update(endpoint_id, failing_since=None, disabled_at=None, last_error="")

    def disable(self, endpoint_id: str, at: datetime) -> bool:
        """See WebhookEndpoints.disable."""
        statement = update(webhook_endpoints).where(
            webhook_endpoints.c.id == endpoint_id, webhook_endpoints.c.disabled_at.is_(None)
        )
        return self._connection.execute(statement.values(disabled_at=at)).rowcount == 1

    def remove(self, endpoint_id: str) -> None:
        """See WebhookEndpoints.remove."""
        is_it = webhook_endpoints.c.id == endpoint_id
        self._connection.execute(delete(webhook_endpoints).where(is_it))

    def _update(self, endpoint_id: str, **values: Any) -> None:
        is_it = webhook_endpoints.c.id == endpoint_id
        self._connection.execute(update(webhook_endpoints).where(is_it).values(**values))


def _endpoint(row: Row[*tuple[Any, ...]]) -> WebhookEndpoint:
    return WebhookEndpoint(
        id=row.id,
        user_id=row.user_id,
        url=row.url,
        secrets=tuple(row.secret.split()),
        # a kind of a newer version is none this one could tell of
        kinds=tuple(NoticeKind(one) for one in row.kinds if one in set(NoticeKind)),
        created_at=row.created_at,
        failing_since=row.failing_since,
        disabled_at=row.disabled_at,
        last_error=row.last_error,
    )
