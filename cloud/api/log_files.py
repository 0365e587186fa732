"""`/chargers/{id}/log-files`, `/log-files`, `/uploads`: logs of chargers, asked for, sent and read."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from fastapi.responses import FileResponse
from pydantic import AwareDatetime, ConfigDict
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from cloud.api.auth import Watcher
from cloud.api.bodies import Body, ChargerPath, ok
from cloud.api.commands import Waiting, answered
from cloud.api.container import services_of
from cloud.api.problems import described, problem
from cloud.services.command_views import CommandView
from cloud.services.commands import Lifetime
from cloud.services.log_file_ports import LogFileView
from cloud.services.log_files import LogFileList
from contracts.commands import FetchLog, LogKind

router: Final = APIRouter(prefix="/api/v1", tags=["chargers"])
uploads: Final = APIRouter(include_in_schema=False)
"""Where chargers send them: outside the API, whose clients they are not."""

_ANSWER_WITHIN: Final = timedelta(seconds=30)
_NAMED: Final = re.compile(r'filename="?([^";]+)')
_ANYTHING: Final = "application/octet-stream"

LogPath = Annotated[int, Path(ge=1, le=2**31 - 1)]


class LogBody(Body):
    """Which log, and of when."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"log": "diagnostics", "since_at": "2026-11-28T00:00:00Z", "until_at": None}
        }
    )

    log: LogKind = LogKind.DIAGNOSTICS
    since_at: AwareDatetime | None = None
    until_at: AwareDatetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAsked:
    """A log that was asked for: where it will stand, and what the charger said."""

    log: LogFileView
    command: CommandView


@router.post(
    "/chargers/{charger_id}/log-files",
    operation_id="fetchChargerLog",
    response_model=LogAsked,
    responses=described(401, 403, 404, 409, 422, 504),
)
async def fetch_log(
    request: Request, charger_id: ChargerPath, body: LogBody, viewer: Watcher
) -> Response:
    """Have a charger upload a log to us; its job says how that goes."""
    services = services_of(request)
    expect = services.log_files.expect
    made, location = await run_in_threadpool(expect, viewer, charger_id, body.log)
    ask = FetchLog(
        charger_id=charger_id,
        log=body.log,
        location=location,
        request_id=made.log_id,
        since_at=body.since_at,
        until_at=body.until_at,
    )
    waiting = Waiting(services, request.app.state.hub)
    command = await answered(waiting, viewer, ask, Lifetime(_ANSWER_WITHIN))
    return ok(LogAsked(log=made, command=command))


@router.get(
    "/chargers/{charger_id}/log-files",
    operation_id="listChargerLogs",
    response_model=LogFileList,
    responses=described(401, 403, 404),
)
def list_logs(request: Request, charger_id: ChargerPath, viewer: Watcher) -> Response:
    """Return the logs a charger was asked for, newest first; each is kept for 30 days."""
    return ok(services_of(request).log_files.of_charger(viewer, charger_id))


@router.get(
    "/log-files/{log_id}/content",
    operation_id="getChargerLogContent",
    response_class=Response,
    responses=described(401, 403, 404) | {200: {"content": {_ANYTHING: {}}}},
)
def get_content(request: Request, log_id: LogPath, viewer: Watcher) -> Response:
    """Return a log as the charger sent it."""
    log, path = services_of(request).log_files.content(viewer, log_id)
    name = log.file_name or f"{log.charger_id}-{log_id}.log"
    return FileResponse(path, media_type=_ANYTHING, filename=name)


async def take_upload(
    request: Request,
    secret: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{16,64}$")],
    file_name: str = "",
) -> Response:
    """Take a file from a charger, once; how long it may be `Guard` sees to."""
    service = services_of(request).log_files
    log = await run_in_threadpool(service.awaited, secret)
    size_bytes = 0
    try:
        with service.shelf.writing(log.log_id) as file:
            async for chunk in request.stream():
                size_bytes += len(chunk)
                await run_in_threadpool(file.write, chunk)
    except ClientDisconnect:
        return problem(400, "malformed", "The upload was cut off.")
    name = file_name or _name_in(request.headers.get("content-disposition", ""))
    await run_in_threadpool(service.received, log.log_id, name, size_bytes)
    return Response(status_code=201)


for _path in ("/uploads/{secret}", "/uploads/{secret}/{file_name}"):
    uploads.add_api_route(_path, take_upload, methods=["PUT", "POST"])


def _name_in(disposition: str) -> str:
    found = _NAMED.search(disposition)
    return found.group(1).strip() if found else ""
