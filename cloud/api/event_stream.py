"""Server-sent events as ASGI itself: each event is encoded once for all its viewers."""

import asyncio
import random
import time
from contextlib import suppress
from typing import Any, Final

from fastapi import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cloud.api.server import CONNECTION, Connection
from cloud.api.streams import Open, Reading, Streams
from cloud.domain.errors import Refused, Unavailable
from cloud.services.admin_ports import Login
from cloud.services.ports import DatabaseAway, TransactionLost
from cloud.viewers import Frame, News, Viewer

MAX_VIEWERS: Final = 20_000
RESYNC: Final = b"event: resync\ndata: {}\n\n"

_STREAM: Final = "baywatt.stream"
_KEPT: Final = frozenset({"type", "method", "http_version", "extensions"})
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class EventStream(Response):
    """One viewer's stream, as ASGI itself: a frame costs one send and no task."""

    media_type = "text/event-stream"

    def __init__(
        self,
        request: Request,
        open_: Open,
        *,
        share_as: str | None = None,
        login: Login | None = None,
        ends: bool = False,
    ) -> None:
        """Prepare; nothing is read before the server calls.

        Args:
            request: names the last event seen, if any.
            open_: reads the snapshot, and refuses who may not see it.
            share_as: names what anyone may see, so that it need not be read for each.
            login: with it, the stream ends when the login does.
            ends: whether the subject's last event ends the stream.
        """
        super().__init__()
        self._streams: Streams = request.app.state.streams
        self._since = request.headers.get("last-event-id", "")[:64]
        self._open = open_
        self._share_as = share_as
        self._login = login
        self._ends = ends

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Join, or refuse; the stream itself is left in the scope, for `go_on` to run."""
        hub = self._streams.hub
        if hub.viewer_count >= MAX_VIEWERS:
            raise Unavailable("viewers", "Too many watch at the moment.", retry_after_s=10)
        reading = await self._streams.read(self._open, self._share_as)
        resumed = hub.watch(reading.keys, self._since) if self._since else None
        viewer = resumed or hub.watch(reading.keys, reading.here)
        if viewer is None:
            raise Unavailable("stream", "Too much changed while this was read.", retry_after_s=1)
        if reading.is_over:
            viewer.end()
            if resumed is not None and not viewer.is_waited_for:
                hub.leave(viewer)
                # tells an EventSource that has seen the end not to come again
                await Response(status_code=204)(scope, receive, send)
                return
        if self._login is not None:
            self._streams.guard(viewer, self._login, self._open)
        greeting = self._greeting(None if resumed else reading)
        scope[_STREAM] = _Stream(self._streams, viewer, greeting, self._open, ends=self._ends)

    def _greeting(self, reading: Reading | None) -> bytes:
        # spread over seconds: all come back at once when the process restarts
        hello = b"retry: %d\n\n" % random.randint(1_000, 3_000)  # noqa: S311 - not a secret
        if reading is None:
            return hello
        return hello + (RESYNC if self._since else b"") + reading.event


class _Stream:
    """A stream that has begun: all that is kept of a viewer's request while it lasts."""

    __slots__ = ("_ends", "_greeting", "_open", "_streams", "_viewer")

    def __init__(
        self, streams: Streams, viewer: Viewer, greeting: bytes, open_: Open, *, ends: bool
    ) -> None:
        self._streams = streams
        self._viewer = viewer
        self._greeting = greeting
        self._open = open_
        self._ends = ends

    async def run(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the client goes, the subject ends, or the process does."""
        watching = _Watch(self._viewer, scope, receive)
        try:
            await self._write(send, self._greeting)
            self._greeting = b""
            # what cannot be read ends the stream: the client comes back, and is told why
            with suppress(Refused, DatabaseAway, TransactionLost):
                await self._tell(send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            watching.stop()
            self.leave()

    def leave(self) -> None:
        """Forget the viewer."""
        self._streams.leave(self._viewer)

    async def _tell(self, send: Send) -> None:
        while True:
            match await self._viewer.next():
                case News.OVER:
                    return
                case News.GAP:
                    reading = await self._streams.read(self._open)
                    await self._write(send, RESYNC + reading.event)
                case frames:
                    await self._write(send, _joined(frames))
                    if self._ends and any(frame.is_last for frame in frames):
                        return

    async def _write(self, send: Send, body: bytes) -> None:
        self._viewer.blocked_since = time.monotonic()
        await send({"type": "http.response.body", "body": body, "more_body": True})
        self._viewer.blocked_since = None


async def go_on(scope: Scope, receive: Receive, begin: Send, send: Send) -> None:
    """Run the stream a request ended in, if it did.

    Called by the outermost middleware once the framework is through with the request, so that a
    viewer costs none of its frames, and a frame to it passes none of its wrappers.

    Args:
        scope: of the request; most of it is given up.
        receive: as the server gave it.
        begin: takes the head of the answer, and sets the headers every answer has.
        send: as the server gave it.
    """
    stream: _Stream | None = scope.pop(_STREAM, None)
    if stream is None:
        return
    try:
        await begin({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
    except BaseException:
        stream.leave()
        raise
    for key in scope.keys() - _KEPT:
        del scope[key]
    await stream.run(scope, receive, send)


def stream_responses(*events: str) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI's words for a stream of these events."""
    example = "".join(f"id: 1f0c2a9b-17\nevent: {name}\ndata: {{}}\n\n" for name in events)
    return {
        200: {
            "description": f"Events: {', '.join(events)}; `resync` before a snapshot that "
            "replaces what was missed; comments as heartbeats.",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": example}},
        },
        204: {"description": "You have seen the end: do not come again."},
    }


def _joined(frames: list[Frame]) -> bytes:
    return frames[0].data if len(frames) == 1 else b"".join(frame.data for frame in frames)


class _Watch:
    """Notices when the client goes; has the connection of one that does not read cut."""

    __slots__ = ("_connection", "_task")

    def __init__(self, viewer: Viewer, scope: Scope, receive: Receive) -> None:
        self._task: asyncio.Task[None] | None = None
        extension = scope.get("extensions", {}).get(CONNECTION, {})
        self._connection: Connection | None = extension.get("connection")
        if self._connection is None:
            # another server than ours
            self._task = asyncio.create_task(_until_gone(receive, viewer), name="viewer")
            this = asyncio.current_task()
            viewer.on_drop = this.cancel if this is not None else None
            return
        self._connection.bound()
        self._connection.on_lost = viewer.cut
        viewer.on_drop = self._connection.abort
        if self._connection.is_lost:
            viewer.cut()

    def stop(self) -> None:
        """Watch no longer."""
        if self._task is not None:
            self._task.cancel()
        if self._connection is not None:
            self._connection.on_lost = None


async def _until_gone(receive: Receive, viewer: Viewer) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    viewer.cut()
