"""Charging tokens in SQL."""

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.tables import charging_tokens
from cloud.services.admin_ports import ChargingToken
from cloud.services.ports import TransactionLost


class SqlChargingTokens:
    """See ChargingTokens."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, token: str) -> ChargingToken | None:
        """See ChargingTokens.get."""
        query = select(charging_tokens).where(charging_tokens.c.token == token)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _token(row)

    def page(self, limit: int, after: str) -> list[ChargingToken]:
        """See ChargingTokens.page."""
        query = select(charging_tokens).where(charging_tokens.c.token > after)
        rows = self._connection.execute(query.order_by(charging_tokens.c.token).limit(limit))
        return [_token(row) for row in rows]

    def of_user(self, user_id: str) -> list[ChargingToken]:
        """See ChargingTokens.of_user."""
        query = select(charging_tokens).where(charging_tokens.c.user_id == user_id)
        in_order = query.order_by(charging_tokens.c.created_at, charging_tokens.c.token)
        return [_token(row) for row in self._connection.execute(in_order)]

    def put(self, token: ChargingToken) -> None:
        """See ChargingTokens.put."""
        values = {
            "user_id": token.user_id,
            "label": token.label,
            "is_valid": token.is_valid,
            "parent_token": token.parent_token,
            "valid_until": token.valid_until,
            "token_type": token.token_type,
            "max_sessions": token.max_sessions,
        }
        # looked for by key: MySQL counts a row that was set to what it was as not touched
        if self.get(token.token) is None:
            made = {"token": token.token, "created_at": token.created_at}
            self._insert(made | values)
        else:
            statement = update(charging_tokens).where(charging_tokens.c.token == token.token)
            self._connection.execute(statement.values(**values))

    def _insert(self, values: dict[str, Any]) -> None:
        try:
            self._connection.execute(insert(charging_tokens).values(**values))
        except IntegrityError as error:
            raise TransactionLost("another put the same token first") from error

    def note_type(self, token: str, token_type: str) -> bool:
        """See ChargingTokens.note_type."""
        has_none = (charging_tokens.c.token == token, charging_tokens.c.token_type == "")
        statement = update(charging_tokens).where(*has_none).values(token_type=token_type)
        return self._connection.execute(statement).rowcount > 0

    def remove(self, token: str) -> bool:
        """See ChargingTokens.remove."""
        statement = delete(charging_tokens).where(charging_tokens.c.token == token)
        return self._connection.execute(statement).rowcount > 0


def _token(row: Row[*tuple[Any, ...]]) -> ChargingToken:
    return ChargingToken(
        token=row.token,
        user_id=row.user_id,
        label=row.label,
        is_valid=row.is_valid,
        parent_token=row.parent_token,
        valid_until=row.valid_until,
        created_at=row.created_at,
        token_type=row.token_type,
        max_sessions=row.max_sessions,
    )
