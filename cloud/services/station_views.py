"""How a station looks from outside, with its bays."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cloud.domain.policy import Policy
from cloud.domain.reconcile import Status
from cloud.domain.stations import Station, StationLink
from cloud.services.bay_views import BayView


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceView:
    """What charging costs here."""

    currency: str
    price_per_kwh_minor: int
    """Where there is no tariff."""
    tariff_id: str | None = None
    """The tariff's version that counts now; `GET /stations/{station_id}/tariff` says all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationView:
    """A station in a list."""

    station_id: str
    name: str
    operator: str
    address: str
    city: str
    country: str
    latitude: float
    longitude: float
    timezone: str
    distance_m: int | None
    price: PriceView
    heard_at: datetime | None
    bays_total: int
    bays_available: int
    max_power_w: int
    standards: list[str]
    statuses: dict[str, int]
    """How many bays have each status."""
    bays: list[BayView] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class StationPoint:
    """A station on a map of thousands."""

    station_id: str
    name: str
    latitude: float
    longitude: float
    bays_total: int
    bays_available: int
    statuses: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StationList:
    """Stations near a point, nearest first."""

    as_of: datetime
    stations: list[StationView]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StationDetail:
    """One station with its bays."""

    as_of: datetime
    station: StationView


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardView:
    """The station was heard: all its bays' statuses hold on until `valid_until`."""

    station_id: str
    heard_at: datetime
    valid_until: datetime


def station_view(
    station: Station,
    link: StationLink,
    bays: Sequence[BayView],
    *,
    away_m: float | None = None,
) -> StationView:
    """Return the station with these of its bays; all counts are of them."""
    statuses = Counter(bay.status for bay in bays)
    return StationView(
        station_id=station.id,
        name=station.name,
        operator=station.operator,
        address=station.address,
        city=station.city,
        country=station.country,
        latitude=station.latitude,
        longitude=station.longitude,
        timezone=station.timezone,
        distance_m=None if away_m is None else round(away_m),
        price=PriceView(
            currency=station.currency,
            price_per_kwh_minor=station.price_per_kwh_minor,
            tariff_id=station.tariff_id,
        ),
        heard_at=link.heard_at,
        bays_total=len(bays),
        bays_available=statuses[Status.AVAILABLE],
        max_power_w=max((bay.max_power_w for bay in bays), default=0),
        standards=sorted({plug.standard for bay in bays for plug in bay.connectors} - {""}),
        statuses=dict(sorted(statuses.items())),
        bays=list(bays),
    )


def heard_view(link: StationLink, policy: Policy) -> HeardView | None:
    """Return until when the station's statuses hold; None: it was never heard."""
    if link.heard_at is None:
        return None
    return HeardView(
        station_id=link.station_id,
        heard_at=link.heard_at,
        valid_until=link.heard_at + policy.valid_for,
    )
