"""`/chargers/{id}/local-list`: the tokens a charger goes by while nobody can be asked."""

from typing import Final

from fastapi import APIRouter, Request
from pydantic import ConfigDict
from starlette.responses import Response

from cloud.api.auth import Watcher
from cloud.api.bodies import Body, ChargerPath, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.services.local_lists import LocalListView

router: Final = APIRouter(prefix="/api/v1/chargers", tags=["chargers"])


class LocalListBody(Body):
    """What is to become of a charger's list."""

    model_config = ConfigDict(json_schema_extra={"example": {"is_kept": True}})

    is_kept: bool
    """Whether it is kept in step with the tokens we know."""


@router.put(
    "/{charger_id}/local-list",
    operation_id="keepLocalList",
    response_model=LocalListView,
    responses=described(401, 403, 404, 422),
)
def keep_local_list(
    request: Request, charger_id: ChargerPath, body: LocalListBody, viewer: Watcher
) -> Response:
    """Keep a charger's own list of tokens in step with ours from now on, or leave it as it is."""
    lists = services_of(request).local_lists
    return ok(lists.keep(viewer, charger_id, is_kept=body.is_kept))


@router.get(
    "/{charger_id}/local-list",
    operation_id="getLocalList",
    response_model=LocalListView,
    responses=described(401, 403, 404),
)
def get_local_list(request: Request, charger_id: ChargerPath, viewer: Watcher) -> Response:
    """Return how a charger's own list of tokens stands; never the tokens."""
    return ok(services_of(request).local_lists.get(viewer, charger_id))
