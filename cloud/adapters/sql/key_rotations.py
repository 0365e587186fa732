"""Chargers' changes of keys, in SQL."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from sqlalchemy import Connection, delete, insert, or_, select, update

from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.tables import charger_key_rotations as rotations
from cloud.domain.key_rotation import OPEN, Rotation, Status
from cloud.services.security_ports import Login

_READ: Final = Reader(rotations, Rotation, status=Status)


class SqlKeyRotations:
    """See KeyRotations."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, charger_id: str) -> Rotation | None:
        """See KeyRotations.get."""
        query = select(*_READ.columns).where(rotations.c.charger_id == charger_id)
        return _READ.one(self._connection.execute(query).one_or_none())

    def put(self, rotation: Rotation) -> None:
        """See KeyRotations.put."""
        which = rotations.c.charger_id == rotation.charger_id
        values = asdict(rotation)
        if not self._connection.execute(update(rotations).where(which).values(values)).rowcount:
            self._connection.execute(delete(rotations).where(which))
            self._connection.execute(insert(rotations).values(values))

    def see(self, logins: Sequence[Login]) -> list[str]:
        """See KeyRotations.see."""
        query = select(rotations.c.charger_id).where(
            rotations.c.charger_id.in_({one.charger_id for one in logins}),
            rotations.c.status.in_(sorted(OPEN)),
        )
        changing = set(self._connection.execute(query).scalars())
        return [one.charger_id for one in logins if one.charger_id in changing and self._see(one)]

    def _see(self, login: Login) -> bool:
        is_older = or_(rotations.c.seen_at.is_(None), rotations.c.seen_at <= login.at)
        statement = update(rotations).where(rotations.c.charger_id == login.charger_id, is_older)
        values = {"seen_salt": login.salt[:32], "seen_at": login.at}
        return self._connection.execute(statement.values(values)).rowcount > 0
