"""Closing the difference: what was committed and not published, and what is kept too long."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from cloud.services.commands import CommandService
from cloud.services.fleet import FleetService
from cloud.services.log_files import LogFileService
from cloud.services.plans import PlanService
from cloud.services.ports import Clock, OpenWork
from cloud.services.publishing import Publisher
from cloud.services.retrying import retried

KEEP_FACTS: Final = timedelta(days=90)
KEEP_MESSAGES: Final = timedelta(days=365)
KEEP_COMMANDS: Final = timedelta(days=365)
"""What was asked of chargers, of one or of many, and the jobs that came of it."""
KEEP_ANSWERS: Final = timedelta(hours=24)
KEEP_LOGINS: Final = timedelta(days=7)
KEEP_CODES: Final = timedelta(days=7)
KEEP_CUSTOMERS: Final = timedelta(hours=24)
"""What a charger told of a customer is for who asked, not for the archive (OCPP 2.0.1 N09)."""

_CHUNK: Final = 50
_FORGET_ROWS: Final = 2_000
_FORGET_EVERY: Final = timedelta(minutes=5)


@dataclass(slots=True)
class SweepService:
    """For the clock. Everything here may be done twice without harm."""

    open_work: OpenWork
    clock: Clock
    publisher: Publisher
    plans: PlanService
    commands: CommandService
    fleet: FleetService
    log_files: LogFileService | None = None
    refresh_after: timedelta = timedelta(seconds=25)
    """What booking clients hold is said again this often: it is worth 90 s only."""
    _said_at: dict[str, datetime] = field(default_factory=dict)
    _forgot_at: datetime | None = None

    def publish_unpublished(self) -> int:
        """Tell of changes a crash kept back; returns of how many stations."""
        if not self.publisher.is_heard():
            return 0
        with self.open_work(is_read_only=True) as work:
            station_ids = work.bays.unpublished(_CHUNK)
        for station_id in station_ids:
            self.publisher.republish_changes(station_id)
        return len(station_ids)

    def publish_plans(self) -> int:
        """Send the plans that have grown old."""
        if not self.publisher.is_heard():
            return 0
        return self.plans.publish_changed()

    def tend_commands(self) -> int:
        """Hand over commands that wait; close those nobody answered."""
        handed_over = self.commands.hand_over_unsent()
        changed = self.commands.hand_over_queued() + self.commands.expire_overdue()
        self.publisher.publish(changed)
        return handed_over + len(changed)

    def advance_fleet(self) -> int:
        """Move on what goes to many chargers in waves."""
        return self.fleet.advance_all()

    def refresh_availability(self) -> int:
        """Say again what live stations offer; returns how many stations."""
        now = self.clock.now()
        with self.open_work(is_read_only=True) as work:
            live = work.links.heard_since(now - self.refresh_after)
        due = [one for one in live if self._is_due(one, now)]
        for chunk in _chunks(due):
            self.publisher.publish_stations(chunk)
            self._said_at |= dict.fromkeys(chunk, now)
        return len(due)

    def say_everything(self) -> None:
        """Publish all that brokers retain: this one may have forgotten."""
        with self.open_work(is_read_only=True) as work:
            station_ids = work.stations.ids()
        self.plans.publish_all()
        now = self.clock.now()
        for chunk in _chunks(station_ids):
            self.publisher.publish_stations(chunk)
        self._said_at = dict.fromkeys(station_ids, now)

    def forget(self) -> int:
        """Delete what has been kept long enough, a little at a time; returns how many rows."""
        now = self.clock.now()
        if self._forgot_at is not None and now - self._forgot_at < _FORGET_EVERY:
            return 0
        forgotten = self._forget(now) + (self.log_files.forget() if self.log_files else 0)
        if forgotten < _FORGET_ROWS:
            self._forgot_at = now
        return forgotten

    @retried
    def _forget(self, now: datetime) -> int:
        with self.open_work() as work:
            forgotten = work.event_log.forget(now - KEEP_FACTS, _FORGET_ROWS)
            forgotten += work.messages.forget(now - KEEP_MESSAGES, _FORGET_ROWS)
            forgotten += work.idempotency.forget(now - KEEP_ANSWERS)
            forgotten += work.credentials.forget(now - KEEP_LOGINS)
            forgotten += work.otps.forget(now - KEEP_CODES, _FORGET_ROWS)
            forgotten += work.commands.forget(now - KEEP_COMMANDS, _FORGET_ROWS)
            forgotten += work.fleet_commands.forget(now - KEEP_COMMANDS)
            forgotten += work.jobs.forget(now - KEEP_COMMANDS, _FORGET_ROWS)
            forgotten += work.jobs.forget_customers(now - KEEP_CUSTOMERS, _FORGET_ROWS)
            work.commit()
        return forgotten

    def _is_due(self, station_id: str, now: datetime) -> bool:
        said_at = self._said_at.get(station_id)
        return said_at is None or now - said_at >= self.refresh_after


def _chunks(station_ids: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(station_ids)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
