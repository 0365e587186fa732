"""`/reservations`: what a driver has booked; `/reservations/{id}`: one of it, from the code to the receipt."""

import json
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from cloud.api.errors import status_of
from cloud.api.reservations import Instant
from cloud.domain.access import Viewer
from cloud.domain.errors import Refused
from cloud.domain.otp import MOST_TRIES
from cloud.domain.waitlist import ACTIVE
from cloud.services.changing import NewTimes
from cloud.services.idempotency import Once
from cloud.services.offer_views import OfferView
from cloud.services.otps import masked
from cloud.services.payments import PaymentView
from cloud.services.receipt_views import ReceiptSummary
from cloud.services.reservation_views import ReservationView
from cloud.services.waitlist import WaitlistView
from cloud.web.routes import router_of
from cloud.web.site import Site
from cloud.web.standing import Phase, standing

PAGE_SIZE: Final = 30
TEST_CARDS: Final = ("card_ok", "card_declined", "card_insufficient_funds")
"""What the sandbox lets one try."""
MOST_RECEIPTS: Final = 200
_GONE: Final = frozenset({"declined", "voided"})
"""So many are looked through for a reservation's own."""


class OnceForm(BaseModel):
    """A form that is carried out once, however often it is sent."""

    key: str = Field(default="", max_length=64)

    def once(self, request: Request, viewer: Viewer) -> Once | None:
        """Return how it names itself."""
        if not self.key:
            return None
        said = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        what = f"{request.method} {request.url.path}\n{said}"
        return Once(viewer.user_id, f"page-{self.key}", what.encode())


class ChangeForm(OnceForm):
    """What is to change."""

    starts_at: Instant | None = None
    ends_at: Instant | None = None
    bay_id: str | None = Field(default=None, max_length=63)


class CancelForm(OnceForm):
    """How far a cancellation goes."""

    whole_series: bool = False


def routes(site: Site) -> APIRouter:
    """Return the pages of this module."""
    router = router_of(site)

    @router.get("/reservations")
    def reservations(request: Request, after: str | None = None) -> Response:
        """Show what is to come and what has been."""
        return _list(site, request, after or None)

    @router.get("/reservations/{reservation_id}")
    def reservation(request: Request, reservation_id: str) -> Response:
        """Show one reservation and what to do next."""
        return show(site, request, reservation_id)

    @router.post("/reservations/{reservation_id}/change")
    def change(
        request: Request, reservation_id: str, form: Annotated[ChangeForm, Form()]
    ) -> Response:
        """Extend, shorten or move it."""
        new = NewTimes(starts_at=form.starts_at, ends_at=form.ends_at, bay_id=form.bay_id or None)
        reservations = site.parts.reservations
        return _done(
            site,
            request,
            reservation_id,
            lambda viewer, once: reservations.change(viewer, reservation_id, new, once),
            form,
        )

    @router.post("/reservations/{reservation_id}/cancel")
    def cancel(
        request: Request, reservation_id: str, form: Annotated[CancelForm, Form()]
    ) -> Response:
        """Give it up."""
        reservations, is_whole = site.parts.reservations, form.whole_series
        return _done(
            site,
            request,
            reservation_id,
            lambda viewer, once: reservations.cancel(
                viewer, reservation_id, once, is_whole_series=is_whole
            ),
            form,
        )

    @router.post("/reservations/{reservation_id}/check-in")
    def check_in(
        request: Request, reservation_id: str, form: Annotated[OnceForm, Form()]
    ) -> Response:
        """Take the driver's word for it that they are there."""
        reservations = site.parts.reservations
        return _done(
            site,
            request,
            reservation_id,
            lambda viewer, once: reservations.check_in(viewer, reservation_id, once),
            form,
        )

    return router


def show(
    site: Site, request: Request, reservation_id: str, status: int = 200, **said: object
) -> Response:
    """Render a reservation as it stands now, with what is to be said beside."""
    reader = site.signed_in(request)
    viewer = reader.viewer
    found = site.parts.reservations.get(reservation_id, viewer)
    is_own = found.user_id == viewer.user_id
    payments = site.parts.payments.of_reservation(viewer, reservation_id).payments if is_own else []
    is_paying = any(one.state == "pending" for one in payments)
    stands = standing(found, site.parts.clock.now(), is_paying=is_paying)
    station = site.parts.availability.station(found.station_id).station
    # a slot far ahead, of which the bank keeps nothing any more
    is_unpaid = stands.phase is Phase.BOOKED and bool(payments) and payments[-1].state in _GONE
    is_to_pay = is_own and (stands.phase is Phase.PAY or is_unpaid)
    context = {
        "reservation": found,
        "stands": stands,
        "is_own": is_own,
        "is_to_pay": is_to_pay,
        "station": station,
        "bay": next((one for one in station.bays if one.bay_id == found.bay_id), None),
        "cards": site.parts.payment_methods.list(viewer) if is_to_pay else None,
        "balance_minor": _balance(site, viewer, found.currency) if is_to_pay else 0,
        "test_cards": TEST_CARDS,
        "offer": _offer_for(site, viewer, reservation_id) if found.is_live and is_own else None,
        "receipts": [] if found.is_live or not is_own else _receipts_of(site, viewer, found),
        "recipient": masked(reader.login.email),
        **_last_said(payments if is_to_pay else []),
        "tries_left": MOST_TRIES,
        "wait_s": 0,
        "sent": None,
    }
    return site.page(request, "reservation.html", status, **{**context, **said})


def _done(
    site: Site,
    request: Request,
    reservation_id: str,
    act: Callable[[Viewer, Once | None], object],
    form: OnceForm,
) -> Response:
    """Do it and show how it stands then; a refusal is said there."""
    viewer = site.signed_in(request).viewer
    # of somebody else's there is nothing to show beside the refusal
    site.parts.reservations.get(reservation_id, viewer)
    try:
        act(viewer, form.once(request, viewer))
    except Refused as refusal:
        return show(site, request, reservation_id, status_of(refusal), detail=refusal.detail)
    return back_to(reservation_id)


def _list(site: Site, request: Request, after: str | None) -> Response:
    viewer = site.signed_in(request).viewer
    reservations = site.parts.reservations
    live = [] if after else reservations.list(viewer, is_live=True, is_own=True).reservations
    past = reservations.list(viewer, is_live=False, is_own=True, limit=PAGE_SIZE, cursor=after)
    now = site.parts.clock.now()
    coming = sorted(live, key=lambda one: one.starts_at)
    return site.page(
        request,
        "reservations.html",
        coming=[standing(one, now) for one in coming],
        past=[standing(one, now) for one in past.reservations],
        in_question={one.reservation_id for one in site.parts.offers.list(viewer).offers},
        waits=[] if after else _waits(site, viewer),
        next_cursor=past.next_cursor,
    )


def _last_said(payments: Sequence[PaymentView]) -> dict[str, str]:
    """Return what is to be said of how it went: why the last payment failed."""
    if payments and payments[-1].state == "declined":
        return {"said": "declined", "detail": payments[-1].why}
    return {"said": "", "detail": ""}


def _balance(site: Site, viewer: Viewer, currency: str) -> int:
    """Return what the wallet has to spend."""
    balances = site.parts.wallets.get(viewer).balances
    return sum(one.available_minor for one in balances if one.currency == currency)


def _offer_for(site: Site, viewer: Viewer, reservation_id: str) -> OfferView | None:
    offers = site.parts.offers.list(viewer).offers
    return next((one for one in offers if one.reservation_id == reservation_id), None)


def _receipts_of(site: Site, viewer: Viewer, reservation: ReservationView) -> list[ReceiptSummary]:
    """Return the receipt and what was taken back of it."""
    listed = site.parts.receipts.list(viewer, limit=MOST_RECEIPTS).receipts
    found = [one for one in listed if one.reservation_id == reservation.reservation_id]
    return sorted(found, key=lambda one: (one.corrects_id is not None, one.created_at))


def _waits(site: Site, viewer: Viewer) -> list[WaitlistView]:
    entries = site.parts.waitlist.list(viewer).entries
    return [one for one in entries if one.state in ACTIVE]


def back_to(reservation_id: str) -> Response:
    """Show the reservation as it stands after what was done."""
    return RedirectResponse(f"/reservations/{reservation_id}", HTTPStatus.SEE_OTHER)
