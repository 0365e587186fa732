"""Tariffs: made and changed in versions, assigned to stations, and worked through by example.

A change is a new version, and the stations that charge by the tariff go over to it: from then on it
counts for whoever starts or books anew. What was started or held before keeps the version it has.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4
from zoneinfo import available_timezones

from cloud.domain.access import Role, Viewer
from cloud.domain.billing import gross_of, net_of, simple_id
from cloud.domain.errors import NotAllowed, NotFound, NotValid
from cloud.domain.stations import Station
from cloud.domain.tariff_data import data_of, tariff_of
from cloud.domain.tariffs import Tariff
from cloud.domain.worked_examples import Used, lines_of, sentence
from cloud.services.bill_views import LineView, TaxView, line_view, tax_views
from cloud.services.formats import zone
from cloud.services.idempotency import Once, do_once
from cloud.services.money_ports import TariffVersion
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.retrying import retried
from cloud.services.shelf import TariffShelf

MOST_TARIFFS: Final = 200
"""An owner's, or the house's own."""
MOST_EXAMPLE_S: Final = 48 * 3600
MOST_EXAMPLE_WH: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTariff:
    """What is asked for."""

    name: str
    currency: str
    body: Mapping[str, Any]
    owner_id: str | None = None
    """Of whom it is, where an administrator asks; null: the house's, for every station."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffView:
    """A tariff in its newest version."""

    key: str
    tariff_id: str
    """Of this version: what is started or booked under it keeps it."""
    version: int
    owner_id: str | None
    name: str
    currency: str
    body: dict[str, Any]
    """`tax_included`, `min_price`, `max_price`, `elements`: OCPI 2.3.0's Tariff."""
    stations: list[str]
    """Which charge by it."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffList:
    """Tariffs, by name."""

    tariffs: list[TariffView]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleView:
    """A charge that is made up, and what it costs; amounts in minor units."""

    sentence: str
    """`30 kWh, 45 min + 20 min parked = 14.10 GBP`."""
    currency: str
    lines: list[LineView]
    taxes: list[TaxView]
    net_minor: int
    tax_minor: int
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StationTariffView:
    """What charging costs at a station, to everybody."""

    station_id: str
    tariff_id: str
    name: str
    """Empty where the station has but a price by the kilowatt-hour."""
    currency: str
    timezone: str
    """Whose times of day the restrictions mean."""
    body: dict[str, Any]
    example: ExampleView


def _new_id() -> str:
    return uuid4().hex


@dataclass(frozen=True, slots=True)
class TariffService:
    """Owners make and assign their own, administrators all; everybody may read a station's."""

    open_work: OpenWork
    clock: Clock
    shelf: TariffShelf
    new_id: Callable[[], str] = field(default=_new_id)

    def list(self, viewer: Viewer) -> TariffList:
        """Return the newest versions: of an owner's own tariffs, for staff of all."""
        owner_id = None if viewer.is_staff else viewer.user_id
        with self.open_work(is_read_only=True) as work:
            found = work.tariffs.all_newest(owner_id)
            views = [_view(work, one) for one in found]
        return TariffList(tariffs=views)

    def get(self, viewer: Viewer, key: str) -> TariffView:
        """Return a tariff's newest version.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
        """
        with self.open_work(is_read_only=True) as work:
            found = work.tariffs.newest(key)
            if found is None or not viewer.may_watch(found.owner_id):
                raise NotFound(key)
            return _view(work, found)

    @retried
    def add(self, viewer: Viewer, new: NewTariff, once: Once | None = None) -> TariffView:
        """Store a new tariff; no station charges by it yet.

        Raises:
            NotValid: the tariff cannot be, the detail names the field; or the owner is none.
        """
        owner_id = _owner_of(viewer, new.owner_id)
        body = data_of(tariff_of(new.body, new.currency))
        key = self.new_id()

        def add() -> TariffView:
            _check_owner(work, owner_id)
            known = work.tariffs.all_newest(owner_id)
            if sum(one.owner_id == owner_id for one in known) >= MOST_TARIFFS:
                raise NotValid("tariffs", f"There are {MOST_TARIFFS} tariffs: change one of them.")
            made = TariffVersion(
                id=self.new_id(),
                key=key,
                version=1,
                owner_id=owner_id,
                name=new.name,
                currency=new.currency,
                body=body,
                created_at=self.clock.now(),
            )
            work.tariffs.add(made)
            return _view(work, made)

        with self.open_work() as work:
            view = do_once(work, once, self.clock.now(), add, TariffView)
            work.commit()
        return view

    @retried
    def change(
        self, viewer: Viewer, key: str, name: str, body: Mapping[str, Any], once: Once | None = None
    ) -> TariffView:
        """Store a new version, to which the stations that charge by the tariff go over.

        Raises:
            NotFound: there is none, or it is not the viewer's.
            NotValid: the tariff cannot be; the detail names the field.
        """

        def change() -> TariffView:
            before = work.tariffs.newest(key)
            if before is None or not _may_change(viewer, before.owner_id):
                raise NotFound(key)
            after = replace(
                before,
                id=self.new_id(),
                version=before.version + 1,
                name=name,
                body=data_of(tariff_of(body, before.currency)),
                created_at=self.clock.now(),
            )
            stations = work.tariffs.stations_with(key)
            work.tariffs.add(after)
            for station_id in stations:
                work.tariffs.assign(station_id, after.id)
                work.stations_admin.bump_plan(station_id)
            return _view(work, after)

        with self.open_work() as work:
            view = do_once(work, once, self.clock.now(), change, TariffView)
            work.commit()
        return view

    @retried
    def assign(self, viewer: Viewer, station_id: str, key: str | None) -> StationTariffView:
        """Have a station charge by a tariff from now on; null: by its price alone.

        What is running and what is booked stays as it was agreed on.

        Raises:
            NotFound: there is no such station or tariff, or it is not the viewer's.
            NotValid: the tariff is of another currency or another owner than the station.
        """
        with self.open_work() as work:
            station = work.stations.by_ids([station_id]).get(station_id)
            if station is None or not _may_change(viewer, station.owner_id):
                raise NotFound(station_id)
            tariff_id = None if key is None else _fitting(work, station, key).id
            work.tariffs.assign(station_id, tariff_id)
            work.stations_admin.bump_plan(station_id)
            view = self._of_station(work, replace(station, tariff_id=tariff_id))
            work.commit()
        return view

    def of_station(self, station_id: str) -> StationTariffView:
        """Return what charging costs at a station, to anybody.

        Raises:
            NotFound: there is no such station.
        """
        with self.open_work(is_read_only=True) as work:
            station = work.stations.by_ids([station_id]).get(station_id)
            if station is None:
                raise NotFound(station_id)
            return self._of_station(work, station)

    def example(
        self, currency: str, body: Mapping[str, Any], used: Used, timezone: str
    ) -> ExampleView:
        """Return what a charge would cost by a tariff that need not be stored.

        Raises:
            NotValid: the tariff or the zone cannot be; the detail names the field.
        """
        if timezone not in available_timezones():
            raise NotValid("timezone", "This is not a time zone, as in Europe/London.")
        return example_view(tariff_of(body, currency), used, timezone)

    def _of_station(self, work: UnitOfWork, station: Station) -> StationTariffView:
        tariff_id = station.tariff_id
        name = "" if tariff_id is None else work.tariffs.by_ids([tariff_id])[tariff_id].name
        tariff_id = tariff_id or simple_id(station.currency, station.price_per_kwh_minor)
        tariff = self.shelf.by_ids(work, [tariff_id])[tariff_id]
        return StationTariffView(
            station_id=station.id,
            tariff_id=tariff_id,
            name=name,
            currency=station.currency,
            timezone=station.timezone,
            body=data_of(tariff),
            example=example_view(tariff, _usual(self.clock.now()), station.timezone),
        )


def example_view(tariff: Tariff, used: Used, timezone: str) -> ExampleView:
    """Return what a charge costs, worked through."""
    lines = lines_of(tariff, used, zone(timezone))
    net_minor, total_minor = net_of(lines), gross_of(lines)
    return ExampleView(
        sentence=sentence(tariff, used, zone(timezone)),
        currency=tariff.currency,
        lines=[line_view(one) for one in lines],
        taxes=tax_views(lines),
        net_minor=net_minor,
        tax_minor=total_minor - net_minor,
        total_minor=total_minor,
    )


def _usual(now: datetime) -> Used:
    """Return the charge every station's price is shown by, so that they can be compared."""
    starts_at = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return Used(starts_at=starts_at, energy_wh=30_000, charging_s=45 * 60, parked_s=20 * 60)


def _view(work: UnitOfWork, version: TariffVersion) -> TariffView:
    return TariffView(
        key=version.key,
        tariff_id=version.id,
        version=version.version,
        owner_id=version.owner_id,
        name=version.name,
        currency=version.currency,
        body=dict(version.body),
        stations=work.tariffs.stations_with(version.key),
        created_at=version.created_at,
    )


def _fitting(work: UnitOfWork, station: Station, key: str) -> TariffVersion:
    version = work.tariffs.newest(key)
    if version is None or version.owner_id not in {None, station.owner_id}:
        raise NotFound(key)
    if version.currency != station.currency:
        raise NotValid("currency", f"The tariff is in {version.currency}, the station in another.")
    return version


def _owner_of(viewer: Viewer, asked: str | None) -> str | None:
    if viewer.role is Role.ADMIN:
        return asked
    if viewer.role is not Role.OWNER or asked not in {None, viewer.user_id}:
        raise NotAllowed(viewer.user_id)
    return viewer.user_id


def _check_owner(work: UnitOfWork, owner_id: str | None) -> None:
    if owner_id is None:
        return
    owner = work.accounts.by_id(owner_id)
    if owner is None or owner.role is not Role.OWNER:
        raise NotValid("owner_id", "There is no owner with this id.")


def _may_change(viewer: Viewer, owner_id: str | None) -> bool:
    is_own = viewer.role is Role.OWNER and owner_id == viewer.user_id
    return viewer.role is Role.ADMIN or is_own
