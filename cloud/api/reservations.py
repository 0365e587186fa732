"""`/reservations`: to hold a bay, see, change and cancel, check in; and live."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final, Self

from fastapi import APIRouter, Query, Request
from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, model_validator
from starlette.responses import Response

from cloud.api.auth import Anyone, SignedIn, Watcher, own_page_only
from cloud.api.bodies import Body, Cursor, IdPath, Limit, Line, OnceOf, Slug, ok
from cloud.api.container import services_of
from cloud.api.event_stream import EventStream, stream_responses
from cloud.api.problems import described
from cloud.api.streams import Opening
from cloud.domain.series import MOST, Series
from cloud.live import reservation_key
from cloud.services.booking_ports import NewReservation
from cloud.services.changing import NewTimes
from cloud.services.reservation_views import ReservationList, ReservationLog, ReservationView
from cloud.services.series import NewSeries, SeriesView

router: Final = APIRouter(prefix="/api/v1/reservations", tags=["reservations"])

_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2200
_LONGEST_S: Final = 7 * 24 * 3600


def _of_this_age(at: datetime) -> datetime:
    if not _FIRST_YEAR <= at.year < _LAST_YEAR:
        raise ValueError("is not an instant anybody could book")
    return at.astimezone(UTC)


def _a_day_of_this_age(day: date) -> date:
    if not _FIRST_YEAR <= day.year < _LAST_YEAR:
        raise ValueError("is not a day anybody could book")
    return day


Instant = Annotated[AwareDatetime, AfterValidator(_of_this_age)]
"""With its zone; on a quarter of an hour."""

Day = Annotated[date, AfterValidator(_a_day_of_this_age)]

Standard = Annotated[
    str,
    Field(max_length=32, pattern=r"^[A-Z0-9_]*$", description="OCPI ConnectorType; empty: any."),
]
PowerW = Annotated[int, Field(ge=0, le=10_000_000, description="At least so much.")]
EnergyWh = Annotated[
    int | None, Field(gt=0, le=1_000_000, description="What the car needs, if you know.")
]
AnyBay = Annotated[
    Slug | None,
    Field(
        description="Null: any bay of the station that would do. Until shortly before the start "
        "(`fixed_at`) it may become another one."
    ),
]


class HoldBody(Body):
    """What is asked for."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "station_id": "dundee-greenmarket",
                "bay_id": "dundee-greenmarket-1",
                "starts_at": "2026-03-02T08:00:00Z",
                "ends_at": "2026-03-02T09:30:00Z",
                "standard": "IEC_62196_T2_COMBO",
                "energy_wh": 25_000,
            }
        }
    )

    station_id: Slug
    bay_id: AnyBay = None
    starts_at: Instant
    ends_at: Instant
    standard: Standard = ""
    min_power_w: PowerW = 0
    energy_wh: EnergyWh = None


class ChangeBody(Body):
    """What is to change; a new start without an end keeps the duration."""

    model_config = ConfigDict(json_schema_extra={"example": {"ends_at": "2026-03-02T10:00:00Z"}})

    starts_at: Instant | None = None
    ends_at: Instant | None = None
    bay_id: Slug | None = None


class CancelBody(Body):
    """How far the cancellation goes, and why."""

    model_config = ConfigDict(json_schema_extra={"example": {"note": "The train is faster."}})

    is_whole_series: Annotated[
        bool, Field(description="Also those of the same series that come later.")
    ] = False
    note: Annotated[Line, Field(max_length=500)] = ""


class SeriesBody(Body):
    """The same hours again and again, by the clock at the station."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "station_id": "dundee-greenmarket",
                "weekdays": [0, 2, 4],
                "begins": "08:15",
                "duration_s": 5_400,
                "first_day": "2026-03-02",
                "count": 6,
                "skip_conflicts": True,
            }
        }
    )

    station_id: Slug
    bay_id: AnyBay = None
    weekdays: Annotated[
        frozenset[Annotated[int, Field(ge=0, le=6)]],
        Field(min_length=1, description="0 is Monday."),
    ]
    begins: Annotated[
        str,
        Field(
            pattern=r"^([01][0-9]|2[0-3]):(00|15|30|45)$", description="At the station: `08:15`."
        ),
    ]
    duration_s: Annotated[int, Field(gt=0, le=_LONGEST_S)]
    first_day: Day
    count: Annotated[int | None, Field(ge=1, le=MOST, description="So many windows.")] = None
    until: Annotated[Day | None, Field(description="The last day that may have one.")] = None
    standard: Standard = ""
    min_power_w: PowerW = 0
    energy_wh: EnergyWh = None
    skip_conflicts: Annotated[
        bool, Field(description="Leave out what is not to be had; otherwise all or none.")
    ] = False

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.count is None and self.until is None:
            raise ValueError("a series ends by count or by until")
        return self

    def asked(self) -> NewSeries:
        """Return it as the use case takes it."""
        series = Series(
            weekdays=self.weekdays,
            begins=time.fromisoformat(self.begins),
            duration=timedelta(seconds=self.duration_s),
            first_day=self.first_day,
            count=self.count,
            until=self.until,
        )
        return NewSeries(
            station_id=self.station_id,
            bay_id=self.bay_id,
            series=series,
            standard=self.standard,
            min_power_w=self.min_power_w,
            energy_wh=self.energy_wh,
            skips_conflicts=self.skip_conflicts,
        )


@router.post(
    "",
    status_code=201,
    operation_id="holdBay",
    response_model=ReservationView,
    responses=described(401, 404, 409, 422, 429),
)
def hold(request: Request, body: HoldBody, viewer: Anyone, once: OnceOf) -> Response:
    """Keep a bay for you until `held_until`: by then confirm it by the code, and pay.

    Whoever comes second gets 409 `bay_already_booked`, with what is free instead. One driver may have
    so many at a station (`too_many_reservations`) and in all (`too_many_in_all`), several at one
    station at a time, but no two stations at a time (`booked_elsewhere`). Staff, and owners at their
    own stations, book for others: only the first counts for them.
    """
    reservations = services_of(request).reservations
    return ok(reservations.hold(viewer, NewReservation(**body.model_dump()), once), 201)


@router.post(
    "/series",
    status_code=201,
    operation_id="holdSeries",
    response_model=SeriesView,
    responses=described(401, 404, 409, 422, 429),
)
def hold_series(request: Request, body: SeriesBody, viewer: Anyone, once: OnceOf) -> Response:
    """Hold a bay again and again; one code confirms all, each is paid for by itself."""
    return ok(services_of(request).series.hold(viewer, body.asked(), once), 201)


@router.get(
    "",
    operation_id="listReservations",
    response_model=ReservationList,
    responses=described(401, 422),
)
def list_reservations(
    request: Request,
    viewer: Anyone,
    live: Annotated[
        bool | None, Query(description="Only those that stand, or only those that are over.")
    ] = None,
    mine: Annotated[bool, Query(description="Only those you made, whoever you are.")] = False,
    station_id: Annotated[Slug | None, Query()] = None,
    *,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List reservations, the latest start first: drivers' own, owners' stations', for staff all."""
    found = services_of(request).reservations.list(
        viewer, is_live=live, is_own=mine, station_id=station_id, limit=limit, cursor=cursor
    )
    return ok(found)


@router.get(
    "/{reservation_id}",
    operation_id="getReservation",
    response_model=ReservationView,
    responses=described(401, 404),
)
def get_reservation(request: Request, reservation_id: IdPath, viewer: Anyone) -> Response:
    """Return a reservation."""
    return ok(services_of(request).reservations.get(reservation_id, viewer))


@router.get(
    "/{reservation_id}/events",
    operation_id="watchReservation",
    response_class=Response,
    responses=stream_responses("reservation") | described(401, 403, 404, 503),
    dependencies=[own_page_only],
)
async def watch_reservation(request: Request, reservation_id: IdPath, login: SignedIn) -> Response:
    """Stream a reservation: `reservation` (ReservationView) at once and on each change.

    Each carries `server_now`: run countdowns from it. The stream ends when the reservation is over.
    """
    reservations = services_of(request).reservations

    def read() -> Opening:
        found = reservations.get(reservation_id, login.viewer)
        keys = frozenset({reservation_key(reservation_id)})
        return Opening(keys, "reservation", found, is_over=not found.is_live)

    return EventStream(request, read, login=login, ends=True)


@router.get(
    "/{reservation_id}/log",
    operation_id="getReservationLog",
    response_model=ReservationLog,
    responses=described(401, 403, 404),
)
def get_log(request: Request, reservation_id: IdPath, viewer: Watcher) -> Response:
    """Return what became of a reservation, and who did it: for owners and staff."""
    return ok(services_of(request).reservations.log(reservation_id, viewer))


@router.patch(
    "/{reservation_id}",
    operation_id="changeReservation",
    response_model=ReservationView,
    responses=described(401, 404, 409, 422),
)
def change(
    request: Request, reservation_id: IdPath, body: ChangeBody, viewer: Anyone, once: OnceOf
) -> Response:
    """Extend, shorten or move a reservation of yours; the difference is settled at the end.

    Not to a time at which you have another station (409 `booked_elsewhere`).
    """
    reservations = services_of(request).reservations
    return ok(reservations.change(viewer, reservation_id, NewTimes(**body.model_dump()), once))


@router.post(
    "/{reservation_id}/cancel",
    operation_id="cancelReservation",
    response_model=ReservationView,
    responses=described(401, 404, 409, 422),
)
def cancel(
    request: Request, reservation_id: IdPath, body: CancelBody, viewer: Anyone, once: OnceOf
) -> Response:
    """Cancel before arrival: by its driver with the terms' refund, by owner or staff for nothing."""
    canceled = services_of(request).reservations.cancel(
        viewer,
        reservation_id,
        once,
        is_whole_series=body.is_whole_series,
        note=body.note,
    )
    return ok(canceled)


@router.post(
    "/{reservation_id}/check-in",
    operation_id="checkIn",
    response_model=ReservationView,
    responses=described(401, 404, 409, 422),
)
def check_in(request: Request, reservation_id: IdPath, viewer: Anyone, once: OnceOf) -> Response:
    """Say that you stand in the bay; from when it is kept for you (`terms.protect_s`).

    Where a sensor sees the bay empty you have `terms.grace_s` to be seen there; else it is a no-show.
    """
    return ok(services_of(request).reservations.check_in(viewer, reservation_id, once))
