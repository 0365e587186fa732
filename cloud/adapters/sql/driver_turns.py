"""Drivers' turns in SQL: what one driver books at the same moment is booked one after the other."""

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.tables import driver_turns
from cloud.services.ports import TransactionLost


class SqlDriverTurns:
    """See DriverTurns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, user_id: str) -> int:
        """See DriverTurns.of."""
        query = select(driver_turns.c.turn).where(driver_turns.c.user_id == user_id)
        return self._connection.execute(query).scalar_one_or_none() or 0

    def take(self, user_id: str, turn: int) -> None:
        """See DriverTurns.take."""
        if not (self._first(user_id) if turn == 0 else self._next(user_id, turn)):
            raise TransactionLost(f"{user_id} books something else at the same moment")

    def _first(self, user_id: str) -> bool:
        try:
            self._connection.execute(insert(driver_turns).values(user_id=user_id, turn=1))
        except IntegrityError:
            return False
        return True

    def _next(self, user_id: str, turn: int) -> bool:
        statement = update(driver_turns).where(
            driver_turns.c.user_id == user_id, driver_turns.c.turn == turn
        )
        return self._connection.execute(statement.values(turn=turn + 1)).rowcount == 1
