"""`/me/push-subscriptions`: browsers that show what their reader is told (Push API)."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from cloud.api.auth import Anyone
from cloud.api.bodies import Body, IdPath, Line, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.services.push_subscriptions import (
    NewSubscription,
    SubscriptionList,
    SubscriptionView,
)

router: Final = APIRouter(prefix="/api/v1/me/push-subscriptions", tags=["notices"])

Key = Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9_-]+=*$")]


class KeysBody(Body):
    """The browser's keys, base64url."""

    p256dh: Key
    auth: Key


class SubscriptionBody(Body):
    """What `PushSubscription.toJSON()` returns."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "endpoint": "https://push.example.net/send/abc",
                "expirationTime": None,
                "keys": {
                    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx"
                    "aOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
                    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
                },
            }
        }
    )

    endpoint: Annotated[Line, Field(max_length=500)]
    expiration_time: Annotated[float | None, Field(alias="expirationTime")] = None
    keys: KeysBody


@router.get(
    "",
    operation_id="listPushSubscriptions",
    response_model=SubscriptionList,
    responses=described(401),
)
def list_subscriptions(request: Request, viewer: Anyone) -> Response:
    """List the reader's browsers, and the key (VAPID) with which another one subscribes."""
    return ok(services_of(request).push_subscriptions.list(viewer))


@router.post(
    "",
    status_code=201,
    operation_id="addPushSubscription",
    response_model=SubscriptionView,
    responses=described(401, 422),
)
def add_subscription(request: Request, body: SubscriptionBody, viewer: Anyone) -> Response:
    """Have a browser told; the same one again is the same subscription."""
    new = NewSubscription(endpoint=body.endpoint, p256dh=body.keys.p256dh, auth=body.keys.auth)
    return ok(services_of(request).push_subscriptions.add(viewer, new), 201)


@router.delete(
    "/{subscription_id}",
    status_code=204,
    operation_id="removePushSubscription",
    responses=described(401, 404),
)
def remove_subscription(request: Request, subscription_id: IdPath, viewer: Anyone) -> Response:
    """Tell a browser no more."""
    services_of(request).push_subscriptions.remove(viewer, subscription_id)
    return Response(status_code=204)
