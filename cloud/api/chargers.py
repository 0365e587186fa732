"""`/chargers`: their states and what they told, for who looks after them."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from cloud.api.auth import Watcher
from cloud.api.bodies import ChargerPath, Cursor, Limit, Slug, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.services.charger_views import ChargerDetail, ChargerList, ChargerLog
from cloud.services.inventory_views import InventoryList
from cloud.services.job_views import JobList
from contracts.events import InventoryKind

router: Final = APIRouter(prefix="/api/v1/chargers", tags=["chargers"])


@router.get(
    "",
    operation_id="listChargers",
    response_model=ChargerList,
    responses=described(401, 403, 422),
)
def list_chargers(
    request: Request,
    viewer: Watcher,
    station_id: Annotated[Slug | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List chargers by id: owners' at their stations, for staff all."""
    chargers = services_of(request).chargers
    return ok(chargers.list(viewer, station_id=station_id, limit=limit, cursor=cursor))


@router.get(
    "/{charger_id}",
    operation_id="getCharger",
    response_model=ChargerDetail,
    responses=described(401, 403, 404),
)
def get_charger(request: Request, charger_id: ChargerPath, viewer: Watcher) -> Response:
    """Return a charger: its state, its plugs, its versions, and what it told last."""
    return ok(services_of(request).chargers.get(charger_id, viewer))


@router.get(
    "/{charger_id}/log",
    operation_id="getChargerLog",
    response_model=ChargerLog,
    responses=described(401, 403, 404, 422),
)
def get_log(
    request: Request,
    charger_id: ChargerPath,
    viewer: Watcher,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Return what a charger told, newest first; its meter samples stand with their sessions."""
    return ok(services_of(request).chargers.log(charger_id, viewer, limit=limit, cursor=cursor))


@router.get(
    "/{charger_id}/inventory",
    operation_id="getChargerInventory",
    response_model=InventoryList,
    responses=described(401, 403, 404, 422),
)
def get_inventory(
    request: Request,
    charger_id: ChargerPath,
    viewer: Watcher,
    *,
    kind: InventoryKind | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Return what a charger holds, as it last said: variables, certificates, profiles, messages."""
    inventories = services_of(request).inventories
    return ok(inventories.items(charger_id, viewer, kind=kind, limit=limit, cursor=cursor))


@router.get(
    "/{charger_id}/jobs",
    operation_id="getChargerJobs",
    response_model=JobList,
    responses=described(401, 403, 404),
)
def get_jobs(request: Request, charger_id: ChargerPath, viewer: Watcher) -> Response:
    """Return what a charger is at: firmware, logs, reports; the one that changed last first."""
    return ok(services_of(request).inventories.jobs(charger_id, viewer))
