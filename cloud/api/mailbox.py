"""`/mailbox`: all outgoing messages, for demonstrations only; where it is not enabled there is none."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from cloud.api.bodies import Limit, ok
from cloud.api.container import services_of
from cloud.domain.errors import NotFound

router: Final = APIRouter(prefix="/api/v1/mailbox", include_in_schema=False)


@router.get("")
def mailbox(
    request: Request,
    limit: Limit = 50,
    recipient: Annotated[str | None, Query(max_length=254)] = None,
) -> Response:
    """Return the newest messages, of all channels or to one recipient, with codes in plain sight."""
    if not request.app.state.settings.show_mailbox:
        raise NotFound
    return ok(services_of(request).messages.mailbox(limit, recipient))
