"""`/me/calendars`: secret addresses for calendar programs; `/calendars`: what they read there."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Path, Request
from starlette.responses import Response

from cloud.api.auth import Anyone
from cloud.api.bodies import IdPath, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.services.calendar_feeds import FeedList, NewFeed

router: Final = APIRouter(prefix="/api/v1", tags=["notices"])

_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "iCalendar (RFC 5545): an event for each reservation.",
        "content": {"text/calendar": {"schema": {"type": "string"}}},
    },
    304: {"description": "Nothing has changed since `If-None-Match`."},
}
_MEDIA_TYPE: Final = "text/calendar; charset=utf-8"
SecretPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


@router.get(
    "/me/calendars",
    operation_id="listCalendars",
    response_model=FeedList,
    responses=described(401),
)
def list_calendars(request: Request, viewer: Anyone) -> Response:
    """List the reader's calendar feeds."""
    return ok(services_of(request).calendar_feeds.list(viewer))


@router.post(
    "/me/calendars",
    status_code=201,
    operation_id="makeCalendar",
    response_model=NewFeed,
    responses=described(401, 422),
)
def make_calendar(request: Request, viewer: Anyone) -> Response:
    """Make a calendar feed. The answer shows its secret address, this once."""
    return ok(services_of(request).calendar_feeds.make(viewer), 201)


@router.delete(
    "/me/calendars/{feed_id}",
    status_code=204,
    operation_id="revokeCalendar",
    responses=described(401, 404),
)
def revoke_calendar(request: Request, feed_id: IdPath, viewer: Anyone) -> Response:
    """Close a calendar feed, at once."""
    services_of(request).calendar_feeds.revoke(viewer, feed_id)
    return Response(status_code=204)


@router.get(
    "/calendars/{secret}.ics",
    operation_id="readCalendar",
    response_class=Response,
    responses=_FILE | described(404),
)
def read_calendar(
    request: Request,
    secret: SecretPath,
    if_none_match: Annotated[str | None, Header(max_length=1_000)] = None,
) -> Response:
    """Return a driver's reservations as a calendar; whoever knows the address may."""
    file = services_of(request).calendar_feeds.read(secret)
    headers = {"ETag": file.etag, "Cache-Control": "private, no-cache"}
    if _is_known(if_none_match, file.etag):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = 'inline; filename="baywatt.ics"'
    return Response(file.content, headers=headers, media_type=_MEDIA_TYPE)


def _is_known(if_none_match: str | None, etag: str) -> bool:
    tags = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    return etag in tags or tags == ["*"]
