"""Who waits for what, in SQL."""

from dataclasses import fields
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.tables import stations, waitlist
from cloud.domain.waitlist import ACTIVE, State
from cloud.domain.windows import Window
from cloud.services.booking_ports import WaitlistEntry

_ENTRY: Final = Reader(waitlist, WaitlistEntry, state=State)
_MOST: Final = 200
"""Of a user's entries the newest."""
_ACTIVE: Final = tuple(sorted(ACTIVE))


class SqlWaitlist:
    """See Waitlist."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entry: WaitlistEntry) -> None:
        """See Waitlist.add."""
        self._connection.execute(insert(waitlist).values(**_values(entry)))

    def get(self, entry_id: str) -> WaitlistEntry | None:
        """See Waitlist.get."""
        query = select(*_ENTRY.columns).where(waitlist.c.id == entry_id)
        return _ENTRY.one(self._connection.execute(query).one_or_none())

    def take_turn(self, station_id: str) -> None:
        """See Waitlist.take_turn."""
        query = select(stations.c.id).where(stations.c.id == station_id)
        self._connection.execute(query.with_for_update()).first()

    def active(self, station_id: str, window: Window) -> list[WaitlistEntry]:
        """See Waitlist.active."""
        query = (
            select(*_ENTRY.columns)
            .where(
                waitlist.c.station_id == station_id,
                waitlist.c.state.in_(_ACTIVE),
                waitlist.c.starts_at < window.ends_at,
                waitlist.c.ends_at > window.starts_at,
            )
            .order_by(waitlist.c.created_at, waitlist.c.id)
        )
        return _ENTRY.all(self._connection.execute(query))

    def count_active(self, user_id: str) -> int:
        """See Waitlist.count_active."""
        query = (
            select(func.count())
            .select_from(waitlist)
            .where(waitlist.c.user_id == user_id, waitlist.c.state.in_(_ACTIVE))
        )
        return int(self._connection.execute(query).scalar_one())

    def of_user(self, user_id: str) -> list[WaitlistEntry]:
        """See Waitlist.of_user."""
        query = (
            select(*_ENTRY.columns)
            .where(waitlist.c.user_id == user_id)
            .order_by(waitlist.c.created_at.desc(), waitlist.c.id.desc())
            .limit(_MOST)
        )
        return _ENTRY.all(self._connection.execute(query))

    def move(self, entry: WaitlistEntry, after: WaitlistEntry) -> bool:
        """See Waitlist.move."""
        values = _values(after) | {"changed_version": entry.changed_version + 1}
        moved = self._connection.execute(
            update(waitlist)
            .where(waitlist.c.id == entry.id, waitlist.c.changed_version == entry.changed_version)
            .values(**values)
        )
        return moved.rowcount == 1


def _values(entry: WaitlistEntry) -> dict[str, Any]:
    return {one.name: getattr(entry, one.name) for one in fields(entry)}
