"""`/reservations/{id}/confirmation`, `/code`: the one-time code of a hold."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from cloud.api.auth import Anyone
from cloud.api.bodies import Body, IdPath, OnceOf, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.services.otps import CodeSent
from cloud.services.reservation_views import ReservationView

router: Final = APIRouter(prefix="/api/v1/reservations", tags=["reservations"])


class CodeBody(Body):
    """The code, as it came by mail or telephone."""

    model_config = ConfigDict(json_schema_extra={"example": {"code": "402913"}})

    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]


@router.post(
    "/{reservation_id}/confirmation",
    operation_id="confirmReservation",
    response_model=ReservationView,
    responses=described(401, 404, 409, 422),
)
def confirm(
    request: Request, reservation_id: IdPath, body: CodeBody, viewer: Anyone, once: OnceOf
) -> Response:
    """Confirm a hold, and its series, by the code: five tries, then it is given up (`code_locked`)."""
    otps = services_of(request).otps
    return ok(otps.confirm(viewer, reservation_id, body.code, once))


@router.post(
    "/{reservation_id}/code",
    status_code=202,
    operation_id="sendReservationCode",
    response_model=CodeSent,
    responses=described(401, 404, 409, 422, 429),
)
def send_code(request: Request, reservation_id: IdPath, viewer: Anyone, once: OnceOf) -> Response:
    """Send a new code for a hold, 30 s after the last at the earliest; the last one ends."""
    return ok(services_of(request).otps.send_again(viewer, reservation_id, once), 202)
