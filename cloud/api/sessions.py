"""`/sessions`: charges, for who charges, who owns the station, and staff; and live."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from cloud.api.auth import Anyone, SignedIn, own_page_only
from cloud.api.bodies import Cursor, IdPath, Limit, ok
from cloud.api.container import services_of
from cloud.api.event_stream import EventStream, stream_responses
from cloud.api.problems import described
from cloud.api.streams import Opening
from cloud.live import session_key
from cloud.services.session_views import SessionDetail, SessionList, SignedReadingList

router: Final = APIRouter(prefix="/api/v1/sessions", tags=["sessions"])


@router.get(
    "", operation_id="listSessions", response_model=SessionList, responses=described(401, 422)
)
def list_sessions(
    request: Request,
    viewer: Anyone,
    live: Annotated[bool | None, Query(description="Only running ones, or only ended.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List charges, newest first: drivers' own, owners' stations', for staff all."""
    sessions = services_of(request).sessions
    return ok(sessions.list(viewer, is_live=live, limit=limit, cursor=cursor))


@router.get(
    "/{session_id}",
    operation_id="getSession",
    response_model=SessionDetail,
    responses=described(401, 404),
)
def get_session(request: Request, session_id: IdPath, viewer: Anyone) -> Response:
    """Return a charge with its curve."""
    return ok(services_of(request).sessions.get(session_id, viewer))


@router.get(
    "/{session_id}/signed-readings",
    operation_id="getSignedReadings",
    response_model=SignedReadingList,
    responses=described(401, 404),
)
def get_signed_readings(request: Request, session_id: IdPath, viewer: Anyone) -> Response:
    """Return what the charge's meter signed, as it came, for who would prove or contest it."""
    return ok(services_of(request).sessions.signed_readings(session_id, viewer))


@router.get(
    "/{session_id}/events",
    operation_id="watchSession",
    response_class=Response,
    responses=stream_responses("session") | described(401, 403, 404, 503),
    dependencies=[own_page_only],
)
async def watch_session(request: Request, session_id: IdPath, login: SignedIn) -> Response:
    """Stream a charge: `session` (SessionView) at once and on each change, until it ended."""
    sessions = services_of(request).sessions

    def read() -> Opening:
        session = sessions.get(session_id, login.viewer).session
        keys = frozenset({session_key(session_id)})
        return Opening(keys, "session", session, is_over=not session.is_live)

    return EventStream(request, read, login=login, ends=True)
