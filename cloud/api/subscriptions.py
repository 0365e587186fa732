"""`/subscription-plans`, `/subscriptions`: a monthly fee that lowers prices."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from cloud.api.auth import Admin, Anyone
from cloud.api.bodies import Body, IdPath, Line, OnceOf, ok
from cloud.api.container import services_of
from cloud.api.payments import PENDING, Minor, outcome
from cloud.api.problems import described
from cloud.domain.payments import Method
from cloud.services.payments import PayBy
from cloud.services.subscriptions import (
    NewPlan,
    PlanList,
    PlanView,
    SubscriptionList,
    SubscriptionView,
)

router: Final = APIRouter(prefix="/api/v1", tags=["subscriptions"])


class PlanBody(Body):
    """A plan to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "Commuter",
                "currency": "GBP",
                "monthly_minor": 999,
                "discounts": {"ENERGY": 10},
            }
        }
    )

    name: Annotated[Line, Field(min_length=1, max_length=120)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217.")]
    monthly_minor: Minor
    discounts: Annotated[
        dict[Annotated[str, Field(max_length=32)], Annotated[int, Field(ge=0, le=100)]],
        Field(max_length=10, description="Percent off, by OCPI tariff component."),
    ]


class OfferBody(Body):
    """Whether a plan is offered to new subscribers."""

    model_config = ConfigDict(json_schema_extra={"example": {"is_offered": False}})

    is_offered: bool


class SubscribeBody(Body):
    """What is subscribed to, and what it is paid with."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"plan_id": "0c6b1e5d7a4e4f0f9b1c2d3e4f5a6b7c"}}
    )

    plan_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
    method: Method = Method.CARD
    method_id: Annotated[
        str | None, Field(max_length=64, description="A saved card; null: the default one.")
    ] = None


@router.get(
    "/subscription-plans",
    operation_id="listPlans",
    response_model=PlanList,
    responses=described(401),
)
def list_plans(request: Request, viewer: Anyone) -> Response:
    """List the plans that are offered; administrators see all."""
    return ok(services_of(request).subscriptions.plans(viewer))


@router.post(
    "/subscription-plans",
    status_code=201,
    operation_id="createPlan",
    response_model=PlanView,
    responses=described(401, 403, 422),
)
def create_plan(request: Request, body: PlanBody, viewer: Admin, once: OnceOf) -> Response:
    """Make a plan; its price never changes: another price is another plan."""
    asked = NewPlan(**body.model_dump())
    return ok(services_of(request).subscriptions.add_plan(viewer, asked, once), 201)


@router.patch(
    "/subscription-plans/{plan_id}",
    operation_id="offerPlan",
    response_model=PlanView,
    responses=described(401, 403, 404, 422),
)
def offer_plan(request: Request, plan_id: IdPath, body: OfferBody, viewer: Admin) -> Response:
    """Offer a plan to new subscribers, or do so no more; who has it keeps it."""
    subscriptions = services_of(request).subscriptions
    return ok(subscriptions.offer_plan(viewer, plan_id, is_offered=body.is_offered))


@router.get(
    "/subscriptions",
    operation_id="listSubscriptions",
    response_model=SubscriptionList,
    responses=described(401),
)
def list_subscriptions(request: Request, viewer: Anyone) -> Response:
    """List your subscriptions, newest first."""
    return ok(services_of(request).subscriptions.mine(viewer))


@router.post(
    "/subscriptions",
    status_code=201,
    operation_id="subscribe",
    response_model=SubscriptionView,
    responses=described(401, 402, 404, 409, 422, 503)
    | {202: {"model": SubscriptionView, "description": "The bank has not answered yet."}},
)
async def subscribe(
    request: Request, body: SubscribeBody, viewer: Anyone, once: OnceOf
) -> Response:
    """Subscribe and pay the first month; it renews each month until it is canceled."""
    subscriptions = services_of(request).subscriptions
    by = PayBy(method=body.method, method_id=body.method_id)
    made = await run_in_threadpool(subscriptions.subscribe, viewer, body.plan_id, by, once)
    payment = await outcome(request, viewer, made.payment_id)
    view = await run_in_threadpool(subscriptions.get, viewer, made.subscription_id)
    return ok(view, 202 if payment.state == PENDING else 201)


@router.delete(
    "/subscriptions/{subscription_id}",
    operation_id="cancelSubscription",
    response_model=SubscriptionView,
    responses=described(401, 404, 422),
)
def cancel(request: Request, subscription_id: IdPath, viewer: Anyone) -> Response:
    """End a subscription with the month that is paid for."""
    return ok(services_of(request).subscriptions.cancel(viewer, subscription_id))
