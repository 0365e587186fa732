"""`/maintenance/fleet`: one request to many chargers, in waves: asked for, watched, held up."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from cloud.domain.access import Viewer
from cloud.domain.errors import NotFound, NotValid
from cloud.domain.waves import OPEN, Happening, Status, WavePlan, may
from cloud.services.fleet import NOBODY, AskFleet
from cloud.services.fleet_ports import Selector
from cloud.services.fleet_views import FleetCommandView, FleetProgress
from cloud.services.idempotency import Once
from cloud.web.chargers import DEEDS, MESSAGES, DeedForm, deed_of, request_of
from cloud.web.routes import router_of
from cloud.web.site import Site
from cloud.web.texts import mark as _

FOR_MANY: Final = tuple(one for one in DEEDS if not (one.needs_connector or one.needs_log))
"""What needs no connector or file of one charger's own."""

PACES: Final[dict[str, tuple[str, tuple[float, ...]]]] = {
    "careful": (_("A few first, then 10 %, half, all"), WavePlan().shares),
    "two": (_("A tenth first, then all"), (0.1, 1.0)),
    "once": (_("All at once"), (1.0,)),
}
"""How fast it spreads: what it is called, and the shares of all chargers asked after each wave."""

STEPS: Final[tuple[tuple[str, Happening, str], ...]] = (
    ("approve", Happening.APPROVED, _("Approve")),
    ("resume", Happening.RESUMED, _("Go on")),
    ("pause", Happening.PAUSED, _("Pause")),
    ("abort", Happening.ABORTED, _("End it")),
)
"""What a person can do with one: how the address calls it, what happens, the button."""

_LISTED: Final = 20
_TARGETS: Final = 200


class FleetForm(DeedForm):
    """What is asked, of whom, and how fast."""

    deed: str = Field(default="", max_length=20)
    station_ids: str = Field(default="", max_length=2_000)
    """Separated by commas or spaces."""
    vendor: str = Field(default="", max_length=255)
    model: str = Field(default="", max_length=255)
    firmware_version: str = Field(default="", max_length=255)
    pace: str = Field(default="careful", max_length=20)
    settle_min: int = Field(default=5, ge=0, le=1_440)
    failed_pct: int = Field(default=5, ge=0, le=100)
    keep_h: int = Field(default=24, ge=1, le=168)
    key: str = Field(default="", max_length=64)

    def once(self, viewer: Viewer) -> Once | None:
        """Return how the form names itself; changed and sent again it is another request."""
        said = self.model_dump_json(exclude={"key"})
        return Once(viewer.user_id, f"page-{self.key}", said.encode()) if self.key else None

    def asked(self, site: Site) -> AskFleet:
        """Return it as the use case takes it.

        Raises:
            NotValid: it is not confirmed, or makes no sense.
        """
        deed = deed_of(self.deed)
        if deed not in FOR_MANY or self.pace not in PACES:
            raise NotValid(detail="Choose what to ask, and how fast.")
        shares = PACES[self.pace][1]
        return AskFleet(
            selector=Selector(
                station_ids=tuple(self.station_ids.replace(",", " ").split()),
                vendor=self.vendor.strip(),
                model=self.model.strip(),
                firmware_version=self.firmware_version.strip(),
            ),
            request=request_of(deed, NOBODY, self, site.parts.clock.now()),
            plan=WavePlan(shares, timedelta(minutes=self.settle_min), self.failed_pct / 100),
            keep=timedelta(hours=self.keep_h),
        )


def routes(site: Site) -> APIRouter:
    """Return the pages of this module."""
    router = router_of(site)

    @router.get("/maintenance/fleet")
    def fleet(request: Request, cursor: str | None = None) -> Response:
        """Show what was asked of many, and the form to ask."""
        viewer = site.with_faults(request).viewer
        found = site.parts.fleet.page(viewer, limit=_LISTED, cursor=cursor)
        return site.page(
            request,
            "fleet.html",
            commands=found.fleet_commands,
            next_cursor=found.next_cursor,
            names=_names(site, found.fleet_commands),
            deeds=FOR_MANY,
            messages=MESSAGES,
            paces=PACES,
            bars=bars,
        )

    @router.post("/maintenance/fleet")
    def ask(request: Request, form: Annotated[FleetForm, Form()]) -> Response:
        """Begin."""
        viewer = site.with_faults(request).viewer
        begun = site.parts.fleet.issue(viewer, form.asked(site), form.once(viewer))
        return RedirectResponse(f"/maintenance/fleet/{begun.fleet_command_id}", 303)

    @router.get("/maintenance/fleet/{fleet_command_id}")
    def command(request: Request, fleet_command_id: str, cursor: str | None = None) -> Response:
        """Show how far it is."""
        viewer = site.with_faults(request).viewer
        return site.page(
            request, "fleet_command.html", **_shown(site, viewer, fleet_command_id, cursor)
        )

    @router.post("/maintenance/fleet/{fleet_command_id}/{step}")
    def change(request: Request, fleet_command_id: str, step: str) -> Response:
        """Approve, pause, resume or end it."""
        viewer = site.with_faults(request).viewer
        parts = site.parts.fleet
        steps: dict[str, Callable[[Viewer, str], FleetCommandView]] = {
            "approve": parts.approve,
            "pause": parts.pause,
            "resume": parts.resume,
            "abort": parts.abort,
        }
        if step not in steps:
            raise NotFound(step)
        steps[step](viewer, fleet_command_id)
        return site.page(
            request, "fleet_command.html", **_shown(site, viewer, fleet_command_id, None)
        )

    return router


def bars(progress: FleetProgress) -> list[tuple[str, int]]:
    """Return how many chargers are how far, in the order a bar shows them; none that are zero."""
    counts = (
        ("accepted", progress.accepted),
        ("failed", progress.failed),
        ("unreached", progress.unreached),
        ("under_way", progress.under_way),
        ("queued", progress.queued),
        ("untried", progress.untried),
    )
    return [(name, count) for name, count in counts if count]


def _shown(site: Site, viewer: Viewer, fleet_command_id: str, cursor: str | None) -> dict[str, Any]:
    shown = site.parts.fleet.get(viewer, fleet_command_id)
    targets = site.parts.fleet.targets(viewer, fleet_command_id, limit=_TARGETS, cursor=cursor)
    status = Status(shown.status)
    is_own = shown.issued_by == viewer.user_id
    return {
        "command": shown,
        "targets": targets.targets,
        "next_cursor": targets.next_cursor,
        "names": _names(site, [shown]),
        "bars": bars,
        "is_open": status in OPEN,
        "is_own": is_own,
        "steps": [
            (name, title)
            for name, happening, title in STEPS
            if may(status, happening) and not (is_own and happening is Happening.APPROVED)
        ],
    }


def _names(site: Site, those: list[FleetCommandView]) -> dict[str, str]:
    who = {one for command in those for one in (command.issued_by, command.approved_by)}
    return site.parts.names([one for one in who if one])
