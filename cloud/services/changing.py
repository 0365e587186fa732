"""Another window, or another bay, for a reservation that is there.

What it costs is quoted anew by the tariff it was made under. The payment's authorisation stays as it
is: what the stay comes to in the end is settled then, as for every reservation, and what exceeds the
authorisation is charged beside it. So a change never waits for a bank, and money moves once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from cloud.domain.booking_rules import (
    BookableBay,
    Desk,
    check_bay,
    check_move,
    check_window,
)
from cloud.domain.errors import BayAlreadyBooked, IllegalTransition, NotBookable
from cloud.domain.reservations import HERE, Reservation, Trouble
from cloud.domain.terms import from_plain
from cloud.domain.windows import Window
from cloud.services.admission import Admission
from cloud.services.advancing import Advancer
from cloud.services.booking_ports import Told
from cloud.services.change_views import Change
from cloud.services.collaborators import Quoting
from cloud.services.holding import Draft, Overtaken, fixed_at_of, quote_of
from cloud.services.packing import REPACKED, Seating, Site, is_movable, need_of, seat, site_of
from cloud.services.ports import UnitOfWork

_FREE: Final = "AVAILABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTimes:
    """What is to change; null: as it is. A new start without an end keeps the duration."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    bay_id: str | None = None

    def window_of(self, reservation: Reservation) -> Window:
        """Return the window that is asked for."""
        starts_at = self.starts_at or reservation.starts_at
        if self.ends_at is not None:
            return Window(starts_at, self.ends_at)
        if self.starts_at is not None:
            return Window(starts_at, starts_at + reservation.window.duration)
        return reservation.window


@dataclass(frozen=True, slots=True, kw_only=True)
class Changer:
    """Changes reservations within the caller's transaction."""

    quoting: Quoting
    advancer: Advancer
    admission: Admission = field(default_factory=Admission)

    def draft(self, work: UnitOfWork, before: Reservation, new: NewTimes, now: datetime) -> Draft:
        """Check what is asked for; returns the reservation as it would be, and the bays for it.

        Raises:
            IllegalTransition: it stands where nothing, or not this, can be changed.
            NotBookable: it does not fit the station's terms.
        """
        site = site_of(work, before.station_id, now)
        window = new.window_of(before)
        if window == before.window and new.bay_id in {None, before.bay_id}:
            raise NotBookable("starts_at", "Say what is to change: starts_at, ends_at or bay_id.")
        # refunds go by the terms it was made under, times and bays by those of today
        check_move(Desk(from_plain(before.terms), site.desk.zone, now), before, window)
        check_window(site.desk, window, is_begun=window.starts_at == before.starts_at)
        bay_ids = _bays_for(site, before, window, new.bay_id)
        is_flexible = before.is_flexible and new.bay_id is None
        after = replace(
            before,
            starts_at=window.starts_at,
            ends_at=window.ends_at,
            buffer_s=site.desk.terms.buffer_s,
            bay_id=bay_ids[0],
            is_flexible=is_flexible,
            fixed_at=fixed_at_of(site.desk.terms, window.starts_at) if is_flexible else None,
            changed_version=before.changed_version + 1,
        )
        return Draft(site, after, bay_ids)

    def change(
        self, work: UnitOfWork, before: Reservation, draft: Draft, now: datetime
    ) -> tuple[Reservation, Sequence[Change]]:
        """Give a reservation the window or bay that was checked, all or nothing.

        Raises:
            BayAlreadyBooked: it is taken; the transaction must be left.
            BookedElsewhere: the driver has another station at this time.
            Overtaken: somebody was faster, but another bay may do.
        """
        seating = seat(work, draft.site, draft.wanted, draft.bay_ids)
        if draft.wanted.window != before.window:
            self.admission.admit(work, draft.wanted, draft.site.station)
        after = self._requoted(work, replace(draft.wanted, bay_id=seating.bay_id), now)
        if after.bay_id != before.bay_id:
            after = replace(after, trouble=Trouble.NONE, trouble_at=None)
        told = Told(_word(before, after), before.user_id, _note(before))
        try:
            work.reservations.rebook([(before, after), *seating.moved], told, now, REPACKED)
        except BayAlreadyBooked as taken:
            if len(draft.bay_ids) == 1 and not seating.moved:
                raise
            raise Overtaken(taken.detail) from taken
        return after, self._follow(work, (before, after), seating, now)

    def _requoted(self, work: UnitOfWork, after: Reservation, now: datetime) -> Reservation:
        return replace(after, quote=quote_of(self.quoting.quote(work, after, now)))

    def _follow(
        self,
        work: UnitOfWork,
        pair: tuple[Reservation, Reservation],
        seating: Seating,
        now: datetime,
    ) -> list[Change]:
        return [
            *self.advancer.follow(work, seating.moved, now, is_repacked=True),
            *self.advancer.follow(work, [pair], now),
        ]


def _bays_for(site: Site, before: Reservation, window: Window, bay_id: str | None) -> Sequence[str]:
    if bay_id is None and is_movable(before, site.desk.now):
        others = site.fitting(window, need_of(before))
        # the one it has comes first, so that nothing moves without need
        return sorted(others, key=lambda one: one != before.bay_id)
    wanted = bay_id or before.bay_id
    if wanted != before.bay_id and before.status in HERE:
        raise IllegalTransition(before.id, "You have arrived: the bay stays as it is.")
    bay = site.bays.get(wanted)
    if bay is None:
        raise NotBookable("bay_id", "There is no such bay at this station.")
    if wanted == before.bay_id and window.starts_at == before.starts_at:
        # who stands there now may be the driver; what is broken is keeping.py's to see to
        bay = _as_if_free(bay)
    check_bay(site.desk, window, bay, need_of(before))
    return [wanted]


def _as_if_free(bay: BookableBay) -> BookableBay:
    return replace(bay, status=_FREE)


def _word(before: Reservation, after: Reservation) -> str:
    if (after.starts_at, after.bay_id) != (before.starts_at, before.bay_id):
        return "moved"
    return "extended" if after.ends_at > before.ends_at else "shortened"


def _note(before: Reservation) -> str:
    return f"{before.bay_id} {before.starts_at.isoformat()} {before.ends_at.isoformat()}"
