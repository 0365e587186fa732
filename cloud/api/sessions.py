"""`/sessions`: charges, for who charges, who owns the station, and staff; and live."""

import re
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BeforeValidator
from starlette.responses import Response

from cloud.api.auth import Anyone, SignedIn, own_page_only
from cloud.api.bodies import Cursor, IdPath, Language, Limit, Slug, ok
from cloud.api.container import services_of
from cloud.api.event_stream import EventStream, stream_responses
from cloud.api.problems import described
from cloud.api.streams import Opening
from cloud.domain.periods import Period
from cloud.domain.sessions import SessionState
from cloud.live import session_key
from cloud.services.history_views import SessionTotals
from cloud.services.receipt_papers import CONTENT_TYPES
from cloud.services.session_asks import SessionAsk
from cloud.services.session_views import SessionDetail, SessionList, SignedReadingList

router: Final = APIRouter(prefix="/api/v1/sessions", tags=["sessions"])

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _written_as_a_day(text: object) -> object:
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        raise ValueError("is not a day as in 2026-07-01")
    return text


Day = Annotated[date, BeforeValidator(_written_as_a_day)]
"""A number would be a day as well: seconds since 1970."""


def asked(
    *,
    period: Annotated[
        Period | None, Query(description="A named time, by the clock of each charge's station.")
    ] = None,
    first_day: Annotated[
        Day | None, Query(alias="from", description="Began on this day or later, at its station.")
    ] = None,
    last_day: Annotated[
        Day | None, Query(alias="to", description="Began on this day or before, at its station.")
    ] = None,
    station_id: Annotated[Slug | None, Query(description="Only of this station.")] = None,
    state: Annotated[SessionState | None, Query(description="Only those that stand so.")] = None,
    live: Annotated[bool | None, Query(description="Only running ones, or only ended.")] = None,
) -> SessionAsk:
    """Return what a query asks for."""
    return SessionAsk(
        period=period,
        first_day=first_day,
        last_day=last_day,
        station_id=station_id,
        state=state,
        is_live=live,
    )


Asked = Annotated[SessionAsk, Depends(asked)]


@router.get(
    "", operation_id="listSessions", response_model=SessionList, responses=described(401, 422)
)
def list_sessions(
    request: Request, viewer: Anyone, ask: Asked, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """List charges, newest first: drivers' own, owners' stations', for staff all."""
    return ok(services_of(request).sessions.list(viewer, ask, limit=limit, cursor=cursor))


@router.get(
    "/totals",
    operation_id="sumSessions",
    response_model=SessionTotals,
    responses=described(401, 422),
)
def sum_sessions(request: Request, viewer: Anyone, ask: Asked) -> Response:
    """Return what all charges come to that the same filter lists, with the CO2 saved and how."""
    return ok(services_of(request).sessions.totals(viewer, ask))


@router.get(
    ".csv",
    operation_id="exportSessions",
    response_class=Response,
    responses=described(401, 422)
    | {200: {"content": {"text/csv": {}}, "description": "The table."}},
)
def export_sessions(request: Request, viewer: Anyone, ask: Asked) -> Response:
    """Return all charges of a filter as a table; cells no spreadsheet takes for formulas."""
    text = services_of(request).sessions.csv(viewer, ask)
    headers = {"Content-Disposition": 'attachment; filename="charges.csv"'}
    return Response(text, 200, headers, "text/csv; charset=utf-8")


@router.get(
    ".pdf",
    operation_id="printSessions",
    response_class=Response,
    responses=described(401, 422) | {200: {"content": {"application/pdf": {}}}},
)
def print_sessions(request: Request, viewer: Anyone, ask: Asked, lang: Language = "en") -> Response:
    """Return all charges of a filter as a statement, with their totals, in PDF."""
    paper = services_of(request).sessions.pdf(viewer, lang, ask)
    headers = {"Content-Disposition": 'inline; filename="charges.pdf"'}
    return Response(paper, headers=headers, media_type=CONTENT_TYPES["pdf"])


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
