"""Live streams behind the scenes: their openings, and the checks on who still may watch."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog
from starlette.concurrency import run_in_threadpool

from cloud.domain.access import Role
from cloud.domain.errors import Refused
from cloud.live import LiveHub
from cloud.services.admin_ports import Login
from cloud.services.credentials import CredentialService
from cloud.services.ports import DatabaseAway, TransactionLost
from cloud.viewers import Viewer

log = structlog.get_logger(__name__)

CHECK_S: Final = 2
"""How often the logins behind private streams are looked up again; they end within 5 s."""

_SHARED_S: Final = 1.0
_SHARED: Final = 1_000


@dataclass(frozen=True, slots=True)
class Opening:
    """What a stream begins with."""

    keys: frozenset[str]
    event: str
    snapshot: Any
    is_over: bool = False
    """Nothing will follow the snapshot."""


Open = Callable[[], Opening]
"""Reads the opening, in a thread; raises Refused where there is nothing to see."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An opening, read after the hub's position was noted."""

    keys: frozenset[str]
    here: str
    """All up to this event id is in it."""
    event: bytes
    """The snapshot as it goes over the wire."""
    is_over: bool
    read_at: float
    """Monotonic seconds."""


class Streams:
    """All event streams of this process, and the checks on who still may watch."""

    def __init__(self, hub: LiveHub, credentials: CredentialService) -> None:
        self.hub = hub
        self._credentials = credentials
        self._guarded: dict[Viewer, tuple[Login, Open]] = {}
        self._shared: OrderedDict[str, asyncio.Task[Reading]] = OrderedDict()

    async def read(self, open_: Open, share_as: str | None = None) -> Reading:
        """Read an opening; those shared under a name are read once for all who come in a second.

        When a process restarts, all its viewers come back at once, and ask for the same few things.
        """
        if share_as is None:
            return await self._read(open_)
        task = self._shared.get(share_as)
        if task is None or not _is_fresh(task):
            task = asyncio.create_task(self._read(open_), name="opening")
            # whoever asked first may be gone before it fails
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._shared[share_as] = task
            if len(self._shared) > _SHARED:
                self._shared.popitem(last=False)
        return await asyncio.shield(task)

    async def _read(self, open_: Open) -> Reading:
        here, read_at = self.hub.here(), time.monotonic()

        def read() -> Reading:
            opening = open_()
            snapshot = event(opening.event, opening.snapshot, here)
            return Reading(opening.keys, here, snapshot, opening.is_over, read_at)

        return await run_in_threadpool(read)

    def guard(self, viewer: Viewer, login: Login, open_: Open) -> None:
        """Keep checking that the login behind a stream is of use."""
        self._guarded[viewer] = (login, open_)

    def leave(self, viewer: Viewer) -> None:
        """Forget a stream that ended."""
        self._guarded.pop(viewer, None)
        self.hub.leave(viewer)

    async def run(self) -> None:
        """Check until cancelled."""
        while True:
            await asyncio.sleep(CHECK_S)
            try:
                await self.check()
            except (DatabaseAway, TransactionLost) as error:
                # nobody can be logged out meanwhile either
                log.warning("streams.not_checked", error=str(error)[:200])

    async def check(self) -> None:
        """End the streams of those who may no longer watch."""
        guarded = dict(self._guarded)
        if not guarded:
            return
        ids = {login.credential_id for login, _ in guarded.values()}
        logins = await run_in_threadpool(self._credentials.still_logged_in, ids)
        for viewer, (login, open_) in guarded.items():
            if not await _may_still(viewer, login, open_, logins):
                viewer.cut()


def _is_fresh(task: asyncio.Task[Reading]) -> bool:
    if not task.done():
        return True
    if task.cancelled() or task.exception() is not None:
        return False
    return time.monotonic() - task.result().read_at < _SHARED_S


async def _may_still(
    viewer: Viewer, login: Login, open_: Open, logins: Mapping[str, Login]
) -> bool:
    now = logins.get(login.credential_id)
    if now is None or now.viewer != login.viewer:
        return False
    if now.viewer.role is not Role.OWNER:
        return True
    # stations change hands
    try:
        opening = await run_in_threadpool(open_)
    except Refused:
        return False
    return opening.keys == viewer.keys


def event(name: str, view: Any, event_id: str) -> bytes:
    """Return one event as it goes over the wire: the view as JSON in one line."""
    body = msgspec.json.encode(view)
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (event_id.encode(), name.encode(), body)
