"""`/livez`, `/readyz`, `/metrics`: for whoever runs this."""

import asyncio
from typing import Final

import anyio
from anyio import CapacityLimiter
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from cloud.api.bodies import ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.domain.errors import Unavailable

router: Final = APIRouter(tags=["health"])

_PATIENCE_S: Final = 4.5


@router.get("/livez", operation_id="isAlive", response_model=dict[str, str])
async def livez() -> Response:
    """Say that the process runs and its loop turns."""
    return ok({"status": "alive"})


@router.get(
    "/readyz", operation_id="isReady", response_model=dict[str, str], responses=described(503)
)
async def readyz(request: Request) -> Response:
    """Say whether requests can be served; within 5 s, also when the database hangs."""
    limiter: CapacityLimiter = request.app.state.health_limiter
    is_ready = False
    try:
        async with asyncio.timeout(_PATIENCE_S):
            is_ready = await anyio.to_thread.run_sync(
                services_of(request).is_ready, abandon_on_cancel=True, limiter=limiter
            )
    except TimeoutError:
        pass
    if not is_ready:
        raise Unavailable("readiness")
    return ok({"status": "ready"})


@router.get("/metrics", include_in_schema=False)
def metrics() -> Response:
    """Return what Prometheus reads."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
