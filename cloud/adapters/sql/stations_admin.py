"""Stations and chargers as they are set up, in SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.tables import bays, chargers, connectors, sensors, station_links, stations
from cloud.domain.errors import AlreadyExists
from cloud.services.admin_ports import ChargerPlace, ChargerRecord, EvseRecord, StationRecord
from cloud.services.security_ports import Login as ChargerLogin


class SqlStationsAdmin:
    """See StationsAdmin."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def station(self, station_id: str) -> StationRecord | None:
        """See StationsAdmin.station."""
        query = select(stations).where(stations.c.id == station_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _station(row)

    def owned_by(self, user_id: str) -> list[str]:
        """See StationsAdmin.owned_by."""
        query = select(stations.c.id).where(stations.c.owner_id == user_id).order_by(stations.c.id)
        return list(self._connection.execute(query).scalars())

    def add_station(self, station: StationRecord) -> None:
        """See StationsAdmin.add_station."""
        values = {
            "id": station.station_id,
            "name": station.name,
            "operator": station.operator,
            "address": station.address,
            "city": station.city,
            "country": station.country,
            "latitude": station.latitude,
            "longitude": station.longitude,
            "timezone": station.timezone,
            "owner_id": station.owner_id,
            "currency": station.currency,
            "price_per_kwh_minor": station.price_per_kwh_minor,
            "offline_policy": station.offline_policy,
            "max_sessions_per_token": station.max_sessions_per_token,
            "created_at": station.created_at,
        }
        try:
            self._connection.execute(insert(stations).values(**values))
        except IntegrityError as error:
            raise AlreadyExists(station.station_id) from error
        self._connection.execute(insert(station_links).values(station_id=station.station_id))

    def change_station(self, station_id: str, values: Mapping[str, Any]) -> None:
        """See StationsAdmin.change_station."""
        if values:
            self._update_station(station_id, **values)

    def set_agent_key(self, station_id: str, key_hash: str) -> None:
        """See StationsAdmin.set_agent_key."""
        self._update_station(station_id, agent_key_hash=key_hash)

    def agent_logins(self) -> dict[str, str]:
        """See StationsAdmin.agent_logins."""
        query = select(stations.c.id, stations.c.agent_key_hash).order_by(stations.c.id)
        rows = self._connection.execute(query.where(stations.c.agent_key_hash.is_not(None)))
        return {row.id: row.agent_key_hash for row in rows}

    def charger_place(self, charger_id: str) -> ChargerPlace | None:
        """See StationsAdmin.charger_place."""
        query = (
            select(
                chargers.c.id,
                chargers.c.station_id,
                chargers.c.is_connected,
                chargers.c.booted_at,
                stations.c.owner_id,
                station_links.c.heard_at,
            )
            .join(stations, stations.c.id == chargers.c.station_id)
            .join(station_links, station_links.c.station_id == stations.c.id, isouter=True)
            .where(chargers.c.id == charger_id)
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _place(row)

    def add_charger(self, charger: ChargerRecord, now: datetime) -> None:
        """See StationsAdmin.add_charger."""
        values = {
            "id": charger.charger_id,
            "station_id": charger.station_id,
            "security_profile": charger.security_profile,
            "profile_generation": _generation(now),
        }
        self._insert(chargers, [values], charger.charger_id)
        for evse in charger.evses:
            self._insert(bays, [_bay(charger, evse, now)], evse.bay_id)
            self._insert(connectors, _connectors(charger, evse), evse.bay_id)
            self._insert(sensors, _sensors(charger, evse), ", ".join(evse.sensors))

    def set_charger_key(self, charger_id: str, salt: str, key_hash: str) -> None:
        """See StationsAdmin.set_charger_key."""
        statement = update(chargers).where(chargers.c.id == charger_id)
        self._connection.execute(statement.values(key_salt=salt, key_hash=key_hash))

    def set_registration(self, charger_id: str, registration: str) -> None:
        """See StationsAdmin.set_registration."""
        statement = update(chargers).where(chargers.c.id == charger_id)
        self._connection.execute(statement.values(registration=registration))

    def raise_profiles(self, logins: Sequence[ChargerLogin]) -> set[str]:
        """See StationsAdmin.raise_profiles."""
        query = select(
            chargers.c.id,
            chargers.c.station_id,
            chargers.c.security_profile,
            chargers.c.profile_generation,
        ).where(chargers.c.id.in_({one.charger_id for one in logins}))
        held = {row.id: row for row in self._connection.execute(query)}
        risen: dict[str, int] = {}
        for login in logins:
            row = held.get(login.charger_id)
            if row is not None and _is_since(login, row.profile_generation):
                least = risen.get(row.id, row.security_profile)
                risen |= {row.id: max(least, login.security_profile)}
        risen = {one: used for one, used in risen.items() if used > held[one].security_profile}
        for charger_id, used in risen.items():
            statement = update(chargers).where(chargers.c.id == charger_id)
            self._connection.execute(statement.values(security_profile=used))
        return {held[one].station_id for one in risen}

    def set_profile(self, charger_id: str, security_profile: int, by: str, now: datetime) -> None:
        """See StationsAdmin.set_profile."""
        which = chargers.c.id == charger_id
        query = select(chargers.c.profile_generation).where(which)
        before = self._connection.execute(query).scalar_one()
        statement = update(chargers).where(which)
        self._connection.execute(
            statement.values(
                security_profile=security_profile,
                profile_generation=max(before + 1, _generation(now)),
                profile_set_by=by,
                profile_set_at=now,
            )
        )

    def bump_plan(self, station_id: str) -> None:
        """See StationsAdmin.bump_plan."""
        self._update_station(station_id, plan_version=stations.c.plan_version + 1)

    def bump_plans(self) -> None:
        """See StationsAdmin.bump_plans."""
        statement = update(stations).values(plan_version=stations.c.plan_version + 1)
        self._connection.execute(statement)

    def _update_station(self, station_id: str, **values: Any) -> None:
        self._connection.execute(
            update(stations).where(stations.c.id == station_id).values(**values)
        )

    def _insert(self, table: Any, rows: list[dict[str, Any]], subject: str) -> None:
        if not rows:
            return
        try:
            self._connection.execute(insert(table), rows)
        except IntegrityError as error:
            raise AlreadyExists(subject) from error


def _generation(now: datetime) -> int:
    """Name a setting of a profile: one made later is greater, also of a charger that was there before."""
    return int(now.timestamp())


def _is_since(login: ChargerLogin, generation: int) -> bool:
    """Whether a login was held against the profile as it is set now."""
    if login.profile_generation is None:
        return login.at.timestamp() >= generation
    return login.profile_generation >= generation


def _bay(charger: ChargerRecord, evse: EvseRecord, now: datetime) -> dict[str, Any]:
    return {
        "id": evse.bay_id,
        "station_id": charger.station_id,
        "name": evse.bay_name,
        "charger_id": charger.charger_id,
        "evse_id": evse.evse_id,
        "max_power_w": evse.max_power_w,
        "is_accessible": evse.is_accessible,
        "has_sensor": bool(evse.sensors),
        "reason": "Nothing has been heard from this bay yet.",
        "since": now,
        # not yet published: the sweep tells who watches the station
        "changed_version": 1,
    }


def _connectors(charger: ChargerRecord, evse: EvseRecord) -> list[dict[str, Any]]:
    return [
        {
            "charger_id": charger.charger_id,
            "evse_id": evse.evse_id,
            "connector_id": one.connector_id,
            "standard": one.standard,
            "power_type": one.power_type,
            "max_power_w": one.max_power_w,
        }
        for one in evse.connectors
    ]


def _sensors(charger: ChargerRecord, evse: EvseRecord) -> list[dict[str, Any]]:
    return [
        {"station_id": charger.station_id, "id": sensor_id, "bay_id": evse.bay_id}
        for sensor_id in evse.sensors
    ]


def _station(row: Row[*tuple[Any, ...]]) -> StationRecord:
    return StationRecord(
        station_id=row.id,
        name=row.name,
        operator=row.operator,
        address=row.address,
        city=row.city,
        country=row.country,
        latitude=row.latitude,
        longitude=row.longitude,
        timezone=row.timezone,
        owner_id=row.owner_id,
        currency=row.currency,
        price_per_kwh_minor=row.price_per_kwh_minor,
        offline_policy=row.offline_policy,
        max_sessions_per_token=row.max_sessions_per_token,
        created_at=row.created_at,
        plan_version=row.plan_version,
        plan_published_version=row.plan_published_version,
        has_agent_key=row.agent_key_hash is not None,
    )


def _place(row: Row[*tuple[Any, ...]]) -> ChargerPlace:
    return ChargerPlace(
        charger_id=row.id,
        station_id=row.station_id,
        owner_id=row.owner_id,
        is_connected=row.is_connected,
        heard_at=row.heard_at,
        booted_at=row.booted_at,
    )
