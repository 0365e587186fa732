"""What bookings need of the database; see also ports.py."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from cloud.domain.reservations import Reservation
from cloud.domain.terms import Terms
from cloud.domain.waitlist import State
from cloud.domain.windows import Window
from cloud.services.fact_ports import Box


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationPage:
    """Which reservations to list: by start, newest first, those after `before`."""

    user_id: str | None = None
    owner_id: str | None = None
    station_id: str | None = None
    is_live: bool | None = None
    before: tuple[datetime, str] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReservation:
    """What a driver asks for: a bay, or any of the station that would do."""

    station_id: str
    bay_id: str | None = None
    """Null: any; until shortly before the start another one may be given."""
    starts_at: datetime
    ends_at: datetime
    standard: str = ""
    min_power_w: int = 0
    energy_wh: int | None = None
    """What the car needs, where the driver says so."""

    @property
    def window(self) -> Window:
        """Return when the bay is asked for."""
        return Window(self.starts_at, self.ends_at)


@dataclass(frozen=True, slots=True)
class ReservationLogEntry:
    """What became of a reservation; the actor is empty where it was nobody."""

    version: int
    at: datetime
    actor: str
    what: str
    note: str


@dataclass(frozen=True, slots=True)
class Told:
    """Who did what to a reservation, for its log."""

    what: str
    actor: str = ""
    note: str = ""


class Reservations(Protocol):
    """Reservations and the granules they take."""

    def by_ids(self, reservation_ids: Collection[str]) -> dict[str, Reservation]:
        """Return those there are."""
        ...

    def live_on(self, bay_ids: Collection[str], until: datetime) -> list[Reservation]:
        """Return these bays' live reservations that start before then, by start."""
        ...

    def live_of(self, user_id: str) -> list[Reservation]:
        """Return a driver's live reservations at all stations, by start."""
        ...

    def live_within(self, station_id: str, window: Window) -> list[Reservation]:
        """Return a station's live reservations whose kept window overlaps this one, by start."""
        ...

    def live_of_stations(
        self, station_ids: Collection[str] | None, until: datetime
    ) -> dict[str, list[Reservation]]:
        """Return, by station, the paid live reservations that start before then; null: of all."""
        ...

    def of_token(self, station_id: str, token: str, at: datetime) -> Reservation | None:
        """Return the paid live reservation this token has at the station around `at`, the nearest."""
        ...

    def stations_reserved(self, until: datetime) -> list[str]:
        """Return the stations with paid live reservations that start before then."""
        ...

    def of_tokens(
        self, station_ids: Collection[str], tokens: Collection[str], until: datetime
    ) -> list[Reservation]:
        """Return the paid live reservations of these tokens that start before then, by start."""
        ...

    def page(self, page: ReservationPage) -> list[Reservation]:
        """Return reservations by (starts_at, id), newest first."""
        ...

    def of_series(self, series_id: str) -> list[Reservation]:
        """Return the reservations of a series, by start."""
        ...

    def count_live(self, user_id: str, station_id: str) -> int:
        """Return how many live reservations the user has at the station."""
        ...

    def claim(self, reservation: Reservation, told: Told, *, most_live: int | None = None) -> None:
        """Store a new reservation with one slot a granule of its kept window: all or none.

        Args:
            reservation: the new one.
            told: who made it.
            most_live: how many live ones of this kind (of a series, or not) the driver may have
                at the station; null: any number. The database counts: two at once are one too many.

        Raises:
            BayAlreadyBooked: a granule is taken; the caller's transaction must be left.
            TooManyReservations: the driver has so many.
        """
        ...

    def put(self, reservation: Reservation, told: Told, at: datetime) -> None:
        """Store a reservation read with `row_version` (which grows); one no longer live frees its slots.

        Its bay and window stay as they are: `rebook` changes those.

        Raises:
            TransactionLost: it was written by somebody else since it was read.
        """
        ...

    def rebook(
        self,
        pairs: Sequence[tuple[Reservation, Reservation]],
        told: Told,
        at: datetime,
        aside: Told | None = None,
        *,
        most_live: int | None = None,
    ) -> None:
        """Store reservations (before, after) with other bays or windows, slots with them: all or none.

        Swaps are fine. Who moves to another station takes one of their places there, and gives the
        one they had free.

        Args:
            pairs: before and after.
            told: what was done, and by whom.
            at: the instant.
            aside: for the logs of all but the first, where they moved for its sake.
            most_live: as in `claim`, at a station that is moved to.

        Raises:
            BayAlreadyBooked: a granule is taken by somebody else.
            TooManyReservations: the driver has so many where they move to.
            TransactionLost: one was written by somebody else since it was read.
        """
        ...

    def log(self, reservation_id: str) -> list[ReservationLogEntry]:
        """Return what became of it, oldest first."""
        ...


class DriverTurns(Protocol):
    """In which order a driver's bookings were made: by numbers, each given once."""

    def of(self, user_id: str) -> int:
        """Return the number of the driver's last booking; 0: there was none."""
        ...

    def take(self, user_id: str, turn: int) -> None:
        """Take the number after `turn`.

        Raises:
            TransactionLost: the driver has booked something since `of` was asked.
        """
        ...


class TermsStore(Protocol):
    """The stations' terms."""

    def of(self, station_ids: Collection[str]) -> dict[str, Terms]:
        """Return each station's terms; the defaults where it set none."""
        ...

    def put(self, station_id: str, terms: Terms, at: datetime) -> None:
        """Store a station's terms."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Otp:
    """A one-time code that was sent; of the code only its HMAC is kept."""

    id: str
    reservation_id: str
    user_id: str
    code_hmac: str
    channel: str
    recipient: str
    created_at: datetime
    expires_at: datetime
    tries: int = 0
    used_at: datetime | None = None


class Otps(Protocol):
    """One-time codes."""

    def next_id(self, user_id: str) -> str:
        """Return the id of the user's next code: of two who are given the same, one can add it."""
        ...

    def add(self, otp: Otp) -> None:
        """Store a new code; it is the one that counts from now on.

        Raises:
            TransactionLost: the user was sent another code since `next_id` was asked.
        """
        ...

    def newest(self, reservation_ids: Collection[str]) -> Otp | None:
        """Return the code that counts: the newest sent for one of these."""
        ...

    def count_try(self, otp: Otp, most: int) -> int | None:
        """Count one try; returns which it was. None: it was tried `most` times, or used."""
        ...

    def use(self, otp: Otp, at: datetime) -> bool:
        """Mark it used; False: somebody was faster."""
        ...

    def sent_since(self, user_id: str, since: datetime) -> list[datetime]:
        """Return when the user was sent codes since then, oldest first."""
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """Delete codes made before then; returns how many."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistEntry:
    """Somebody who wants to be told when something is free."""

    id: str
    station_id: str
    user_id: str
    bay_id: str | None
    standard: str
    min_power_w: int
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    state: State = State.WAITING
    offer_id: str | None = None
    changed_version: int = 0


class Waitlist(Protocol):
    """Who waits for what, first come first offered."""

    def add(self, entry: WaitlistEntry) -> None:
        """Store a new entry."""
        ...

    def get(self, entry_id: str) -> WaitlistEntry | None:
        """Return the entry, if there is one."""
        ...

    def take_turn(self, station_id: str) -> None:
        """Let nobody else offer anything at the station until this unit of work is over."""
        ...

    def active(self, station_id: str, window: Window) -> list[WaitlistEntry]:
        """Return who waits, or has an offer, for a window that overlaps, first come first."""
        ...

    def count_active(self, user_id: str) -> int:
        """Return how many of the user's entries wait or have an offer."""
        ...

    def of_user(self, user_id: str) -> list[WaitlistEntry]:
        """Return a user's entries, newest first, at most 200."""
        ...

    def move(self, entry: WaitlistEntry, after: WaitlistEntry) -> bool:
        """Store a change; False: it was changed by somebody else since it was read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a driver may take with one call."""

    id: str
    user_id: str
    kind: str
    """`reschedule` or `waitlist`."""
    reservation_id: str | None
    waitlist_id: str | None
    options: list[Mapping[str, Any]]
    """finding.Option, as plain data."""
    made_at: datetime
    expires_at: datetime
    state: str = "open"
    changed_version: int = 0


class Offers(Protocol):
    """Offers, and how they were answered."""

    def add(self, offer: Offer) -> None:
        """Store a new offer."""
        ...

    def get(self, offer_id: str) -> Offer | None:
        """Return the offer, if there is one."""
        ...

    def by_ids(self, offer_ids: Collection[str]) -> dict[str, Offer]:
        """Return those there are."""
        ...

    def open_of(self, user_id: str) -> list[Offer]:
        """Return a user's open offers, newest first."""
        ...

    def open_for(self, reservation_id: str) -> Offer | None:
        """Return the open offer for a reservation."""
        ...

    def answer(self, offer: Offer, state: str) -> bool:
        """Close an open offer; False: somebody else did."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPlug:
    """A plug of a bay."""

    standard: str
    """OCPI ConnectorType."""
    is_dc: bool
    max_power_w: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundBay:
    """A bay as it stands, with what searches ask of it."""

    bay_id: str
    station_id: str
    name: str
    is_accessible: bool
    max_power_w: int
    status: str
    """As the row says: true while its station is heard."""
    heard_at: datetime | None
    expected_end_at: datetime | None
    """Of the charge that runs there."""
    plugs: tuple[FoundPlug, ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a station is."""

    id: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlugWish:
    """What a bay must have; by default nothing."""

    standards: frozenset[str] = frozenset()
    """OCPI ConnectorTypes of which one will do; empty: any."""
    min_power_w: int = 0
    is_accessible: bool = False
    """Only bays for those who need room."""


class Findable(Protocol):
    """What searches read: many stations' bays in few statements."""

    def spots(self, box: Box, wish: PlugWish) -> list[Spot]:
        """Return the stations of an area that have such a bay, in no order."""
        ...

    def bays(self, station_ids: Collection[str]) -> list[FoundBay]:
        """Return all bays of these stations, by station and name."""
        ...

    def taken(
        self, bay_ids: Collection[str], within: Window, but: str = ""
    ) -> dict[str, list[Window]]:
        """Return the windows, buffers included, in which bays are taken in a range.

        Those of reservation `but` are left out.
        """
        ...
