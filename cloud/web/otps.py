"""The one-time code of a hold, as it is typed or pasted, and a new one."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from pydantic import Field

from cloud.api.errors import status_of
from cloud.domain.errors import Refused, TooManyAttempts, WrongCode
from cloud.web.reservations import OnceForm, back_to, show
from cloud.web.routes import router_of
from cloud.web.site import Site

CODE_LENGTH: Final = 6


class CodeForm(OnceForm):
    """The code as it was typed or pasted."""

    code: str = Field(default="", max_length=40)

    @property
    def digits(self) -> str:
        """The code without what stands between its digits."""
        return "".join(one for one in self.code if one in "0123456789")


def routes(site: Site) -> APIRouter:
    """Return the pages of this module."""
    router = router_of(site)

    @router.post("/reservations/{reservation_id}/confirmation")
    def confirm(
        request: Request, reservation_id: str, form: Annotated[CodeForm, Form()]
    ) -> Response:
        """Take the code."""
        viewer = site.signed_in(request).viewer
        if len(form.digits) != CODE_LENGTH:
            return show(site, request, reservation_id, 422, said="code_length")
        try:
            once = form.once(request, viewer)
            site.parts.otps.confirm(viewer, reservation_id, form.digits, once)
        except WrongCode as refusal:
            more = {"said": "code_wrong", "tries_left": refusal.tries_left}
            return show(site, request, reservation_id, status_of(refusal), **more)
        except Refused as refusal:
            return show(site, request, reservation_id, status_of(refusal), detail=refusal.detail)
        return back_to(reservation_id)

    @router.post("/reservations/{reservation_id}/code")
    def send_again(
        request: Request, reservation_id: str, form: Annotated[OnceForm, Form()]
    ) -> Response:
        """Send a new code."""
        viewer = site.signed_in(request).viewer
        try:
            sent = site.parts.otps.send_again(viewer, reservation_id, form.once(request, viewer))
        except TooManyAttempts as refusal:
            more = {"said": "code_wait", "wait_s": refusal.retry_after_s}
            return show(site, request, reservation_id, status_of(refusal), **more)
        except Refused as refusal:
            return show(site, request, reservation_id, status_of(refusal), detail=refusal.detail)
        return show(site, request, reservation_id, said="code_sent", sent=sent)

    return router
