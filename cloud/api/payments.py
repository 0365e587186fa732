"""`/reservations/{id}/payment`, `/payments`, `/webhooks/payments`: paying, and what gateways tell."""

import asyncio
from typing import Annotated, Final

import anyio
from fastapi import APIRouter, Path, Request
from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from cloud.api.auth import Admin, Anyone
from cloud.api.bodies import Body, IdPath, Line, OnceOf, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.domain.access import Viewer
from cloud.domain.payments import Method
from cloud.services.payments import PayBy, PaymentList, PaymentView, Refunded

router: Final = APIRouter(prefix="/api/v1", tags=["payments"])

AT_ONCE: Final = 16
"""Calls to gateways at the same time: each may hold a thread for seconds."""
PENDING: Final = "pending"

_PATIENCE_S: Final = 9.0
"""A little more than a gateway has to answer."""
_LOOK_AGAIN_S: Final = 0.1

Minor = Annotated[int, Field(ge=1, le=10_000_000, description="In minor units.")]


class PayBody(Body):
    """What is paid with."""

    model_config = ConfigDict(json_schema_extra={"example": {"method": "card"}})

    method: Method = Method.CARD
    method_id: Annotated[
        str | None, Field(max_length=64, description="A saved card; null: the default one.")
    ] = None


class RefundBody(Body):
    """What is to be given back."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"amount_minor": 250, "why": "The cable was dirty"}}
    )

    amount_minor: Minor
    why: Annotated[Line, Field(min_length=1, max_length=200)]


@router.post(
    "/reservations/{reservation_id}/payment",
    status_code=201,
    operation_id="payReservation",
    response_model=PaymentView,
    responses=described(401, 402, 404, 409, 422, 503)
    | {202: {"model": PaymentView, "description": "The bank has not answered yet."}},
)
async def pay_reservation(
    request: Request, reservation_id: IdPath, body: PayBody, viewer: Anyone, once: OnceOf
) -> Response:
    """Pay for a confirmed hold: the amount is kept by the bank, and taken when all is over.

    202 while the bank has not answered: look at the payment (`Location`), or send the same request
    with the same Idempotency-Key again.
    """
    payments = services_of(request).payments
    by = PayBy(**body.model_dump())
    started = await run_in_threadpool(payments.pay_reservation, viewer, reservation_id, by, once)
    return paid_or_pending(await outcome(request, viewer, started.payment_id))


@router.get(
    "/reservations/{reservation_id}/payments",
    operation_id="listReservationPayments",
    response_model=PaymentList,
    responses=described(401, 404),
)
def list_payments(request: Request, reservation_id: IdPath, viewer: Anyone) -> Response:
    """Return all payments for a reservation, declined ones too, oldest first."""
    return ok(services_of(request).payments.of_reservation(viewer, reservation_id))


@router.post(
    "/reservations/{reservation_id}/refund",
    operation_id="refundReservation",
    response_model=Refunded,
    responses=described(401, 403, 404, 409, 422),
)
def refund(
    request: Request, reservation_id: IdPath, body: RefundBody, viewer: Admin, once: OnceOf
) -> Response:
    """Waive a part of what was due; what was paid of it goes back the way it came."""
    payments = services_of(request).payments
    return ok(payments.refund(viewer, reservation_id, body.amount_minor, body.why, once))


@router.get(
    "/payments/{payment_id}",
    operation_id="getPayment",
    response_model=PaymentView,
    responses=described(401, 404),
)
def get_payment(request: Request, payment_id: IdPath, viewer: Anyone) -> Response:
    """Return a payment and how it stands."""
    return ok(services_of(request).payments.get(viewer, payment_id))


@router.post(
    "/webhooks/payments/{provider}",
    status_code=204,
    operation_id="hearGateway",
    response_class=Response,
    responses=described(400, 404),
)
async def hear(
    request: Request, provider: Annotated[str, Path(pattern=r"^[a-z]{1,16}$")]
) -> Response:
    """Take what a payment gateway tells; it proves itself by its signature over the raw body."""
    body = await request.body()
    cashier = services_of(request).cashier
    await run_in_threadpool(cashier.hear, provider, body, request.headers)
    return Response(status_code=204)


async def outcome(request: Request, viewer: Viewer, payment_id: str) -> PaymentView:
    """Have a payment carried out, and return it once the gateway has answered, or the time is up.

    Raises:
        PaymentDeclined: the bank, or the wallet, says no.
        HoldExpired: the money came too late, and goes back.
    """
    services = services_of(request)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _PATIENCE_S
    was_mine = await anyio.to_thread.run_sync(
        services.cashier.pay_now, payment_id, limiter=request.app.state.gateway_limiter
    )
    while True:
        view = await run_in_threadpool(services.payments.outcome, viewer, payment_id)
        if view.state != PENDING or was_mine or loop.time() >= deadline:
            return view
        # somebody else is asking the bank: another request of the same key, or the cashier
        await asyncio.sleep(_LOOK_AGAIN_S)


def paid_or_pending(view: PaymentView) -> Response:
    """Return 201 with a payment the gateway has answered, 202 with one it has not."""
    status = 202 if view.state == PENDING else 201
    return ok(view, status, {"Location": f"/api/v1/payments/{view.payment_id}"})
