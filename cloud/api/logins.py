"""`/auth`, `/me`: logging in and out."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from cloud.api.auth import SignedIn, clear_session_cookie, origin_of, set_session_cookie
from cloud.api.bodies import Body, Line, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.services.accounts import UserView
from cloud.services.admin_ports import CredentialKind
from cloud.services.credentials import Attempt

router: Final = APIRouter(prefix="/api/v1", tags=["logins"])


class Login(Body):
    """Who it is, and the proof."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"email": "driver@example.org", "password": "correct horse battery"}
        }
    )

    email: Annotated[Line, Field(max_length=254)]
    password: Annotated[str, Field(max_length=256)]


class NewToken(Login):
    """A login for a program."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "email": "driver@example.org",
                "password": "correct horse battery",
                "label": "laptop",
                "ttl_s": 86400,
            }
        }
    )

    label: Annotated[Line, Field(max_length=120)] = ""
    ttl_s: Annotated[int | None, Field(ge=60, le=366 * 86_400)] = None


class TokenShown(BaseModel):
    """A bearer token: shown now and never again."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "token": "bwt_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
                "expires_at": "2026-12-22T12:00:00Z",
            }
        }
    )

    token: str
    expires_at: datetime


@router.post(
    "/auth/tokens",
    status_code=201,
    operation_id="createToken",
    response_model=TokenShown,
    responses=described(401, 422, 429, 503),
)
def create_token(request: Request, body: NewToken) -> Response:
    """Log a program in: returns an opaque bearer token."""
    issued = services_of(request).credentials.log_in(
        _attempt(request, body),
        CredentialKind.BEARER,
        label=body.label,
        lasts=None if body.ttl_s is None else timedelta(seconds=body.ttl_s),
    )
    return ok({"token": issued.secret, "expires_at": issued.login.expires_at}, 201)


@router.delete(
    "/auth/tokens/current",
    status_code=204,
    operation_id="revokeCurrentToken",
    responses=described(401),
)
def revoke_token(request: Request, login: SignedIn) -> Response:
    """Make the token this request carries of no use, at once and everywhere."""
    services_of(request).credentials.log_out(login)
    return Response(status_code=204)


@router.post(
    "/auth/login",
    operation_id="logIn",
    response_model=UserView,
    responses=described(401, 403, 422, 429, 503),
)
def log_in(request: Request, body: Login) -> Response:
    """Log a browser in: sets its session cookie."""
    services = services_of(request)
    issued = services.credentials.log_in(_attempt(request, body), CredentialKind.BROWSER)
    viewer = issued.login.viewer
    answer = ok(services.accounts.get(viewer, viewer.user_id))
    set_session_cookie(answer, issued, request.app.state.settings)
    return answer


@router.post("/auth/logout", status_code=204, operation_id="logOut", responses=described(401, 403))
def log_out(request: Request, login: SignedIn) -> Response:
    """Log out: the session is of no use any more, at once and everywhere."""
    services_of(request).credentials.log_out(login)
    answer = Response(status_code=204)
    clear_session_cookie(answer, request.app.state.settings)
    return answer


@router.get("/me", operation_id="getMe", response_model=UserView, responses=described(401))
def me(request: Request, login: SignedIn) -> Response:
    """Say who is logged in."""
    viewer = login.viewer
    return ok(services_of(request).accounts.get(viewer, viewer.user_id))


def _attempt(request: Request, body: Login) -> Attempt:
    return Attempt(email=body.email, password=body.password, origin=origin_of(request))
