"""How a reservation looks from outside."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from cloud.domain.reservations import OCPI, Reservation
from cloud.domain.stations import Station
from cloud.services.ports import UnitOfWork
from cloud.services.views import ReservationView


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
