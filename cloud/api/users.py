"""`/users`: administrators' own."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from cloud.api.auth import Admin
from cloud.api.bodies import Body, Cursor, IdPath, Limit, Line, OnceOf, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.domain.access import Role
from cloud.services.accounts import (
    MAX_PASSWORD,
    MIN_PASSWORD,
    NewUser,
    UserChange,
    UserList,
    UserView,
)

router: Final = APIRouter(prefix="/api/v1/users", tags=["users"])

Email = Annotated[Line, Field(min_length=3, max_length=254)]
Name = Annotated[Line, Field(max_length=120)]
Password = Annotated[str, Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)]


class UserBody(Body):
    """A user to be made; without a password they cannot log in yet."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "email": "maintenance@example.org",
                "name": "Mo Lindqvist",
                "role": "maintenance",
                "password": "correct horse battery",
            }
        }
    )

    email: Email
    name: Name = ""
    role: Role
    password: Password | None = None


class UserPatch(Body):
    """What is to change of a user; a new password logs them out everywhere."""

    model_config = ConfigDict(json_schema_extra={"example": {"is_active": False}})

    email: Email | None = None
    name: Name | None = None
    role: Role | None = None
    is_active: bool | None = None
    password: Password | None = None


@router.post(
    "",
    status_code=201,
    operation_id="createUser",
    response_model=UserView,
    responses=described(401, 403, 409, 422),
)
def create_user(request: Request, body: UserBody, _viewer: Admin, once: OnceOf) -> Response:
    """Make a user."""
    new = NewUser(**body.model_dump())
    made = services_of(request).accounts.create(new, once)
    return ok(made, 201, {"Location": f"/api/v1/users/{made.user_id}"})


@router.get(
    "", operation_id="listUsers", response_model=UserList, responses=described(401, 403, 422)
)
def list_users(
    request: Request, viewer: Admin, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """List users by address."""
    return ok(services_of(request).accounts.list(viewer, limit=limit, cursor=cursor))


@router.get(
    "/{user_id}",
    operation_id="getUser",
    response_model=UserView,
    responses=described(401, 403, 404),
)
def get_user(request: Request, user_id: IdPath, viewer: Admin) -> Response:
    """Return one user."""
    return ok(services_of(request).accounts.get(viewer, user_id))


@router.patch(
    "/{user_id}",
    operation_id="changeUser",
    response_model=UserView,
    responses=described(401, 403, 404, 409, 422),
)
def change_user(request: Request, user_id: IdPath, body: UserPatch, viewer: Admin) -> Response:
    """Change a user; what is not named stays."""
    change = UserChange(**body.model_dump())
    return ok(services_of(request).accounts.change(viewer, user_id, change))
