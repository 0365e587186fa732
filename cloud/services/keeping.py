"""Promises held against what is seen, in the very transaction in which it is seen."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from cloud.domain.notices import NoticeKind
from cloud.domain.occupants import in_bay, own_session, seen_by
from cloud.domain.policy import Policy
from cloud.domain.promise_look import Look, slot_end, taken_up_at
from cloud.domain.promise_steps import IN_DANGER, Step
from cloud.domain.promises import Verdict, judge
from cloud.domain.reservations import HERE, Happening, Reservation, Status, Trouble, advance
from cloud.domain.sessions import Session
from cloud.domain.sight import followed, is_to_watch
from cloud.domain.witnesses import evidence
from cloud.services.advancing import Advancer
from cloud.services.booking_ports import Told
from cloud.services.change_views import Change
from cloud.services.collaborators import Notice, Telling
from cloud.services.fact_ports import Deadline, DeadlineKind
from cloud.services.facts.board import Board
from cloud.services.facts.loading import furnish
from cloud.services.facts.promised import load_bay, load_promises
from cloud.services.notices import about
from cloud.services.ports import UnitOfWork
from cloud.services.rescheduling import Place, Rescuer, close_offer, rebook, relocated
from cloud.services.reservation_changes import changes_of
from cloud.services.settling import Settling

BEHIND: Final = 100
"""An agent with more facts than this still to tell has not told us all we should know."""
EVER: Final = timedelta(days=800)
"""No reservation is farther ahead."""
_ELSEWHERE: Final = Told("plugged_in_elsewhere")
_UNMET: Final = frozenset({Status.BOOKED, Status.ARRIVED})
_LEAVES_OFFERS: Final = frozenset({Happening.SESSION_ENDED, Happening.OVERSTAYED})
_MOST_STEPS: Final = 8
"""Nothing takes so many: booked, charging, finished, overstaying, fulfilled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Judges the reservations of bays on a board, and does what follows through the same work."""

    policy: Policy
    advancer: Advancer
    """Which does not look at bays: the board is looked at here."""
    rescuer: Rescuer
    telling: Telling

    def keep(self, work: UnitOfWork, board: Board, bay_id: str) -> list[Change]:
        """Judge a bay's reservations; returns what viewers must hear of them.

        Bays that drivers were moved to are on the board then, and to be judged anew.

        Raises:
            TransactionLost: one was changed by somebody else meanwhile.
        """
        changes: list[Change] = []
        for reservation in board.reservations_of(bay_id):
            kept = _Kept(self, work, board, reservation)
            changes += kept.run()
        return changes


class _Kept:
    """One reservation on its way through what follows."""

    def __init__(
        self, keeper: Keeper, work: UnitOfWork, board: Board, reservation: Reservation
    ) -> None:
        self._keeper = keeper
        self._work = work
        self._board = board
        self._now = board.now
        self._reservation = reservation
        self._changes: list[Change] = []

    def run(self) -> list[Change]:
        """Judge and do, until nothing more follows now."""
        self._doubt_what_was_unheard()
        if self._follow_driver():
            return self._changes  # judged where it is now
        for _ in range(_MOST_STEPS):
            before = self._reservation
            look = self._look(before)
            verdict = judge(look, self._keeper.policy, self._now)
            self._carry_out(look.reservation, verdict)
            self._tell(verdict)
            if self._reservation.bay_id != before.bay_id:
                return self._changes  # judged with its new bay
            if verdict.happening is None or not self._reservation.is_live:
                self._look_again(verdict)
                return self._changes
        raise RuntimeError(f"reservation {self._reservation.id} does not come to rest")

    def _doubt_what_was_unheard(self) -> None:
        """Note that the station was silent for a part of the slot or stay, before that is judged."""
        reservation, now = self._reservation, self._now
        unheard_since = self._board.unheard_since.get(reservation.station_id)
        if unheard_since is None:
            return
        told: dict[str, Any] = {}
        if reservation.status in _UNMET and reservation.starts_at <= now:
            told |= {"doubted_at": now}
        if is_to_watch(reservation, now):
            since = reservation.unseen_since or unheard_since
            told |= {"unseen_since": since, "seen_again_at": None}
        if told:
            self._put(replace(reservation, **told), Told("in_doubt"))

    def _look(self, reservation: Reservation) -> Look:
        """Return the reservation, its sight as it is now, with what is known of its bay."""
        board, now, policy = self._board, self._now, self._keeper.policy
        scene = board.scene(board.bays[reservation.bay_id])
        others = [one for one in scene.reservations if one.id != reservation.id]
        told, _ = evidence(scene, policy, now)
        seen = in_bay(told, reservation, others, now)
        is_behind = scene.link.outbox_depth > BEHIND
        return Look(
            reservation=followed(reservation, seen, policy, now, is_behind=is_behind),
            seen=seen,
            own=own_session(told, reservation),
            slot_ends_at=slot_end(reservation, others),
            taken_up_at=taken_up_at(reservation, others, now),
            is_behind=is_behind,
        )

    def _carry_out(self, watched: Reservation, verdict: Verdict) -> None:
        noted = self._noted(watched, verdict)
        if verdict.happening is not None:
            self._advance(noted, verdict.happening)
        elif noted != self._reservation:
            if noted.trouble is Trouble.NONE and noted.status in HERE:
                close_offer(self._work, noted)
            self._put(noted, Told(_word(self._reservation, noted)))
        if verdict.trouble in IN_DANGER and self._reservation.is_live:
            self._rescue(verdict.trouble)

    def _noted(self, reservation: Reservation, verdict: Verdict) -> Reservation:
        """Return the reservation with what was seen of it."""
        now = self._now
        told: dict[str, Any] = {}
        if verdict.arrived_at is not None and reservation.arrived_at is None:
            by = "plug" if verdict.step is Step.MEET else "sensor"
            told |= {"arrived_at": verdict.arrived_at, "arrived_by": by}
        if verdict.is_seen_there:
            told |= {"arrived_by": "sensor"}
        if verdict.is_arrival_void and reservation.arrived_by == "sensor":
            told |= {"arrived_at": None, "arrived_by": ""}
        if verdict.session is not None:
            told |= {"session_id": verdict.session.id}
        if verdict.left_at is not None:
            told |= {"left_at": verdict.left_at}
        if verdict.overstay_since is not None:
            told |= {"overstay_since": verdict.overstay_since}
        if verdict.happening is Happening.OVERSTAYED:
            told |= {"unseen_since": None, "seen_again_at": None}
        if verdict.trouble is not reservation.trouble:
            is_over = verdict.trouble is Trouble.NONE
            told |= {"trouble": verdict.trouble, "trouble_at": None if is_over else now}
        if self._is_in_doubt(verdict):
            told |= {"doubted_at": now}
        return replace(reservation, **told) if told else reservation

    def _is_in_doubt(self, verdict: Verdict) -> bool:
        """Whether the slot is doubtful from now on, or was until now."""
        reservation = self._reservation
        if reservation.status not in _UNMET:
            return False
        was_silent = reservation.trouble is Trouble.SILENT
        is_back = was_silent and verdict.trouble is not Trouble.SILENT
        return is_back or (verdict.is_doubted and reservation.doubted_at is None)

    def _advance(self, noted: Reservation, happening: Happening) -> None:
        work, now = self._work, self._now
        self._name_session(noted)
        told = Told(happening, note=noted.trouble)
        self._changes += self._keeper.advancer.advance(work, noted, happening, told, now)
        self._store(advance(noted, happening, now))
        if happening not in _LEAVES_OFFERS:
            close_offer(work, noted)

    def _put(self, noted: Reservation, told: Told) -> None:
        noted = replace(noted, changed_version=noted.changed_version + 1)
        self._work.reservations.put(noted, told, self._now)
        self._store(noted)
        self._changes += changes_of(self._work, [noted], self._now)

    def _store(self, reservation: Reservation) -> None:
        """Take over what was written: the row has grown by one version."""
        self._reservation = replace(reservation, row_version=reservation.row_version + 1)
        self._board.put_reservation(self._reservation)

    def _rescue(self, trouble: Trouble) -> None:
        board, before = self._board, self._reservation
        board.troubles[before.bay_id] = trouble
        after, changes = self._keeper.rescuer.rescue(self._work, before, self._now)
        self._changes += changes
        if after is not before:
            self._move(after)

    def _move(self, after: Reservation) -> None:
        """Have the board follow a reservation to another bay."""
        load_bay(self._work, self._board, after.bay_id)
        self._reservation = after
        self._board.put_reservation(after)
        self._board.to_judge |= {after.bay_id}

    # --- the driver's session --------------------------------------------------------------------

    def _name_session(self, noted: Reservation) -> None:
        """Write into the session for whom it is charged, where that was not known at its start."""
        board = self._board
        session = board.sessions.get(noted.session_id or "")
        if session is not None and session.reservation_id is None and board.owns_sessions:
            named = replace(session, reservation_id=noted.id, tariff_id=noted.tariff_id)
            board.sessions[named.id] = named
            self._work.sessions.put([named])

    def _follow_driver(self) -> bool:
        """Move the reservation to where its driver has plugged in; whether it was moved."""
        work, now, reservation = self._work, self._now, self._reservation
        session = self._begun_elsewhere()
        if session is None or session.bay_id is None:
            return False
        live = work.reservations.live_within(reservation.station_id, reservation.kept)
        if any(one.bay_id == session.bay_id for one in live):
            return False  # somebody else's bay: the promise stays here, the charge is theirs
        place = Place(reservation.station_id, session.bay_id, reservation.window)
        after = relocated(reservation, place, now)
        rebook(work, reservation, after, _ELSEWHERE, now)
        self._changes += self._keeper.advancer.follow(work, [(reservation, after)], now)
        self._move(replace(after, row_version=after.row_version + 1))
        return True

    def _begun_elsewhere(self) -> Session | None:
        reservation, board = self._reservation, self._board
        if reservation.status not in _UNMET or not board.owns_sessions:
            return None
        begun = (one for one in board.sessions.values() if one.reservation_id == reservation.id)
        here = {None, reservation.bay_id}
        return next((one for one in begun if one.bay_id not in here), None)

    # --- what is told, and when to look again ----------------------------------------------------

    def _tell(self, verdict: Verdict) -> None:
        reservation, board = self._reservation, self._board
        for kind, cause in verdict.notices:
            session = board.sessions.get(reservation.session_id or "")
            data = about(reservation) | _facts(kind, reservation, session, self._now)
            notice = Notice(user_id=reservation.user_id, kind=kind, cause=cause, data=data)
            self._keeper.telling.tell(self._work, notice, self._now)

    def _look_again(self, verdict: Verdict) -> None:
        if self._reservation.is_live:
            kind, subject = DeadlineKind.RESERVATION, self._reservation.id
            self._board.deadlines.append(Deadline(kind, subject, verdict.due_at))


def _word(before: Reservation, after: Reservation) -> str:
    """Return what has become of a reservation that only was noted something of."""
    if after.trouble is not before.trouble:
        return after.trouble or "trouble_over"
    if after.arrived_at != before.arrived_at:
        return "somebody_left" if after.arrived_at is None else "somebody_came"
    if after.arrived_by != before.arrived_by:
        return "seen_there"
    if after.unseen_since != before.unseen_since:
        return "in_sight" if after.unseen_since is None else "out_of_sight"
    return "in_doubt"


def _facts(
    kind: NoticeKind, reservation: Reservation, session: Session | None, now: datetime
) -> dict[str, Any]:
    """Return what a notice tells beside its reservation."""
    match kind:
        case NoticeKind.SESSION_STARTED:
            return {"started_at": (session.started_at if session else now).isoformat()}
        case NoticeKind.SESSION_ENDED:
            return {"energy_wh": session.energy_wh if session else 0}
        case NoticeKind.NOT_SEEN:
            return {"held_until": seen_by(reservation).isoformat()}
        case NoticeKind.OVERSTAY_CONTINUES:
            since = reservation.overstay_since or now
            return {"overstay_min": int((now - since).total_seconds() // 60)}
        case _:
            return {}


@dataclass(frozen=True, slots=True)
class KeepingService:
    """See Keeping."""

    settling: Settling

    def look(self, work: UnitOfWork, bay_ids: Collection[str], now: datetime) -> list[Change]:
        """See Keeping.look."""
        board = Board(now, self.settling.policy)
        furnish(work, board, work.bays.equipment((), bay_ids))
        load_promises(work, board, bay_ids, now + EVER)
        board.touched_bays = set(bay_ids) & board.bays.keys()
        return self.settling.settle(work, board, with_equipment=False)
