"""`/wallet`: what you have paid in and not spent yet."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from cloud.api.auth import Anyone
from cloud.api.bodies import Body, OnceOf, ok
from cloud.api.container import services_of
from cloud.api.payments import outcome, paid_or_pending
from cloud.api.problems import described
from cloud.services.payments import PaymentView
from cloud.services.wallets import TopUp, WalletView

router: Final = APIRouter(prefix="/api/v1/wallet", tags=["payments"])


class TopUpBody(Body):
    """What is to be paid in."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"amount_minor": 2_000, "currency": "GBP"}}
    )

    amount_minor: Annotated[int, Field(ge=100, le=100_000, description="In minor units.")]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217.")]
    method_id: Annotated[
        str | None, Field(max_length=64, description="A saved card; null: the default one.")
    ] = None


@router.get("", operation_id="getWallet", response_model=WalletView, responses=described(401))
def get_wallet(request: Request, viewer: Anyone) -> Response:
    """Return what you can spend, by currency."""
    return ok(services_of(request).wallets.get(viewer))


@router.post(
    "/top-ups",
    status_code=201,
    operation_id="topUpWallet",
    response_model=PaymentView,
    responses=described(401, 402, 422, 503)
    | {202: {"model": PaymentView, "description": "The bank has not answered yet."}},
)
async def top_up(request: Request, body: TopUpBody, viewer: Anyone, once: OnceOf) -> Response:
    """Pay in by card; it can be spent once the bank has said yes."""
    asked = TopUp(**body.model_dump())
    started = await run_in_threadpool(services_of(request).wallets.top_up, viewer, asked, once)
    return paid_or_pending(await outcome(request, viewer, started.payment_id))
