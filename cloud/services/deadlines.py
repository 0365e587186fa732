"""What time alone does: stations fall silent, grace runs out, alerts come due, curves are thinned."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cloud.domain.stations import StationLink
from cloud.domain.thinning import kept
from cloud.services.collaborators import Renewing
from cloud.services.fact_ports import Deadline, DeadlineKind, Equipment
from cloud.services.facts.board import Board
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.publishing import Publisher
from cloud.services.retrying import retried
from cloud.services.settling import Settling
from cloud.services.views import Change

_BATCH: Final = 100
_STATIONS: Final = 20


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

    def do_due(self) -> int:
        """Look at what is due; returns how many deadlines were finished."""
        done, changes = self._do_due()
        self.publisher.publish(changes)
        return done

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
            board = self._board(work, now, due)
            changes = self.settling.settle(work, board, with_equipment=False)
            _thin(work, _subjects(due, DeadlineKind.SESSION))
            if self.renewing is not None:
                for subscription_id in sorted(_subjects(due, DeadlineKind.SUBSCRIPTION)):
                    self.renewing.renew(work, subscription_id, now)
            # those set anew just now have another time, and stay
            work.deadlines.finish(due)
            work.commit()
        return len(due), changes

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
            self._set_up(work, board, work.bays.equipment_of(station_ids), station_ids)
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
        equipment = work.bays.equipment(charger_ids, bay_ids)
        self._set_up(work, board, equipment, station_ids)
        board.touched_bays = bay_ids & board.bays.keys()
        board.touched_chargers = charger_ids & board.chargers.keys()
        board.touched_stations = station_ids & board.stations.keys()
        return board

    def _set_up(
        self, work: UnitOfWork, board: Board, equipment: Equipment, station_ids: Collection[str]
    ) -> None:
        board.equip(equipment)
        owners = {one.station_id for one in board.bays.values()} | set(station_ids)
        owners |= {one.station_id for one in board.chargers.values()}
        board.stations = work.stations.by_ids(sorted(owners))
        board.links = work.links.by_ids(sorted(board.stations))
        seated = {one.session_id for one in board.bays.values() if one.session_id}
        board.sessions = work.sessions.by_ids(sorted(seated))


def _subjects(due: Sequence[Deadline], kind: DeadlineKind) -> set[str]:
    return {one.subject for one in due if one.kind == kind}


def _thin(work: UnitOfWork, session_ids: Collection[str]) -> None:
    for session in work.sessions.by_ids(sorted(session_ids)).values():
        readings = work.sessions.samples([session.id]).get(session.id, [])
        keep = kept(session, readings)
        if keep is not None:
            work.sessions.thin(session.id, keep)
