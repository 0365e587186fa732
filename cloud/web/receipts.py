"""`/receipts`: what was paid for, each as a page and as PDF."""

from fastapi import APIRouter, Request, Response

from cloud.web.routes import router_of
from cloud.web.site import Site


def routes(site: Site) -> APIRouter:
    """Return the pages of this module."""
    router = router_of(site)

    @router.get("/receipts")
    def receipts(request: Request, after: str | None = None) -> Response:
        """Show the receipts, newest first."""
        viewer = site.signed_in(request).viewer
        listed = site.parts.receipts.list(viewer, cursor=after or None)
        return site.page(
            request,
            "receipts.html",
            receipts=listed.receipts,
            zones=site.zones(one.station_id for one in listed.receipts),
            next_cursor=listed.next_cursor,
        )

    return router
