"""The stations' terms of booking: everybody may read them, their owners and administrators set them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cloud.domain.access import Role, Viewer
from cloud.domain.errors import NotAllowed, NotFound, NotValid
from cloud.domain.terms import Terms
from cloud.domain.terms_check import check
from cloud.services.booking_ports import Told
from cloud.services.change_views import Change
from cloud.services.collaborators import Withdrawing
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.publishing import Publisher
from cloud.services.retrying import retried

CHANGED = "terms_changed"
"""What is told in the log of a booking that the new terms took its bay away from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsView:
    """On which terms a station is booked now; a booking keeps those it was made on."""

    station_id: str
    timezone: str
    """Whose hours the opening hours are."""
    terms: Terms
    as_of: datetime


@dataclass(frozen=True, slots=True)
class TermsService:
    """One use case each way."""

    open_work: OpenWork
    clock: Clock
    withdrawing: Withdrawing
    publisher: Publisher

    def get(self, station_id: str) -> TermsView:
        """Return a station's terms.

        Raises:
            NotFound: there is no such station.
        """
        with self.open_work(is_read_only=True) as work:
            return self._view(work, station_id)

    def put(
        self, viewer: Viewer, station_id: str, terms: Terms, *, is_forced: bool = False
    ) -> TermsView:
        """Set a station's terms, whole.

        Args:
            viewer: who asks.
            station_id: whose.
            terms: as they are to be.
            is_forced: also where bookings lose their bay: their drivers are moved, or offered
                something else, and pay nothing.

        Raises:
            NotFound: there is no such station, or it is another owner's.
            NotAllowed: neither an owner nor an administrator.
            NotValid: terms that cannot be kept; the subject is the field.
            BookingsInTheWay: bookings to come would lose their bay, and it is not forced.
        """
        check(terms)
        view, changes = self._put(viewer, station_id, terms, is_forced=is_forced)
        self.publisher.publish(changes)
        return view

    @retried
    def _put(
        self, viewer: Viewer, station_id: str, terms: Terms, *, is_forced: bool
    ) -> tuple[TermsView, Sequence[Change]]:
        now = self.clock.now()
        with self.open_work() as work:
            _refuse_others(work, viewer, station_id)
            _refuse_foreign_bays(work, station_id, terms)
            told = Told(CHANGED, viewer.user_id)
            # stored first: who has to move must not be moved to where nobody may be any more
            work.terms.put(station_id, terms, now)
            changes = self.withdrawing.withdraw(
                work, station_id, terms, told, now, is_forced=is_forced
            )
            view = self._view(work, station_id)
            work.commit()
        return view, changes

    def _view(self, work: UnitOfWork, station_id: str) -> TermsView:
        station = work.stations.by_ids([station_id]).get(station_id)
        if station is None:
            raise NotFound(station_id)
        return TermsView(
            station_id=station_id,
            timezone=station.timezone,
            terms=work.terms.of([station_id])[station_id],
            as_of=self.clock.now(),
        )


def _refuse_others(work: UnitOfWork, viewer: Viewer, station_id: str) -> None:
    if viewer.role not in {Role.OWNER, Role.ADMIN}:
        raise NotAllowed(viewer.role)
    station = work.stations.by_ids([station_id]).get(station_id)
    is_theirs = station is not None and station.owner_id == viewer.user_id
    if station is None or not (viewer.role is Role.ADMIN or is_theirs):
        raise NotFound(station_id)


def _refuse_foreign_bays(work: UnitOfWork, station_id: str, terms: Terms) -> None:
    own = work.bays.equipment_of([station_id]).bays.keys()
    named = {*terms.unbookable_bays, *(one.bay_id for one in terms.blackouts if one.bay_id)}
    foreign = sorted(named - own)
    if foreign:
        raise NotValid("bay_id", f"The station has no bay {foreign[0]}.")
