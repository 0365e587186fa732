"""`/mailbox`: all outgoing mail, for demonstrations only; where it is not enabled there is no such page."""

from fastapi import APIRouter, Request, Response

from cloud.web.routes import error_page, router_of
from cloud.web.site import Site


def routes(site: Site) -> APIRouter:
    """Return the pages of this module."""
    router = router_of(site)

    @router.get("/mailbox")
    def mailbox(request: Request) -> Response:
        """Show the messages, newest first."""
        if not site.settings.show_mailbox:
            return error_page(site, request, 404)
        return site.page(request, "mailbox.html", mails=site.parts.mailbox(100))

    return router
