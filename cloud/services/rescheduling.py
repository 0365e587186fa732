"""Another bay, or another time, for a driver whose promise is in danger."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import uuid4

from cloud.domain.errors import BayAlreadyBooked
from cloud.domain.notices import NoticeKind
from cloud.domain.promise_steps import IN_DANGER
from cloud.domain.promises import give_up_at
from cloud.domain.reservations import Reservation, Status, Trouble
from cloud.domain.windows import GRANULE, Window, floor
from cloud.services.advancing import Advancer
from cloud.services.booking_ports import Offer, Told
from cloud.services.change_views import Change
from cloud.services.collaborators import Finding, Notice, Option, Quoted, Quoting, Telling
from cloud.services.holding import quote_of
from cloud.services.notices import about
from cloud.services.offer_views import options_of, to_plain
from cloud.services.ports import TransactionLost, UnitOfWork

RESCHEDULE: Final = "reschedule"
MOST_OPTIONS: Final = 5


def _new_id() -> str:
    return uuid4().hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescuer:
    """Moves the driver at once to a bay that is no worse and no dearer, or else offers what there is."""

    finding: Finding
    quoting: Quoting
    telling: Telling
    advancer: Advancer
    """Which does not look at bays: whoever calls does."""
    new_id: Callable[[], str] = _new_id

    def rescue(
        self, work: UnitOfWork, reservation: Reservation, now: datetime
    ) -> tuple[Reservation, list[Change]]:
        """Do what can be done for a reservation in danger; returns it as it stands then.

        To be called as long as the danger lasts: another bay may come free.

        Raises:
            TransactionLost: somebody else took the bay that was found.
        """
        window = _rest(reservation, now)
        if window.duration >= GRANULE:
            after = self._elsewhere(work, reservation, window, now)
            if after is not None:
                return self._move(work, reservation, after, now)
        self._offer(work, reservation, now)
        return reservation, []

    def _elsewhere(
        self, work: UnitOfWork, reservation: Reservation, window: Window, now: datetime
    ) -> Reservation | None:
        """Return the reservation at an equal bay, for no more than was agreed; None: there is none."""
        for bay_id in self.finding.equal_bays(work, reservation, window, now):
            place = Place(reservation.station_id, bay_id, window)
            there = self._as_agreed(work, relocated(reservation, place, now), now)
            if there is not None:
                return there
        return None

    def _as_agreed(self, work: UnitOfWork, there: Reservation, now: datetime) -> Reservation | None:
        """Return the reservation as quoted for its new bay; None: it would cost more there.

        By its own tariff, and for as much energy as was agreed: a stronger bay could give more.
        """
        agreed = there.quote
        if agreed is None:
            return there
        energy_wh = agreed.get("energy_wh", there.energy_wh)
        quoted = self.quoting.quote(work, replace(there, energy_wh=energy_wh), now)
        is_dearer = quoted.total_minor > agreed["total_minor"]
        return None if is_dearer else replace(there, quote=quote_of(quoted))

    def _move(
        self,
        work: UnitOfWork,
        reservation: Reservation,
        after: Reservation,
        now: datetime,
    ) -> tuple[Reservation, list[Change]]:
        rebook(work, reservation, after, Told("moved", note=reservation.trouble), now)
        close_offer(work, reservation)
        data = about(after) | {
            "from_bay_id": reservation.bay_id,
            "trouble": str(reservation.trouble),
        }
        self._tell(work, after, NoticeKind.MOVED, data, now)
        changes = self.advancer.follow(work, [(reservation, after)], now)
        return replace(after, row_version=after.row_version + 1), changes

    def _offer(self, work: UnitOfWork, reservation: Reservation, now: datetime) -> None:
        expires_at = give_up_at(reservation)
        if expires_at is None or expires_at <= now:
            return
        if self._stands(work, reservation, now):
            return
        close_offer(work, reservation)  # what was asked for before this trouble, or is all taken
        options = self.finding.alternatives(work, reservation, now, MOST_OPTIONS)
        options = priced_there(work, self.quoting, reservation, options, now)
        about_it = about(reservation) | {"trouble": str(reservation.trouble)}
        if not options:
            self._tell(work, reservation, NoticeKind.BAY_BLOCKED, about_it, now)
            return
        offer = new_offer(self.new_id(), reservation, options, now, expires_at)
        work.offers.add(offer)
        data = about_it | {
            "offer_id": offer.id,
            "options": offer.options,
            "expires_at": expires_at.isoformat(),
        }
        self._tell(work, reservation, NoticeKind.OFFER, data, now)

    def _stands(self, work: UnitOfWork, reservation: Reservation, now: datetime) -> bool:
        """Whether something of what was offered in this trouble can still be had.

        As long as it can, the offer stays the one the driver may be looking at.
        """
        standing = work.offers.open_for(reservation.id)
        if standing is None or standing.made_at < (reservation.trouble_at or now):
            return False
        return bool(self.finding.still_free(work, options_of(standing), now, reservation.id))

    def _tell(
        self,
        work: UnitOfWork,
        reservation: Reservation,
        kind: NoticeKind,
        data: dict[str, object],
        now: datetime,
    ) -> None:
        # of one trouble once: another bay, or a trouble of another time, is told of anew
        since = reservation.trouble_at or now
        cause = f"{kind}/{reservation.id}/{reservation.bay_id}/{since:%Y%m%dT%H%M%S}"
        notice = Notice(user_id=reservation.user_id, kind=kind, cause=cause, data=data)
        self.telling.tell(work, notice, now)


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when a reservation could be instead."""

    station_id: str
    bay_id: str
    window: Window


def relocated(reservation: Reservation, place: Place, now: datetime) -> Reservation:
    """Return the reservation at another place, out of danger; nobody has come there yet.

    A driver who was sent elsewhere during their slot is never a no-show.
    """
    is_unseen = reservation.arrived_by == "sensor" and reservation.status is Status.BOOKED
    return replace(
        reservation,
        station_id=place.station_id,
        bay_id=place.bay_id,
        starts_at=place.window.starts_at,
        ends_at=place.window.ends_at,
        moved_from=reservation.bay_id,
        is_flexible=False,
        trouble=Trouble.NONE,
        trouble_at=None,
        unseen_since=None,
        seen_again_at=None,
        doubted_at=now if place.window.starts_at <= now else None,
        arrived_at=None if is_unseen else reservation.arrived_at,
        arrived_by="" if is_unseen else reservation.arrived_by,
        changed_version=reservation.changed_version + 1,
    )


def quoted_there(
    work: UnitOfWork, quoting: Quoting, before: Reservation, after: Reservation, now: datetime
) -> Quoted:
    """Return what a reservation is expected to cost at another place that its driver chooses.

    It keeps its tariff. At another station that one's counts, if it is cheaper or the driver wanted
    to go there: for what we cannot keep nobody pays more.
    """
    quoted = quoting.quote(work, after, now)
    if after.station_id == before.station_id:
        return quoted
    there = quoting.quote(work, replace(after, tariff_id=""), now)
    is_ours = before.trouble in IN_DANGER
    return quoted if is_ours and quoted.total_minor < there.total_minor else there


def priced_there(
    work: UnitOfWork,
    quoting: Quoting,
    reservation: Reservation,
    options: Sequence[Option],
    now: datetime,
) -> list[Option]:
    """Return the options in the reservation's currency, at the price it would have there."""
    priced = []
    for one in options:
        if one.currency != reservation.currency:
            continue
        place = Place(one.station_id, one.bay_id, Window(one.starts_at, one.ends_at))
        there = relocated(reservation, place, now)
        quoted = quoted_there(work, quoting, reservation, there, now)
        priced.append(replace(one, price_minor=quoted.total_minor))
    return priced


def rebook(
    work: UnitOfWork, before: Reservation, after: Reservation, told: Told, now: datetime
) -> None:
    """Store a reservation at another place.

    Raises:
        TransactionLost: somebody else has just taken it: look for another.
    """
    try:
        work.reservations.rebook([(before, after)], told, now)
    except BayAlreadyBooked as taken:
        raise TransactionLost(f"{after.bay_id} was taken meanwhile") from taken


def new_offer(
    offer_id: str,
    reservation: Reservation,
    options: Sequence[Option],
    now: datetime,
    expires_at: datetime,
) -> Offer:
    """Return an offer of these options for a reservation."""
    return Offer(
        id=offer_id,
        user_id=reservation.user_id,
        kind=RESCHEDULE,
        reservation_id=reservation.id,
        waitlist_id=None,
        options=[to_plain(one) for one in options],
        made_at=now,
        expires_at=expires_at,
    )


def close_offer(work: UnitOfWork, reservation: Reservation) -> None:
    """Close what was offered for a reservation that does not need it any more."""
    offer = work.offers.open_for(reservation.id)
    if offer is not None:
        work.offers.answer(offer, "expired")


def _rest(reservation: Reservation, now: datetime) -> Window:
    """Return what is left of the slot, on the quarter of an hour."""
    return Window(max(reservation.starts_at, floor(now)), reservation.ends_at)
