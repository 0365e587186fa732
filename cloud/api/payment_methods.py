"""`/payment-methods`: cards people saved; everybody's own."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from cloud.api.auth import Anyone
from cloud.api.bodies import Body, IdPath, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.services.payment_methods import PaymentMethodList, PaymentMethodView

router: Final = APIRouter(prefix="/api/v1/payment-methods", tags=["payments"])


class MethodBody(Body):
    """A card to be saved: never its number, only what the gateway's own scripts made of it."""

    model_config = ConfigDict(json_schema_extra={"example": {"token": "card_ok"}})

    token: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_]{1,120}$",
            description="Stripe: a PaymentMethod's id. Sandbox: `card_ok`, `card_declined`, "
            "`card_insufficient_funds`, `card_always_times_out`.",
        ),
    ]
    is_default: bool = False


@router.get(
    "",
    operation_id="listPaymentMethods",
    response_model=PaymentMethodList,
    responses=described(401),
)
def list_methods(request: Request, viewer: Anyone) -> Response:
    """List your cards, the newest first, and say which gateway keeps them."""
    return ok(services_of(request).payment_methods.list(viewer))


@router.post(
    "",
    status_code=201,
    operation_id="savePaymentMethod",
    response_model=PaymentMethodView,
    responses=described(401, 402, 422, 503),
)
def save_method(request: Request, body: MethodBody, viewer: Anyone) -> Response:
    """Save a card; the same one twice is there once. The first becomes the default."""
    methods = services_of(request).payment_methods
    return ok(methods.save(viewer, body.token, is_default=body.is_default), 201)


@router.put(
    "/{method_id}/default",
    operation_id="setDefaultPaymentMethod",
    response_model=PaymentMethodView,
    responses=described(401, 404),
)
def set_default(request: Request, method_id: IdPath, viewer: Anyone) -> Response:
    """Pay with this card where none is named."""
    return ok(services_of(request).payment_methods.set_default(viewer, method_id))


@router.delete(
    "/{method_id}",
    status_code=204,
    operation_id="removePaymentMethod",
    response_class=Response,
    responses=described(401, 404, 422),
)
def remove_method(request: Request, method_id: IdPath, viewer: Anyone) -> Response:
    """Forget a card, unless something is to be paid with it yet."""
    services_of(request).payment_methods.remove(viewer, method_id)
    return Response(status_code=204)
