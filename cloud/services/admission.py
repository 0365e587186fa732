"""Whether a driver may have one more reservation, beside all they have at any station."""

from dataclasses import dataclass, field

from cloud.domain.access import Viewer
from cloud.domain.driver_limits import Limits, check_number, check_places
from cloud.domain.reservations import Reservation
from cloud.domain.stations import Station
from cloud.domain.terms import Terms
from cloud.services.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class Admission:
    """Admits reservations that are new, or come to be at another time or place.

    Staff and, at their own stations, owners are not limited: they book for others.
    """

    limits: Limits = field(default_factory=Limits)

    def admit(
        self, work: UnitOfWork, wanted: Reservation, station: Station, terms: Terms | None = None
    ) -> None:
        """Take the driver's turn, before anything else is written.

        Args:
            work: the caller's transaction.
            wanted: the reservation as it would be.
            station: where.
            terms: the station's, for one that is new; null: it is counted already.

        Raises:
            TooManyInAll: the driver has as many as one may.
            BookedElsewhere: they have another station at this time.
            TransactionLost: they book something else at the same moment: look again.
        """
        if _books_for_others(work, wanted.user_id, station):
            return
        # read first: whoever comes between is seen below, or changes the turn
        turn = work.driver_turns.of(wanted.user_id)
        live = work.reservations.live_of(wanted.user_id)
        others = [one for one in live if one.id != wanted.id]
        if terms is not None:
            check_number(wanted, others, self.limits, terms)
        check_places(wanted, others)
        work.driver_turns.take(wanted.user_id, turn)


def _books_for_others(work: UnitOfWork, user_id: str, station: Station) -> bool:
    account = work.accounts.by_id(user_id)
    return account is not None and Viewer(user_id, account.role).may_watch(station.owner_id)
