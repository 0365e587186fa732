"""What follows once facts or time have changed something: bays judged anew, alerts, mails, deadlines."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Final, Protocol
from uuid import uuid4

from cloud.domain.alerts import Snapshot, check
from cloud.domain.alerts.rule import Happened, Verdict, settle
from cloud.domain.alerts.snapshots import ChargerSnapshot, SensorSnapshot, StationSnapshot
from cloud.domain.bays import found, judged
from cloud.domain.policy import Policy
from cloud.domain.reconcile import AgentSays
from cloud.domain.witnesses import Scene, agent_word, find, is_mute
from cloud.services.alert_mails import is_told, mails
from cloud.services.alert_views import alert_view
from cloud.services.alerts import change_of
from cloud.services.bay_views import BayView, bay_view
from cloud.services.change_views import Change, ChangeKind
from cloud.services.fact_ports import Deadline, DeadlineKind
from cloud.services.facts.board import Board
from cloud.services.ports import UnitOfWork

THIN_AFTER: Final = timedelta(days=1)


def _new_id() -> str:
    return uuid4().hex


class Promises(Protocol):
    """keeping.py: what follows for the reservations of a bay."""

    def keep(self, work: UnitOfWork, board: Board, bay_id: str) -> list[Change]:
        """Judge a bay's reservations, and do what follows; returns what viewers must hear of them.

        Bays that must be judged, too, because of it, are on the board then (`to_judge`).
        """
        ...


@dataclass(frozen=True, slots=True)
class Postponer:
    """Leaves every promise to the clock: for facts that must be kept whatever follows from them."""

    def keep(self, work: UnitOfWork, board: Board, bay_id: str) -> list[Change]:
        """See Promises.keep."""
        del work
        kind = DeadlineKind.RESERVATION
        due = (Deadline(kind, one.id, board.now) for one in board.reservations_of(bay_id))
        board.deadlines += due
        return []


@dataclass(frozen=True, slots=True)
class Settling:
    """Judges what a board's facts touched, and writes the outcome in the same transaction."""

    policy: Policy
    public_url: str = ""
    always_told: tuple[str, ...] = ()
    """Addresses told of every alert, beside the owners and the maintenance staff."""
    new_id: Callable[[], str] = _new_id
    promises: Promises | None = None
    """Null: nobody reserves anything."""

    def settle(
        self, work: UnitOfWork, board: Board, *, with_equipment: bool = True
    ) -> list[Change]:
        """Write bays, alerts, mails and deadlines; return what viewers must hear.

        Chargers, connectors and sensors are written only `with_equipment`: by whom facts change.
        """
        outcome = _Outcome()
        board.to_judge = set(board.touched_bays)
        while board.to_judge:
            bay_id = min(board.to_judge)
            board.to_judge.remove(bay_id)
            board.touched_bays.add(bay_id)
            self._settle_bay(work, board, bay_id, outcome)
        self._judge(board, _equipment(board), outcome)
        happened = self._alert(work, board, outcome)
        if with_equipment:
            _write_equipment(work, board)
        work.bays.put_bays([board.bays[one] for one in sorted(board.touched_bays)])
        work.deadlines.set([*outcome.deadlines.values(), *_latest(board.deadlines)])
        changes = [_bay_change(view) for view in outcome.views.values()]
        changes += outcome.changes
        changes += [
            change_of(alert_view(one.alert, board.stations[one.alert.station_id].name))
            for one in happened
        ]
        return changes

    def _settle_bay(self, work: UnitOfWork, board: Board, bay_id: str, outcome: "_Outcome") -> None:
        recheck_at = self._find(board, bay_id)
        if self.promises is not None and board.reservations_of(bay_id):
            changes = self.promises.keep(work, board, bay_id)
            if changes:
                outcome.changes += changes
                recheck_at = self._find(board, bay_id)
        bay = board.bays[bay_id]
        scene = board.scene(bay)
        if bay.changed_version != board.shown_versions[bay_id]:
            outcome.views[bay_id] = bay_view(scene, self.policy, board.now)
        checked = self._check(board, scene)
        outcome.of_bays[bay_id] = checked
        rechecks = [recheck_at, *(one.recheck_at for one in checked)]
        outcome.look_again(DeadlineKind.BAY, bay_id, rechecks)

    def _find(self, board: Board, bay_id: str) -> datetime | None:
        """Find what is true of a bay, and put it on the board; returns when to look again."""
        now, policy, bay = board.now, self.policy, board.bays[bay_id]
        scene = board.scene(bay)
        finding = find(scene, policy, now)
        after = judged(bay, found(bay, finding, _newest(scene), now), policy, now)
        if after.is_sensor_suspect != bay.is_sensor_suspect:
            # whether the sensor is believed has changed: judge once more, by what counts now
            finding = find(board.scene(after), policy, now)
            after = found(after, finding, after.observed_at, now)
        board.bays[bay_id] = after
        return finding.recheck_at

    def _judge(
        self,
        board: Board,
        snapshots: Iterable[tuple[DeadlineKind | None, str, Snapshot]],
        outcome: "_Outcome",
    ) -> None:
        for kind, subject, snapshot in snapshots:
            checked = self._check(board, snapshot)
            outcome.verdicts += checked
            if kind is not None:
                outcome.look_again(kind, subject, [one.recheck_at for one in checked])
        for session_id in board.ended_sessions:
            outcome.look_again(DeadlineKind.SESSION, session_id, [board.now + THIN_AFTER])

    def _check(self, board: Board, snapshot: Snapshot) -> list[Verdict]:
        """Judge a snapshot; what stands behind a silent station is left alone (it inhibits)."""
        station_id = station_of(snapshot)
        if not isinstance(snapshot, StationSnapshot):
            word = agent_word(board.links[station_id], self.policy, board.now)
            if word is not AgentSays.HEARD:
                return []
        return check(snapshot, self.policy, board.now)

    def _alert(self, work: UnitOfWork, board: Board, outcome: "_Outcome") -> list[Happened]:
        of_bays = (outcome.of_bays[one] for one in sorted(outcome.of_bays))
        # of several on one thing, as of an event told twice in a batch, the last counts
        said = chain(chain.from_iterable(of_bays), outcome.verdicts)
        verdicts = list({one.scope: one for one in said}.values())
        if not verdicts:
            return []
        station_ids = sorted({*board.links})
        known = work.alerts.known(station_ids, board.now - self.policy.flapping_within)
        happened = settle(verdicts, known, self.policy, board.now, self.new_id)
        if happened:
            work.alerts.put(happened, board.now, "", "")
            self._write_mails(work, board, happened)
        return happened

    def _write_mails(self, work: UnitOfWork, board: Board, happened: Sequence[Happened]) -> None:
        told = [one for one in happened if is_told(one)]
        if not told:
            return
        recipients = work.messages.alert_recipients({one.alert.station_id for one in told})
        for addresses in recipients.values():
            addresses.update(self.always_told)
        work.messages.add(mails(told, board.stations, recipients, self.public_url, board.now))


@dataclass(slots=True)
class _Outcome:
    views: dict[str, BayView] = field(default_factory=dict)
    of_bays: dict[str, list[Verdict]] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    deadlines: dict[tuple[str, str], Deadline] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def look_again(
        self, kind: DeadlineKind, subject: str, instants: Iterable[datetime | None]
    ) -> None:
        due_at = min((at for at in instants if at is not None), default=None)
        if due_at is not None:
            self.deadlines[kind, subject] = Deadline(kind, subject, due_at)


def _latest(deadlines: Iterable[Deadline]) -> Iterable[Deadline]:
    """Return of each subject what was said of it last."""
    return {(one.kind, one.subject): one for one in deadlines}.values()


def station_of(snapshot: Snapshot) -> str:
    """Return whose snapshot it is."""
    match snapshot:
        case StationSnapshot():
            return snapshot.station.id
        case Scene():
            return snapshot.bay.station_id
        case ChargerSnapshot():
            return snapshot.charger.station_id
        case SensorSnapshot():
            return snapshot.sensor.station_id
        case _:
            return snapshot.station_id


def _equipment(board: Board) -> Iterable[tuple[DeadlineKind | None, str, Snapshot]]:
    for station_id in sorted(board.touched_stations):
        snapshot = StationSnapshot(board.stations[station_id], board.links[station_id])
        yield DeadlineKind.STATION, station_id, snapshot
    for charger_id in sorted(board.touched_chargers):
        charger = board.chargers[charger_id]
        plugs = board.connectors_of(charger_id)
        yield DeadlineKind.CHARGER, charger_id, ChargerSnapshot(charger, plugs)
    for key in sorted(board.touched_sensors):
        sensor = board.sensors[key]
        bay = board.bays.get(sensor.bay_id or "")
        is_silent = is_mute(sensor, board.links[sensor.station_id])
        yield None, "", SensorSnapshot(sensor, bay, is_silent)
    for component in board.components:
        yield None, "", component
    for event in board.security:
        yield None, "", event
    for quarantined in board.quarantined[-1:]:
        yield None, "", quarantined


def _write_equipment(work: UnitOfWork, board: Board) -> None:
    work.bays.put_chargers([board.chargers[one] for one in sorted(board.changed_chargers)])
    work.bays.put_connectors([board.connectors[one] for one in sorted(board.changed_connectors)])
    work.bays.put_sensors([board.sensors[one] for one in sorted(board.changed_sensors)])


def _bay_change(view: BayView) -> Change:
    return Change(
        change=ChangeKind.BAY,
        station_id=view.station_id,
        subject=view.bay_id,
        version=view.version,
        user_id=None,
        view=view,
    )


def _newest(scene: Scene) -> datetime | None:
    instants = [scene.bay.occupancy_at, *(one.state_at for one in scene.connectors)]
    if scene.session is not None:
        instants.append(scene.session.said_at)
    return max((at for at in instants if at is not None), default=None)
