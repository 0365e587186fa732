"""`/stations/{id}/terms`: on which terms a station is booked."""

from datetime import UTC
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, ConfigDict, Field
from starlette.responses import Response

from cloud.api.auth import only
from cloud.api.bodies import Body, Line, Slug, StationPath, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.domain.access import Role, Viewer
from cloud.domain.terms import Blackout, OpenHours, RefundStep, Terms
from cloud.services.terms import TermsView

router: Final = APIRouter(prefix="/api/v1", tags=["terms"])

Keeper = Annotated[Viewer, Depends(only(Role.OWNER, Role.ADMIN))]
"""Owners of their own stations, administrators of all."""
Whole = Annotated[int, Field(ge=0, le=10**8)]
_DEFAULT: Final = Terms()


class HoursBody(Body):
    """Opening hours of one weekday, by the station's clock."""

    weekday: Annotated[int, Field(ge=0, le=6, description="0 is Monday.")]
    opens_min: Annotated[int, Field(ge=0, le=2880, description="Minutes since midnight.")]
    closes_min: Annotated[int, Field(ge=0, le=2880, description="Up to 2880: past midnight.")]


class BlackoutBody(Body):
    """When nothing can be booked."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime
    bay_id: Annotated[Slug | None, Field(description="Null: the whole station.")] = None
    why: Annotated[Line, Field(max_length=200)] = ""


class RefundBody(Body):
    """Canceled at least so long before the start, so much comes back."""

    before_s: Whole
    refund_pct: Annotated[int, Field(ge=0, le=100)]


class TermsBody(Body):
    """All terms of a station; what is left out gets its default. Durations in seconds."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "min_s": 1_800,
                "max_s": 14_400,
                "grace_s": 900,
                "overstay_grace_s": 600,
                "overstay_per_minute_minor": 25,
                "refunds": [
                    {"before_s": 3_600, "refund_pct": 100},
                    {"before_s": 0, "refund_pct": 50},
                ],
            }
        }
    )

    is_bookable: bool = _DEFAULT.is_bookable
    hours: Annotated[tuple[HoursBody, ...], Field(max_length=50)] = ()
    blackouts: Annotated[tuple[BlackoutBody, ...], Field(max_length=500)] = ()
    unbookable_bays: Annotated[
        tuple[Slug, ...], Field(max_length=500, description="For walk-ins only.")
    ] = ()
    min_s: Whole = _DEFAULT.min_s
    max_s: Whole = _DEFAULT.max_s
    buffer_s: Annotated[int, Field(ge=0, le=10**8, description="Kept free after each slot.")] = (
        _DEFAULT.buffer_s
    )
    ahead_s: Annotated[int, Field(ge=0, le=10**8, description="So far ahead can be booked.")] = (
        _DEFAULT.ahead_s
    )
    hold_s: Whole = _DEFAULT.hold_s
    max_live_per_driver: Whole = _DEFAULT.max_live_per_driver
    max_live_in_series: Whole = _DEFAULT.max_live_in_series
    protect_s: Whole = _DEFAULT.protect_s
    grace_s: Annotated[int, Field(ge=0, le=10**8, description="Then, seen empty: a no-show.")] = (
        _DEFAULT.grace_s
    )
    confirm_s: Whole = _DEFAULT.confirm_s
    fix_s: Whole = _DEFAULT.fix_s
    overstay_grace_s: Whole = _DEFAULT.overstay_grace_s
    overstay_per_minute_minor: Whole = _DEFAULT.overstay_per_minute_minor
    no_show_fee_minor: Whole = _DEFAULT.no_show_fee_minor
    is_charger_witness: Annotated[
        bool, Field(description="Without a sensor, a plug nobody used proves that nobody came.")
    ] = _DEFAULT.is_charger_witness
    refunds: Annotated[tuple[RefundBody, ...], Field(max_length=20)] = tuple(
        RefundBody(before_s=one.before_s, refund_pct=one.refund_pct) for one in _DEFAULT.refunds
    )

    def terms(self) -> Terms:
        """Return them as the house knows them; instants in UTC."""
        plain: dict[str, Any] = {
            name: getattr(self, name) for name in TermsBody.model_fields if name not in _LISTS
        }
        return Terms(
            hours=tuple(OpenHours(**one.model_dump()) for one in self.hours),
            blackouts=tuple(_blackout(one) for one in self.blackouts),
            refunds=tuple(RefundStep(**one.model_dump()) for one in self.refunds),
            **plain,
        )


_LISTS: Final = frozenset({"hours", "blackouts", "refunds"})


def _blackout(body: BlackoutBody) -> Blackout:
    return Blackout(
        starts_at=body.starts_at.astimezone(UTC),
        ends_at=body.ends_at.astimezone(UTC),
        bay_id=body.bay_id,
        why=body.why,
    )


@router.get(
    "/stations/{station_id}/terms",
    operation_id="getStationTerms",
    response_model=TermsView,
    responses=described(404),
)
def get_terms(request: Request, station_id: StationPath) -> Response:
    """Return on which terms a station is booked: opening hours, durations, grace, fees, refunds."""
    return ok(services_of(request).terms.get(station_id))


@router.put(
    "/stations/{station_id}/terms",
    operation_id="putStationTerms",
    response_model=TermsView,
    responses=described(401, 403, 404, 409, 422),
)
def put_terms(
    request: Request,
    station_id: StationPath,
    body: TermsBody,
    viewer: Keeper,
    *,
    is_forced: Annotated[
        bool, Query(description="Also where bookings lose their bay: their drivers are seen to.")
    ] = False,
) -> Response:
    """Set a station's terms, whole; bookings keep those they were made on.

    409 `bookings_in_the_way` names the bookings to come that would lose their bay.
    """
    services = services_of(request)
    return ok(services.terms.put(viewer, station_id, body.terms(), is_forced=is_forced))
