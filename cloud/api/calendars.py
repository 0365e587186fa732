"""`/stations/{id}/calendar`, `/bays/{id}/calendar`: when there is room, for anyone."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from cloud.api.bodies import Slug, StationPath, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.api.reservations import Instant
from cloud.services.booking_ports import PlugWish
from cloud.services.calendars import CalendarView

router: Final = APIRouter(prefix="/api/v1", tags=["stations"])

BayPath = Annotated[Slug, Path()]
From = Annotated[
    Instant | None, Query(alias="from", description="From this quarter of an hour; none: now.")
]
To = Annotated[
    Instant | None, Query(description="To this one, at most 31 days later; none: a week later.")
]


@router.get(
    "/stations/{station_id}/calendar",
    operation_id="getStationCalendar",
    response_model=CalendarView,
    responses=described(404, 422),
)
def station_calendar(
    request: Request,
    station_id: StationPath,
    from_: From = None,
    to: To = None,
    *,
    standard: Annotated[
        str, Query(max_length=32, description="OCPI ConnectorType, exactly; none: any.")
    ] = "",
    min_power_w: Annotated[int, Query(ge=0, le=10_000_000, description="At least so much.")] = 0,
) -> Response:
    """Return a station's calendar: where one of its bays is free, in how many, and each bay's own."""
    wish = PlugWish(standards=frozenset({standard} - {""}), min_power_w=min_power_w)
    return ok(services_of(request).calendars.station(station_id, from_, to, wish))


@router.get(
    "/bays/{bay_id}/calendar",
    operation_id="getBayCalendar",
    response_model=CalendarView,
    responses=described(404, 422),
)
def bay_calendar(request: Request, bay_id: BayPath, from_: From = None, to: To = None) -> Response:
    """Return one bay's calendar: runs of quarter hours that are free, taken or closed."""
    return ok(services_of(request).calendars.bay(bay_id, from_, to))
