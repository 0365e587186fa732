"""`/maintenance/chargers/{id}`: a charger, its connectors, what it said last, and what can be asked of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from cloud.api.errors import status_of
from cloud.domain.access import Viewer
from cloud.domain.errors import (
    ChargerOffline,
    CommandSent,
    CommandUnanswered,
    NotFound,
    NotValid,
    Refused,
)
from cloud.services.charger_views import ChargerDetail, ChargerLogEntry
from cloud.services.command_views import CommandView
from cloud.services.inventory_views import InventoryItem
from cloud.web.routes import router_of
from cloud.web.site import Site
from cloud.web.texts import mark as _
from contracts import commands

_SAID_ELSEWHERE: Final = frozenset({"kind", "charger_id", "observed_at"})

_HELD: Final = 200
"""The most of a charger's inventory on its page."""
_LINE: Final = 120
PATIENCE: Final = timedelta(days=1)
"""How long a request waits for a charger that is away."""

_PLACE: Final = re.compile(r"(\d{1,2})\.([1-9]\d?)")

_ADDRESS: Final = re.compile(r"(https?|ftps?|sftp)://[^\s/]+/\S*")

LOGS: Final[dict[str, str]] = {
    "diagnostics": _("What it does"),
    "security": _("What concerns its security"),
}

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
    needs_log: bool = False
    needs_firmware: bool = False
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
    Deed(
        name="clear-cache",
        title=_("Forget remembered cards"),
        effect=_("The charger asks us about every card again. Nothing else changes."),
        button=_("Have it forget"),
    ),
    Deed(
        name="log",
        title=_("Fetch a log"),
        effect=_("The charger uploads its log to us: that takes minutes. Charges go on."),
        button=_("Fetch"),
        needs_log=True,
    ),
    Deed(
        name="firmware",
        title=_("Update the firmware"),
        effect=_(
            "The charger fetches the file now, installs it once nobody charges, and restarts. "
            "A wrong file can put it out of order."
        ),
        button=_("Update"),
        needs_firmware=True,
        is_drastic=True,
    ),
)


TAKE_BACK: Final = Deed(
    name="cancel",
    title=_("Take back"),
    effect=_("The charger never hears of it."),
    button=_("Take back"),
)


class DeedForm(BaseModel):
    """What a form of this page may say."""

    evse: int = Field(default=0, ge=0, le=99)
    connector: str = Field(default="", max_length=9)
    """`evse.connector`, as the page numbers them."""
    message: str = Field(default="", max_length=50)
    log: str = Field(default="", max_length=20)
    location: str = Field(default="", max_length=512)
    """Where the firmware is, as the charger can reach it."""
    signature: str = Field(default="", max_length=800)
    signing_certificate: str = Field(default="", max_length=5_500)
    sure: str = Field(default="", max_length=3)
    wait: str = Field(default="", max_length=3)
    """`yes`: ask a charger that is away when it comes back."""


def routes(site: Site) -> APIRouter:
    """Return the pages of this module."""
    router = router_of(site)

    @router.get("/maintenance/chargers/{charger_id}")
    def charger(request: Request, charger_id: str) -> Response:
        """Show the charger."""
        viewer = site.with_faults(request).viewer
        detail = site.parts.chargers.get(charger_id, viewer)
        return site.page(request, "charger.html", **_shown(site, detail, viewer))

    @router.post("/maintenance/chargers/{charger_id}/deeds/{name}")
    async def do(
        request: Request, charger_id: str, name: str, form: Annotated[DeedForm, Form()]
    ) -> Response:
        """Ask it of the charger, and show how it answered."""
        reader = await run_in_threadpool(site.with_faults, request)
        deed = deed_of(name)
        ask = await run_in_threadpool(_asked, site, reader.viewer, deed, charger_id, form)
        patience = PATIENCE if form.wait == "yes" else None
        status, outcome = await _outcome(site, reader.viewer, ask, patience)
        detail = await run_in_threadpool(site.parts.chargers.get, charger_id, reader.viewer)
        shown = await run_in_threadpool(_shown, site, detail, reader.viewer)
        shown |= {"done": deed, "outcome": outcome}
        return site.page(request, "charger.html", status, **shown)

    @router.post("/maintenance/chargers/{charger_id}/commands/{command_id}/cancel")
    def cancel(request: Request, charger_id: str, command_id: str) -> Response:
        """Take back what waits for the charger; what has gone meanwhile is an outcome, too."""
        viewer = site.with_faults(request).viewer
        status, outcome = _taken_back(site, viewer, command_id)
        detail = site.parts.chargers.get(charger_id, viewer)
        shown = _shown(site, detail, viewer) | {"done": TAKE_BACK, "outcome": outcome}
        return site.page(request, "charger.html", status, **shown)

    return router


def deed_of(name: str) -> Deed:
    """Return a deed by its name.

    Raises:
        NotFound: there is none.
    """
    for deed in DEEDS:
        if deed.name == name:
            return deed
    raise NotFound(name)


def _asked(
    site: Site, viewer: Viewer, deed: Deed, charger_id: str, form: DeedForm
) -> commands.Request:
    """Return what the form asks of the charger; for a log room is made first."""
    if deed.needs_log and form.log in LOGS:
        return site.parts.log_request(viewer, charger_id, commands.LogKind(form.log))
    return request_of(deed, charger_id, form, site.parts.clock.now())


def request_of(deed: Deed, charger_id: str, form: DeedForm, now: datetime) -> commands.Request:
    """Return what the form asks of the charger.

    Raises:
        NotValid: it is not confirmed, or names no such message, connector or address.
    """
    if deed.is_drastic and form.sure != "yes":
        raise NotValid(detail="Tick the box to confirm, then try again.")
    match deed.name:
        case "trigger" if form.message in MESSAGES:
            ask: commands.Request = commands.TriggerMessage(
                charger_id=charger_id, message=form.message
            )
        case "unlock" if place := _PLACE.fullmatch(form.connector):
            evse_id, connector_id = map(int, place.groups())
            ask = commands.UnlockConnector(
                charger_id=charger_id, evse_id=evse_id, connector_id=connector_id
            )
        case "disable" | "enable":
            ask = commands.ChangeAvailability(
                charger_id=charger_id, evse_id=form.evse, is_available=deed.name == "enable"
            )
        case "soft-reset" | "hard-reset":
            reset = commands.ResetKind(deed.name.removesuffix("-reset"))
            ask = commands.ResetCharger(charger_id=charger_id, reset=reset)
        case "clear-cache":
            ask = commands.ClearCache(charger_id=charger_id)
        case "firmware":
            ask = _update(charger_id, form, now)
        case _:
            raise NotValid(detail="Choose what to ask the charger for.")
    return ask


def _update(charger_id: str, form: DeedForm, now: datetime) -> commands.UpdateFirmware:
    location = form.location.strip()
    if not _ADDRESS.fullmatch(location):
        raise NotValid(
            detail="Say where the charger finds the firmware: an http, https, ftp, ftps or sftp "
            "address."
        )
    return commands.UpdateFirmware(
        charger_id=charger_id,
        location=location,
        retrieve_at=now,
        signature="".join(form.signature.split()),
        signing_certificate=form.signing_certificate.strip(),
    )


async def _outcome(
    site: Site, viewer: Viewer, ask: commands.Request, patience: timedelta | None
) -> tuple[int, CommandView | Refused]:
    """Return how it ended; a charger that does not answer is an outcome, too."""
    try:
        return 200, await site.parts.ask(viewer, ask, patience)
    except (ChargerOffline, CommandUnanswered) as refusal:
        return status_of(refusal), refusal


def _taken_back(site: Site, viewer: Viewer, command_id: str) -> tuple[int, CommandView | Refused]:
    try:
        return 200, site.parts.take_back(viewer, command_id)
    except CommandSent as refusal:
        return status_of(refusal), refusal


def told(entry: ChargerLogEntry) -> str:
    """Return what a fact says beyond its kind, in one line."""
    said = {name: value for name, value in entry.body.items() if name not in _SAID_ELSEWHERE}
    return ", ".join(f"{name} {value}" for name, value in said.items())


def held(items: Sequence[InventoryItem]) -> list[tuple[str, list[tuple[InventoryItem, str]]]]:
    """Return what a charger holds by kind, with a line of what it says of each."""
    return [
        (kind, [(one, line_of(one.body)) for one in group])
        for kind, group in groupby(items, key=lambda one: one.kind)
    ]


def line_of(body: dict[str, Any]) -> str:
    """Return what a thing held says in one short line: of its parts those that are no structures."""
    said = [f"{name} {value}" for name, value in body.items() if not isinstance(value, dict | list)]
    line = ", ".join(said)
    return line if len(line) <= _LINE else f"{line[:_LINE]}…"


def _shown(site: Site, detail: ChargerDetail, viewer: Viewer) -> dict[str, Any]:
    charger_id = detail.charger.charger_id
    holds = site.parts.inventories.items(charger_id, viewer, limit=_HELD)
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
        "holds": held(holds.items),
        "holds_more": holds.next_cursor is not None,
        "jobs": site.parts.inventories.jobs(charger_id, viewer).jobs[:20],
        "take_back": TAKE_BACK,
        "deeds": DEEDS,
        "messages": MESSAGES,
        "logs": LOGS,
        "log_files": site.parts.log_files(viewer, charger_id),
        "evse_ids": sorted({c.evse_id for c in detail.connectors if c.evse_id}),
        "done": None,
        "outcome": None,
    }
