"""How a reservation looks from outside."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloud.domain.reservations import OCPI, Reservation
from cloud.domain.stations import Station
from cloud.services.ports import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationView:
    """The promise of a bay, as its driver, the station's owner and staff may see it."""

    reservation_id: str
    number: int
    """What chargers call it."""
    station_id: str
    station_name: str
    timezone: str
    """Of the station: by its clock the window was chosen."""
    bay_id: str
    """Of a flexible one: for now, until `fixed_at`."""
    bay_name: str
    user_id: str
    status: str
    """OCPI's word: PENDING RESERVED FULFILLED CANCELED NO_SHOW REJECTED FAILED."""
    state: str
    """Ours, which says more: held booked arrived charging finished overstaying, or over."""
    reason: str
    """Why it is over; empty while it is not."""
    is_live: bool
    starts_at: datetime
    ends_at: datetime
    held_until: datetime | None
    """Of a hold: when it lapses unless confirmed and paid for."""
    is_confirmed: bool
    is_flexible: bool
    fixed_at: datetime | None
    standard: str
    min_power_w: int
    energy_wh: int | None
    booked_at: datetime | None
    arrived_at: datetime | None
    arrived_by: str
    session_id: str | None
    left_at: datetime | None
    overstay_since: datetime | None
    trouble: str
    """stolen out_of_order silent still_occupied withdrawn; empty: none."""
    tariff_id: str
    currency: str
    quote: dict[str, Any] | None
    terms: dict[str, Any] | None
    """The station's when it was held, which hold: `grace_s`, `protect_s`, `refunds` and others."""
    authorised_minor: int
    due_minor: int | None
    """What was finally to be paid; null: not settled yet."""
    series_id: str | None
    moved_from: str | None
    created_at: datetime
    server_now: datetime
    """Countdowns run from this, not from the clock at hand."""
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationList:
    """Reservations by their start, the latest first."""

    server_now: datetime
    reservations: list[ReservationView]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationLogView:
    """One line of a reservation's log."""

    version: int
    at: datetime
    actor: str
    """A user id; empty: nobody, it happened by itself."""
    what: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationLog:
    """What became of a reservation, the oldest first."""

    entries: list[ReservationLogView]


@dataclass(frozen=True, slots=True)
class Places:
    """The stations and bays some reservations are at."""

    stations: dict[str, Station]
    names: dict[str, str]
    """Of the bays."""

    def view(self, reservation: Reservation, now: datetime) -> ReservationView:
        """Return the reservation as it leaves the house."""
        station = self.stations[reservation.station_id]
        # a bay is there as long as there are reservations of it
        return reservation_view(reservation, station, self.names[reservation.bay_id], now)


def places(work: UnitOfWork, reservations: Collection[Reservation]) -> Places:
    """Return where these reservations are."""
    return Places(
        work.stations.by_ids({one.station_id for one in reservations}),
        work.bays.names({one.bay_id for one in reservations}),
    )


def reservation_view(
    reservation: Reservation, station: Station, bay_name: str, now: datetime
) -> ReservationView:
    """Return the reservation as it leaves the house."""
    return ReservationView(
        reservation_id=reservation.id,
        number=reservation.number,
        station_id=reservation.station_id,
        station_name=station.name,
        timezone=station.timezone,
        bay_id=reservation.bay_id,
        bay_name=bay_name,
        user_id=reservation.user_id,
        status=OCPI[reservation.status],
        state=reservation.status,
        reason=reservation.reason,
        is_live=reservation.is_live,
        starts_at=reservation.starts_at,
        ends_at=reservation.ends_at,
        held_until=reservation.held_until,
        is_confirmed=reservation.is_confirmed,
        is_flexible=reservation.is_flexible,
        fixed_at=reservation.fixed_at,
        standard=reservation.standard,
        min_power_w=reservation.min_power_w,
        energy_wh=reservation.energy_wh,
        booked_at=reservation.booked_at,
        arrived_at=reservation.arrived_at,
        arrived_by=reservation.arrived_by,
        session_id=reservation.session_id,
        left_at=reservation.left_at,
        overstay_since=reservation.overstay_since,
        trouble=reservation.trouble,
        tariff_id=reservation.tariff_id,
        currency=reservation.currency,
        quote=reservation.quote,
        terms=reservation.terms,
        authorised_minor=reservation.authorised_minor,
        due_minor=reservation.due_minor,
        series_id=reservation.series_id,
        moved_from=reservation.moved_from,
        created_at=reservation.created_at,
        server_now=now,
        version=reservation.changed_version,
    )
