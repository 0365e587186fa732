"""Chargers, as those see them who look after them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cloud.domain.access import Role, Viewer
from cloud.domain.errors import NotAllowed, NotFound
from cloud.services.admin_ports import LogPlace
from cloud.services.charger_views import ChargerDetail, ChargerList, ChargerLog, ChargerView
from cloud.services.cursors import seal, unseal
from cloud.services.ports import OpenWork, UnitOfWork

MAX_LIMIT: Final = 200
_LATELY: Final = 20


@dataclass(frozen=True, slots=True)
class ChargerService:
    """Read only: staff see all, owners those at their stations."""

    open_work: OpenWork

    def list(
        self,
        viewer: Viewer,
        *,
        station_id: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> ChargerList:
        """Return chargers by id.

        Raises:
            NotAllowed: drivers look after none.
            NotValid: a cursor of another list.
        """
        if viewer.role is Role.DRIVER:
            raise NotAllowed(viewer.user_id)
        limit = max(1, min(limit, MAX_LIMIT))
        after = "" if cursor is None else unseal(cursor, (str,))[0]
        owner_id = None if viewer.is_staff else viewer.user_id
        with self.open_work(is_read_only=True) as work:
            found = work.chargers.page(owner_id, station_id, after, limit + 1)
        shown = found[:limit]
        is_more = len(found) > limit
        return ChargerList(
            chargers=shown, next_cursor=seal(shown[-1].charger_id) if is_more else None
        )

    def get(self, charger_id: str, viewer: Viewer) -> ChargerDetail:
        """Return a charger with its plugs, its last facts and its last commands.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
        """
        with self.open_work(is_read_only=True) as work:
            charger = seen(work, charger_id, viewer)
            return ChargerDetail(
                charger=charger,
                connectors=work.chargers.connectors(charger_id),
                log=[entry for _, entry in work.chargers.log(charger_id, None, _LATELY)],
                commands=work.commands.latest(charger_id, _LATELY),
            )

    def log(
        self, charger_id: str, viewer: Viewer, *, limit: int = 50, cursor: str | None = None
    ) -> ChargerLog:
        """Return what a charger told, newest first.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
            NotValid: a cursor of another list.
        """
        limit = max(1, min(limit, MAX_LIMIT))
        before = None if cursor is None else LogPlace(*unseal(cursor, (datetime, int, int)))
        with self.open_work(is_read_only=True) as work:
            seen(work, charger_id, viewer)
            found = work.chargers.log(charger_id, before, limit + 1)
        shown = found[:limit]
        last = shown[-1][0] if len(found) > limit else None
        return ChargerLog(
            entries=[entry for _, entry in shown],
            next_cursor=None if last is None else seal(last.received_at, last.epoch, last.seq),
        )


def seen(work: UnitOfWork, charger_id: str, viewer: Viewer) -> ChargerView:
    """Return a charger the viewer may look at.

    Raises:
        NotFound: there is none, or it is not theirs to see.
    """
    found = work.chargers.get(charger_id)
    if found is None or not viewer.may_watch(found[1]):
        raise NotFound(charger_id)
    return found[0]
