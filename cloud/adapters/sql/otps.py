"""One-time codes, in SQL."""

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.tables import otps
from cloud.services.booking_ports import Otp
from cloud.services.ports import TransactionLost

_OTP: Final = Reader(otps, Otp)
_NAMES: Final = tuple(column.name for column in otps.columns)


class SqlOtps:
    """See Otps."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_id(self, user_id: str) -> str:
        """See Otps.next_id. Numbered per user, so that the primary key counts them for us."""
        query = select(func.max(otps.c.id)).where(otps.c.user_id == user_id)
        last = self._connection.execute(query).scalar()
        number = 1 if last is None else int(last.rpartition("-")[2]) + 1
        return f"{hashlib.sha256(user_id.encode()).hexdigest()[:32]}-{number:010d}"

    def add(self, otp: Otp) -> None:
        """See Otps.add."""
        try:
            self._connection.execute(
                insert(otps).values({name: getattr(otp, name) for name in _NAMES})
            )
        except IntegrityError as error:
            raise TransactionLost("the user was sent another code meanwhile") from error

    def newest(self, reservation_ids: Collection[str]) -> Otp | None:
        """See Otps.newest."""
        query = (
            select(*_OTP.columns)
            .where(otps.c.reservation_id.in_(sorted(reservation_ids)))
            .order_by(otps.c.created_at.desc(), otps.c.id.desc())
            .limit(1)
        )
        return _OTP.one(self._connection.execute(query).one_or_none())

    def count_try(self, otp: Otp, most: int) -> int | None:
        """See Otps.count_try. The update keeps its row until the commit, so the number is ours."""
        is_this = otps.c.id == otp.id
        counted = self._connection.execute(
            update(otps)
            .where(is_this, otps.c.tries < most, otps.c.used_at.is_(None))
            .values(tries=otps.c.tries + 1)
        )
        if counted.rowcount != 1:
            return None
        return int(self._connection.execute(select(otps.c.tries).where(is_this)).scalar_one())

    def use(self, otp: Otp, at: datetime) -> bool:
        """See Otps.use."""
        used = self._connection.execute(
            update(otps).where(otps.c.id == otp.id, otps.c.used_at.is_(None)).values(used_at=at)
        )
        return used.rowcount == 1

    def sent_since(self, user_id: str, since: datetime) -> list[datetime]:
        """See Otps.sent_since."""
        query = (
            select(otps.c.created_at)
            .where(otps.c.user_id == user_id, otps.c.created_at > since)
            .order_by(otps.c.created_at)
        )
        return list(self._connection.execute(query).scalars())

    def forget(self, before: datetime, limit: int) -> int:
        """See Otps.forget."""
        query = select(otps.c.id).where(otps.c.created_at < before).limit(limit)
        old = list(self._connection.execute(query).scalars())
        if not old:
            return 0
        return self._connection.execute(delete(otps).where(otps.c.id.in_(old))).rowcount
