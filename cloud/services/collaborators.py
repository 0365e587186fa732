"""What the use cases of one noun ask of another's, within one transaction.

Each is implemented in the file named after it; `cloud/wiring/` hands them to each other. All of them write
through the caller's `work` and leave the commit to it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from cloud.domain.reservations import Happening, Reservation
from cloud.domain.stations import Station
from cloud.domain.tariffs import Discounts
from cloud.domain.terms import Terms
from cloud.domain.windows import Window
from cloud.services.booking_ports import NewReservation, PlugWish, Told
from cloud.services.change_views import Change
from cloud.services.ports import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something a user is told, on each of their channels once."""

    user_id: str
    kind: str
    """A NoticeKind of domain/notices.py."""
    cause: str
    """What it is told for; the same cause is told once: `reminder/<reservation>`."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What its texts need, as plain JSON data: names, instants (ISO 8601), amounts (minor units)."""


class Telling(Protocol):
    """notices.py: writes messages with their cause."""

    def tell(self, work: UnitOfWork, notice: Notice, now: datetime) -> None:
        """Write the messages of a notice: one for each channel its user wants it on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """What a reservation is expected to cost, before it is held or changed."""

    tariff_id: str
    """The tariff's version."""
    currency: str
    total_minor: int
    authorise_minor: int
    """For how much a payment is asked to stand: at least `total_minor`."""
    body: Mapping[str, Any]
    """What is kept and shown: billing.Quote, as plain JSON data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceAsk:
    """A charge somebody might want."""

    station: Station
    window: Window
    energy_wh: int
    power_w: int


class Pricing(Protocol):
    """billing.py: what many charges would cost; for searches, which only compare."""

    def prices(
        self, work: UnitOfWork, asks: Sequence[PriceAsk], discounts: Discounts
    ) -> list[tuple[int, str]]:
        """Return the price and currency of each, in their order, by their stations' tariffs.

        With the discounts of who asks: they change who is dearer. Of one station whose tariff cannot be read it is the price by the kilowatt-hour.
        """
        ...


class Quoting(Protocol):
    """billing.py: what a charge is expected to cost."""

    def quote(self, work: UnitOfWork, wanted: Reservation, now: datetime) -> Quoted:
        """Quote a reservation by its own tariff or, where it names none yet, by its station's."""
        ...


class Settling(Protocol):
    """billing.py: what is finally to be paid, once a reservation is over."""

    def settle(self, work: UnitOfWork, reservation: Reservation, now: datetime) -> Reservation:
        """Bill a reservation whose status is over, have the money follow, write the receipt.

        Returns the reservation with `due_minor`; the caller stores it. Done twice it is done once.
        """
        ...


class Till(Protocol):
    """till.py: the payment of a subject follows what is due for it."""

    def close(
        self,
        work: UnitOfWork,
        reservation: Reservation,
        due_minor: int,
        shares: Mapping[str, int],
        now: datetime,
    ) -> int:
        """Have exactly `due_minor` taken for the reservation in the end: capture, void, charge, refund.

        Args:
            work: the caller's transaction.
            reservation: whose payment.
            due_minor: in all; 0 gives everything back.
            shares: how it is divided, by ledger account (`revenue/<station>`, `tax/<country>`);
                sums to `due_minor`.
            now: the instant.

        Returns what is due: less where the rest is too little for a card to be charged with.
        """
        ...


class Keeping(Protocol):
    """keeping.py: promises held against what is seen."""

    def look(self, work: UnitOfWork, bay_ids: Collection[str], now: datetime) -> list[Change]:
        """Judge these bays anew, with what follows for their reservations.

        To be called by whoever changed a reservation of theirs; returns what viewers must hear after
        the commit.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Exactly:
    """A window somebody wants, as it is."""

    window: Window
    bay_id: str | None = None
    """Null: any that has the plug."""
    wish: PlugWish = field(default_factory=PlugWish)
    user_id: str
    """Whose discounts count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A bay and a window a driver could have instead."""

    station_id: str
    station_name: str
    bay_id: str
    bay_name: str
    starts_at: datetime
    ends_at: datetime
    distance_m: int
    """From where the driver wanted to be."""
    price_minor: int
    """What the same charge is expected to cost there."""
    currency: str
    expected_wait_s: int
    """From the start wanted to this one's."""
    max_power_w: int
    cost: float
    """What they are ranked by: the smaller, the nearer to what was wanted."""


class Finding(Protocol):
    """finding.py: the nearest feasible thing."""

    def alternatives(
        self, work: UnitOfWork, wanted: Reservation, now: datetime, most: int = 5
    ) -> list[Option]:
        """Return what is free instead of a reservation that cannot be kept or made, best first.

        The same station at other times, and equal bays near by; never the very same bay and window.
        """
        ...

    def still_free(
        self, work: UnitOfWork, options: Sequence[Option], now: datetime, but: str = ""
    ) -> list[Option]:
        """Return those that can still be had; the slots of reservation `but` count as free."""
        ...

    def look_at(
        self, work: UnitOfWork, station_id: str, within: Window, now: datetime
    ) -> "Looking":
        """Read how a station stands in a range, to be asked for windows in it."""
        ...

    def equal_bays(
        self, work: UnitOfWork, wanted: Reservation, window: Window, now: datetime
    ) -> list[str]:
        """Return other bays of the same station for the window, free and in order, the best first.

        Only those a driver can be moved to unasked: as strong as theirs (or as they asked, where any
        bay would have done), with its plug, and for those who need room if theirs is.
        """
        ...


class Looking(Protocol):
    """finding.py: how a station stands, read once."""

    def option(self, asked: Exactly, barred: Collection[tuple[str, Window]] = ()) -> Option | None:
        """Return the weakest bay that would do for the very window, free and in order.

        Args:
            asked: the window, within what was read.
            barred: bays with windows that are not to be had.
        """
        ...


class Paid(Protocol):
    """advancing.py: what follows from a payment."""

    def paid(
        self, work: UnitOfWork, reservation_id: str, authorised_minor: int, now: datetime
    ) -> Sequence[Change] | None:
        """Turn the hold into a booking; None: it is no hold any more, and the money must go back."""
        ...

    def declined(
        self, work: UnitOfWork, reservation_id: str, why: str, now: datetime
    ) -> Sequence[Change]:
        """Note that the payment was refused; the hold lasts on until it expires, to try another card."""
        ...

    def renewed(
        self, work: UnitOfWork, reservation_id: str, authorised_minor: int, now: datetime
    ) -> Sequence[Change] | None:
        """Note that a booking's money is kept anew; None: it is over, and the money must go back."""
        ...

    def not_renewed(
        self, work: UnitOfWork, reservation_id: str, why: str, now: datetime
    ) -> Sequence[Change]:
        """Tell the driver that a booking's money is not kept any more, and until when to pay."""
        ...


class Reauthorising(Protocol):
    """reauthorising.py: what time asks of the money for a booking far ahead."""

    def tend(self, work: UnitOfWork, reservation_id: str, now: datetime) -> None:
        """Have it authorised anew, wait, or release the bay; called too early, it looks again later."""
        ...


class Renewing(Protocol):
    """subscriptions.py: what time asks of a subscription."""

    def renew(self, work: UnitOfWork, subscription_id: str, now: datetime) -> None:
        """Charge the next month, or end it; called too early it is only looked at again later."""
        ...


class Advancing(Protocol):
    """advancing.py: one way for everybody to move a reservation on."""

    def advance(
        self,
        work: UnitOfWork,
        reservation: Reservation,
        happening: Happening,
        told: Told,
        now: datetime,
    ) -> Sequence[Change]:
        """Store the reservation after `happening`, with all that follows from it.

        Once it is over: the money is settled, its driver is told (NO_SHOW, CANCELED, FAILED), who
        waits for its granules is asked. The plan is sent again, and the bay is judged anew (not for
        keeping.py, which does so itself).

        Raises:
            IllegalTransition: the reservation does not allow it.
        """
        ...

    def expire(self, work: UnitOfWork, reservation: Reservation, now: datetime) -> Sequence[Change]:
        """Give a hold up whose time is over; what is no hold, or in time, stays as it is."""
        ...


class Codes(Protocol):
    """otps.py: one-time codes."""

    def send(self, work: UnitOfWork, reservation: Reservation, now: datetime) -> None:
        """Make the code that confirms a hold and write the message that carries it.

        Raises:
            TooManyAttempts: the last one is too young, or the driver was sent too many this hour.
        """
        ...


class Waiting(Protocol):
    """waitlist.py: who waits for something free."""

    def freed(self, work: UnitOfWork, station_id: str, window: Window, now: datetime) -> None:
        """Offer what came free to the first who waits and whom it fits.

        To be called by whoever gave granules free: canceled, expired, moved, shortened.
        """
        ...

    def expire(self, work: UnitOfWork, offer_id: str, now: datetime) -> None:
        """Close an offer nobody took in time and ask the next; one that is closed stays as it is."""
        ...

    def look(self, work: UnitOfWork, entry_id: str, now: datetime) -> None:
        """Look again for what somebody waits for; too late, they wait no more."""
        ...


class Holding(Protocol):
    """holding.py: a bay is kept for a driver until it is confirmed and paid for."""

    def hold(
        self, work: UnitOfWork, user_id: str, ask: NewReservation, now: datetime
    ) -> tuple[Reservation, Sequence[Change]]:
        """Check, quote and claim a new reservation, and send the code that confirms it.

        Raises:
            NotFound: there is no such station.
            NotBookable: it does not fit the station's terms.
            BayAlreadyBooked: it is taken; the transaction must be left.
            TooManyReservations: the driver has as many as one may.
            BookedElsewhere: the driver has another station at this time.
        """
        ...


class Binding(Protocol):
    """packing.py: flexible reservations get their bay at last."""

    def bind(self, work: UnitOfWork, reservation: Reservation, now: datetime) -> Sequence[Change]:
        """Bind a flexible reservation to its bay once `fixed_at` has come, to another if need be.

        One that is bound, over, or not due yet stays as it is.
        """
        ...


class Withdrawing(Protocol):
    """withdrawals.py: what becomes of bookings when the owner takes a bay, or time, away."""

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
        """Hold a station's new terms, stored just now, against its bookings.

        Bookings to come that the terms leave no place for are refused or, forced, put in trouble
        (`Trouble.WITHDRAWN`): their drivers are moved or offered something else.

        Raises:
            BookingsInTheWay: there are such bookings, and it is not forced; the transaction must be
                left.
        """
        ...


class Rotating(Protocol):
    """key_rotations.py: changes chargers' keys."""

    def rotate(self, work: UnitOfWork, charger_id: str, now: datetime) -> Sequence[Change]:
        """Do the next step of a charger's change of keys, if there is one to do."""
        ...


class Listing(Protocol):
    """local_lists.py: keeps chargers' lists of tokens in step."""

    def tend(self, work: UnitOfWork, charger_id: str, now: datetime) -> None:
        """See what became of what was sent, and send what the charger has not."""
        ...


class Costing(Protocol):
    """costs.py: tells chargers what sessions cost."""

    def tell(self, work: UnitOfWork, session_id: str, now: datetime) -> None:
        """Have an open session's charger show what it has cost, if it shows costs; and again later."""
        ...


class Certifying(Protocol):
    """certificates.py: brings chargers their certificates."""

    def tend(self, work: UnitOfWork, charger_id: str, now: datetime) -> None:
        """Deliver what was signed, see what became of it, and have old ones renewed."""
        ...
