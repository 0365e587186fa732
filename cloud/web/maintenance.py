"""`/maintenance`: the fault queue, live."""

from collections.abc import Callable, Iterable
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from cloud.domain.errors import AlertAlreadyHandled
from cloud.services.alert_views import AlertView
from cloud.web.routes import router_of
from cloud.web.site import Site

SEVERITY_ORDER: Final = ("critical", "major", "minor", "info")
VIEWS: Final = ("active", "open", "acknowledged", "resolved")


class HandlingForm(BaseModel):
    """What the forms of a fault say."""

    note: str = Field(default="", max_length=1000)
    version: int | None = None
    """What the page showed; another one by now is refused."""
    back: str = Field(default="active", max_length=20)


def routes(site: Site) -> APIRouter:
    """Return the pages of this module."""
    router = router_of(site)

    @router.get("/maintenance")
    def queue(request: Request, show: str = "active") -> Response:
        """Show the faults, worst first."""
        reader = site.with_faults(request)
        show = show if show in VIEWS else "active"
        alerts = sorted(site.parts.alerts.list(reader.viewer, status=show).alerts, key=_worst_first)
        return site.page(
            request,
            "maintenance.html",
            alerts=alerts,
            names=_names(
                site, [who for one in alerts for who in (one.acknowledged_by, one.resolved_by)]
            ),
            show=show,
            views=VIEWS,
            counts={
                severity: sum(alert.severity == severity for alert in alerts)
                for severity in SEVERITY_ORDER
            },
        )

    @router.post("/maintenance/alerts/{alert_id}/acknowledge")
    def acknowledge(
        request: Request, alert_id: str, form: Annotated[HandlingForm, Form()]
    ) -> Response:
        """Take a fault on."""
        return _handled(site, request, alert_id, form, site.parts.alerts.acknowledge)

    @router.post("/maintenance/alerts/{alert_id}/resolve")
    def resolve(request: Request, alert_id: str, form: Annotated[HandlingForm, Form()]) -> Response:
        """Say a fault is mended."""
        return _handled(site, request, alert_id, form, site.parts.alerts.resolve)

    return router


def _handled(
    site: Site, request: Request, alert_id: str, form: HandlingForm, handle: Callable[..., object]
) -> Response:
    """Do it, or say who was faster."""
    viewer = site.with_faults(request).viewer
    try:
        handle(alert_id, viewer, note=form.note, version=form.version)
    except AlertAlreadyHandled:
        detail = site.parts.alerts.get(alert_id, viewer)
        last = detail.log[-1] if detail.log else None
        name = _names(site, [last.actor]).get(last.actor, "") if last else ""
        context = {"alert": detail.alert, "last": last, "name": name}
        return site.page(request, "faster.html", 409, **context)
    return _back(form.back)


def _names(site: Site, user_ids: Iterable[str | None]) -> dict[str, str]:
    return site.parts.names([user_id for user_id in user_ids if user_id])


def _back(show: str) -> Response:
    show = show if show in VIEWS else "active"
    return RedirectResponse("/maintenance" + (f"?show={show}" if show != "active" else ""), 303)


def _worst_first(alert: AlertView) -> tuple[bool, int, float]:
    known = alert.severity in SEVERITY_ORDER
    rank = SEVERITY_ORDER.index(alert.severity) if known else len(SEVERITY_ORDER)
    return alert.status != "open", rank, -alert.opened_at.timestamp()
