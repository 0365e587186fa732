"""Sessions and their samples, in SQL."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, exists, func, or_, select

from cloud.adapters.sql.bulk import Upsert, encode, stamp
from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.session_filters import passes, sums_of
from cloud.adapters.sql.tables import bays, connectors, sessions, stations
from cloud.adapters.sql.tables import session_samples as samples
from cloud.domain.carbon import Rate
from cloud.domain.sessions import Reading, Session
from cloud.services.fact_ports import Sample
from cloud.services.session_ports import SessionFilter, SessionPage, SessionSum
from contracts.events import ConnectorState, MeterSampled
from contracts.ids import same_token

_SESSION: Final = Reader(sessions, Session, flags=lambda flags: tuple(flags or ()))
_SAMPLE: Final = Reader(samples, Sample)

_NAMES: Final = tuple(one.name for one in fields(Session))
_FIXED: Final = frozenset({"id", "station_id", "currency", "price_per_kwh_minor"})
_PUT: Final = Upsert(sessions, _NAMES, tuple(name for name in _NAMES if name not in _FIXED))

_MEASURED: Final = (
    "energy_wh",
    "power_w",
    "soc_pct",
    "current_a",
    "voltage_v",
    "temperature_c",
    "interval_wh",
    "export_wh",
)
_ADD: Final = Upsert(samples, ("session_id", "observed_at", *_MEASURED), merge=_MEASURED)

_NO_REGISTER_WH: Final = 2**62
"""No column holds it, and no register ever showed it."""


class SqlSessions:
    """See Sessions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def by_ids(self, session_ids: Collection[str]) -> dict[str, Session]:
        """See Sessions.by_ids."""
        if not session_ids:
            return {}
        query = select(*_SESSION.columns).where(sessions.c.id.in_(session_ids))
        return {one.id: one for one in _SESSION.all(self._connection.execute(query))}

    def put(self, sessions: Sequence[Session]) -> None:
        """See Sessions.put."""
        _PUT.run(self._connection, [_row(one) for one in sessions])

    def of_reservation(self, reservation_id: str) -> list[Session]:
        """See Sessions.of_reservation."""
        return self.of_reservations([reservation_id])

    def of_reservations(self, reservation_ids: Collection[str]) -> list[Session]:
        """See Sessions.of_reservations."""
        if not reservation_ids:
            return []
        query = select(*_SESSION.columns).where(sessions.c.reservation_id.in_(reservation_ids))
        query = query.order_by(sessions.c.started_at, sessions.c.id)
        return _SESSION.all(self._connection.execute(query))

    def seated_of(self, token: str) -> list[Session]:
        """See Sessions.seated_of."""
        its_plug = and_(
            connectors.c.charger_id == sessions.c.charger_id,
            connectors.c.evse_id == sessions.c.evse_id,
            connectors.c.connector_id == sessions.c.connector_id,
            connectors.c.state == ConnectorState.FREE,
        )
        query = (
            select(*_SESSION.columns)
            .join(bays, bays.c.session_id == sessions.c.id)
            .where(
                sessions.c.ended_at.is_(None),
                # what readers put after it is no part of it (QUIRKS 18)
                func.lower(sessions.c.token).startswith(token, autoescape=True),
                ~exists().where(its_plug),
            )
        )
        found = _SESSION.all(self._connection.execute(query))
        return [one for one in found if same_token(one.token or "") == token]

    def page(self, page: SessionPage) -> list[Session]:
        """See Sessions.page."""
        query = select(*_SESSION.columns).where(*passes(page.wanted))
        if page.before is not None:
            at, session_id = page.before
            is_same = and_(sessions.c.started_at == at, sessions.c.id < session_id)
            # said twice: no index can be walked by the second alone
            query = query.where(
                sessions.c.started_at <= at, or_(sessions.c.started_at < at, is_same)
            )
        query = query.order_by(sessions.c.started_at.desc(), sessions.c.id.desc())
        return _SESSION.all(self._connection.execute(query.limit(page.limit)))

    def sums(self, wanted: SessionFilter, rate: Rate) -> list[SessionSum]:
        """See Sessions.sums."""
        rows = self._connection.execute(sums_of(wanted, rate)).mappings()
        return [SessionSum(**_whole(dict(row))) for row in rows]

    def stations(self, user_id: str | None, owner_id: str | None) -> list[tuple[str, str]]:
        """See Sessions.stations."""
        query = select(stations.c.id, stations.c.name)
        if user_id is not None:
            charged_at = select(sessions.c.station_id).where(sessions.c.user_id == user_id)
            query = query.where(stations.c.id.in_(charged_at))
        if owner_id is not None:
            query = query.where(stations.c.owner_id == owner_id)
        found = self._connection.execute(query.order_by(stations.c.name, stations.c.id))
        return [(row.id, row.name) for row in found]

    def add_samples(self, samples: Sequence[MeterSampled]) -> None:
        """See Sessions.add_samples."""
        rows = [
            (
                one.session_id,
                stamp(one.observed_at),
                _register(one.energy_wh),
                one.power_w,
                one.soc_pct,
                one.current_a,
                one.voltage_v,
                one.temperature_c,
                _register(one.interval_wh),
                _register(one.export_wh),
            )
            for one in samples
        ]
        _ADD.run(self._connection, rows)

    def samples(self, session_ids: Collection[str]) -> dict[str, list[Reading]]:
        """See Sessions.samples."""
        if not session_ids:
            return {}
        query = (
            select(*_SAMPLE.columns)
            .where(samples.c.session_id.in_(session_ids))
            .order_by(samples.c.session_id, samples.c.observed_at)
        )
        found: dict[str, list[Reading]] = defaultdict(list)
        for one in _SAMPLE.all(self._connection.execute(query)):
            found[one.session_id].append(one)
        return found

    def thin(self, session_id: str, keep: Collection[datetime]) -> int:
        """See Sessions.thin."""
        statement = delete(samples).where(
            samples.c.session_id == session_id, samples.c.observed_at.not_in(keep)
        )
        return self._connection.execute(statement).rowcount


def _whole(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of sums with whole numbers: MySQL adds integers up to decimals."""
    return {name: one if name == "currency" else int(one) for name, one in row.items()}


def _register(wh: int | None) -> int | None:
    return wh if wh is not None and abs(wh) < _NO_REGISTER_WH else None


def _row(one: Session) -> tuple[Any, ...]:
    return (
        one.id,
        one.station_id,
        one.charger_id,
        one.evse_id,
        one.connector_id,
        one.bay_id,
        one.transaction_id,
        one.token,
        one.user_id,
        one.state,
        stamp(one.state_at),
        stamp(one.started_at),
        stamp(one.charging_ended_at),
        stamp(one.ended_at),
        one.end_reason,
        one.meter_start_wh,
        one.meter_stop_wh,
        one.meter_last_wh,
        stamp(one.metered_at),
        one.meter_pending_wh,
        stamp(one.meter_pending_at),
        one.power_limit_w,
        one.energy_wh,
        one.export_wh,
        one.export_last_wh,
        one.power_w,
        one.soc_start_pct,
        one.soc_start_wh,
        one.soc_pct,
        stamp(one.sampled_at),
        stamp(one.expected_end_at),
        one.currency,
        one.price_per_kwh_minor,
        one.cost_minor,
        encode(one.flags) if one.flags else None,
        one.is_offline,
        one.tariff_id,
        one.reservation_id,
        one.changed_version,
    )
