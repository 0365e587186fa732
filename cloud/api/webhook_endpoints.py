"""`/me/webhooks`: programs that are told, by signed events (CloudEvents, Standard Webhooks)."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from cloud.api.auth import Anyone
from cloud.api.bodies import Body, IdPath, Line, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.domain.notices import NoticeKind
from cloud.services.webhook_endpoints import TestSent, WebhookList, WebhookSecret

router: Final = APIRouter(prefix="/api/v1/me/webhooks", tags=["notices"])


class WebhookBody(Body):
    """Where to send what."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"url": "https://fleet.example.net/baywatt", "kinds": ["booked", "moved"]}
        }
    )

    url: Annotated[
        Line, Field(max_length=500, description="A public address, by https; not redirected.")
    ]
    kinds: list[NoticeKind] = Field(
        default_factory=list,
        max_length=len(NoticeKind),
        description="What to send; empty: everything.",
    )


@router.get("", operation_id="listWebhooks", response_model=WebhookList, responses=described(401))
def list_webhooks(request: Request, viewer: Anyone) -> Response:
    """List the reader's endpoints, and how they fare."""
    return ok(services_of(request).webhook_endpoints.list(viewer))


@router.post(
    "",
    status_code=201,
    operation_id="addWebhook",
    response_model=WebhookSecret,
    responses=described(401, 422),
)
def add_webhook(request: Request, body: WebhookBody, viewer: Anyone) -> Response:
    """Add an endpoint. The answer shows the secret to verify events with, this once."""
    added = services_of(request).webhook_endpoints.add(viewer, body.url, body.kinds)
    return ok(added, 201)


@router.delete(
    "/{endpoint_id}",
    status_code=204,
    operation_id="removeWebhook",
    responses=described(401, 404),
)
def remove_webhook(request: Request, endpoint_id: IdPath, viewer: Anyone) -> Response:
    """Forget an endpoint; what waits for it is not sent."""
    services_of(request).webhook_endpoints.remove(viewer, endpoint_id)
    return Response(status_code=204)


@router.post(
    "/{endpoint_id}/secret",
    operation_id="rotateWebhookSecret",
    response_model=WebhookSecret,
    responses=described(401, 404),
)
def rotate_secret(request: Request, endpoint_id: IdPath, viewer: Anyone) -> Response:
    """Make a new secret. Until the next time, events are signed with the one before as well."""
    return ok(services_of(request).webhook_endpoints.rotate(viewer, endpoint_id))


@router.post(
    "/{endpoint_id}/test",
    status_code=202,
    operation_id="testWebhook",
    response_model=TestSent,
    responses=described(401, 404, 429),
)
def test_webhook(request: Request, endpoint_id: IdPath, viewer: Anyone) -> Response:
    """Send a test event, at most one a minute. Where it arrives, the endpoint is switched on."""
    return ok(services_of(request).webhook_endpoints.test(viewer, endpoint_id), 202)
