"""What agents are told to act alone by, in SQL."""

from collections import defaultdict
from collections.abc import Collection
from itertools import groupby
from typing import Final

from sqlalchemy import Connection, and_, or_, select, update

from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.tables import charger_certificates as certificates
from cloud.adapters.sql.tables import charger_key_rotations as rotations
from cloud.adapters.sql.tables import chargers, charging_tokens, stations
from cloud.domain.billing import simple_id
from cloud.domain.certificates import LOGIN_PURPOSES, counting
from cloud.domain.key_rotation import OPEN
from cloud.services.fact_ports import ChargerKey, Grant, PlanSource

_GRANT: Final = Reader(charging_tokens, Grant)


class SqlPlans:
    """See Plans."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def grants(self, tokens: Collection[str] | None = None) -> dict[str, Grant]:
        """See Plans.grants."""
        if tokens is not None and not tokens:
            return {}
        query = select(*_GRANT.columns).order_by(charging_tokens.c.token)
        if tokens is not None:
            query = query.where(charging_tokens.c.token.in_(tokens))
        return {one.token: one for one in _GRANT.all(self._connection.execute(query))}

    def unpublished(self, limit: int) -> list[str]:
        """See Plans.unpublished."""
        is_old = stations.c.plan_version > stations.c.plan_published_version
        query = select(stations.c.id).where(is_old).limit(limit)
        return list(self._connection.execute(query).scalars())

    def sources(self, station_ids: Collection[str] | None) -> list[PlanSource]:
        """See Plans.sources."""
        keys = self._keys(station_ids)
        columns = (
            stations.c.id,
            stations.c.plan_version,
            stations.c.offline_policy,
            stations.c.tariff_id,
            stations.c.currency,
            stations.c.price_per_kwh_minor,
            stations.c.max_sessions_per_token,
        )
        query = select(*columns).order_by(stations.c.id)
        if station_ids is not None:
            query = query.where(stations.c.id.in_(station_ids))
        return [
            PlanSource(
                station_id=row.id,
                version=row.plan_version,
                offline_policy=row.offline_policy,
                tariff_id=row.tariff_id or simple_id(row.currency, row.price_per_kwh_minor),
                max_sessions_per_token=row.max_sessions_per_token,
                chargers=tuple(keys.get(row.id, ())),
            )
            for row in self._connection.execute(query)
        ]

    def mark_published(self, station_id: str, version: int) -> None:
        """See Plans.mark_published."""
        is_older = stations.c.plan_published_version < version
        statement = update(stations).where(stations.c.id == station_id, is_older)
        self._connection.execute(statement.values(plan_published_version=version))

    def _keys(self, station_ids: Collection[str] | None) -> dict[str, list[ChargerKey]]:
        is_under_way = and_(
            rotations.c.charger_id == chargers.c.id, rotations.c.status.in_(sorted(OPEN))
        )
        query = (
            select(
                chargers.c.station_id,
                chargers.c.id,
                chargers.c.key_salt,
                chargers.c.key_hash,
                chargers.c.security_profile,
                chargers.c.profile_generation,
                chargers.c.registration,
                rotations.c.salt,
                rotations.c.key_hash.label("next_key_hash"),
            )
            .join(rotations, is_under_way, isouter=True)
            .where(chargers.c.key_hash.is_not(None), chargers.c.key_salt.is_not(None))
        )
        if station_ids is not None:
            query = query.where(chargers.c.station_id.in_(station_ids))
        serials = self._serials(station_ids)
        keys: dict[str, list[ChargerKey]] = defaultdict(list)
        for row in self._connection.execute(query.order_by(chargers.c.id)):
            key = ChargerKey(
                charger_id=row.id,
                salt=row.key_salt,
                key_hash=row.key_hash,
                security_profile=row.security_profile,
                profile_generation=row.profile_generation,
                certificate_serials=serials.get(row.id, ()),
                next_salt=row.salt or "",
                next_key_hash=row.next_key_hash or "",
                registration=row.registration,
            )
            keys[row.station_id].append(key)
        return keys

    def _serials(self, station_ids: Collection[str] | None) -> dict[str, tuple[str, ...]]:
        """Return by charger which certificates count; those of before its profile was set do not."""
        is_since = or_(
            chargers.c.profile_set_at.is_(None),
            certificates.c.requested_at >= chargers.c.profile_set_at,
        )
        query = (
            select(certificates.c.charger_id, certificates.c.serial_number, certificates.c.used_at)
            .join(chargers, chargers.c.id == certificates.c.charger_id)
            .where(certificates.c.purpose.in_(LOGIN_PURPOSES), certificates.c.serial_number != "")
            .where(is_since)
            .order_by(
                certificates.c.charger_id,
                certificates.c.requested_at.desc(),
                certificates.c.id.desc(),
            )
        )
        if station_ids is not None:
            query = query.where(chargers.c.station_id.in_(station_ids))
        rows = groupby(self._connection.execute(query), key=lambda row: row.charger_id)
        return {
            charger_id: counting((one.serial_number, one.used_at is not None) for one in group)
            for charger_id, group in rows
        }
