"""`/fleet-commands`: one request to many chargers, in waves that go on only while it goes well."""

from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, Field, field_validator
from starlette.responses import Response

from cloud.api.auth import Watcher
from cloud.api.bodies import Body, Cursor, IdPath, Limit, Line, OnceOf, Slug, ok
from cloud.api.commands import ask_of
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.domain.waves import WavePlan
from cloud.services.commands import MAX_PATIENCE
from cloud.services.fleet import NOBODY, AskFleet
from cloud.services.fleet_ports import Selector
from cloud.services.fleet_views import FleetCommandList, FleetCommandView, FleetTargetList

router: Final = APIRouter(prefix="/api/v1/fleet-commands", tags=["commands"])

_MAX_NAMED: Final = 1_000
_MAX_SETTLE_S: Final = 7 * 86_400

ChargerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9*_=:|@.\-]{1,48}$")]
Text = Annotated[Line, Field(max_length=255)]


class SelectorBody(Body):
    """Which chargers: those that fit all that is said."""

    station_ids: list[Slug] = Field(default_factory=list, max_length=_MAX_NAMED)
    charger_ids: list[ChargerName] = Field(default_factory=list, max_length=_MAX_NAMED)
    vendor: Text = ""
    model: Text = ""
    firmware_version: Text = ""
    ocpp_version: Annotated[Line, Field(max_length=8)] = ""


class WavesBody(Body):
    """How fast it may spread."""

    shares: list[float] = Field(
        default_factory=lambda: list(WavePlan().shares), min_length=1, max_length=20
    )
    """Of all chargers, asked once each wave is out; rising to 1."""
    settle_s: Annotated[int, Field(ge=0, le=_MAX_SETTLE_S)] = 300
    """How long a wave is watched after its last answer, before the next."""
    max_failed_ratio: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Of those who answered; more halts it."""

    @field_validator("shares")
    @classmethod
    def rising(cls, shares: list[float]) -> list[float]:
        """Check that they rise to 1."""
        WavePlan(tuple(shares))
        return shares


class FleetBody(Body):
    """One request to many chargers."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "selector": {"vendor": "Alfen", "firmware_version": "6.5.0"},
                "request": {"kind": "reset_charger", "reset": "soft"},
                "waves": {"shares": [0.02, 0.1, 0.5, 1], "settle_s": 600},
                "keep_s": 86400,
            }
        }
    )

    selector: SelectorBody
    request: dict[str, Any]
    """As in `POST /chargers/{id}/commands`."""
    waves: WavesBody = WavesBody()
    answer_within_s: Annotated[float, Field(ge=1, le=120)] = 30
    keep_s: Annotated[float, Field(ge=1, le=MAX_PATIENCE.total_seconds())] = 86_400
    """After this it goes to nobody any more."""


@router.post(
    "",
    status_code=201,
    operation_id="commandFleet",
    response_model=FleetCommandView,
    responses=described(401, 403, 422),
)
def command_fleet(request: Request, body: FleetBody, viewer: Watcher, once: OnceOf) -> Response:
    """Send a request to many chargers, in waves; those that are away get it when they come back.

    What changes chargers of more than one station begins once a second person has approved it.
    """
    return ok(services_of(request).fleet.issue(viewer, _ask(body), once), 201)


@router.get(
    "",
    operation_id="listFleetCommands",
    response_model=FleetCommandList,
    responses=described(401, 403, 422),
)
def list_fleet_commands(
    request: Request, viewer: Watcher, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """List fleet commands, newest first: owners' of their stations, for staff all."""
    return ok(services_of(request).fleet.page(viewer, limit=limit, cursor=cursor))


@router.get(
    "/{fleet_command_id}",
    operation_id="getFleetCommand",
    response_model=FleetCommandView,
    responses=described(401, 403, 404),
)
def get_fleet_command(request: Request, fleet_command_id: IdPath, viewer: Watcher) -> Response:
    """Return a fleet command and how far it is."""
    return ok(services_of(request).fleet.get(viewer, fleet_command_id))


@router.get(
    "/{fleet_command_id}/targets",
    operation_id="listFleetTargets",
    response_model=FleetTargetList,
    responses=described(401, 403, 404, 422),
)
def list_targets(
    request: Request,
    fleet_command_id: IdPath,
    viewer: Watcher,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List its chargers in the order they are asked in, and how it is with each."""
    fleet = services_of(request).fleet
    return ok(fleet.targets(viewer, fleet_command_id, limit=limit, cursor=cursor))


@router.post(
    "/{fleet_command_id}/approve",
    operation_id="approveFleetCommand",
    response_model=FleetCommandView,
    responses=described(401, 403, 404, 409),
)
def approve(request: Request, fleet_command_id: IdPath, viewer: Watcher) -> Response:
    """Agree to what somebody else asked for: it begins."""
    return ok(services_of(request).fleet.approve(viewer, fleet_command_id))


@router.post(
    "/{fleet_command_id}/pause",
    operation_id="pauseFleetCommand",
    response_model=FleetCommandView,
    responses=described(401, 403, 404, 409),
)
def pause(request: Request, fleet_command_id: IdPath, viewer: Watcher) -> Response:
    """Have nothing more sent until it is resumed."""
    return ok(services_of(request).fleet.pause(viewer, fleet_command_id))


@router.post(
    "/{fleet_command_id}/resume",
    operation_id="resumeFleetCommand",
    response_model=FleetCommandView,
    responses=described(401, 403, 404, 409),
)
def resume(request: Request, fleet_command_id: IdPath, viewer: Watcher) -> Response:
    """Go on after a pause, or after a halt: the failures there are by now halt it no more."""
    return ok(services_of(request).fleet.resume(viewer, fleet_command_id))


@router.post(
    "/{fleet_command_id}/abort",
    operation_id="abortFleetCommand",
    response_model=FleetCommandView,
    responses=described(401, 403, 404, 409),
)
def abort(request: Request, fleet_command_id: IdPath, viewer: Watcher) -> Response:
    """End it: what waits for its charger is taken back, what is on its way is not."""
    return ok(services_of(request).fleet.abort(viewer, fleet_command_id))


def _ask(body: FleetBody) -> AskFleet:
    said = body.selector.model_dump()
    if "charger_id" in body.request:
        fault = {"type": "extra_forbidden", "loc": ("body", "request", "charger_id")}
        raise RequestValidationError([fault | {"msg": "is said by the selector", "input": None}])
    return AskFleet(
        selector=Selector(
            **said | {name: tuple(said[name]) for name in ("station_ids", "charger_ids")}
        ),
        request=ask_of(NOBODY, body.request),
        plan=WavePlan(
            tuple(body.waves.shares),
            timedelta(seconds=body.waves.settle_s),
            body.waves.max_failed_ratio,
        ),
        answer_within=timedelta(seconds=body.answer_within_s),
        keep=timedelta(seconds=body.keep_s),
    )
