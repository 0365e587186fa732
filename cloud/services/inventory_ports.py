"""What the readers and ingest need of the database for chargers' inventories and jobs; see ports.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cloud.domain.local_lists import LocalList
from cloud.services.inventory_views import InventoryItem
from cloud.services.job_views import JobView
from cloud.services.session_views import SignedReadingView
from contracts.events import InventoryReported, JobProgressed, SignedReadingReported


@dataclass(frozen=True, slots=True)
class Told:
    """A part of an inventory, and when it was so, by a clock that is not ahead of ours."""

    fact: InventoryReported
    at: datetime


@dataclass(frozen=True, slots=True)
class JobStep:
    """A step of a job, and when it was taken, by a clock that is not ahead of ours."""

    fact: JobProgressed
    at: datetime


class Inventory(Protocol):
    """What chargers hold, as they last said."""

    def tell(self, told: Sequence[Told]) -> None:
        """Store parts, in their order: entries replace those of their key, after the `gone_like` went.

        A whole one ends with all else of its kind gone: all that was not told under its request, or
        where it has none, by itself.
        """
        ...

    def items(
        self, charger_id: str, kind: str | None, after: tuple[str, str], limit: int
    ) -> list[InventoryItem]:
        """Return what a charger holds, of one kind or of all, by kind and key."""
        ...

    def item(self, charger_id: str, kind: str, key: str) -> InventoryItem | None:
        """Return one thing it holds."""
        ...


class SignedReadings(Protocol):
    """What meters signed during charges; kept as long as these."""

    def add(self, facts: Sequence[SignedReadingReported]) -> None:
        """Store what was not told before; each fact has its session."""
        ...

    def of_session(self, session_id: str) -> list[SignedReadingView]:
        """Return what was signed in a charge, oldest first."""
        ...


class Jobs(Protocol):
    """What chargers do for a while, as they tell it."""

    def tell(self, steps: Sequence[JobStep]) -> None:
        """Store steps, in their order; one that is older than the latest known has no effect.

        One that is `AcceptedCanceled` ends the others of its kind that were under way.
        """
        ...

    def latest(self, charger_id: str, limit: int) -> list[JobView]:
        """Return a charger's jobs, the one that changed last first."""
        ...

    def forget_customers(self, before: datetime, limit: int) -> int:
        """Erase what chargers told of customers before an instant; returns of how many jobs."""
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """Delete those nothing was told of since then; returns how many."""
        ...

    def get(self, charger_id: str, job: str, request_id: int) -> JobView | None:
        """Return one job."""
        ...


class LocalLists(Protocol):
    """Chargers' own lists of tokens: of each charger what we know of its list."""

    def get(self, charger_id: str) -> LocalList | None:
        """Return a charger's."""
        ...

    def put(self, held: LocalList) -> None:
        """Store it, in the place of what was known before."""
        ...

    def kept(self) -> list[str]:
        """Return the chargers whose lists we keep in step."""
        ...
