"""`/waitlist`: told when something is free; first come, first offered."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from cloud.api.auth import Anyone
from cloud.api.bodies import Body, IdPath, OnceOf, Slug, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.api.reservations import Instant, PowerW, Standard
from cloud.services.reservation_views import ReservationView
from cloud.services.waitlist import NewEntry, WaitlistList, WaitlistView

router: Final = APIRouter(prefix="/api/v1/waitlist", tags=["waitlist"])


class WaitBody(Body):
    """What is waited for."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "station_id": "dundee-greenmarket",
                "starts_at": "2026-03-02T08:00:00Z",
                "ends_at": "2026-03-02T09:30:00Z",
                "standard": "IEC_62196_T2_COMBO",
            }
        }
    )

    station_id: Slug
    bay_id: Annotated[Slug | None, Field(description="Null: any bay with the plug.")] = None
    starts_at: Instant
    ends_at: Instant
    standard: Standard = ""
    min_power_w: PowerW = 0


@router.post(
    "",
    status_code=201,
    operation_id="joinWaitlist",
    response_model=WaitlistView,
    responses=described(401, 404, 409, 422),
)
def join(request: Request, body: WaitBody, viewer: Anyone, once: OnceOf) -> Response:
    """Wait for a bay: once it is free you are told, and it is offered to you for ten minutes."""
    joined = services_of(request).waitlist.join(viewer, NewEntry(**body.model_dump()), once)
    return ok(joined, 201, {"Location": f"/api/v1/waitlist/{joined.entry_id}"})


@router.get("", operation_id="listWaitlist", response_model=WaitlistList, responses=described(401))
def list_entries(request: Request, viewer: Anyone) -> Response:
    """List what you wait for, or did, newest first."""
    return ok(services_of(request).waitlist.list(viewer))


@router.get(
    "/{entry_id}",
    operation_id="getWaitlistEntry",
    response_model=WaitlistView,
    responses=described(401, 404),
)
def get_entry(request: Request, entry_id: IdPath, viewer: Anyone) -> Response:
    """Return what you wait for, how many came before you, and what you are offered."""
    return ok(services_of(request).waitlist.get(viewer, entry_id))


@router.delete(
    "/{entry_id}",
    operation_id="leaveWaitlist",
    response_model=WaitlistView,
    responses=described(401, 404),
)
def leave(request: Request, entry_id: IdPath, viewer: Anyone) -> Response:
    """Wait no more; what is offered to you goes to the next."""
    return ok(services_of(request).waitlist.leave(viewer, entry_id))


@router.post(
    "/{entry_id}/accept",
    status_code=201,
    operation_id="acceptWaitlistOffer",
    response_model=ReservationView,
    responses=described(401, 404, 409, 422, 429),
)
def accept(request: Request, entry_id: IdPath, viewer: Anyone, once: OnceOf) -> Response:
    """Hold what you are offered; confirm and pay for it like any hold.

    Where somebody was faster (409 `bay_already_booked`) you wait on, in your old place; with what
    is free instead.
    """
    return ok(services_of(request).waitlist.accept(viewer, entry_id, once), 201)
