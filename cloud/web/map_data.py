"""What the map draws: every station the filters let through as one short row, and the coastline."""

import json
from functools import cache
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response

from cloud.services.availability import StationQuery
from cloud.services.station_views import StationPoint
from cloud.web.bays import UNKNOWN
from cloud.web.coastline import Box, outline
from cloud.web.routes import router_of
from cloud.web.site import Site
from cloud.web.stations import Filters, read_filters

BEST_FIRST: Final = ("AVAILABLE", "CHARGING", "RESERVED", "BLOCKED", "OUTOFORDER", "INOPERATIVE")


def routes(site: Site) -> APIRouter:
    """Return the map's data."""
    router = router_of(site)

    @router.get("/map/stations.json")
    def stations(filters: Annotated[Filters, Depends(read_filters)]) -> Response:
        """List all stations that match, `[id, name, lat, lon, available, total, status]` each."""
        rows = [_row(point) for point in site.parts.availability.points(filters.ask())]
        return _json({"stations": rows}, "private, no-store")

    @router.get("/map/land.json")
    def land() -> Response:
        """Return the coastline around the stations, as GeoJSON."""
        points = site.parts.availability.points(StationQuery())
        if not points:
            return _json({"type": "MultiPolygon", "coordinates": []}, "no-cache")
        box = Box.around([(point.latitude, point.longitude) for point in points])
        return _json(_outline(box), "public, max-age=86400")

    return router


@cache
def _outline(box: Box) -> dict[str, Any]:
    return outline(box)


def _row(point: StationPoint) -> list[Any]:
    return [
        point.station_id,
        point.name,
        round(point.latitude, 5),
        round(point.longitude, 5),
        point.bays_available,
        point.bays_total,
        overall(point),
    ]


def overall(point: StationPoint) -> str:
    """Return the status a station's marker has: the best a driver can hope for there."""
    return next((status for status in BEST_FIRST if point.statuses.get(status)), UNKNOWN)


def _json(content: object, cache_control: str) -> Response:
    body = json.dumps(content, separators=(",", ":")).encode()
    return Response(body, media_type="application/json", headers={"Cache-Control": cache_control})
