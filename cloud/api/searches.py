"""`/search`: what is free for a need, best first; for anyone."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from cloud.api.auth import Visitor
from cloud.api.bodies import ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.api.reservations import Instant
from cloud.domain.errors import NotValid
from cloud.domain.ranking import Car, Order
from cloud.services.searches import FoundList, Search

router: Final = APIRouter(prefix="/api/v1", tags=["stations"])

Power = Annotated[int, Query(ge=0, le=10_000_000)]


@dataclass(frozen=True, slots=True)
class Place:
    """Where is looked."""

    lat: Annotated[float | None, Query(ge=-90, le=90, allow_inf_nan=False)] = None
    lon: Annotated[float | None, Query(ge=-180, le=180, allow_inf_nan=False)] = None
    q: Annotated[
        str, Query(max_length=100, description="Or around the first station that is called so.")
    ] = ""
    radius_m: Annotated[float, Query(gt=0, le=400_000, allow_inf_nan=False)] = 25_000


@dataclass(frozen=True, slots=True)
class Time:
    """When, and for how long or how much."""

    starts_at: Annotated[
        Instant | None, Query(description="At the earliest; none: now. Later is found too.")
    ] = None
    ends_at: Annotated[Instant | None, Query(description="With `starts_at`: the window.")] = None
    duration_s: Annotated[
        int | None, Query(gt=0, le=86_400, description="Or so long; else as the energy takes.")
    ] = None
    energy_wh: Annotated[
        int | None, Query(gt=0, le=1_000_000, description="What is to be added.")
    ] = None
    exact: Annotated[bool, Query(description="Only from `starts_at` on, nothing later.")] = False

    @property
    def duration(self) -> timedelta | None:
        """Return for how long; null: as the energy takes.

        Raises:
            NotValid: an end without a start, or two durations.
        """
        if self.ends_at is None:
            return None if self.duration_s is None else timedelta(seconds=self.duration_s)
        if self.starts_at is None or self.duration_s is not None:
            raise NotValid("ends_at", "An end goes with a start, and without a duration.")
        return self.ends_at - self.starts_at


@dataclass(frozen=True, slots=True)
class Bay:
    """What the bay must have, what the car takes, and what it may cost."""

    standard: Annotated[
        str, Query(max_length=32, description="OCPI ConnectorType, exactly; none: any.")
    ] = ""
    min_power_w: Power = 0
    car_dc_w: Annotated[
        int, Query(ge=0, le=10_000_000, description="What the car takes of direct current.")
    ] = 0
    car_ac_w: Annotated[
        int, Query(ge=0, le=10_000_000, description="And of alternating current.")
    ] = 0
    accessible: Annotated[bool, Query(description="Only bays with room.")] = False
    max_price_minor: Annotated[
        int | None, Query(ge=0, le=10**9, description="The whole charge costs no more.")
    ] = None


@router.get(
    "/search", operation_id="searchBays", response_model=FoundList, responses=described(422)
)
def search(
    request: Request,
    login: Visitor,
    place: Annotated[Place, Depends()],
    time: Annotated[Time, Depends()],
    bay: Annotated[Bay, Depends()],
    *,
    order: Annotated[
        Order,
        Query(
            description="`cost`: minutes of waiting, charging, driving and paying together. "
            "`nearest`: what is free at once, then by distance, then by capacity."
        ),
    ] = Order.COST,
    limit: Annotated[int, Query(ge=1, le=50, description="The most to return.")] = 20,
) -> Response:
    """Find what is free for a need: stations, each with its best bay and window, best first.

    Looked at are the hundred nearest that have the plug. Bays nobody has news of, or that are out
    of order, are not offered for now; what begins later is found up to six hours after `starts_at`.
    """
    asked = Search(
        latitude=place.lat,
        longitude=place.lon,
        text=place.q,
        radius_m=place.radius_m,
        starts_at=time.starts_at,
        duration=time.duration,
        energy_wh=time.energy_wh,
        is_exact=time.exact,
        standard=bay.standard,
        min_power_w=bay.min_power_w,
        car=Car(max_dc_w=bay.car_dc_w, max_ac_w=bay.car_ac_w),
        is_accessible=bay.accessible,
        max_price_minor=bay.max_price_minor,
        order=order,
        limit=limit,
        user_id=None if login is None else login.viewer.user_id,
    )
    return ok(services_of(request).searches.search(asked))
