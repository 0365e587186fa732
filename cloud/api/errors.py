"""Refusals, wrong requests and faults become problem details here, in one table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cloud.api.problems import problem
from cloud.domain import errors
from cloud.domain.errors import Refused
from cloud.services.ports import DatabaseAway, TransactionLost

STATUS: Final[dict[type[Refused], int]] = {
    errors.NotFound: 404,
    errors.NotAllowed: 403,
    errors.NotLoggedIn: 401,
    errors.WrongLogin: 401,
    errors.CrossSite: 403,
    errors.TooManyAttempts: 429,
    errors.AlreadyExists: 409,
    errors.NotValid: 422,
    errors.KeyReused: 422,
    errors.AlertAlreadyHandled: 409,
    errors.ChargerOffline: 409,
    errors.CommandUnanswered: 504,
    errors.CommandSent: 409,
    errors.SecondPersonNeeded: 403,
    errors.Unavailable: 503,
    errors.IllegalTransition: 409,
    errors.BayAlreadyBooked: 409,
    errors.NotBookable: 422,
    errors.TooManyReservations: 409,
    errors.TooManyInAll: 409,
    errors.BookedElsewhere: 409,
    errors.BookingsInTheWay: 409,
    errors.HoldExpired: 409,
    errors.WrongCode: 422,
    errors.CodeLocked: 409,
    errors.NotConfirmed: 409,
    errors.PaymentDeclined: 402,
    errors.PaymentUnderWay: 409,
    errors.BadSignature: 400,
    errors.OfferOver: 409,
}

CODES: Final[dict[int, str]] = {
    400: "malformed",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    422: "wrong_fields",
}

ErrorPage = Callable[[Request, int, str, str], Response | None]
"""Given request, status, code and detail: a page for a person, or None where JSON will do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes wrong, before it is a page or a problem."""

    status: int
    code: str
    detail: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)


def install(app: FastAPI, page: ErrorPage | None) -> None:
    """Answer every refusal and fault of `app`; `page` is asked first for addresses of pages."""

    def handler(read: Callable[[Any], Answer]) -> Callable[[Request, Exception], Response]:
        def handle(request: Request, error: Exception) -> Response:
            return _respond(request, read(error), page)

        return handle

    for kind, read in READERS.items():
        app.add_exception_handler(kind, handler(read))


def _respond(request: Request, answer: Answer, page: ErrorPage | None) -> Response:
    if page is not None and is_page(request):
        shown = page(request, answer.status, answer.code, answer.detail)
        if shown is not None:
            shown.headers.update(answer.headers)
            return shown
    return problem(answer.status, answer.code, answer.detail, answer.headers, **answer.more)


def _refused(error: Refused) -> Answer:
    return Answer(status_of(error), error.code, error.detail, _headers_of(error), _more_of(error))


def _http(error: HTTPException) -> Answer:
    code = CODES.get(error.status_code, f"http_{error.status_code}")
    detail = "" if error.detail == HTTPStatus(error.status_code).phrase else str(error.detail)
    return Answer(error.status_code, code, detail, error.headers or {})


def _invalid(error: RequestValidationError) -> Answer:
    faults = error.errors()
    # an id that cannot be is the id of nothing
    if all(fault["loc"][:1] == ("path",) for fault in faults):
        return _refused(errors.NotFound())
    detail = "The request has fields that are missing, wrong or unknown."
    return Answer(422, CODES[422], detail, more={"errors": _field_errors(faults)})


def _away(_error: Exception) -> Answer:
    return _refused(errors.Unavailable("database"))


READERS: Final[dict[type[Exception], Callable[[Any], Answer]]] = {
    Refused: _refused,
    HTTPException: _http,
    RequestValidationError: _invalid,
    DatabaseAway: _away,
    TransactionLost: _away,
}
"""How each kind of exception is answered; all others are faults, answered 500 by the guard."""


def is_page(request: Request) -> bool:
    """Whether a person with a browser asked, not a program."""
    is_api = request.url.path.startswith("/api/")
    return not is_api and "text/html" in request.headers.get("accept", "")


def status_of(error: Refused) -> int:
    """Return the HTTP status of a refusal: its own row, else that of the nearest parent."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 400


def _headers_of(error: Refused) -> dict[str, str]:
    if isinstance(error, errors.TooManyAttempts | errors.Unavailable):
        return {"Retry-After": str(max(1, error.retry_after_s))}
    if isinstance(error, errors.NotLoggedIn | errors.WrongLogin):
        return {"WWW-Authenticate": "Bearer"}
    return {}


def _more_of(error: Refused) -> dict[str, Any]:
    if isinstance(error, errors.CommandUnanswered):
        return {"command_id": error.subject}
    if isinstance(error, errors.WrongCode):
        return {"tries_left": error.tries_left}
    if isinstance(error, errors.BayAlreadyBooked):
        named = {"offer_id": error.offer_id} if error.offer_id else {}
        return {"alternatives": list(error.alternatives), **named}
    if isinstance(error, errors.BookingsInTheWay | errors.BookedElsewhere):
        return {"reservation_ids": error.reservation_ids}
    if isinstance(error, errors.NotBookable) and error.subject:
        fault = {"loc": ("body", error.subject), "msg": error.detail, "type": error.code}
        return {"errors": _field_errors([fault])}
    return {}


def _field_errors(faults: Sequence[Any]) -> list[dict[str, str]]:
    """Say where and what, never what was sent: it may be a password."""
    return [
        {
            "field": ".".join(_printable(part) for part in fault["loc"]),
            "message": _printable(fault["msg"]),
            "code": fault["type"],
        }
        for fault in faults[:50]
    ]


def _printable(part: object) -> str:
    return str(part).encode("utf-8", "replace").decode()[:200]
