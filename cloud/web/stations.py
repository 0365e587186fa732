"""`/`: the map and the list of stations; `/stations/{id}`: one station, its bays from above."""

from dataclasses import dataclass, replace
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from cloud.services.availability import StationQuery
from cloud.services.station_views import StationView
from cloud.web import bays
from cloud.web.routes import router_of
from cloud.web.site import Site

POWERS_KW: Final = (7, 22, 50, 150)
"""The steps of the power filter."""

PAGE_SIZE: Final = 60


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters as they stand in the address; whatever is not understood is at rest."""

    q: str = ""
    standard: str = ""
    power: int = 0
    free: bool = False
    lat: float | None = None
    lon: float | None = None
    radius: int | None = None
    after: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether anything narrows the list but the map's own view."""
        is_near_me = self.is_near and self.radius is None
        return bool(self.q or self.standard or self.power or self.free or is_near_me)

    @property
    def is_near(self) -> bool:
        """Whether the list is about a place."""
        return self.lat is not None and self.lon is not None

    def ask(self) -> StationQuery:
        """Return what to ask the service."""
        return StationQuery(
            latitude=self.lat if self.is_near else None,
            longitude=self.lon if self.is_near else None,
            radius_m=self.radius if self.is_near else None,
            standard=self.standard or None,
            min_power_w=self.power * 1000 or None,
            free_now=self.free,
            text=self.q,
            limit=PAGE_SIZE,
            cursor=self.after,
        )

    def address(self, **changes: object) -> str:
        """Return the page's address with some filters changed, the rest kept."""
        kept = {**self.as_query(), "after": None, **changes}
        query = urlencode({name: value for name, value in kept.items() if value})
        return f"/?{query}" if query else "/"

    def as_query(self) -> dict[str, object]:
        """Return the active filters as the address names them."""
        return {
            "q": self.q,
            "standard": self.standard,
            "power": self.power or None,
            "free": "1" if self.free else None,
            "lat": self.lat if self.is_near else None,
            "lon": self.lon if self.is_near else None,
            "radius": self.radius if self.is_near else None,
        }


class FilterQuery(BaseModel):
    """The filters as the form sends them: text, of which empty fields are at rest."""

    q: str = Field(default="", max_length=100)
    standard: str = Field(default="", max_length=40)
    power: str = Field(default="", max_length=8)
    free: str = Field(default="", max_length=8)
    lat: str = Field(default="", max_length=24)
    lon: str = Field(default="", max_length=24)
    radius: str = Field(default="", max_length=8)
    after: str = Field(default="", max_length=400)


def read_filters(asked: Annotated[FilterQuery, Query()]) -> Filters:
    """Read the filters of an address."""
    return Filters(
        q=asked.q.strip(),
        standard=asked.standard,
        power=_whole(asked.power),
        free=asked.free == "1",
        lat=_degrees(asked.lat, 90),
        lon=_degrees(asked.lon, 180),
        radius=_whole(asked.radius) or None,
        after=asked.after or None,
    )


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else 0


def _degrees(text: str, most: float) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if -most <= value <= most else None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a list shows, counted: the counts are of these stations and no others."""

    stations: list[StationView]
    next_cursor: str | None

    @property
    def bays_total(self) -> int:
        """All bays of the stations shown."""
        return sum(station.bays_total for station in self.stations)

    @property
    def bays_available(self) -> int:
        """Those of them that are free now."""
        return sum(station.bays_available for station in self.stations)

    @property
    def area(self) -> str:
        """The smallest box around them: south,west,north,east; empty for no stations."""
        if not self.stations:
            return ""
        latitudes = [station.latitude for station in self.stations]
        longitudes = [station.longitude for station in self.stations]
        box = (
            min(latitudes) - 0.01,
            min(longitudes) - 0.01,
            max(latitudes) + 0.01,
            max(longitudes) + 0.01,
        )
        return ",".join(f"{value:.4f}" for value in box)


def find(site: Site, filters: Filters) -> Shown:
    """Ask for the stations, and show nothing stale as fresh."""
    found = site.parts.availability.stations_near(filters.ask())
    now = site.parts.clock.now()
    shown = [bays.fresh_station(station, now) for station in found.stations]
    if filters.free:
        shown = [station for station in shown if station.bays_available]
    return Shown(shown, found.next_cursor)


def routes(site: Site) -> APIRouter:
    """Return the pages of this module."""
    router = router_of(site)

    @router.get("/")
    def index(request: Request, filters: Annotated[Filters, Depends(read_filters)]) -> Response:
        """Show the map and the list."""
        return site.page(
            request,
            "stations.html",
            shown=find(site, filters),
            filters=filters,
            powers_kw=POWERS_KW,
        )

    @router.get("/stations/{station_id}")
    def station(request: Request, station_id: str) -> Response:
        """Show one station."""
        found = site.parts.availability.station(station_id).station
        shown = bays.fresh_station(found, site.parts.clock.now())
        terms = site.parts.terms(station_id)
        return site.page(request, "station.html", station=_in_order(shown), terms=terms)

    return router


def _in_order(station: StationView) -> StationView:
    return replace(station, bays=sorted(station.bays, key=lambda bay: bay.bay_id))
