"""`/me/notices`: what the reader was told, and how they want to be told."""

from datetime import time
from functools import cache
from typing import Annotated, Final
from zoneinfo import available_timezones

from fastapi import APIRouter, Query, Request
from pydantic import AfterValidator, ConfigDict, Field
from starlette.responses import Response

from cloud.api.auth import Anyone
from cloud.api.bodies import Body, Cursor, IdPath, Limit, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.domain.notices import Channel, NoticeKind, Preferences, Quiet
from cloud.services.notices import NoticeList, PreferencesView, Unread
from cloud.services.texts import LANGUAGES

router: Final = APIRouter(prefix="/api/v1/me/notices", tags=["notices"])


def _language(text: str) -> str:
    if text not in LANGUAGES:
        raise ValueError(f"is none of {', '.join(LANGUAGES)}")
    return text


def _timezone(text: str) -> str:
    if text and text not in _zones():
        raise ValueError("is no time zone's name")
    return text


def _phone(text: str) -> str:
    """Return a number in E.164, the form it is kept and called in."""
    if not text:
        return ""
    import phonenumbers  # noqa: PLC0415 - few give one, and it is slow to load

    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        raise ValueError("is no number with its country's code, like +44 1382 434000") from None
    if not phonenumbers.is_valid_number(number):
        raise ValueError("is nobody's number")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _minutes(wall: time) -> time:
    if wall.tzinfo is not None or wall.second or wall.microsecond:
        raise ValueError("is no time of the day in hours and minutes")
    return wall


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


WallTime = Annotated[time, AfterValidator(_minutes)]


class QuietBody(Body):
    """When it is to be quiet, by the reader's clock; may go past midnight."""

    starts: WallTime
    ends: WallTime


class PreferencesBody(Body):
    """How the reader wants to be told; what is left out is as usual."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "language": "de",
                "timezone": "Europe/Berlin",
                "phone": "+491701234567",
                "quiet": {"starts": "22:00", "ends": "07:00"},
                "choices": {"reminder": {"sms": False, "mail": True}},
            }
        }
    )

    language: Annotated[str, AfterValidator(_language)] = "en"
    timezone: Annotated[str, Field(max_length=64), AfterValidator(_timezone)] = ""
    phone: Annotated[str, Field(max_length=40), AfterValidator(_phone)] = ""
    quiet: QuietBody | None = None
    choices: dict[NoticeKind, dict[Channel, bool]] = Field(default_factory=dict)

    def preferences(self) -> Preferences:
        """As the use cases know them."""
        quiet = self.quiet
        return Preferences(
            language=self.language,
            timezone=self.timezone,
            phone=self.phone,
            quiet=None if quiet is None else Quiet(starts=quiet.starts, ends=quiet.ends),
            choices=self.choices,
        )


@router.get(
    "", operation_id="listNotices", response_model=NoticeList, responses=described(401, 422)
)
def list_notices(
    request: Request,
    viewer: Anyone,
    unread: Annotated[bool | None, Query(description="Only unread ones, or only read.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List what the reader was told, newest first."""
    notices = services_of(request).notices
    return ok(notices.list(viewer, is_unread=unread, limit=limit, cursor=cursor))


@router.get(
    "/unread", operation_id="countUnreadNotices", response_model=Unread, responses=described(401)
)
def count_unread(request: Request, viewer: Anyone) -> Response:
    """Return how many notices were not read."""
    return ok(services_of(request).notices.unread(viewer))


@router.post(
    "/read", operation_id="readAllNotices", response_model=Unread, responses=described(401)
)
def read_all(request: Request, viewer: Anyone) -> Response:
    """Mark all notices as read."""
    return ok(services_of(request).notices.mark_read(viewer, None))


@router.get(
    "/preferences",
    operation_id="getNoticePreferences",
    response_model=PreferencesView,
    responses=described(401),
)
def get_preferences(request: Request, viewer: Anyone) -> Response:
    """Return how the reader is told: by which channels, of what, and when not."""
    return ok(services_of(request).notices.preferences(viewer))


@router.put(
    "/preferences",
    operation_id="putNoticePreferences",
    response_model=PreferencesView,
    responses=described(401, 422),
)
def put_preferences(request: Request, body: PreferencesBody, viewer: Anyone) -> Response:
    """Store how the reader wants to be told; what is urgent breaks quiet hours."""
    return ok(services_of(request).notices.set_preferences(viewer, body.preferences()))


@router.post(
    "/{notice_id}/read",
    operation_id="readNotice",
    response_model=Unread,
    responses=described(401, 404),
)
def read_notice(request: Request, notice_id: IdPath, viewer: Anyone) -> Response:
    """Mark a notice as read."""
    return ok(services_of(request).notices.mark_read(viewer, notice_id))
