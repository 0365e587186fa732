"""Setting up stations, their chargers and keys. Each change reaches the station by its plan."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import available_timezones

import structlog

from cloud.domain.access import Role, Viewer
from cloud.domain.errors import NotAllowed, NotFound, NotValid
from cloud.services.admin_ports import BrokerUsers, ChargerRecord, EvseRecord, StationRecord
from cloud.services.idempotency import Once, do_once
from cloud.services.key_rotations import abandon
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.retrying import retried
from contracts.ids import is_identity, is_slug
from contracts.keys import hash_key, new_key, new_salt
from contracts.plan import OfflinePolicy, Registration
from contracts.topics import NO_STATIONS

log = structlog.get_logger(__name__)

_PROFILES: Final = 4

STANDARDS: Final = frozenset(
    {
        *("CHADEMO", "CHAOJI", "IEC_62196_T1", "IEC_62196_T1_COMBO", "IEC_62196_T2"),
        *("IEC_62196_T2_COMBO", "IEC_62196_T3A", "IEC_62196_T3C", "IEC_60309_2_single_16"),
        *("IEC_60309_2_three_16", "IEC_60309_2_three_32", "IEC_60309_2_three_64"),
        *("GBT_AC", "GBT_DC", "NEMA_5_20", "NEMA_6_30", "NEMA_6_50", "NEMA_10_30", "NEMA_10_50"),
        *("NEMA_14_30", "NEMA_14_50", "DOMESTIC_A", "DOMESTIC_B", "DOMESTIC_C", "DOMESTIC_D"),
        *("DOMESTIC_E", "DOMESTIC_F", "DOMESTIC_G", "DOMESTIC_H", "DOMESTIC_I", "DOMESTIC_J"),
        *("DOMESTIC_K", "DOMESTIC_L", "DOMESTIC_M", "DOMESTIC_N", "DOMESTIC_O"),
        *("PANTOGRAPH_BOTTOM_UP", "PANTOGRAPH_TOP_DOWN", "SAE_J3400", "TESLA_R", "TESLA_S"),
        *("MCS",),
    }
)
"""OCPI 2.3.0 ConnectorType."""

RESERVED_LOGINS: Final = frozenset({"cloud", "sensors", "admin", "root"})
"""Names at the broker that are not agents'."""

POWER_TYPES: Final = frozenset({"AC_1_PHASE", "AC_2_PHASE", "AC_2_PHASE_SPLIT", "AC_3_PHASE", "DC"})
"""OCPI 2.3.0 PowerType."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyShown:
    """A new key: told now and never again."""

    subject: str
    """The station's id, or the charger's."""
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationView:
    """How a charger is answered when it introduces itself."""

    charger_id: str
    registration: Registration


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityProfileView:
    """By how much a charger must prove itself from now on, and who said so."""

    charger_id: str
    security_profile: int
    set_by: str
    set_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerMade:
    """A new charger with the key it logs in by: told now and never again."""

    charger: ChargerRecord
    key: str


@dataclass(frozen=True, slots=True)
class StationAdminService:
    """The use cases of setting up; administrators' all."""

    open_work: OpenWork
    broker_users: BrokerUsers
    clock: Clock

    def get_station(self, viewer: Viewer, station_id: str) -> StationRecord:
        """Return a station as set up: to administrators, and to its owner.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
        """
        with self.open_work(is_read_only=True) as work:
            station = work.stations_admin.station(station_id)
        is_own = station is not None and station.owner_id == viewer.user_id
        if station is None or not (viewer.role is Role.ADMIN or is_own):
            raise NotFound(station_id)
        return station

    def owned_by(self, viewer: Viewer) -> list[str]:
        """Return the ids of the viewer's stations."""
        with self.open_work(is_read_only=True) as work:
            return work.stations_admin.owned_by(viewer.user_id)

    @retried
    def add_station(
        self, viewer: Viewer, station: StationRecord, once: Once | None = None
    ) -> StationRecord:
        """Store a new station; `created_at` is set here.

        Raises:
            NotAllowed: the viewer is no administrator.
            AlreadyExists: the id is taken.
            NotValid: the owner is none, or a value cannot be.
        """
        _demand_admin(viewer)
        now = self.clock.now()

        def add() -> StationRecord:
            _check_owner(work, station.owner_id)
            work.stations_admin.add_station(made)
            return made

        _check_id(station.station_id)
        _check_station(station)
        made = replace(station, created_at=now)
        with self.open_work() as work:
            answer = do_once(work, once, now, add, StationRecord)
            work.commit()
        return answer

    @retried
    def change_station(
        self, viewer: Viewer, station_id: str, values: Mapping[str, Any]
    ) -> StationRecord:
        """Store changed columns, named as in StationRecord.

        Raises:
            NotAllowed: the viewer is no administrator.
            NotFound: there is no such station.
            NotValid: the owner is none, or a value cannot be.
        """
        _demand_admin(viewer)
        with self.open_work() as work:
            before = work.stations_admin.station(station_id)
            if before is None:
                raise NotFound(station_id)
            after = replace(before, **values)
            _check_station(after)
            _check_owner(work, after.owner_id)
            work.stations_admin.change_station(station_id, values)
            if _orders_of(after) != _orders_of(before):
                work.stations_admin.bump_plan(station_id)
            changed = work.stations_admin.station(station_id)
            work.commit()
        return changed or after

    def renew_agent_key(
        self, viewer: Viewer, station_id: str, once: Once | None = None
    ) -> KeyShown:
        """Give the station's agent a new key for the broker; the old one is of no use any more.

        Raises:
            NotAllowed: the viewer is no administrator.
            NotFound: there is no such station.
        """
        _demand_admin(viewer)
        shown = self._renew_agent_key(station_id, once)
        self.broker_users.changed()
        return shown

    @retried
    def _renew_agent_key(self, station_id: str, once: Once | None) -> KeyShown:
        def renew() -> KeyShown:
            key = new_key()
            work.stations_admin.set_agent_key(station_id, self.broker_users.hash(key))
            return KeyShown(subject=station_id, key=key)

        with self.open_work() as work:
            if work.stations_admin.station(station_id) is None:
                raise NotFound(station_id)
            shown = do_once(work, once, self.clock.now(), renew, KeyShown)
            work.commit()
        return shown

    def agent_logins(self) -> dict[str, str]:
        """Return the key hash of every agent that has one, for the broker's files."""
        with self.open_work(is_read_only=True) as work:
            return work.stations_admin.agent_logins()

    @retried
    def add_charger(
        self, viewer: Viewer, charger: ChargerRecord, once: Once | None = None
    ) -> ChargerMade:
        """Store a new charger with its bays, plugs and sensors, and show its key.

        Raises:
            NotAllowed: the viewer is no administrator.
            NotFound: there is no such station.
            AlreadyExists: the charger, a bay or a sensor is there already.
            NotValid: an id or a word cannot be, or is there twice.
        """
        _demand_admin(viewer)
        _check_charger(charger)
        now = self.clock.now()

        def add() -> ChargerMade:
            work.stations_admin.add_charger(charger, now)
            key = self._renew_charger_key(work, charger.charger_id)
            work.stations_admin.bump_plan(charger.station_id)
            return ChargerMade(charger=charger, key=key)

        with self.open_work() as work:
            if work.stations_admin.station(charger.station_id) is None:
                raise NotFound(charger.station_id)
            made = do_once(work, once, now, add, ChargerMade)
            work.commit()
        return made

    @retried
    def renew_charger_key(
        self, viewer: Viewer, charger_id: str, once: Once | None = None
    ) -> KeyShown:
        """Give a charger a new key; the old one is of no use as soon as the plan arrives.

        Raises:
            NotAllowed: the viewer is no administrator.
            NotFound: there is no such charger.
        """
        _demand_admin(viewer)

        def renew() -> KeyShown:
            place = work.stations_admin.charger_place(charger_id)
            if place is None:
                raise NotFound(charger_id)
            key = self._renew_charger_key(work, charger_id)
            abandon(work, charger_id, self.clock.now())
            work.stations_admin.bump_plan(place.station_id)
            return KeyShown(subject=charger_id, key=key)

        with self.open_work() as work:
            shown = do_once(work, once, self.clock.now(), renew, KeyShown)
            work.commit()
        return shown

    @retried
    def set_registration(
        self, viewer: Viewer, charger_id: str, registration: Registration
    ) -> RegistrationView:
        """Say how a charger is answered when it introduces itself next (OCPP 2.0.1 B01 to B03).

        Raises:
            NotAllowed: the viewer is no administrator.
            NotFound: there is no such charger.
        """
        _demand_admin(viewer)
        with self.open_work() as work:
            place = work.stations_admin.charger_place(charger_id)
            if place is None:
                raise NotFound(charger_id)
            work.stations_admin.set_registration(charger_id, registration)
            work.stations_admin.bump_plan(place.station_id)
            work.commit()
        return RegistrationView(charger_id=charger_id, registration=registration)

    @retried
    def set_security_profile(
        self, viewer: Viewer, charger_id: str, security_profile: int
    ) -> SecurityProfileView:
        """Let a charger come by this profile, though it came by a higher one before (FAULTS S03).

        For a box that took another's place, or was set back: by itself a profile only rises.

        Raises:
            NotAllowed: the viewer is no administrator.
            NotFound: there is no such charger.
            NotValid: there is no such profile.
        """
        _demand_admin(viewer)
        if security_profile not in range(_PROFILES):
            raise NotValid("security_profile", "Security profiles are 0 to 3.")
        now = self.clock.now()
        with self.open_work() as work:
            place = work.stations_admin.charger_place(charger_id)
            if place is None:
                raise NotFound(charger_id)
            work.stations_admin.set_profile(charger_id, security_profile, viewer.user_id, now)
            work.stations_admin.bump_plan(place.station_id)
            work.commit()
        view = SecurityProfileView(
            charger_id=charger_id,
            security_profile=security_profile,
            set_by=viewer.user_id,
            set_at=now,
        )
        log.info("charger.security_profile_set", **asdict(view))
        return view

    def _renew_charger_key(self, work: UnitOfWork, charger_id: str) -> str:
        key, salt = new_key(), new_salt()
        work.stations_admin.set_charger_key(charger_id, salt, hash_key(salt, key))
        return key


def _demand_admin(viewer: Viewer) -> None:
    if viewer.role is not Role.ADMIN:
        raise NotAllowed(viewer.user_id)


def _check_owner(work: UnitOfWork, owner_id: str | None) -> None:
    if owner_id is None:
        return
    owner = work.accounts.by_id(owner_id)
    if owner is None or owner.role is not Role.OWNER:
        raise NotValid("owner_id", "There is no owner with this id.")


def _check_id(station_id: str) -> None:
    if not is_slug(station_id):
        raise NotValid("station_id", "A station's id is lower case letters, digits, - and _.")
    # an agent logs in by its station's id
    if station_id in NO_STATIONS | RESERVED_LOGINS:
        raise NotValid("station_id", "This id is kept for the house itself.")


def _orders_of(station: StationRecord) -> tuple[object, ...]:
    """Return what its plan says of the station itself."""
    return (
        station.offline_policy,
        station.max_sessions_per_token,
        station.currency,
        station.price_per_kwh_minor,
    )


def _check_station(station: StationRecord) -> None:
    if station.timezone not in available_timezones():
        raise NotValid("timezone", "This is not a time zone, as in Europe/London.")
    if station.offline_policy not in set(OfflinePolicy):
        raise NotValid("offline_policy", "The offline policy is `refuse` or `accept`.")


def _check_charger(charger: ChargerRecord) -> None:
    if not is_identity(charger.charger_id):
        raise NotValid("charger_id", "This cannot be an OCPP identity (identifierString, 48).")
    _refuse_twice("evse_id", [evse.evse_id for evse in charger.evses])
    _refuse_twice("bay_id", [evse.bay_id for evse in charger.evses])
    _refuse_twice("sensors", [sensor for evse in charger.evses for sensor in evse.sensors])
    for evse in charger.evses:
        _check_evse(evse)


def _check_evse(evse: EvseRecord) -> None:
    if not is_slug(evse.bay_id):
        raise NotValid("bay_id", "A bay's id is lower case letters, digits, - and _.")
    _refuse_twice("connector_id", [one.connector_id for one in evse.connectors])
    for connector in evse.connectors:
        if connector.standard not in STANDARDS:
            raise NotValid("standard", "This is not an OCPI ConnectorType.")
        if connector.power_type not in POWER_TYPES:
            raise NotValid("power_type", "This is not an OCPI PowerType.")


def _refuse_twice(field: str, values: Sequence[object]) -> None:
    if any(count > 1 for count in Counter(values).values()):
        raise NotValid(field, f"The same {field} is there twice.")
