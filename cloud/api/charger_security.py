"""`/chargers/{id}/key-rotation`, `/chargers/{id}/certificates`: how chargers prove who they are."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from cloud.api.auth import Watcher
from cloud.api.bodies import ChargerPath, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.services.certificates import CertificateList
from cloud.services.key_rotations import RotationView

router: Final = APIRouter(prefix="/api/v1/chargers", tags=["chargers"])


@router.post(
    "/{charger_id}/key-rotation",
    status_code=202,
    operation_id="rotateChargerKey",
    response_model=RotationView,
    responses=described(401, 403, 404),
)
def rotate_key(request: Request, charger_id: ChargerPath, viewer: Watcher) -> Response:
    """Give a charger a new key from afar: the old one stays good until it comes with the new one."""
    return ok(services_of(request).key_rotations.start(viewer, charger_id), 202)


@router.get(
    "/{charger_id}/key-rotation",
    operation_id="getChargerKeyRotation",
    response_model=RotationView,
    responses=described(401, 403, 404),
)
def get_key_rotation(request: Request, charger_id: ChargerPath, viewer: Watcher) -> Response:
    """Return how far a charger's last change of keys is."""
    return ok(services_of(request).key_rotations.get(viewer, charger_id))


@router.get(
    "/{charger_id}/certificates",
    operation_id="getChargerCertificates",
    response_model=CertificateList,
    responses=described(401, 403, 404),
)
def get_certificates(request: Request, charger_id: ChargerPath, viewer: Watcher) -> Response:
    """Return the certificates a charger asked for, newest first, and the roots above them.

    What it has installed, by its own word, stands in its inventory.
    """
    return ok(services_of(request).certificates.of_charger(viewer, charger_id))
