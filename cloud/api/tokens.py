"""`/tokens`: what drivers show to chargers; administrators' own."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from pydantic import AwareDatetime, ConfigDict, Field
from starlette.responses import Response

from cloud.api.auth import Admin
from cloud.api.bodies import Body, Cursor, Limit, Line, SessionLimit, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.services.admin_ports import ChargingToken
from cloud.services.tokens import TokenList, TokenSetting
from contracts.token_types import TokenType

router: Final = APIRouter(prefix="/api/v1/tokens", tags=["tokens"])

TokenPath = Annotated[
    str, Path(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["04A2B3C4D5"])
]


class TokenBody(Body):
    """What a token is to be."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"label": "Blue fob", "is_valid": True, "user_id": None}}
    )

    user_id: Annotated[str | None, Field(max_length=64)] = None
    label: Annotated[Line, Field(max_length=120)] = ""
    is_valid: bool = True
    parent_token: Annotated[Line | None, Field(max_length=255)] = None
    valid_until: AwareDatetime | None = None
    token_type: TokenType | None = None
    """As OCPP calls it; null: as a charger says that knows, else by its shape."""
    max_sessions: SessionLimit | None = None
    """At the same time; 0: any number, null: as each station lets any token."""


@router.get(
    "", operation_id="listTokens", response_model=TokenList, responses=described(401, 403, 422)
)
def list_tokens(
    request: Request, viewer: Admin, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """List tokens in their order."""
    return ok(services_of(request).tokens.list(viewer, limit=limit, cursor=cursor))


@router.put(
    "/{token}",
    operation_id="putToken",
    response_model=ChargingToken,
    responses=described(401, 403, 404, 422),
)
def put_token(request: Request, token: TokenPath, body: TokenBody, viewer: Admin) -> Response:
    """Store a token, whether it is known or not; every station hears of it."""
    setting = TokenSetting(**body.model_dump() | {"token_type": body.token_type or ""})
    return ok(services_of(request).tokens.put(viewer, token, setting))


@router.delete(
    "/{token}",
    status_code=204,
    operation_id="deleteToken",
    responses=described(401, 403, 404),
)
def delete_token(request: Request, token: TokenPath, viewer: Admin) -> Response:
    """Forget a token; every station hears of it."""
    services_of(request).tokens.remove(viewer, token)
    return Response(status_code=204)
