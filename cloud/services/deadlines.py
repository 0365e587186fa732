"""What time alone does: stations fall silent, grace runs out, holds expire, alerts come due."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from cloud.domain.stations import StationLink
from cloud.domain.thinning import kept
from cloud.services.change_views import Change
from cloud.services.collaborators import (
    Binding,
    Certifying,
    Costing,
    Listing,
    Reauthorising,
    Renewing,
    Rotating,
    Waiting,
)
from cloud.services.fact_ports import Deadline, DeadlineKind
from cloud.services.facts.board import Board
from cloud.services.facts.loading import furnish
from cloud.services.facts.promised import load_promises
from cloud.services.ingest import FAILS
from cloud.services.ports import Clock, OpenWork, TransactionLost, UnitOfWork
from cloud.services.publishing import Publisher
from cloud.services.retrying import retried
from cloud.services.settling import Settling

log = structlog.get_logger(__name__)

_Tend = Callable[[UnitOfWork, str, datetime], Sequence[Change] | None]

_BATCH: Final = 100
_STATIONS: Final = 20
_PUT_OFF_BY: Final = timedelta(minutes=1)
"""What failed is tried again after so long; what is due besides does not wait for it."""


@dataclass(frozen=True, slots=True)
class DeadlineService:
    """For the clock; several may run: what is due is done once, by whoever takes it."""

    open_work: OpenWork
    clock: Clock
    settling: Settling
    publisher: Publisher
    listening_since: datetime
    """A station is not missed before we have listened for as long as it may be silent."""
    renewing: Renewing | None = None
    waiting: Waiting | None = None
    binding: Binding | None = None
    rotating: Rotating | None = None
    certifying: Certifying | None = None
    costing: Costing | None = None
    listing: Listing | None = None
    reauthorising: Reauthorising | None = None

    def do_due(self) -> int:
        """Look at what is due; returns how many deadlines were finished."""
        try:
            done, changes = self._do_due()
        except FAILS:
            log.exception("deadlines.failed_together")
            done, changes = self._do_each()
        except TransactionLost:
            # so many things at once that somebody else is always at one of them
            done, changes = self._do_each()
        self.publisher.publish(changes)
        return done

    def next_due_at(self) -> datetime | None:
        """Return when the first of all deadlines is due; null: there is none."""
        with self.open_work(is_read_only=True) as work:
            return work.deadlines.next_due_at()

    def mark_silent(self) -> int:
        """Turn the bays of stations that have fallen silent UNKNOWN; returns how many stations."""
        done, changes = self._mark_silent()
        self.publisher.publish(changes)
        return done

    @retried
    def _do_due(self) -> tuple[int, list[Change]]:
        now = self.clock.now()
        with self.open_work() as work:
            due = work.deadlines.due(now, _BATCH)
            if not due:
                return 0, []
            changes = self._do(work, due, now)
            work.commit()
        return len(due), changes

    def _do_each(self) -> tuple[int, list[Change]]:
        """Do one by one what cannot be done together; what fails is put off."""
        with self.open_work(is_read_only=True) as work:
            due = work.deadlines.due(self.clock.now(), _BATCH)
        done, changes = 0, list[Change]()
        for one in due:
            try:
                changes += self._do_one(one)
            except FAILS:
                log.exception("deadlines.failed", kind=one.kind, subject=one.subject)
                self._put_off(one)
            except TransactionLost:
                continue  # still due, and its turn comes again
            done += 1
        return done, changes

    @retried
    def _do_one(self, one: Deadline) -> list[Change]:
        with self.open_work() as work:
            changes = self._do(work, [one], self.clock.now())
            work.commit()
        return changes

    @retried
    def _put_off(self, one: Deadline) -> None:
        with self.open_work() as work:
            due_at = self.clock.now() + _PUT_OFF_BY
            work.deadlines.set([Deadline(one.kind, one.subject, due_at)])
            work.commit()

    def _do(self, work: UnitOfWork, due: Sequence[Deadline], now: datetime) -> list[Change]:
        # each of these looks at its bays itself, so before they are on a board here
        changes = self._bind(work, _subjects(due, DeadlineKind.RESERVATION), now)
        for kind, tend in self._tended().items():
            for subject in sorted(_subjects(due, kind)):
                changes += tend(work, subject, now) or ()
        board = self._board(work, now, due)
        changes += self.settling.settle(work, board, with_equipment=False)
        _thin(work, _subjects(due, DeadlineKind.SESSION))
        # those set anew just now have another time, and stay
        work.deadlines.finish(due)
        return changes

    def _tended(self) -> dict[DeadlineKind, _Tend]:
        """Return who does what is due of each kind that needs no board, in their order."""
        tended: dict[DeadlineKind, _Tend] = {}
        if self.waiting is not None:
            tended[DeadlineKind.OFFER] = self.waiting.expire
            tended[DeadlineKind.WAITING] = self.waiting.look
        if self.renewing is not None:
            tended[DeadlineKind.SUBSCRIPTION] = self.renewing.renew
        if self.reauthorising is not None:
            tended[DeadlineKind.AUTHORISATION] = self.reauthorising.tend
        if self.rotating is not None:
            tended[DeadlineKind.KEY_ROTATION] = self.rotating.rotate
        if self.certifying is not None:
            tended[DeadlineKind.CERTIFICATE] = self.certifying.tend
        if self.listing is not None:
            tended[DeadlineKind.LOCAL_LIST] = self.listing.tend
        if self.costing is not None:
            tended[DeadlineKind.COST] = self.costing.tell
        return tended

    def _bind(
        self, work: UnitOfWork, reservation_ids: Collection[str], now: datetime
    ) -> list[Change]:
        """Give flexible reservations whose time has come their bay."""
        changes: list[Change] = []
        found = work.reservations.by_ids(reservation_ids)
        for _, one in sorted(found.items()):
            is_due = one.is_flexible and one.is_live and one.fixed_at and one.fixed_at <= now
            if is_due and self.binding is not None:
                changes += self.binding.bind(work, one, now)
        return changes

    @retried
    def _mark_silent(self) -> tuple[int, list[Change]]:
        now, policy = self.clock.now(), self.settling.policy
        with self.open_work() as work:
            silent = work.links.silent_since(now - policy.stale_after, _STATIONS)
            marked = [link for link in silent if work.links.mark_silent(link)]
            if not marked:
                return 0, []
            station_ids = [link.station_id for link in marked]
            board = Board(now, policy)
            furnish(work, board, work.bays.equipment_of(station_ids), station_ids)
            load_promises(work, board, board.bays.keys())
            board.touched_bays = set(board.bays)
            changes = self.settling.settle(work, board, with_equipment=False)
            work.deadlines.set(self._missed(link) for link in marked)
            work.commit()
        return len(marked), changes

    def _missed(self, link: StationLink) -> Deadline:
        after = self.settling.policy.station_offline_alert_after
        heard_at = link.heard_at or self.listening_since
        due_at = max(heard_at, self.listening_since) + after
        return Deadline(DeadlineKind.STATION, link.station_id, due_at)

    def _board(self, work: UnitOfWork, now: datetime, due: Sequence[Deadline]) -> Board:
        board = Board(now, self.settling.policy)
        bay_ids = _subjects(due, DeadlineKind.BAY)
        charger_ids = _subjects(due, DeadlineKind.CHARGER)
        station_ids = _subjects(due, DeadlineKind.STATION)
        reserved = work.reservations.by_ids(_subjects(due, DeadlineKind.RESERVATION)).values()
        live = [one for one in reserved if one.is_live]
        bay_ids |= {one.bay_id for one in live}
        furnish(work, board, work.bays.equipment(charger_ids, bay_ids), station_ids)
        for one in live:
            board.put_reservation(one)
        load_promises(work, board, board.bays.keys())
        board.touched_bays = bay_ids & board.bays.keys()
        board.touched_chargers = charger_ids & board.chargers.keys()
        board.touched_stations = station_ids & board.stations.keys()
        return board


def _subjects(due: Sequence[Deadline], kind: DeadlineKind) -> set[str]:
    return {one.subject for one in due if one.kind == kind}


def _thin(work: UnitOfWork, session_ids: Collection[str]) -> None:
    for session in work.sessions.by_ids(sorted(session_ids)).values():
        readings = work.sessions.samples([session.id]).get(session.id, [])
        keep = kept(session, readings)
        if keep is not None:
            work.sessions.thin(session.id, keep)
