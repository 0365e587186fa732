"""Problem details (RFC 9457): the one shape of every answer that is not what was asked for."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

MEDIA_TYPE: Final = "application/problem+json"


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="Where, as a path: `body.evses.0.bay_id`.")
    message: str
    code: str


class Problem(BaseModel):
    """Why a request was not granted; `code` is stable, the sentences are not."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:baywatt:problem:not_found",
                "title": "Not Found",
                "status": 404,
                "detail": "There is no such thing, or it is not yours to see.",
                "code": "not_found",
            }
        }
    )

    type: str = Field(description="`urn:baywatt:problem:` and the code.")
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] | None = Field(default=None, description="With 422: each wrong field.")
    command_id: str | None = Field(
        default=None, description="With 504: the command whose answer is still to come."
    )
    tries_left: int | None = Field(
        default=None, description="With `wrong_code`: how often the code may be tried again."
    )
    alternatives: list[dict[str, Any]] | None = Field(
        default=None,
        description="With `bay_already_booked`: what is free instead, best first (Option).",
    )
    offer_id: str | None = Field(
        default=None,
        description="With `bay_already_booked`: the offer whose options these alternatives are.",
    )
    reservation_ids: list[str] | None = Field(
        default=None,
        description="With `bookings_in_the_way` and `booked_elsewhere`: which they are.",
    )


def problem(
    status: int,
    code: str,
    detail: str = "",
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """Return the answer; `more` are members of the problem beside the usual ones."""
    title = HTTPStatus(status).phrase
    body = {
        "type": f"urn:baywatt:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail or f"{title}.",
        "code": code,
        **more,
    }
    return Response(msgspec.json.encode(body), status, dict(headers or {}), MEDIA_TYPE)


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI's words for the problems a route may answer with."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }
