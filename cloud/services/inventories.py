"""What chargers hold and what they are at, for who looks after them."""

from dataclasses import dataclass
from typing import Final

from cloud.domain.access import Viewer
from cloud.services.chargers import MAX_LIMIT, seen
from cloud.services.cursors import seal, unseal
from cloud.services.inventory_views import InventoryList
from cloud.services.job_views import JobList
from cloud.services.ports import OpenWork

_JOBS: Final = 100


@dataclass(frozen=True, slots=True)
class InventoryService:
    """Read only: what is held is changed by commands, and told anew by the charger."""

    open_work: OpenWork

    def items(
        self,
        charger_id: str,
        viewer: Viewer,
        *,
        kind: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> InventoryList:
        """Return what a charger holds, by kind and key.

        Raises:
            NotFound: there is no such charger, or it is not the viewer's to see.
            NotValid: a cursor of another list.
        """
        limit = max(1, min(limit, MAX_LIMIT))
        after = ("", "") if cursor is None else unseal(cursor, (str, str))
        with self.open_work(is_read_only=True) as work:
            seen(work, charger_id, viewer)
            found = work.inventory.items(charger_id, kind, (after[0], after[1]), limit + 1)
        shown = found[:limit]
        is_more = len(found) > limit
        return InventoryList(
            items=shown, next_cursor=seal(shown[-1].kind, shown[-1].key) if is_more else None
        )

    def jobs(self, charger_id: str, viewer: Viewer) -> JobList:
        """Return a charger's jobs, the one that changed last first.

        Raises:
            NotFound: there is no such charger, or it is not the viewer's to see.
        """
        with self.open_work(is_read_only=True) as work:
            seen(work, charger_id, viewer)
            return JobList(jobs=work.jobs.latest(charger_id, _JOBS))
