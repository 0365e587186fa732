"""Which bays are free, where: what booking clients ask."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final

from cloud.domain.errors import NotFound, NotValid
from cloud.domain.policy import Policy
from cloud.domain.reconcile import Status
from cloud.domain.stations import Station
from cloud.services.bay_views import BayView, bay_view
from cloud.services.cursors import seal, unseal
from cloud.services.fact_ports import Box, StationCounts
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.rings import EVERYWHERE_M, rings
from cloud.services.station_views import (
    StationDetail,
    StationList,
    StationPoint,
    StationView,
    station_view,
)

MAX_LIMIT: Final = 500
_CHUNK: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class StationQuery:
    """What a driver looks for; every filter that is set must hold for a bay to count."""

    latitude: float | None = None
    longitude: float | None = None
    """With a point: nearest first. Without: by name."""
    radius_m: float | None = None
    box: Box | None = None
    """Only stations of this area."""
    standard: str | None = None
    """OCPI ConnectorType, exactly."""
    min_power_w: int | None = None
    """At least so much."""
    free_now: bool = False
    """Only stations with a bay AVAILABLE now."""
    text: str = ""
    """Part of the name, city or address."""
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class AvailabilityService:
    """Read only; never shows anything as AVAILABLE that has not been heard of lately."""

    open_work: OpenWork
    clock: Clock
    policy: Policy

    def stations_near(self, query: StationQuery) -> StationList:
        """Return the stations asked for: nearest first, or by name.

        Raises:
            NotValid: half a point, or a cursor of another list.
        """
        if (query.latitude is None) != (query.longitude is None):
            raise NotValid("lat", "A point has a latitude and a longitude.")
        limit = max(1, min(query.limit, MAX_LIMIT))
        now = self.clock.now()
        with self.open_work(is_read_only=True) as work:
            found = self._matching(work, query, now)
            shown = list(islice(found, limit + 1))
        is_more = len(shown) > limit
        cursor = _cursor_after(shown[limit - 1], query) if is_more else None
        views = [view for view, _ in shown[:limit]]
        return StationList(as_of=now, stations=views, next_cursor=cursor)

    def points(self, query: StationQuery) -> list[StationPoint]:
        """Return all stations that match, by name, each in a few figures; the place is not asked for."""
        now = self.clock.now()
        with self.open_work(is_read_only=True) as work:
            found = work.stations.counts(query.text, query.standard, query.min_power_w)
        points = [self._point(one, now) for one in found]
        return [one for one in points if one.bays_available or not query.free_now]

    def _point(self, counts: StationCounts, now: datetime) -> StationPoint:
        total = sum(counts.statuses.values())
        heard_at = counts.heard_at
        is_heard = heard_at is not None and now - heard_at < self.policy.stale_after
        unknown = {str(Status.UNKNOWN): total} if total else {}
        statuses = counts.statuses if is_heard else unknown
        return StationPoint(
            station_id=counts.station_id,
            name=counts.name,
            latitude=counts.latitude,
            longitude=counts.longitude,
            bays_total=total,
            bays_available=statuses.get(Status.AVAILABLE, 0),
            statuses=statuses,
        )

    def station(self, station_id: str) -> StationDetail:
        """Return one station with all its bays.

        Raises:
            NotFound: there is none.
        """
        return self.stations([station_id])[0]

    def stations(self, station_ids: Sequence[str]) -> list[StationDetail]:
        """Return these stations, in this order.

        Raises:
            NotFound: one of them is not there.
        """
        now = self.clock.now()
        with self.open_work(is_read_only=True) as work:
            known = work.stations.by_ids(station_ids)
            for station_id in station_ids:
                if station_id not in known:
                    raise NotFound(station_id)
            ordered = [(known[station_id], None) for station_id in station_ids]
            views = list(self._views(work, ordered, now))
        return [StationDetail(as_of=now, station=view) for view in views]

    def _matching(
        self, work: UnitOfWork, query: StationQuery, now: datetime
    ) -> Iterator[tuple[StationView, float | None]]:
        candidates = _candidates(work, query)
        while chunk := list(islice(candidates, _CHUNK)):
            away = [distance for _, distance in chunk]
            views = self._views(work, chunk, now)
            for view, distance in zip(views, away, strict=True):
                narrowed = _narrowed(view, query)
                if narrowed is not None:
                    yield narrowed, distance

    def _views(
        self,
        work: UnitOfWork,
        stations: Sequence[tuple[Station, float | None]],
        now: datetime,
    ) -> Iterator[StationView]:
        station_ids = [station.id for station, _ in stations]
        links = work.links.by_ids(station_ids)
        scenes = work.bays.scenes(station_ids, links)
        for station, away_m in stations:
            bays = [bay_view(scene, self.policy, now) for scene in scenes.get(station.id, [])]
            yield station_view(station, links[station.id], bays, away_m=away_m)


def _candidates(work: UnitOfWork, query: StationQuery) -> Iterator[tuple[Station, float | None]]:
    if query.latitude is not None and query.longitude is not None:
        return _by_distance(work, query, query.latitude, query.longitude)
    if query.box is not None:
        return _in_box(work, query, query.box)
    return _by_name(work, query)


def _by_name(work: UnitOfWork, query: StationQuery) -> Iterator[tuple[Station, float | None]]:
    after: tuple[str, str] | None = _name_after(query)
    while stations := work.stations.by_name(query.text, after, _CHUNK):
        for station in stations:
            yield station, None
        after = (stations[-1].name, stations[-1].id)


def _in_box(
    work: UnitOfWork, query: StationQuery, box: Box
) -> Iterator[tuple[Station, float | None]]:
    after = _name_after(query)
    stations = sorted(work.stations.within(box), key=lambda one: (one.name, one.id))
    for station in stations:
        if _has_text(station, query.text) and (after is None or (station.name, station.id) > after):
            yield station, None


def _by_distance(
    work: UnitOfWork, query: StationQuery, latitude: float, longitude: float
) -> Iterator[tuple[Station, float | None]]:
    """Yield the nearest first, after the cursor."""
    after = (-1.0, "") if query.cursor is None else unseal(query.cursor, (float, str))
    last_m = query.radius_m if query.radius_m is not None else EVERYWHERE_M
    for away_m, station in rings(work.stations.within, latitude, longitude, last_m):
        is_wanted = _has_text(station, query.text) and _is_inside(station, query.box)
        if is_wanted and (away_m, station.id) > after:
            yield station, away_m


def _name_after(query: StationQuery) -> tuple[str, str] | None:
    if query.cursor is None:
        return None
    name, station_id = unseal(query.cursor, (str, str))
    return name, station_id


def _cursor_after(shown: tuple[StationView, float | None], query: StationQuery) -> str:
    view, away_m = shown
    return seal(view.name if query.latitude is None else away_m, view.station_id)


def _has_text(station: Station, text: str) -> bool:
    wanted = text.strip().casefold()
    return any(wanted in said.casefold() for said in (station.name, station.city, station.address))


def _is_inside(station: Station, box: Box | None) -> bool:
    if box is None:
        return True
    if not box.south <= station.latitude <= box.north:
        return False
    if box.west <= box.east:
        return box.west <= station.longitude <= box.east
    return station.longitude >= box.west or station.longitude <= box.east


def _narrowed(view: StationView, query: StationQuery) -> StationView | None:
    """Return the station with the bays that fit; None where none does."""
    if query.standard is None and query.min_power_w is None:
        is_wanted = view.bays_available > 0 or not query.free_now
        return view if is_wanted else None
    bays = [bay for bay in view.bays if _fits(bay, query)]
    free = sum(bay.status == Status.AVAILABLE for bay in bays)
    if not bays or (query.free_now and not free):
        return None
    return _with_bays(view, bays)


def _fits(bay: BayView, query: StationQuery) -> bool:
    has_power = query.min_power_w is None or bay.max_power_w >= query.min_power_w
    standards = {plug.standard for plug in bay.connectors}
    return has_power and (query.standard is None or query.standard in standards)


def _with_bays(view: StationView, bays: list[BayView]) -> StationView:
    statuses = Counter(bay.status for bay in bays)
    return replace(
        view,
        bays_total=len(bays),
        bays_available=statuses[Status.AVAILABLE],
        max_power_w=max(bay.max_power_w for bay in bays),
        standards=sorted({plug.standard for bay in bays for plug in bay.connectors} - {""}),
        statuses=dict(sorted(statuses.items())),
        bays=bays,
    )
