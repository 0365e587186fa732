"""Open sessions as the last transaction left them, so that the next need not read them again.

Sessions are written by ingest alone, and always together with a move of their station's cursor. So
whoever finds the cursor where this memo was written knows that nobody has changed them since; a cursor
that stands elsewhere makes the memo worthless, and the database is asked.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from cloud.domain.cursor import Cursor
from cloud.domain.sessions import Session

_MOST_SESSIONS: Final = 20_000
"""About 40 MB."""


class SessionMemo:
    """Bounded: the station unheard for longest goes first. Safe for several threads."""

    def __init__(self, most_sessions: int = _MOST_SESSIONS) -> None:
        self._most = most_sessions
        self._kept: OrderedDict[str, tuple[Cursor, dict[str, Session]]] = OrderedDict()
        self._count = 0
        self._lock = threading.Lock()

    def recall(self, station_id: str, cursor: Cursor) -> dict[str, Session]:
        """Return the station's open sessions as of this cursor; empty where that is not known."""
        with self._lock:
            at, sessions = self._kept.get(station_id, (None, {}))
        return sessions if at == cursor else {}

    def keep(
        self, station_id: str, before: Cursor, after: Cursor, sessions: Iterable[Session]
    ) -> None:
        """Remember sessions a transaction read or wrote that moved the cursor; call once committed."""
        known = dict(self.recall(station_id, before))
        for session in sessions:
            if session.is_open:
                known[session.id] = session
            else:
                known.pop(session.id, None)
        with self._lock:
            self._forget(station_id)
            self._kept[station_id] = (after, known)
            self._count += len(known)
            while self._count > self._most and len(self._kept) > 1:
                self._forget(next(iter(self._kept)))

    def _forget(self, station_id: str) -> None:
        _, sessions = self._kept.pop(station_id, (None, {}))
        self._count -= len(sessions)
