"""`/stations`, `/availability`: which bays are free, for anyone; and live."""

import hashlib
from dataclasses import dataclass, replace
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response

from cloud.api.bodies import Cursor, Limit, StationPath, ok
from cloud.api.container import services_of
from cloud.api.event_stream import EventStream, stream_responses
from cloud.api.problems import described
from cloud.api.streams import Opening
from cloud.domain.errors import NotValid
from cloud.live import station_key
from cloud.services.availability import AvailabilityService, StationQuery
from cloud.services.fact_ports import Box
from cloud.services.station_views import StationDetail, StationList

router: Final = APIRouter(prefix="/api/v1", tags=["stations"])

MAX_AREA: Final = 1_000
"""Stations one area stream follows."""
_PAGE: Final = 500
_POLE: Final = 90
_DATE_LINE: Final = 180

Latitude = Annotated[float | None, Query(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float | None, Query(ge=-180, le=180, allow_inf_nan=False)]
IfNoneMatch = Annotated[str, Header(alias="If-None-Match", max_length=1_000)]


@dataclass(frozen=True, slots=True)
class Search:
    """The query of a station search."""

    lat: Latitude = None
    lon: Longitude = None
    radius_m: Annotated[float | None, Query(gt=0, le=20_100_000, allow_inf_nan=False)] = None
    standard: Annotated[
        str | None, Query(max_length=32, description="OCPI ConnectorType, exactly.")
    ] = None
    min_power_w: Annotated[
        int | None, Query(ge=0, le=10_000_000, description="At least so much.")
    ] = None
    free_now: Annotated[bool, Query(description="Only stations with a bay AVAILABLE now.")] = False
    q: Annotated[str, Query(max_length=100, description="Part of name, city or address.")] = ""


@router.get(
    "/stations",
    operation_id="listStations",
    response_model=StationList,
    responses=described(422) | {304: {"description": "As you have it."}},
)
def list_stations(
    request: Request,
    search: Annotated[Search, Depends()],
    limit: Limit = 50,
    cursor: Cursor = None,
    if_none_match: IfNoneMatch = "",
) -> Response:
    """Find stations: nearest first with a point, else by name; filters hold for their bays."""
    query = StationQuery(
        latitude=search.lat,
        longitude=search.lon,
        radius_m=search.radius_m,
        standard=search.standard,
        min_power_w=search.min_power_w,
        free_now=search.free_now,
        text=search.q,
        limit=limit,
        cursor=cursor,
    )
    return tagged(services_of(request).availability.stations_near(query), if_none_match)


@router.get(
    "/stations/{station_id}",
    operation_id="getStation",
    response_model=StationDetail,
    responses=described(404) | {304: {"description": "As you have it."}},
)
def get_station(
    request: Request, station_id: StationPath, if_none_match: IfNoneMatch = ""
) -> Response:
    """Return a station with its bays: situation, reason, witnesses, and until when it holds."""
    return tagged(services_of(request).availability.station(station_id), if_none_match)


@router.get(
    "/stations/{station_id}/events",
    operation_id="watchStation",
    response_class=Response,
    responses=stream_responses("snapshot", "bay", "heard") | described(404, 503),
)
async def watch_station(request: Request, station_id: StationPath) -> Response:
    """Stream a station: `snapshot` (StationDetail), then `bay` (BayView) and `heard`."""
    availability = services_of(request).availability

    def read() -> Opening:
        keys = frozenset({station_key(station_id)})
        return Opening(keys, "snapshot", availability.station(station_id))

    return EventStream(request, read, share_as=f"station {station_id}")


@router.get(
    "/availability/events",
    operation_id="watchArea",
    response_class=Response,
    responses=stream_responses("snapshot", "bay", "heard") | described(422, 503),
)
async def watch_area(
    request: Request,
    bbox: Annotated[
        str,
        Query(
            max_length=100,
            pattern=r"^-?[0-9.]+(,-?[0-9.]+){3}$",
            description="south,west,north,east in degrees; west may be greater than east.",
            examples=["56.4,-3.1,56.5,-2.9"],
        ),
    ],
) -> Response:
    """Stream an area: `snapshot` (StationList), then `bay` and `heard` of its stations."""
    availability = services_of(request).availability
    box = box_of(bbox)
    return EventStream(request, lambda: _area(availability, box), share_as=f"area {box}")


def box_of(bbox: str) -> Box:
    """Return the area a query names.

    Raises:
        NotValid: it is none.
    """
    try:
        south, west, north, east = (float(part) for part in bbox.split(","))
    except ValueError:
        raise NotValid("bbox", "An area is south,west,north,east.") from None
    is_on_earth = -_POLE <= south <= north <= _POLE and max(abs(west), abs(east)) <= _DATE_LINE
    if not is_on_earth:
        raise NotValid("bbox", "An area is south,west,north,east in degrees.")
    return Box(south, west, north, east)


def _area(availability: AvailabilityService, box: Box) -> Opening:
    """Read all stations of an area.

    Raises:
        NotValid: there are more than one stream follows.
    """
    found = availability.stations_near(StationQuery(box=box, limit=_PAGE))
    stations = list(found.stations)
    cursor = found.next_cursor
    while cursor is not None and len(stations) <= MAX_AREA:
        page = availability.stations_near(StationQuery(box=box, limit=_PAGE, cursor=cursor))
        stations += page.stations
        cursor = page.next_cursor
    if len(stations) > MAX_AREA:
        raise NotValid("bbox", f"More than {MAX_AREA} stations are here: choose a smaller area.")
    keys = frozenset(station_key(one.station_id) for one in stations)
    return Opening(keys, "snapshot", replace(found, stations=stations, next_cursor=None))


def tagged(view: StationList | StationDetail, if_none_match: str) -> Response:
    """Return the view with its ETag, or 304 where the client has it; `as_of` alone is no change."""
    as_of = view.as_of.replace(year=2000, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    plain = msgspec.json.encode(replace(view, as_of=as_of))
    tag = f'W/"{hashlib.sha256(plain).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    known = {part.strip() for part in if_none_match.split(",")}
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return ok(view, headers=headers)
