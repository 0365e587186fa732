"""`/inbox`: what the reader was told; `/inbox/settings`: how they want to be told."""

from functools import cache
from http import HTTPStatus
from typing import Annotated, Any, Final, Self
from zoneinfo import available_timezones

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field, ValidationError

from cloud.api.errors import status_of
from cloud.api.notices import PreferencesBody
from cloud.domain.errors import Refused
from cloud.domain.notices import NoticeKind
from cloud.services.calendar_feeds import NewFeed
from cloud.services.notices import NoticeView, PreferencesView
from cloud.web.routes import router_of
from cloud.web.site import Site

PAGE_SIZE: Final = 40
CHANNELS: Final = ("push", "mail", "sms")
"""Among which users choose, in the order of the table."""


class SettingsForm(BaseModel):
    """How the reader wants to be told, as the form sends it."""

    language: str = Field(default="", max_length=10)
    timezone: str = Field(default="", max_length=64)
    phone: str = Field(default="", max_length=40)
    quiet_starts: str = Field(default="", max_length=8)
    quiet_ends: str = Field(default="", max_length=8)
    chosen: list[str] = Field(default=[], max_length=200)
    """`<kind>.<channel>` of every box that is ticked."""

    def as_body(self) -> dict[str, Any]:
        """Return it as the API takes it."""
        ticked = set(self.chosen)
        quiet = {"starts": self.quiet_starts, "ends": self.quiet_ends}
        return {
            "language": self.language,
            "timezone": self.timezone,
            "phone": self.phone,
            "quiet": quiet if self.quiet_starts or self.quiet_ends else None,
            "choices": {
                kind: {channel: f"{kind}.{channel}" in ticked for channel in CHANNELS}
                for kind in NoticeKind
            },
        }

    @classmethod
    def of(cls, known: PreferencesView) -> Self:
        """Return the form as it is shown first."""
        quiet = known.quiet
        return cls(
            language=known.language,
            timezone=known.timezone,
            phone=known.phone,
            quiet_starts=f"{quiet.starts:%H:%M}" if quiet else "",
            quiet_ends=f"{quiet.ends:%H:%M}" if quiet else "",
            chosen=[
                f"{one.kind}.{channel}"
                for one in known.kinds
                for channel, is_on in one.channels.items()
                if is_on
            ],
        )


def routes(site: Site) -> APIRouter:
    """Return the pages of this module."""
    router = router_of(site)

    @router.get("/inbox")
    def inbox(request: Request, after: str | None = None) -> Response:
        """Show the notices, newest first."""
        viewer = site.signed_in(request).viewer
        listed = site.parts.notices.list(viewer, limit=PAGE_SIZE, cursor=after or None)
        return site.page(
            request,
            "inbox.html",
            notices=[(one, link_of(one)) for one in listed.notices],
            unread_all=listed.unread,
            next_cursor=listed.next_cursor,
        )

    @router.post("/inbox/read")
    def read_all(request: Request) -> Response:
        """Mark everything as read."""
        site.parts.notices.mark_read(site.signed_in(request).viewer, None)
        return RedirectResponse("/inbox", HTTPStatus.SEE_OTHER)

    @router.post("/inbox/{notice_id}/read")
    def read(request: Request, notice_id: str) -> Response:
        """Mark one as read."""
        site.parts.notices.mark_read(site.signed_in(request).viewer, notice_id)
        return RedirectResponse("/inbox", HTTPStatus.SEE_OTHER)

    @router.get("/inbox/settings")
    def settings(request: Request, saved: str = "") -> Response:
        """Show how the reader is told."""
        return _settings(site, request, is_saved=saved == "1")

    @router.post("/inbox/settings")
    def store(request: Request, form: Annotated[SettingsForm, Form()]) -> Response:
        """Store it."""
        viewer = site.signed_in(request).viewer
        try:
            body = PreferencesBody.model_validate(form.as_body())
            site.parts.notices.set_preferences(viewer, body.preferences())
        except ValidationError as error:
            field = str(error.errors()[0]["loc"][0])
            return _settings(site, request, 422, form=form, wrong=field)
        except Refused as refusal:
            wrong = refusal.subject
            return _settings(site, request, status_of(refusal), form=form, wrong=wrong)
        return RedirectResponse("/inbox/settings?saved=1", HTTPStatus.SEE_OTHER)

    @router.post("/inbox/calendars")
    def make_calendar(request: Request) -> Response:
        """Open a calendar feed; its address is shown once."""
        made = site.parts.calendar_feeds.make(site.signed_in(request).viewer)
        return _settings(site, request, made=made)

    @router.post("/inbox/calendars/{feed_id}/revoke")
    def revoke_calendar(request: Request, feed_id: str) -> Response:
        """Close one."""
        site.parts.calendar_feeds.revoke(site.signed_in(request).viewer, feed_id)
        return RedirectResponse("/inbox/settings#calendars", HTTPStatus.SEE_OTHER)

    return router


def link_of(notice: NoticeView) -> str:
    """Return the page that shows more of what a notice tells; empty: there is none."""
    data = notice.data
    if data.get("receipt_id"):
        return "/receipts"
    if data.get("reservation_id"):
        return f"/reservations/{data['reservation_id']}"
    if data.get("session_id"):
        return f"/sessions/{data['session_id']}"
    if data.get("offer_id"):
        return "/reservations"
    return f"/stations/{data['station_id']}" if data.get("station_id") else ""


def _settings(
    site: Site,
    request: Request,
    status: int = 200,
    *,
    form: SettingsForm | None = None,
    wrong: str = "",
    is_saved: bool = False,
    made: NewFeed | None = None,
) -> Response:
    viewer = site.signed_in(request).viewer
    known = site.parts.notices.preferences(viewer)
    return site.page(
        request,
        "settings.html",
        status,
        known=known,
        form=form or SettingsForm.of(known),
        wrong=wrong,
        is_saved=is_saved,
        channels=CHANNELS,
        zone_names=_zone_names(),
        feeds=site.parts.calendar_feeds.list(viewer).feeds,
        made=made,
        push_key=site.parts.push_key(viewer),
    )


@cache
def _zone_names() -> list[str]:
    return sorted(name for name in available_timezones() if "/" in name and "Etc" not in name)
