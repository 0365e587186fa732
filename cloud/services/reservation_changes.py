"""What changed of reservations, for those who watch."""

from collections.abc import Collection
from datetime import datetime

from cloud.domain.reservations import Reservation
from cloud.services.change_views import Change, ChangeKind
from cloud.services.ports import UnitOfWork
from cloud.services.reservation_views import ReservationView, places


def change_of(view: ReservationView) -> Change:
    """Return the change that tells who watches."""
    return Change(
        change=ChangeKind.RESERVATION,
        station_id=view.station_id,
        subject=view.reservation_id,
        version=view.version,
        user_id=view.user_id,
        view=view,
    )


def changes_of(
    work: UnitOfWork, reservations: Collection[Reservation], now: datetime
) -> list[Change]:
    """Return the changes that tell who watches these reservations."""
    there = places(work, reservations)
    return [change_of(there.view(one, now)) for one in reservations]
