"""What searches read, in SQL: two statements, however many stations."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, and_, select

from cloud.adapters.sql.tables import bays, connectors, reservations, sessions, station_links
from cloud.domain.windows import Window
from cloud.services.booking_ports import FoundBay, FoundPlug

_LONGEST_BUFFER: Final = timedelta(days=1)
_DC: Final = "DC"


class SqlFinding:
    """See Findable."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def bays(self, station_ids: Collection[str]) -> list[FoundBay]:
        """See Findable.bays."""
        if not station_ids:
            return []
        is_plug = and_(
            connectors.c.charger_id == bays.c.charger_id, connectors.c.evse_id == bays.c.evse_id
        )
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
            .outerjoin(connectors, is_plug)
            .outerjoin(sessions, is_charge)
            .where(bays.c.station_id.in_(sorted(set(station_ids))))
            .order_by(bays.c.station_id, bays.c.name, bays.c.id, connectors.c.connector_id)
        )
        rows: Sequence[Any] = self._connection.execute(query).all()
        return [_bay(list(of_bay)) for _, of_bay in groupby(rows, attrgetter("id"))]

    def taken(
        self, station_ids: Collection[str], within: Window, but: str = ""
    ) -> dict[str, list[Window]]:
        """See Findable.taken."""
        if not station_ids:
            return {}
        query = select(
            reservations.c.bay_id,
            reservations.c.starts_at,
            reservations.c.ends_at,
            reservations.c.buffer_s,
        ).where(
            reservations.c.station_id.in_(sorted(set(station_ids))),
            reservations.c.is_live.is_(True),
            reservations.c.starts_at < within.ends_at,
            reservations.c.ends_at > within.starts_at - _LONGEST_BUFFER,
            reservations.c.id != but,
        )
        found: dict[str, list[Window]] = defaultdict(list)
        for bay_id, starts_at, ends_at, buffer_s in self._connection.execute(query):
            kept = Window(starts_at, ends_at + timedelta(seconds=buffer_s))
            if kept.overlaps(within):
                found[bay_id].append(kept)
        return dict(found)


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
        ),
    )
