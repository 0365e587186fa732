"""`/maintenance/chargers/{id}`: a charger, its connectors, what it said last, and what can be asked of it."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from cloud.api.errors import status_of
from cloud.domain.access import Viewer
from cloud.domain.errors import ChargerOffline, CommandUnanswered, NotFound, NotValid, Refused
from cloud.services.views import ChargerDetail, ChargerLogEntry, CommandView
from cloud.web.routes import router_of
from cloud.web.site import Site
from cloud.web.texts import mark as _
from contracts import commands

_SAID_ELSEWHERE: Final = frozenset({"kind", "charger_id", "observed_at"})

_PLACE: Final = re.compile(r"(\d{1,2})\.([1-9]\d?)")

MESSAGES: Final = ("StatusNotification", "MeterValues", "Heartbeat", "BootNotification")
"""What a charger can be asked to say again, in words all OCPP versions share."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something to ask of a charger, and what it will do to whoever charges there."""

    name: str
    title: str
    effect: str
    button: str
    needs_evse: bool = False
    needs_connector: bool = False
    needs_message: bool = False
    is_drastic: bool = False


DEEDS: Final = (
    Deed(
        name="trigger",
        title=_("Ask for a message"),
        effect=_("The charger sends the message once more. Nothing else changes."),
        button=_("Ask now"),
        needs_message=True,
    ),
    Deed(
        name="unlock",
        title=_("Unlock a connector"),
        effect=_("Releases a stuck cable. A charge on this connector ends first."),
        button=_("Unlock"),
        needs_connector=True,
        is_drastic=True,
    ),
    Deed(
        name="disable",
        title=_("Take out of service"),
        effect=_("No new charge can start. A running charge goes on to its end."),
        button=_("Take out of service"),
        needs_evse=True,
    ),
    Deed(
        name="enable",
        title=_("Put back into service"),
        effect=_(
            "Drivers can charge here again and the bay is offered as soon as it is seen free."
        ),
        button=_("Put back"),
        needs_evse=True,
    ),
    Deed(
        name="soft-reset",
        title=_("Restart gently"),
        effect=_(
            "Running charges end in order, then the charger restarts: two to five minutes away."
        ),
        button=_("Restart"),
        is_drastic=True,
    ),
    Deed(
        name="hard-reset",
        title=_("Restart at once"),
        effect=_(
            "Like pulling the plug: running charges are cut off. Only when a gentle restart fails."
        ),
        button=_("Cut off and restart"),
        is_drastic=True,
    ),
)


class DeedForm(BaseModel):
    """What a form of this page may say."""

    evse: int = Field(default=0, ge=0, le=99)
    connector: str = Field(default="", max_length=9)
    """`evse.connector`, as the page numbers them."""
    message: str = Field(default="", max_length=50)
    sure: str = Field(default="", max_length=3)


def routes(site: Site) -> APIRouter:
    """Return the pages of this module."""
    router = router_of(site)

    @router.get("/maintenance/chargers/{charger_id}")
    def charger(request: Request, charger_id: str) -> Response:
        """Show the charger."""
        detail = site.parts.chargers.get(charger_id, site.with_faults(request).viewer)
        return site.page(request, "charger.html", **_shown(site, detail))

    @router.post("/maintenance/chargers/{charger_id}/deeds/{name}")
    async def do(
        request: Request, charger_id: str, name: str, form: Annotated[DeedForm, Form()]
    ) -> Response:
        """Ask it of the charger, and show how it answered."""
        reader = await run_in_threadpool(site.with_faults, request)
        deed = _deed(name)
        ask = request_of(deed, charger_id, form)
        status, outcome = await _outcome(site, reader.viewer, ask)
        detail = await run_in_threadpool(site.parts.chargers.get, charger_id, reader.viewer)
        shown = _shown(site, detail) | {"done": deed, "outcome": outcome}
        return site.page(request, "charger.html", status, **shown)

    return router


def _deed(name: str) -> Deed:
    for deed in DEEDS:
        if deed.name == name:
            return deed
    raise NotFound(name)


def request_of(deed: Deed, charger_id: str, form: DeedForm) -> commands.Request:
    """Return what the form asks of the charger.

    Raises:
        NotValid: it is not confirmed, or names no such message or connector.
    """
    if deed.is_drastic and form.sure != "yes":
        raise NotValid(detail="Tick the box to confirm, then try again.")
    match deed.name:
        case "trigger" if form.message in MESSAGES:
            return commands.TriggerMessage(charger_id=charger_id, message=form.message)
        case "unlock" if place := _PLACE.fullmatch(form.connector):
            evse_id, connector_id = map(int, place.groups())
            return commands.UnlockConnector(
                charger_id=charger_id, evse_id=evse_id, connector_id=connector_id
            )
        case "disable" | "enable":
            return commands.ChangeAvailability(
                charger_id=charger_id, evse_id=form.evse, is_available=deed.name == "enable"
            )
        case "soft-reset":
            return commands.ResetCharger(charger_id=charger_id, reset=commands.ResetKind.SOFT)
        case "hard-reset":
            return commands.ResetCharger(charger_id=charger_id, reset=commands.ResetKind.HARD)
    raise NotValid(detail="Choose what to ask the charger for.")


async def _outcome(
    site: Site, viewer: Viewer, ask: commands.Request
) -> tuple[int, CommandView | Refused]:
    """Return how it ended; a charger that does not answer is an outcome, too."""
    try:
        return 200, await site.parts.ask(viewer, ask)
    except (ChargerOffline, CommandUnanswered) as refusal:
        return status_of(refusal), refusal


def told(entry: ChargerLogEntry) -> str:
    """Return what a fact says beyond its kind, in one line."""
    said = {name: value for name, value in entry.body.items() if name not in _SAID_ELSEWHERE}
    return ", ".join(f"{name} {value}" for name, value in said.items())


def _shown(site: Site, detail: ChargerDetail) -> dict[str, Any]:
    heard_at = detail.charger.heard_at
    now = site.parts.clock.now()
    is_heard = heard_at is not None and now - heard_at <= site.settings.stale_after
    return {
        "charger": detail.charger,
        "is_reached": detail.charger.is_connected and is_heard,
        "connectors": detail.connectors,
        "zone": site.parts.availability.station(detail.charger.station_id).station.timezone,
        "log": [(entry, told(entry)) for entry in detail.log],
        "commands": detail.commands,
        "deeds": DEEDS,
        "messages": MESSAGES,
        "evse_ids": sorted({c.evse_id for c in detail.connectors if c.evse_id}),
        "done": None,
        "outcome": None,
    }
