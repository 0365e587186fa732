"""Bookings whose bay, or time, the owner takes away: refused, or their drivers are seen to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cloud.domain.booking_rules import Desk
from cloud.domain.calendar import closed
from cloud.domain.errors import BayAlreadyBooked, BookingsInTheWay, NotBookable
from cloud.domain.reservations import Happening, Reservation, Status, Trouble
from cloud.domain.terms import Terms
from cloud.domain.windows import Window
from cloud.services.advancing import Advancer
from cloud.services.booking_ports import Told
from cloud.services.change_views import Change
from cloud.services.packing import REPACKED, Site, is_movable, need_of, seat, site_of
from cloud.services.ports import UnitOfWork

_EVER: Final = timedelta(days=800)
"""No booking is farther ahead."""


@dataclass(frozen=True, slots=True)
class Withdrawals:
    """See Withdrawing."""

    advancer: Advancer

    def withdraw(
        self,
        work: UnitOfWork,
        station_id: str,
        terms: Terms,
        told: Told,
        now: datetime,
        *,
        is_forced: bool,
    ) -> Sequence[Change]:
        """See Withdrawing.withdraw.

        Flexible bookings are moved to another bay first, which nobody notices. A station that takes
        no more bookings keeps those it has.
        """
        site = site_of(work, station_id, now)
        after = replace(terms, is_bookable=True)
        site = Site(site.station, Desk(after, site.desk.zone, now), site.bays)
        changes: list[Change] = []
        homeless: list[Reservation] = []
        for one in _homeless(work, site):
            moved = self._moved(work, site, one)
            changes += moved or ()
            if moved is None:
                homeless.append(one)
        if homeless and not is_forced:
            raise BookingsInTheWay(
                station_id,
                f"{len(homeless)} bookings in this time would lose their bay.",
                [one.id for one in homeless],
            )
        for one in homeless:
            changes += self._take_away(work, one, told, now)
        return changes

    def _moved(self, work: UnitOfWork, site: Site, one: Reservation) -> list[Change] | None:
        """Move a flexible booking to a bay that is left; None: it cannot be moved."""
        now = site.desk.now
        if not is_movable(one, now):
            return None
        try:
            others = site.fitting(one.window, need_of(one))
            seating = seat(work, site, one, [bay for bay in others if _is_open(site, bay, one)])
        except (NotBookable, BayAlreadyBooked):
            return None
        version = one.changed_version + 1
        pair = (one, replace(one, bay_id=seating.bay_id, changed_version=version))
        work.reservations.rebook([pair, *seating.moved], REPACKED, now)
        return self.advancer.follow(work, [pair, *seating.moved], now, is_repacked=True)

    def _take_away(
        self, work: UnitOfWork, one: Reservation, told: Told, now: datetime
    ) -> Sequence[Change]:
        if one.status is Status.HELD:
            return self.advancer.advance(work, one, Happening.CANCELED_BY_OPERATOR, told, now)
        in_trouble = replace(
            one,
            trouble=Trouble.WITHDRAWN,
            trouble_at=now,
            changed_version=one.changed_version + 1,
        )
        work.reservations.put(in_trouble, told, now)
        return self.advancer.follow(work, [(one, in_trouble)], now)


def _homeless(work: UnitOfWork, site: Site) -> list[Reservation]:
    """Return the bookings to come that the terms leave no place for where they are."""
    now = site.desk.now
    found = work.reservations.live_within(site.station.id, Window(now, now + _EVER))
    return [
        one
        for one in found
        if one.status in {Status.HELD, Status.BOOKED}
        and one.trouble is not Trouble.WITHDRAWN
        and one.ends_at > now
        and not _is_open(site, one.bay_id, one)
    ]


def _is_open(site: Site, bay_id: str, reservation: Reservation) -> bool:
    """Whether the terms leave the bay to what is still to come of a reservation's window."""
    to_come = Window(max(reservation.starts_at, site.desk.now), reservation.ends_at)
    return not closed(bay_id, site.desk.terms, site.desk.zone, to_come)
