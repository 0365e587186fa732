"""What makes the pages an app: manifest, service worker, the page for when there is no network; static files."""

import json
from typing import Final

from fastapi import APIRouter, Request, Response

from cloud.web.routes import error_page, router_of
from cloud.web.site import Site

KEPT: Final = (
    "css/baywatt.css",
    "js/theme.js",
    "js/app.js",
    "js/ages.js",
    "js/forms.js",
    "js/page.js",
    "svg/icon.svg",
    "svg/icons.svg",
    "svg/shapes.svg",
)
"""What the offline page is made of."""


def routes(site: Site) -> APIRouter:
    """Return the app's own files."""
    router = router_of(site)

    @router.get("/manifest.webmanifest")
    def manifest() -> Response:
        """Describe the app (W3C Web Application Manifest)."""
        return Response(
            json.dumps(_manifest(site)),
            media_type="application/manifest+json",
            headers={"Cache-Control": "public, max-age=3600"},
        )

    @router.get("/sw.js")
    def service_worker() -> Response:
        """Return the worker, with the addresses of what it keeps."""
        kept = ["/offline", *map(site.assets.url, KEPT)]
        source = site.assets.get("js/worker.js").body.decode()
        return Response(
            source.replace('"__KEPT__"', json.dumps(kept)),
            media_type="text/javascript; charset=utf-8",
            headers={"Cache-Control": "no-cache"},
        )

    @router.get("/offline")
    def offline(request: Request) -> Response:
        """Say that there is no network."""
        return site.page(request, "offline.html", reader=None)

    @router.get("/favicon.ico")
    def favicon(request: Request) -> Response:
        """Answer browsers that ask without having been told."""
        return static(request, "svg/icon.svg")

    @router.get("/static/{name:path}")
    def static(request: Request, name: str, v: str | None = None) -> Response:
        """Return a static file."""
        try:
            return site.assets.answer(name, v, request.headers.get("accept-encoding", ""))
        except (FileNotFoundError, IsADirectoryError):
            return error_page(site, request, 404)

    return router


def _manifest(site: Site) -> dict[str, object]:
    return {
        "id": "/",
        "name": "Baywatt",
        "short_name": "Baywatt",
        "description": "Which charging bay is really free.",
        "start_url": "/",
        "display": "standalone",
        "background_color": "#f5f6f3",
        "theme_color": "#0d3b36",
        "icons": [
            {"src": site.assets.url("svg/icon.svg"), "sizes": "any", "type": "image/svg+xml"},
            {
                "src": site.assets.url("svg/icon-maskable.svg"),
                "sizes": "any",
                "type": "image/svg+xml",
                "purpose": "maskable",
            },
        ],
    }
