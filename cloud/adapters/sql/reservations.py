"""Reservations and the granules they take, in SQL.

The primary key of `bay_slots` is what makes a double booking impossible; everything else here only
says so in the house's words.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from itertools import count
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.bulk import Upsert, stamp
from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.tables import bay_slots, reservation_log, reservations, stations
from cloud.domain.errors import BayAlreadyBooked, TooManyReservations
from cloud.domain.reservations import Reservation, Status, Trouble
from cloud.domain.windows import Window, granules
from cloud.services.booking_ports import ReservationLogEntry, ReservationPage, Told
from cloud.services.ports import TransactionLost

_READ: Final = Reader(reservations, Reservation, status=Status, trouble=Trouble)
_NAMES: Final = tuple(one.name for one in fields(Reservation))
_PLACE: Final = ("bay_id", "starts_at", "ends_at", "buffer_s")
"""What the slots follow: changed by `rebook` only."""
_FIXED: Final = frozenset({"id", "number", "station_id", "user_id", "created_at", *_PLACE})
_SLOTS: Final = Upsert(bay_slots, ("bay_id", "starts_at", "reservation_id"))
_LONGEST_BUFFER: Final = timedelta(days=1)
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_AROUND: Final = timedelta(days=1)


class SqlReservations:
    """See Reservations."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def by_ids(self, reservation_ids: Collection[str]) -> dict[str, Reservation]:
        """See Reservations.by_ids."""
        if not reservation_ids:
            return {}
        query = select(*_READ.columns).where(reservations.c.id.in_(sorted(set(reservation_ids))))
        return {one.id: one for one in _READ.all(self._connection.execute(query))}

    def live_on(self, bay_ids: Collection[str], until: datetime) -> list[Reservation]:
        """See Reservations.live_on."""
        if not bay_ids:
            return []
        return self._live(
            reservations.c.bay_id.in_(sorted(set(bay_ids))), reservations.c.starts_at < until
        )

    def live_of(self, user_id: str) -> list[Reservation]:
        """See Reservations.live_of."""
        return self._live(reservations.c.user_id == user_id)

    def live_within(self, station_id: str, window: Window) -> list[Reservation]:
        """See Reservations.live_within."""
        found = self._live(
            reservations.c.station_id == station_id,
            reservations.c.starts_at < window.ends_at,
            reservations.c.ends_at > window.starts_at - _LONGEST_BUFFER,
        )
        return [one for one in found if one.kept.overlaps(window)]

    def live_of_stations(
        self, station_ids: Collection[str] | None, until: datetime
    ) -> dict[str, list[Reservation]]:
        """See Reservations.live_of_stations."""
        wanted = [reservations.c.status != Status.HELD, reservations.c.starts_at < until]
        if station_ids is not None:
            wanted.append(reservations.c.station_id.in_(sorted(set(station_ids))))
        found: dict[str, list[Reservation]] = defaultdict(list)
        for one in self._live(*wanted):
            found[one.station_id].append(one)
        return dict(found)

    def of_token(self, station_id: str, token: str, at: datetime) -> Reservation | None:
        """See Reservations.of_token."""
        found = self._live(
            reservations.c.station_id == station_id,
            reservations.c.token == token,
            reservations.c.status != Status.HELD,
            reservations.c.starts_at < at + _AROUND,
        )
        return min(found, key=lambda one: _distance(one.window, at), default=None)

    def stations_reserved(self, until: datetime) -> list[str]:
        """See Reservations.stations_reserved."""
        query = (
            select(reservations.c.station_id)
            .where(
                reservations.c.is_live.is_(True),
                reservations.c.status != Status.HELD,
                reservations.c.starts_at < until,
            )
            .distinct()
        )
        return sorted(self._connection.execute(query).scalars())

    def of_tokens(
        self, station_ids: Collection[str], tokens: Collection[str], until: datetime
    ) -> list[Reservation]:
        """See Reservations.of_tokens."""
        if not station_ids or not tokens:
            return []
        return self._live(
            reservations.c.station_id.in_(sorted(set(station_ids))),
            reservations.c.token.in_(sorted(set(tokens))),
            reservations.c.status != Status.HELD,
            reservations.c.starts_at < until,
        )

    def page(self, page: ReservationPage) -> list[Reservation]:
        """See Reservations.page."""
        query = select(*_READ.columns)
        if page.user_id is not None:
            query = query.where(reservations.c.user_id == page.user_id)
        if page.owner_id is not None:
            own = select(stations.c.id).where(stations.c.owner_id == page.owner_id)
            query = query.where(reservations.c.station_id.in_(own))
        if page.station_id is not None:
            query = query.where(reservations.c.station_id == page.station_id)
        if page.is_live is not None:
            query = query.where(reservations.c.is_live == page.is_live)
        if page.before is not None:
            at, reservation_id = page.before
            is_same = and_(reservations.c.starts_at == at, reservations.c.id < reservation_id)
            query = query.where(or_(reservations.c.starts_at < at, is_same))
        query = query.order_by(reservations.c.starts_at.desc(), reservations.c.id.desc())
        return _READ.all(self._connection.execute(query.limit(page.limit)))

    def of_series(self, series_id: str) -> list[Reservation]:
        """See Reservations.of_series."""
        query = select(*_READ.columns).where(reservations.c.series_id == series_id)
        in_order = query.order_by(reservations.c.starts_at, reservations.c.id)
        return _READ.all(self._connection.execute(in_order))

    def count_live(self, user_id: str, station_id: str) -> int:
        """See Reservations.count_live."""
        query = (
            select(func.count())
            .select_from(reservations)
            .where(
                reservations.c.user_id == user_id,
                reservations.c.station_id == station_id,
                reservations.c.is_live.is_(True),
            )
        )
        return self._connection.execute(query).scalar_one()

    def claim(self, reservation: Reservation, told: Told, *, most_live: int | None = None) -> None:
        """See Reservations.claim.

        The slots first: whoever loses the race has written nothing else.
        """
        self._take([reservation])
        values = _values(reservation)
        if most_live is not None:
            values |= self._place_at(reservation, most_live)
        try:
            self._connection.execute(insert(reservations).values(**values))
        except IntegrityError as error:
            raise TransactionLost("the number, or the driver's place, has just gone") from error
        self._write_log(reservation, reservation.row_version, told, reservation.created_at)

    def put(self, reservation: Reservation, told: Told, at: datetime) -> None:
        """See Reservations.put."""
        is_same_place = [reservations.c[name] == getattr(reservation, name) for name in _PLACE]
        self._update(reservation, _FIXED, *is_same_place)
        self._write_log(reservation, reservation.row_version + 1, told, at)
        if not reservation.is_live:
            self._free([reservation.id])

    def rebook(
        self,
        pairs: Sequence[tuple[Reservation, Reservation]],
        told: Told,
        at: datetime,
        aside: Told | None = None,
        *,
        most_live: int | None = None,
    ) -> None:
        """See Reservations.rebook.

        All that move let go before the first takes hold, in one order: so they can swap.
        """
        if not pairs:
            return
        first = pairs[0][0].id
        in_order = sorted(pairs, key=lambda pair: pair[0].id)
        afters = [after for _, after in in_order]
        for before, after in in_order:
            has_left = after.is_live and after.station_id != before.station_id
            place = self._place_at(after, most_live) if has_left else {}
            self._update(after, _FIXED - {*_PLACE, "station_id"}, more=place)
            why = told if after.id == first or aside is None else aside
            self._write_log(after, after.row_version + 1, why, at)
        self._free([after.id for after in afters])
        self._take([after for after in afters if after.is_live])

    def log(self, reservation_id: str) -> list[ReservationLogEntry]:
        """See Reservations.log."""
        columns = (
            reservation_log.c.version,
            reservation_log.c.at,
            reservation_log.c.actor,
            reservation_log.c.what,
            reservation_log.c.note,
        )
        query = select(*columns).where(reservation_log.c.reservation_id == reservation_id)
        rows = self._connection.execute(query.order_by(reservation_log.c.version))
        return [ReservationLogEntry(*row) for row in rows]

    def _live(self, *wanted: Any) -> list[Reservation]:
        query = select(*_READ.columns).where(reservations.c.is_live.is_(True), *wanted)
        query = query.order_by(reservations.c.starts_at, reservations.c.id)
        return _READ.all(self._connection.execute(query))

    def _update(
        self,
        reservation: Reservation,
        fixed: frozenset[str],
        *wanted: Any,
        more: Mapping[str, Any] = _NOTHING,
    ) -> None:
        values = {
            name: value for name, value in _values(reservation).items() if name not in fixed
        } | {"row_version": reservation.row_version + 1, **more}
        if not reservation.is_live:
            values["live_key"] = None
        statement = update(reservations).where(
            reservations.c.id == reservation.id,
            reservations.c.row_version == reservation.row_version,
            *wanted,
        )
        try:
            changed = self._connection.execute(statement.values(**values)).rowcount
        except IntegrityError as error:
            raise TransactionLost("the driver's place has just gone") from error
        if changed != 1:
            raise TransactionLost(f"reservation {reservation.id} was changed by somebody else")

    def _place_at(self, reservation: Reservation, most_live: int | None) -> dict[str, str]:
        """Return the first of the driver's places at the station that is free.

        Who is moved there by us may have one more than one may: it counts all the same.
        """
        kind = "s" if reservation.series_id else "r"
        stem = f"{reservation.user_id}/{reservation.station_id}/{kind}"
        # a colon comes after every digit
        key = reservations.c.live_key
        query = select(key).where(key >= f"{stem}0", key < f"{stem}:")
        taken = set(self._connection.execute(query).scalars())
        if most_live is not None and len(taken) >= most_live:
            detail = f"You may have {most_live} reservations at this station at a time."
            raise TooManyReservations(reservation.station_id, detail)
        places = (f"{stem}{number}" for number in count(1))
        return {"live_key": next(one for one in places if one not in taken)}

    def _take(self, those: Iterable[Reservation]) -> None:
        rows = [(one.bay_id, stamp(at), one.id) for one in those for at in granules(one.kept)]
        try:
            _SLOTS.run(self._connection, sorted(rows))
        except IntegrityError as error:
            raise BayAlreadyBooked(rows[0][0]) from error

    def _free(self, reservation_ids: Collection[str]) -> None:
        self._connection.execute(
            delete(bay_slots).where(bay_slots.c.reservation_id.in_(reservation_ids))
        )

    def _write_log(self, reservation: Reservation, version: int, told: Told, at: datetime) -> None:
        self._connection.execute(
            insert(reservation_log).values(
                reservation_id=reservation.id,
                version=version,
                at=at,
                actor=told.actor,
                what=told.what,
                note=told.note[:500],
            )
        )


def _values(reservation: Reservation) -> dict[str, Any]:
    values = {name: getattr(reservation, name) for name in _NAMES}
    return values | {"is_live": reservation.is_live}


def _distance(window: Window, at: datetime) -> tuple[timedelta, datetime]:
    none = timedelta(0)
    return max(window.starts_at - at, at - window.ends_at, none), window.starts_at
