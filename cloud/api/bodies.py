"""What bodies, queries and answers of all routes have in common."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from fastapi import Depends, Header, Path, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from cloud.api.auth import login_of
from cloud.services.idempotency import Once
from cloud.services.texts import LANGUAGES

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""An id of a station or a bay."""

StationPath = Annotated[Slug, Path()]
ChargerPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9*_=:|@.\-]{1,48}$")]
IdPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
"""An id of ours: sessions, alerts, commands, users."""

SessionLimit = Annotated[int, Field(ge=0, le=1_000)]
"""How many sessions one token may run at the same time; 0: any number."""
Limit = Annotated[int, Query(ge=1, le=200, description="The most to return.")]
Cursor = Annotated[
    str | None,
    Query(max_length=1_000, description="`next_cursor` of the page before; none for the first."),
]

Language = Annotated[
    str, Query(pattern=f"^({'|'.join(LANGUAGES)})$", description="What it is written in.")
]


def _visible(text: str) -> str:
    if any(not c.isprintable() for c in text):
        raise ValueError("has characters that cannot be shown")
    return text


Line = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_visible)]
"""Text of one line; bound it with Field(max_length=...)."""


class Body(BaseModel):
    """A request's body: what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def ok(view: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a view as JSON, encoded once by msgspec and not validated again."""
    return Response(msgspec.json.encode(view), status, dict(headers or {}), "application/json")


def is_encodable(value: Any) -> bool:
    """Whether foreign JSON data can be kept and sent on: no lone surrogates, no NaN, not too deep."""
    try:
        json.dumps(value, allow_nan=False).encode()
        msgspec.json.encode(value)
    except (ValueError, RecursionError, TypeError, msgspec.MsgspecError):
        return False
    return True


_IDEMPOTENCY_KEY: Final = Header(
    alias="Idempotency-Key",
    min_length=8,
    max_length=128,
    pattern=r"^[\x21-\x7e]+$",
    description="Names this request: sent again within 24 h it has no second effect and gets the "
    "first answer. Best a random UUID.",
)


async def once_of(
    request: Request, key: Annotated[str | None, _IDEMPOTENCY_KEY] = None
) -> Once | None:
    """Return how this request names itself, if it does and somebody is logged in."""
    login = await login_of(request)
    if key is None or login is None:
        return None
    what = f"{request.method} {request.url.path}\n".encode()
    return Once(login.viewer.user_id, key, what + await request.body())


OnceOf = Annotated[Once | None, Depends(once_of)]
