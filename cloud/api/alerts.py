"""`/alerts`: what maintenance must know, and does about it; and live."""

from enum import StrEnum
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from cloud.api.auth import SignedIn, Watcher, own_page_only
from cloud.api.bodies import Body, Cursor, IdPath, Limit, Slug, ok
from cloud.api.container import Services, services_of
from cloud.api.event_stream import EventStream, stream_responses
from cloud.api.problems import described
from cloud.api.streams import Opening
from cloud.domain.access import Viewer
from cloud.live import alerts_key
from cloud.services.alert_views import AlertDetail, AlertList, AlertView

router: Final = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])

_SHOWN: Final = 200


class Standing(StrEnum):
    """Which alerts to list."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    ACTIVE = "active"
    """Open or acknowledged."""
    RESOLVED = "resolved"


class HandlingBody(Body):
    """What is done about an alert."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"note": "On my way with a new cable.", "version": 3}}
    )

    note: Annotated[str, Field(max_length=1_000)] = ""
    version: Annotated[
        int | None,
        Field(ge=0, le=2**53, description="As you saw it: if it changed since, 409 says who did."),
    ] = None


@router.get(
    "",
    operation_id="listAlerts",
    response_model=AlertList,
    responses=described(401, 403, 422),
)
def list_alerts(
    request: Request,
    viewer: Watcher,
    status: Annotated[Standing | None, Query()] = None,
    station_id: Annotated[Slug | None, Query()] = None,
    *,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List alerts, newest first: owners' at their stations, for staff all."""
    found = services_of(request).alerts.list(
        viewer, status=status, station_id=station_id, limit=limit, cursor=cursor
    )
    return ok(found)


@router.get(
    "/events",
    operation_id="watchAlerts",
    response_class=Response,
    responses=stream_responses("snapshot", "alert") | described(401, 403, 503),
    dependencies=[own_page_only],
)
async def watch_alerts(request: Request, login: SignedIn, viewer: Watcher) -> Response:
    """Stream alerts: `snapshot` (AlertList of the active ones), then `alert` (AlertView)."""
    services = services_of(request)
    return EventStream(request, lambda: _opening(services, viewer), login=login)


@router.get(
    "/{alert_id}",
    operation_id="getAlert",
    response_model=AlertDetail,
    responses=described(401, 403, 404),
)
def get_alert(request: Request, alert_id: IdPath, viewer: Watcher) -> Response:
    """Return an alert with its log."""
    return ok(services_of(request).alerts.get(alert_id, viewer))


@router.post(
    "/{alert_id}/acknowledge",
    operation_id="acknowledgeAlert",
    response_model=AlertView,
    responses=described(401, 403, 404, 409, 422),
)
def acknowledge(
    request: Request, alert_id: IdPath, body: HandlingBody, viewer: Watcher
) -> Response:
    """Say that somebody takes care of it."""
    alerts = services_of(request).alerts
    return ok(alerts.acknowledge(alert_id, viewer, note=body.note, version=body.version))


@router.post(
    "/{alert_id}/resolve",
    operation_id="resolveAlert",
    response_model=AlertView,
    responses=described(401, 403, 404, 409, 422),
)
def resolve(request: Request, alert_id: IdPath, body: HandlingBody, viewer: Watcher) -> Response:
    """Say that it is over; a condition that lasts opens a new alert."""
    alerts = services_of(request).alerts
    return ok(alerts.resolve(alert_id, viewer, note=body.note, version=body.version))


def _opening(services: Services, viewer: Viewer) -> Opening:
    active = services.alerts.list(viewer, status="active", limit=_SHOWN)
    if viewer.is_staff:
        keys = frozenset({alerts_key()})
    else:
        owned = services.stations_admin.owned_by(viewer)
        keys = frozenset(alerts_key(station_id) for station_id in owned)
    return Opening(keys, "snapshot", active)
