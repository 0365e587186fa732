"""What searches read, in SQL: each in one statement, however many stations."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from cloud.adapters.sql.stations import is_in
from cloud.adapters.sql.tables import (
    bays,
    connectors,
    reservations,
    sessions,
    station_links,
    stations,
)
from cloud.domain.windows import Window
from cloud.services.booking_ports import FoundBay, FoundPlug, PlugWish, Spot
from cloud.services.fact_ports import Box

_LONGEST_BUFFER: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_DC: Final = "DC"
_ANY: Final = PlugWish()
_IS_PLUG: Final = and_(
    connectors.c.charger_id == bays.c.charger_id, connectors.c.evse_id == bays.c.evse_id
)


class SqlFinding:
    """See Findable."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def spots(self, box: Box, wish: PlugWish) -> list[Spot]:
        """See Findable.spots."""
        query = select(stations.c.id, stations.c.latitude, stations.c.longitude).where(*is_in(box))
        if wish != _ANY:
            query = query.where(_has(wish))
        return [Spot(*row) for row in self._connection.execute(query)]

    def bays(self, station_ids: Collection[str]) -> list[FoundBay]:
        """See Findable.bays."""
        if not station_ids:
            return []
        is_charge = and_(sessions.c.id == bays.c.session_id, sessions.c.ended_at.is_(None))
        query = (
            select(
                bays.c.id,
                bays.c.station_id,
                bays.c.name,
                bays.c.is_accessible,
                bays.c.max_power_w,
                bays.c.status,
                station_links.c.heard_at,
                sessions.c.expected_end_at,
                connectors.c.standard,
                connectors.c.power_type,
                connectors.c.max_power_w.label("plug_power_w"),
            )
            .outerjoin(station_links, station_links.c.station_id == bays.c.station_id)
            .outerjoin(connectors, _IS_PLUG)
            .outerjoin(sessions, is_charge)
            .where(bays.c.station_id.in_(sorted(set(station_ids))))
            .order_by(bays.c.station_id, bays.c.name, bays.c.id, connectors.c.connector_id)
        )
        rows: Sequence[Any] = self._connection.execute(query).all()
        return [_bay(list(of_bay)) for _, of_bay in groupby(rows, attrgetter("id"))]

    def taken(
        self, bay_ids: Collection[str], within: Window, but: str = ""
    ) -> dict[str, list[Window]]:
        """See Findable.taken."""
        if not bay_ids:
            return {}
        # whole seconds, not instants: reading those takes longer than all the rest of a search
        query = select(
            reservations.c.bay_id,
            _EpochS(reservations.c.starts_at),
            _EpochS(reservations.c.ends_at) + reservations.c.buffer_s,
        ).where(
            reservations.c.bay_id.in_(sorted(set(bay_ids))),
            reservations.c.is_live.is_(True),
            reservations.c.starts_at < within.ends_at,
            reservations.c.ends_at > within.starts_at - _LONGEST_BUFFER,
            reservations.c.id != but,
        )
        found: dict[str, list[Window]] = defaultdict(list)
        first_s = within.starts_at.timestamp()
        for bay_id, starts_s, ends_s in self._connection.execute(query):
            if ends_s > first_s:
                window = Window(_EPOCH + starts_s * _SECOND, _EPOCH + ends_s * _SECOND)
                found[bay_id].append(window)
        return dict(found)


class _EpochS(FunctionElement[int]):
    """An instant's whole seconds since 1970; reservations begin and end on granules."""

    type = BigInteger()
    inherit_cache = True


@compiles(_EpochS)
def _of_mysql(element: _EpochS, compiler: SQLCompiler, **more: Any) -> str:
    said = compiler.process(element.clauses, **more)
    return f"TIMESTAMPDIFF(SECOND, '1970-01-01', {said})"


@compiles(_EpochS, "sqlite")
def _of_sqlite(element: _EpochS, compiler: SQLCompiler, **more: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **more)}) AS INTEGER)"


def _has(wish: PlugWish) -> ColumnElement[bool]:
    """Return the condition that a station has such a bay."""
    power_w = func.coalesce(func.nullif(connectors.c.max_power_w, 0), bays.c.max_power_w)
    wanted = [bays.c.station_id == stations.c.id, power_w >= wish.min_power_w]
    if wish.standards:
        wanted.append(connectors.c.standard.in_(sorted(wish.standards)))
    if wish.is_accessible:
        wanted.append(bays.c.is_accessible.is_(True))
    return select(bays.c.id).outerjoin(connectors, _IS_PLUG).where(*wanted).exists()


def _bay(rows: Sequence[Any]) -> FoundBay:
    first = rows[0]
    return FoundBay(
        bay_id=first.id,
        station_id=first.station_id,
        name=first.name,
        is_accessible=first.is_accessible,
        max_power_w=first.max_power_w,
        status=first.status,
        heard_at=first.heard_at,
        expected_end_at=first.expected_end_at,
        plugs=tuple(
            FoundPlug(
                standard=one.standard,
                is_dc=one.power_type == _DC,
                max_power_w=one.plug_power_w or first.max_power_w,
            )
            for one in rows
            if one.standard is not None
        )
        or (FoundPlug(standard="", is_dc=False, max_power_w=first.max_power_w),),
    )
