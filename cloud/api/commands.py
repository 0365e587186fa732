"""`/chargers/{id}/calls`, `/chargers/{id}/commands`, `/commands`: asking chargers, with their answer.

Any request of `contracts/commands.py` can be sent: its body is checked and described from there.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, Final, get_args

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from cloud.api.auth import Watcher
from cloud.api.bodies import (
    Body,
    ChargerPath,
    Cursor,
    IdPath,
    Limit,
    OnceOf,
    is_encodable,
    ok,
)
from cloud.api.container import Services, services_of
from cloud.api.problems import described
from cloud.domain.access import Viewer
from cloud.domain.errors import ChargerOffline, CommandUnanswered
from cloud.live import LiveHub, command_key
from cloud.services.command_views import CommandList, CommandView
from cloud.services.commands import MAX_PATIENCE, QUEUED, SENT, WAITING, Lifetime
from cloud.services.idempotency import Once
from cloud.viewers import News
from contracts.commands import CallCharger, SetChargerKey
from contracts.commands import Request as Ask
from contracts.events import CommandOutcome

router: Final = APIRouter(prefix="/api/v1", tags=["commands"])

DEFAULT_TIMEOUT_S: Final = 30.0
_LATE_S: Final = 2.0
"""The station's own timeout answer is waited for this much longer."""
_LOOK_AGAIN_S: Final = 1.0
"""The hub tells at once; the row is looked at all the same, should a change be lost."""

Timeout = Annotated[float, Field(ge=1, le=120, description="Seconds to wait for the answer.")]
_KEEP_S: Final = 86_400.0


class WhenAway(StrEnum):
    """What becomes of a request to a charger that is not connected."""

    REFUSE = "refuse"
    QUEUE = "queue"


KeepSeconds = Annotated[
    float,
    Field(
        ge=1,
        le=MAX_PATIENCE.total_seconds(),
        description="With `when_away=queue`: for how many seconds the request waits for the "
        "charger, before it expires.",
    ),
]

STRUCTS: Final = {
    struct.__struct_config__.tag: struct for struct in get_args(Ask) if struct is not SetChargerKey
}
"""A key is changed by `/chargers/{id}/key-rotation` alone, which sees that nobody is locked out."""


_QUEUED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": CommandView, "description": "Kept until the charger is there."}
}


class CallBody(Body):
    """An OCPP call, as the charger's version names it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "action": "GetConfiguration",
                "payload": {"key": ["HeartbeatInterval"]},
                "timeout_s": 30,
            }
        }
    )

    action: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9]{0,63}$")]
    payload: dict[str, Any] = Field(default_factory=dict)
    timeout_s: Timeout = DEFAULT_TIMEOUT_S
    when_away: WhenAway = WhenAway.REFUSE
    keep_s: KeepSeconds = _KEEP_S


@router.post(
    "/chargers/{charger_id}/calls",
    operation_id="callCharger",
    response_model=CommandView,
    responses=described(401, 403, 404, 409, 422, 504) | _QUEUED,
)
async def call(
    request: Request, charger_id: ChargerPath, body: CallBody, viewer: Watcher, once: OnceOf
) -> Response:
    """Send any action of the charger's OCPP version, and wait for its answer.

    With `when_away=queue` the request waits for a charger that is away, and is answered 202.
    """
    if not is_encodable(body.payload):
        raise _wrong("payload", "has text, numbers or a depth that JSON cannot carry")
    ask = CallCharger(charger_id=charger_id, action=body.action, payload=body.payload)
    lifetime = _lifetime(body.timeout_s, body.when_away, body.keep_s)
    return await _answered(request, viewer, ask, lifetime, once)


def _request_schema() -> dict[str, Any]:
    """Describe the requests as `contracts/commands.py` has them, without the charger's id."""
    schemas, parts = msgspec.json.schema_components(tuple(STRUCTS.values()), ref_template="{name}")
    kinds = []
    for schema in schemas:
        body = parts[schema["$ref"]]
        properties = {
            name: _whole(value, parts)
            for name, value in body["properties"].items()
            if name != "charger_id"
        }
        kinds.append(
            {
                "type": "object",
                "title": schema["$ref"],
                "description": body.get("description", ""),
                "properties": properties,
                "required": [name for name in body["required"] if name != "charger_id"],
                "additionalProperties": False,
            }
        )
    return {"oneOf": kinds}


def _whole(schema: Any, parts: Mapping[str, Any]) -> Any:
    """Return a schema with what it refers to put in its place."""
    match schema:
        case {"$ref": str(name)}:
            return _whole(parts[name], parts)
        case dict():
            return {name: _whole(value, parts) for name, value in schema.items()}
        case list():
            return [_whole(value, parts) for value in schema]
    return schema


@router.post(
    "/chargers/{charger_id}/commands",
    operation_id="commandCharger",
    response_model=CommandView,
    responses=described(401, 403, 404, 409, 422, 504) | _QUEUED,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": _request_schema(),
                    "example": {"kind": "reset_charger", "reset": "soft"},
                }
            },
        }
    },
)
async def command(
    request: Request,
    charger_id: ChargerPath,
    body: dict[str, Any],
    viewer: Watcher,
    once: OnceOf,
    *,
    timeout_s: Annotated[float, Query(ge=1, le=120)] = DEFAULT_TIMEOUT_S,
    when_away: WhenAway = WhenAway.REFUSE,
    keep_s: Annotated[KeepSeconds, Query()] = _KEEP_S,
) -> Response:
    """Send a request that means the same in every OCPP version, and wait for the answer.

    With `when_away=queue` the request waits for a charger that is away, and is answered 202.
    """
    lifetime = _lifetime(timeout_s, when_away, keep_s)
    return await _answered(request, viewer, ask_of(charger_id, body), lifetime, once)


@router.get(
    "/chargers/{charger_id}/commands",
    operation_id="listCommands",
    response_model=CommandList,
    responses=described(401, 403, 404, 422),
)
def list_commands(
    request: Request,
    charger_id: ChargerPath,
    viewer: Watcher,
    *,
    state: Annotated[str | None, Query(pattern=r"^[a-z_]{1,16}$")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Return what was asked of a charger and how each stands, newest first."""
    commands = services_of(request).commands
    return ok(commands.of_charger(viewer, charger_id, state=state, limit=limit, cursor=cursor))


@router.get(
    "/commands/{command_id}",
    operation_id="getCommand",
    response_model=CommandView,
    responses=described(401, 403, 404),
)
def get_command(request: Request, command_id: IdPath, viewer: Watcher) -> Response:
    """Return a command and how it stands."""
    return ok(services_of(request).commands.get(viewer, command_id))


@router.delete(
    "/commands/{command_id}",
    operation_id="cancelCommand",
    response_model=CommandView,
    responses=described(401, 403, 404, 409),
)
def cancel_command(request: Request, command_id: IdPath, viewer: Watcher) -> Response:
    """Take back a command that waits for its charger; it is never sent."""
    return ok(services_of(request).commands.cancel(viewer, command_id))


def ask_of(charger_id: str, body: dict[str, Any]) -> Ask:
    """Return the request a body describes.

    Raises:
        RequestValidationError: it describes none, or has fields the request does not.
    """
    kind = body.get("kind")
    struct = STRUCTS.get(kind) if isinstance(kind, str) else None
    if struct is None:
        raise _wrong("kind", f"is one of {', '.join(sorted(map(str, STRUCTS)))}")
    known = {"kind", *struct.__struct_fields__} - {"charger_id"}
    for name in body:
        if name not in known:
            raise _wrong(name, "is not a field of this request")
    if not is_encodable(body):
        raise _wrong("kind", "has text, numbers or a depth that JSON cannot carry")
    try:
        ask: Ask = msgspec.convert({**body, "charger_id": charger_id}, Ask)
    except msgspec.ValidationError as error:
        raise _wrong("kind", str(error)) from None
    return ask


@dataclass(frozen=True, slots=True)
class Waiting:
    """Whom to ask, and where the answer is heard first."""

    services: Services
    hub: LiveHub


async def answered(
    waiting: Waiting, viewer: Viewer, ask: Ask, lifetime: Lifetime, once: Once | None = None
) -> CommandView:
    """Issue a request to a charger and wait for its answer, or until it is known to be queued.

    Raises:
        ChargerOffline: it is not connected, as we know or as its station says.
        CommandUnanswered: nothing came in time; the command's id is the subject.
    """
    services = waiting.services
    issue = partial(services.commands.issue, viewer, ask, lifetime.lasts, once)
    issued = await run_in_threadpool(issue, patience=lifetime.patience)
    wait_s = services.clock.real_s(lifetime.lasts.total_seconds() + _LATE_S)
    found = await _answer(waiting, viewer, issued.command_id, wait_s)
    if found.state == SENT or (found.state == QUEUED and not found.is_patient):
        raise CommandUnanswered(found.command_id)
    if found.state == CommandOutcome.CHARGER_OFFLINE:
        raise ChargerOffline(found.charger_id)
    return found


async def _answered(
    request: Request, viewer: Viewer, ask: Ask, lifetime: Lifetime, once: Once | None
) -> Response:
    waiting = Waiting(services_of(request), request.app.state.hub)
    found = await answered(waiting, viewer, ask, lifetime, once)
    return ok(found, 202 if found.state == QUEUED else 200)


def _lifetime(timeout_s: float, when_away: WhenAway, keep_s: float) -> Lifetime:
    patience = timedelta(seconds=keep_s) if when_away is WhenAway.QUEUE else None
    return Lifetime(timedelta(seconds=timeout_s), patience)


async def _answer(waiting: Waiting, viewer: Viewer, command_id: str, wait_s: float) -> CommandView:
    """Return the command once it is answered, or as it stands when the time is up."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    with waiting.hub.following(command_key(command_id)) as following:
        while True:
            found = await run_in_threadpool(waiting.services.commands.get, viewer, command_id)
            remaining_s = deadline - loop.time()
            is_kept = found.state == QUEUED and found.is_patient
            if found.state not in WAITING or is_kept or remaining_s <= 0:
                return found
            with suppress(TimeoutError):
                async with asyncio.timeout(min(remaining_s, _LOOK_AGAIN_S)):
                    if await following.next() is News.OVER:
                        return found


def _wrong(field: str, message: str) -> RequestValidationError:
    return RequestValidationError(
        [{"type": "value_error", "loc": ("body", field[:64]), "msg": message, "input": None}]
    )
