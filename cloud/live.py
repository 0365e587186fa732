"""The live hub: what commits changed, fanned out to whoever watches; knows no HTTP and no SQL.

A change is encoded once for all its viewers. Each viewer holds at most one frame per subject (the
newest), and an id on every frame says "all up to here": a viewer that comes back with it is told
what it missed from a ring, or that it missed too much.
"""

import asyncio
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
import structlog
from prometheus_client import Counter, Gauge

from cloud.services.change_views import Change, ChangeKind
from cloud.viewers import Frame, Viewer

log = structlog.get_logger(__name__)

HEARTBEAT: Final = b":\n\n"

VIEWERS: Final = Gauge("baywatt_live_viewers", "Viewers of live streams.")
CHANGES: Final = Counter("baywatt_live_changes_total", "Changes taken for viewers.", ["change"])
DELIVERIES: Final = Counter("baywatt_live_deliveries_total", "Frames put before viewers.")
UNREADABLE: Final = Counter("baywatt_live_unreadable_changes_total", "Changes nobody could read.")
DROPPED: Final = Counter("baywatt_live_dropped_viewers_total", "Viewers that stopped reading.")
GAPS: Final = Counter("baywatt_live_gaps_total", "Viewers that had to start afresh.")


def station_key(station_id: str) -> str:
    """Return the key of a station's bays and heartbeats."""
    return f"station:{station_id}"


def session_key(session_id: str) -> str:
    """Return the key of one charge."""
    return f"session:{session_id}"


def alerts_key(station_id: str | None = None) -> str:
    """Return the key of one station's alerts, or of all."""
    return "alerts" if station_id is None else f"alerts:{station_id}"


def command_key(command_id: str) -> str:
    """Return the key of one command."""
    return f"command:{command_id}"


def reservation_key(reservation_id: str) -> str:
    """Return the key of one reservation."""
    return f"reservation:{reservation_id}"


class _RawChange(msgspec.Struct):
    change: ChangeKind
    station_id: str
    subject: str
    version: int
    view: msgspec.Raw
    user_id: str | None = None


class _Standing(msgspec.Struct):
    state: str = ""
    is_live: bool = True


_CHANGE: Final = msgspec.json.Decoder(_RawChange)
_STANDING: Final = msgspec.json.Decoder(_Standing)


class LiveHub:
    """Takes changes from any thread; serves viewers on the loop it was started in."""

    def __init__(
        self, *, ring_size: int = 8_192, heartbeat_s: int = 15, blocked_s: float = 10
    ) -> None:
        self.instance = secrets.token_hex(4)
        """Names this hub in event ids, and how long it has heard all: other ids say nothing here."""
        self._heartbeat_s = heartbeat_s
        self._blocked_s = blocked_s
        self._number = 0
        self._ring: deque[Frame] = deque(maxlen=ring_size)
        self._heard: dict[str, Frame] = {}
        self._versions: OrderedDict[str, int] = OrderedDict()
        self._viewers: dict[Viewer, int] = {}
        self._by_key: dict[str, set[Viewer]] = {}
        self._inbox: deque[bytes] = deque()
        self._inbox_lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False
        self._joined = 0

    # --- what changed ----------------------------------------------------------------------------

    def start(self) -> None:
        """Bind the hub to the running loop; what was fed before is taken now."""
        self._loop = asyncio.get_running_loop()
        self._take_inbox()

    def publish(self, change: Change) -> None:
        """Take a change made in this process; from any thread."""
        self.feed(msgspec.json.encode(change))

    def feed(self, payload: bytes) -> None:
        """Take a change as it came on the `changes` topic; from any thread, never fails."""
        with self._inbox_lock:
            self._inbox.append(payload)
            if len(self._inbox) > 1 or self._loop is None:
                return
            loop = self._loop
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._take_inbox)

    def lost_track(self) -> None:
        """Have every viewer start afresh: changes may have passed unheard. From any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._start_afresh)

    def _start_afresh(self) -> None:
        self.instance = secrets.token_hex(4)
        self._ring.clear()
        for viewer in list(self._viewers):
            viewer.miss()

    def _take_inbox(self) -> None:
        with self._inbox_lock:
            payloads = list(self._inbox)
            self._inbox.clear()
        for payload in payloads:
            self._take(payload)

    def _take(self, payload: bytes) -> None:
        try:
            change = _CHANGE.decode(payload)
            is_last = _ends(change)
        except msgspec.MsgspecError as error:
            UNREADABLE.inc()
            log.warning("live.unreadable_change", error=str(error)[:200])
            return
        CHANGES.labels(change.change).inc()
        if self._is_news(change):
            self._send(self._frame(change, is_last=is_last))

    def _is_news(self, change: _RawChange) -> bool:
        """Whether nothing newer of the subject was told: QoS 0 from several workers may reorder."""
        if change.change is ChangeKind.HEARD:
            return True
        subject = f"{change.change}:{change.subject}"
        if change.version < self._versions.get(subject, -1):
            return False
        self._versions[subject] = change.version
        self._versions.move_to_end(subject)
        if len(self._versions) > 100_000:  # noqa: PLR2004 - a bound, not a figure with a meaning
            self._versions.popitem(last=False)
        return True

    def _frame(self, change: _RawChange, *, is_last: bool) -> Frame:
        is_heard = change.change is ChangeKind.HEARD
        # the newest `heard` is kept by itself, so that beats do not push changes out of the ring
        self._number += 0 if is_heard else 1
        keys = _keys(change)
        frame = Frame(
            number=self._number,
            keys=keys,
            subject=f"{change.change}:{change.subject}",
            data=b"id: %b\nevent: %b\ndata: %b\n\n"
            % (self.here().encode(), change.change.encode(), _one_line(bytes(change.view))),
            is_last=is_last,
        )
        if is_heard:
            self._heard[keys[0]] = frame
        else:
            self._ring.append(frame)
        return frame

    def _send(self, frame: Frame) -> None:
        for key in frame.keys:
            viewers = self._by_key.get(key, ())
            for viewer in viewers:
                viewer.offer(frame)
            DELIVERIES.inc(len(viewers))

    # --- who watches -----------------------------------------------------------------------------

    @property
    def viewers(self) -> list[Viewer]:
        """The open streams."""
        return list(self._viewers)

    @property
    def viewer_count(self) -> int:
        """How many streams are open."""
        return len(self._viewers)

    def here(self) -> str:
        """Return the event id that says: all up to now was seen."""
        return f"{self.instance}-{self._number}"

    def watch(self, keys: Iterable[str], since: str) -> Viewer | None:
        """Open a stream of what comes under `keys` after the event id `since`.

        Returns:
            The viewer, to be given back to `leave`; None if what it missed is no longer known.
        """
        missed = self._missed_since(since, wanted := frozenset(keys))
        if missed is None:
            GAPS.inc()
            return None
        viewer = Viewer(wanted)
        viewer.remember(missed)
        self._join(viewer)
        return viewer

    @contextmanager
    def following(self, key: str) -> Iterator[Viewer]:
        """Follow what comes under a key from now on."""
        viewer = Viewer(frozenset({key}))
        self._join(viewer)
        try:
            yield viewer
        finally:
            self.leave(viewer)

    def _join(self, viewer: Viewer) -> None:
        if self._is_closed:
            viewer.end()
        self._joined += 1
        self._viewers[viewer] = self._joined % self._heartbeat_s
        for key in viewer.keys:
            self._by_key.setdefault(key, set()).add(viewer)
        VIEWERS.set(len(self._viewers))

    def leave(self, viewer: Viewer) -> None:
        """Forget a viewer; a second time does nothing."""
        if self._viewers.pop(viewer, None) is None:
            return
        for key in viewer.keys:
            if watching := self._by_key.get(key):
                watching.discard(viewer)
                if not watching:
                    del self._by_key[key]
        VIEWERS.set(len(self._viewers))

    def _missed_since(self, since: str, keys: frozenset[str]) -> list[Frame] | None:
        instance, _, number_text = since.rpartition("-")
        if instance != self.instance or not number_text.isascii() or not number_text.isdigit():
            return None
        number = int(number_text[:18])
        oldest = self._ring[0].number if self._ring else self._number + 1
        if not oldest - 1 <= number <= self._number:
            return None
        missed = [one for one in self._since(number) if not keys.isdisjoint(one.keys)]
        if number < self._number:
            missed += [self._heard[key] for key in keys if key in self._heard]
        return missed

    def _since(self, number: int) -> Iterator[Frame]:
        newest_first = reversed(self._ring)
        kept = [frame for frame, _ in zip(newest_first, range(self._number - number), strict=False)]
        return reversed(kept)

    # --- the hub's own loop ----------------------------------------------------------------------

    async def run(self) -> None:
        """Send heartbeats and drop viewers that do not read, until cancelled."""
        self.start()
        turn = 0
        while True:
            await asyncio.sleep(1)
            turn += 1
            self.tend(turn, time.monotonic())

    def tend(self, turn: int, now: float) -> None:
        """Do a second's work: a heartbeat to its share of viewers, an end to the blocked ones."""
        beat = Frame(self._number, (), "", HEARTBEAT)
        for viewer, share in list(self._viewers.items()):
            if viewer.blocked_since is not None:
                if now - viewer.blocked_since >= self._blocked_s:
                    self._drop(viewer)
            elif share == turn % self._heartbeat_s:
                viewer.offer(beat)

    def _drop(self, viewer: Viewer) -> None:
        DROPPED.inc()
        log.info("live.viewer_dropped", keys=len(viewer.keys))
        self.leave(viewer)
        viewer.end()
        if viewer.on_drop is not None:
            viewer.on_drop()

    def close(self) -> None:
        """End all streams, also those still to come: the process goes down."""
        self._is_closed = True
        for viewer in list(self._viewers):
            viewer.end()


def _keys(change: _RawChange) -> tuple[str, ...]:
    match change.change:
        case ChangeKind.BAY | ChangeKind.HEARD:
            return (station_key(change.station_id),)
        case ChangeKind.SESSION:
            return (session_key(change.subject),)
        case ChangeKind.ALERT:
            return (alerts_key(), alerts_key(change.station_id))
        case ChangeKind.COMMAND:
            return (command_key(change.subject),)
        case ChangeKind.RESERVATION:
            return (reservation_key(change.subject),)


def _ends(change: _RawChange) -> bool:
    match change.change:
        case ChangeKind.SESSION | ChangeKind.RESERVATION:
            return not _STANDING.decode(change.view).is_live
        case ChangeKind.COMMAND:
            return _STANDING.decode(change.view).state not in {"queued", "sent"}
        case _:
            return False


def _one_line(view: bytes) -> bytes:
    """Return JSON without line ends, which would break the frame; ours never has them."""
    if b"\n" in view or b"\r" in view:
        return msgspec.json.encode(msgspec.json.decode(view))
    return view
