"""Which bay a reservation gets, and which flexible ones move aside for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cloud.domain.booking_rules import BookableBay, Desk, Need, Plug, check_bay, fitting
from cloud.domain.errors import BayAlreadyBooked, NotBookable, NotFound
from cloud.domain.packing import Seat, pack
from cloud.domain.reservations import Reservation, Status, Trouble
from cloud.domain.stations import Station
from cloud.domain.windows import Window
from cloud.services.advancing import Advancer
from cloud.services.booking_ports import FoundBay, Told
from cloud.services.change_views import Change
from cloud.services.formats import zone
from cloud.services.ports import UnitOfWork

REPACKED: Final = Told("repacked")
_REACH: Final = timedelta(days=1)
"""Whoever lies farther away is not moved aside."""
_NOT_YET_THERE: Final = frozenset({Status.HELD, Status.BOOKED})


@dataclass(frozen=True, slots=True)
class Site:
    """A station as an ask finds it."""

    station: Station
    desk: Desk
    bays: Mapping[str, BookableBay]

    def fitting(self, window: Window, need: Need) -> list[str]:
        """Return the bays that would do, the best first.

        Raises:
            NotBookable: none would.
        """
        found = fitting(self.desk, window, list(self.bays.values()), need)
        return [bay.bay_id for bay in found]


@dataclass(frozen=True, slots=True)
class Seating:
    """Where a reservation can be, and who has to move for it: (before, after)."""

    bay_id: str
    moved: tuple[tuple[Reservation, Reservation], ...] = ()


def site_of(work: UnitOfWork, station_id: str, now: datetime) -> Site:
    """Return a station with its terms and bays.

    Raises:
        NotFound: there is no such station.
    """
    station = work.stations.by_ids([station_id]).get(station_id)
    if station is None:
        raise NotFound(station_id)
    desk = Desk(work.terms.of([station_id])[station_id], zone(station.timezone), now)
    bays = {one.bay_id: _bookable(one) for one in work.finding.bays([station_id])}
    return Site(station, desk, bays)


def need_of(reservation: Reservation) -> Need:
    """Return what the reservation's car needs of a bay."""
    return Need(standard=reservation.standard, min_power_w=reservation.min_power_w)


def seat(work: UnitOfWork, site: Site, wanted: Reservation, bay_ids: Sequence[str]) -> Seating:
    """Find a bay for a reservation among those that would do; nothing is written.

    Raises:
        BayAlreadyBooked: there is no room, however the others are packed.
    """
    now = site.desk.now
    others = [one for one in _around(work, wanted, now) if one.id != wanted.id]
    reach = _reach(wanted.kept)
    seats = [
        Seat(
            reservation_id=one.id,
            window=one.kept,
            bay_id=one.bay_id,
            bays=_elsewhere(site, one) if is_movable(one, now) and _lies_in(one, reach) else (),
        )
        for one in others
    ]
    ask = Seat(reservation_id=wanted.id, window=wanted.kept, bays=tuple(bay_ids))
    found = pack(ask, seats)
    if found is None:
        raise BayAlreadyBooked(bay_ids[0] if len(bay_ids) == 1 else wanted.station_id)
    by_id = {one.id: one for one in others}
    moved = [(by_id[one], _moved(by_id[one], found[one])) for one in found if one != wanted.id]
    return Seating(found[wanted.id], tuple(moved))


def is_movable(reservation: Reservation, now: datetime) -> bool:
    """Whether another bay of the station would do as well, as far as the driver knows by now."""
    return (
        reservation.is_flexible
        and reservation.status in _NOT_YET_THERE
        and reservation.trouble is Trouble.NONE
        and reservation.fixed_at is not None
        and now < reservation.fixed_at
    )


@dataclass(frozen=True, slots=True)
class Packer:
    """See Binding."""

    advancer: Advancer

    def bind(self, work: UnitOfWork, reservation: Reservation, now: datetime) -> Sequence[Change]:
        """See Binding.bind. It stays where it is unless that bay would not be given to anybody now."""
        is_due = reservation.fixed_at is not None and now >= reservation.fixed_at
        if not (reservation.is_flexible and is_due and reservation.status in _NOT_YET_THERE):
            return ()
        seating = self._seating(work, reservation, now)
        bound = replace(_moved(reservation, seating.bay_id), is_flexible=False)
        told = Told("bound", note=seating.bay_id)
        if seating.bay_id == reservation.bay_id:
            work.reservations.put(bound, told, now)
        else:
            work.reservations.rebook([(reservation, bound), *seating.moved], told, now, REPACKED)
        return self.advancer.follow(work, [(reservation, bound), *seating.moved], now)

    def _seating(self, work: UnitOfWork, reservation: Reservation, now: datetime) -> Seating:
        site = site_of(work, reservation.station_id, now)
        need, window = need_of(reservation), reservation.window
        bay = site.bays.get(reservation.bay_id)
        if bay is not None and _would_do(site, window, bay, need):
            return Seating(bay.bay_id)
        try:
            return seat(work, site, reservation, site.fitting(window, need))
        except (NotBookable, BayAlreadyBooked):
            # nothing better: keeping.py sees to it, as to every bay in trouble
            return Seating(reservation.bay_id)


def _would_do(site: Site, window: Window, bay: BookableBay, need: Need) -> bool:
    try:
        check_bay(site.desk, window, bay, need)
    except NotBookable:
        return False
    return True


def _bookable(bay: FoundBay) -> BookableBay:
    """Return a bay as bookings see it; a plug that names no power has its bay's."""
    plugs = tuple(Plug(one.standard, one.max_power_w or bay.max_power_w) for one in bay.plugs)
    return BookableBay(
        bay_id=bay.bay_id,
        station_id=bay.station_id,
        name=bay.name,
        status=bay.status,
        plugs=plugs or (Plug("", bay.max_power_w),),
    )


def _around(work: UnitOfWork, wanted: Reservation, now: datetime) -> list[Reservation]:
    """Return who overlaps the reservation, or one that could move aside for it, and so on."""
    reach, within = _reach(wanted.kept), wanted.kept
    while True:
        found = work.reservations.live_within(wanted.station_id, within)
        spans = [one.kept for one in found if is_movable(one, now) and _lies_in(one, reach)]
        wider = Window(
            min([within.starts_at, *(one.starts_at for one in spans)]),
            max([within.ends_at, *(one.ends_at for one in spans)]),
        )
        if wider == within:
            return found
        within = wider


def _reach(window: Window) -> Window:
    return Window(window.starts_at - _REACH, window.ends_at + _REACH)


def _lies_in(reservation: Reservation, reach: Window) -> bool:
    kept = reservation.kept
    return reach.starts_at <= kept.starts_at and kept.ends_at <= reach.ends_at


def _elsewhere(site: Site, reservation: Reservation) -> tuple[str, ...]:
    try:
        return tuple(site.fitting(reservation.window, need_of(reservation)))
    except NotBookable:
        return ()


def _moved(reservation: Reservation, bay_id: str) -> Reservation:
    version = reservation.changed_version + 1
    return replace(reservation, bay_id=bay_id, changed_version=version)
