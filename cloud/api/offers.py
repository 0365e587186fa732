"""`/offers`: what a driver may take with one call; and what there is instead of a reservation."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from cloud.api.auth import Anyone
from cloud.api.bodies import Body, IdPath, OnceOf, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.services.offer_views import OfferList, OfferView
from cloud.services.reservation_views import ReservationView

router: Final = APIRouter(prefix="/api/v1", tags=["reservations"])


class AcceptBody(Body):
    """Which option is taken."""

    model_config = ConfigDict(json_schema_extra={"example": {"option": 0}})

    option: Annotated[int, Field(ge=0, le=99, description="Its place in `options`, from 0.")]


@router.get(
    "/offers", operation_id="listOffers", response_model=OfferList, responses=described(401)
)
def list_offers(request: Request, viewer: Anyone) -> Response:
    """List what you may take now: other bays or times, or what you waited for."""
    return ok(services_of(request).offers.list(viewer))


@router.get(
    "/offers/{offer_id}",
    operation_id="getOffer",
    response_model=OfferView,
    responses=described(401, 404),
)
def get_offer(request: Request, offer_id: IdPath, viewer: Anyone) -> Response:
    """Return an offer, also one that is over."""
    return ok(services_of(request).offers.get(offer_id, viewer))


@router.post(
    "/offers/{offer_id}/accept",
    operation_id="acceptOffer",
    response_model=ReservationView,
    responses=described(401, 404, 409, 422),
)
def accept_offer(
    request: Request, offer_id: IdPath, body: AcceptBody, viewer: Anyone, once: OnceOf
) -> Response:
    """Take an option: the reservation is there at once, and what was paid follows.

    For what we cannot keep you never pay more than agreed. Somebody faster: 409 with alternatives,
    which are the options of a new offer, `offer_id`; what you waited for, you wait on for.
    """
    return ok(services_of(request).offers.accept(offer_id, body.option, viewer, once))


@router.post(
    "/reservations/{reservation_id}/alternatives",
    status_code=201,
    operation_id="offerAlternatives",
    response_model=OfferView,
    responses=described(401, 404, 409, 422),
)
def alternatives(request: Request, reservation_id: IdPath, viewer: Anyone) -> Response:
    """Ask what there is instead of a reservation of yours, nearest first; take it by `/offers`.

    Other times at the same station, and bays near by; nothing changes until you take one. For a bay
    we cannot keep it is what we offered already, or anew where some of it is taken by now.
    """
    return ok(services_of(request).offers.alternatives(reservation_id, viewer), 201)
