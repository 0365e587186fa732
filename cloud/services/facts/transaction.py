"""One transaction of ingest: load what the batches touch, let facts change it, write what changed."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import msgspec

from cloud.domain.alerts.snapshots import QuarantineSnapshot
from cloud.domain.billing import simple_id
from cloud.domain.cursor import Cursor, Place, place
from cloud.domain.sessions import Session, refolded
from cloud.domain.stations import StationLink
from cloud.domain.tariff_words import in_words
from cloud.domain.witnesses import FORESEEN
from cloud.services.authorize import answer, is_elsewhere, limit_of
from cloud.services.change_views import Change, ChangeKind
from cloud.services.command_views import CommandView
from cloud.services.commands import change_of as command_change
from cloud.services.fact_ports import Deadline, DeadlineKind, Logged
from cloud.services.facts import HANDLERS, security
from cloud.services.facts.board import Board, Stamp
from cloud.services.facts.inventory import as_logged, severities
from cloud.services.facts.memo import SessionMemo
from cloud.services.facts.needed import Needed
from cloud.services.facts.promised import load_bay, load_promises
from cloud.services.facts.published import published
from cloud.services.facts.session_limits import see_to_limits
from cloud.services.ports import UnitOfWork
from cloud.services.running_costs import Known, RunningCosts
from cloud.services.session_views import session_view
from cloud.services.settling import Settling
from cloud.services.shelf import TariffShelf
from cloud.services.station_views import heard_view
from cloud.services.telemetry import lines_of
from cloud.services.tokens import learn_types
from contracts.batch import Ack, AuthorizeAnswer, AuthorizeAsk, Batch, Beat, RelayAsk, UnknownEvent
from contracts.events import AgentStarted, Event, FactDropped, MeterSampled
from contracts.ids import same_token

_ENCODE: Final = msgspec.json.Encoder().encode
_NO_FACTS: Final[list[Event | UnknownEvent]] = []


@dataclass(frozen=True, slots=True)
class Read:
    """A batch that can be read, and when it came."""

    batch: Batch
    received_at: datetime
    quarantined: str = ""
    """Why the fact this batch stands for could not be used, where that is so."""


@dataclass(slots=True)
class Applied:
    """What is to be sent once the transaction has committed."""

    acks: list[Ack] = field(default_factory=list)
    answers: list[AuthorizeAnswer] = field(default_factory=list)
    relays: list[tuple[str, RelayAsk]] = field(default_factory=list)
    """What is to be asked elsewhere, each with its station."""
    changes: list[Change] = field(default_factory=list)
    events: int = 0
    """New ones: those known already are not counted."""
    ignored: dict[str, int] = field(default_factory=dict)
    """Facts without effect, by why."""
    refused: list[str] = field(default_factory=list)
    """Why messages were of no effect at all."""

    def add(self, other: "Applied") -> None:
        """Take over what another transaction brought."""
        self.acks += other.acks
        self.answers += other.answers
        self.relays += other.relays
        self.changes += other.changes
        self.events += other.events
        self.refused += other.refused
        for why, count in other.ignored.items():
            self.ignored[why] = self.ignored.get(why, 0) + count


@dataclass(slots=True)
class _New:
    """The part of a batch that was not known before."""

    read: Read
    first_seq: int
    facts: list[Event | UnknownEvent]


@dataclass(frozen=True, slots=True)
class Options:
    """What is the same for all transactions of a process."""

    memo: SessionMemo
    with_telemetry: bool = False
    shelf: TariffShelf = field(default_factory=TariffShelf)


class Transaction:
    """Used once. The cursor's counted update makes it happen once, whoever else tries."""

    def __init__(
        self, work: UnitOfWork, now: datetime, settling: Settling, options: Options
    ) -> None:
        self._work = work
        self._settling = settling
        self._with_telemetry = options.with_telemetry
        self._memo = options.memo
        self._shelf = options.shelf
        self._costs = RunningCosts(options.shelf)
        self._priced: dict[str, str | None] = {}
        self._cursors: dict[str, Cursor] = {}
        self._on_disk: set[str] = set()
        self._board = Board(now, settling.policy, owns_sessions=True)
        self._applied = Applied()
        self._before: dict[str, StationLink] = {}
        self._versions: dict[str, int] = {}
        self._log: list[Logged] = []
        self._telemetry: list[str] = []

    def run(self, readable: Sequence[Read]) -> Applied:
        """Apply the batches, in this order; the caller commits."""
        known = self._of_known_stations(readable)
        new = [self._place(read) for read in known]
        self._advance(known)
        self._load(new, known)
        for part in new:
            self._tell(part)
        self._beat(known)
        see_to_limits(self._work, self._board)
        self._keep_sessions()
        self._look_at_far_sessions()
        self._answer(known)
        self._applied.changes += self._settling.settle(self._work, self._board)
        self._price_named()
        self._keep_rest()
        self._applied.ignored = dict(self._board.ignored)
        return self._applied

    def remember(self) -> None:
        """Keep in mind what was written; call once it is committed."""
        by_station: dict[str, list[Session]] = {one: [] for one in self._cursors}
        for session in self._board.sessions.values():
            if session.station_id in by_station:
                by_station[session.station_id].append(session)
        for station_id, before in self._cursors.items():
            link = self._board.links[station_id]
            after = Cursor(link.epoch, link.committed_seq)
            self._memo.keep(station_id, before, after, by_station[station_id])

    # --- cursors ------------------------------------------------------------------------------

    def _of_known_stations(self, readable: Sequence[Read]) -> list[Read]:
        # sorted by station: whoever takes several rows takes them in one order
        ordered = sorted(readable, key=lambda read: read.batch.station)
        station_ids = sorted({read.batch.station for read in ordered})
        self._board.stations = self._work.stations.by_ids(station_ids)
        known = [read for read in ordered if read.batch.station in self._board.stations]
        if len(known) < len(ordered):
            strangers = sorted(set(station_ids) - self._board.stations.keys())
            self._applied.refused += [f"no such station: {one}" for one in strangers]
        self._before = self._work.links.by_ids(sorted(self._board.stations))
        self._board.links = dict(self._before)
        return known

    def _place(self, read: Read) -> _New:
        batch = read.batch
        link = self._board.links[batch.station]
        cursor = Cursor(link.epoch, link.committed_seq)
        placed = place(cursor, batch.epoch, batch.first_seq, len(batch.events))
        if placed.place is not Place.NEXT:
            self._ack(batch.station, placed.cursor)
            return _New(read, batch.first_seq, _NO_FACTS)
        self._board.put_link(
            replace(link, epoch=placed.cursor.epoch, committed_seq=placed.cursor.committed_seq)
        )
        self._ack(batch.station, placed.cursor)
        self._applied.events += len(batch.events) - placed.skip
        facts = batch.events[placed.skip :] if placed.skip else batch.events
        return _New(read, batch.first_seq + placed.skip, facts)

    def _ack(self, station_id: str, cursor: Cursor) -> None:
        ack = Ack(station=station_id, epoch=cursor.epoch, committed_seq=cursor.committed_seq)
        acks = self._applied.acks
        if acks and acks[-1].station == station_id:
            acks[-1] = ack  # the later one says all the earlier said
        else:
            acks.append(ack)

    def _advance(self, known: Sequence[Read]) -> None:
        """Move the cursors first: from here on the stations are ours until the commit."""
        for read in known:
            link = self._board.links[read.batch.station]
            at = read.received_at
            if link.heard_at is not None and at - link.heard_at >= self._board.policy.stale_after:
                self._board.unheard_since[link.station_id] = link.heard_at
            heard_at = at if link.heard_at is None else max(at, link.heard_at)
            skew_s = (at - read.batch.sent_at).total_seconds()
            link = replace(link, heard_at=heard_at, is_silent=False, clock_skew_s=skew_s)
            self._board.put_link(_with_counts(link, read.batch.beat))
        for station_id, before in self._before.items():
            link = self._board.links[station_id]
            self._cursors[station_id] = Cursor(before.epoch, before.committed_seq)
            if link.is_disk_short is not before.is_disk_short:
                self._on_disk.add(station_id)
            self._work.links.advance(link, self._cursors[station_id])
            self._before[station_id] = replace(link, is_silent=before.is_silent)

    # --- loading ------------------------------------------------------------------------------

    def _load(self, new: Sequence[_New], known: Sequence[Read]) -> None:
        needed = Needed()
        for part in new:
            needed.gather(part.facts)
            if any(type(fact) is AgentStarted for fact in part.facts):
                needed.stations.add(part.read.batch.station)
        for read in known:
            self._note_beat(read.batch, needed)
            needed.tokens |= {same_token(ask.token) for ask in read.batch.asks}
        work, board = self._work, self._board
        self._load_sessions(needed.metered.keys() | needed.sessions)
        needed.chargers |= {
            charger_id
            for session_id, charger_id in needed.metered.items()
            if session_id not in board.sessions
        }
        if needed.stations:
            board.equip(work.bays.equipment_of(sorted(needed.stations)))
        board.equip(work.bays.equipment(needed.chargers - board.chargers.keys(), needed.bays))
        self._load_promises(needed)
        seated = {bay.session_id for bay in board.bays.values() if bay.session_id}
        self._load_sessions(seated)
        board.grants = work.plans.grants(sorted(needed.tokens))
        board.severities = severities(work, needed.monitors)
        self._versions = {one.id: one.changed_version for one in board.sessions.values()}

    def _load_promises(self, needed: Needed) -> None:
        """Load what is promised of the bays at hand, and to whom sessions have begun for elsewhere."""
        work, board = self._work, self._board
        load_promises(work, board, board.bays.keys())
        if not needed.begun:
            return
        until = board.now + FORESEEN
        for one in work.reservations.of_tokens(sorted(self._before), needed.begun, until):
            if one.id not in board.reservations:
                load_bay(work, board, one.bay_id)

    def _load_sessions(self, wanted: AbstractSet[str]) -> None:
        board = self._board
        missing = wanted - board.sessions.keys()
        for station_id, cursor in self._cursors.items():
            recalled = self._memo.recall(station_id, cursor)
            board.sessions |= {one: recalled[one] for one in missing & recalled.keys()}
        board.sessions |= self._work.sessions.by_ids(sorted(missing - board.sessions.keys()))

    def _note_beat(self, batch: Batch, needed: Needed) -> None:
        before, beat = self._before[batch.station], batch.beat
        is_other = beat is not None and (
            before.silent_chargers != frozenset(beat.silent_chargers)
            or before.silent_sensors != frozenset(beat.silent_sensors)
        )
        if before.is_silent or is_other or batch.station in self._board.unheard_since:
            needed.stations.add(batch.station)

    # --- facts --------------------------------------------------------------------------------

    def _tell(self, part: _New) -> None:
        board, read = self._board, part.read
        stamp = Stamp(read.batch.station, read.received_at)
        readings = board.readings
        metered: list[MeterSampled] = []
        for seq, fact in enumerate(part.facts, start=part.first_seq):
            if type(fact) is MeterSampled:
                metered.append(fact)
                if fact.session_id is not None:
                    readings[fact.session_id].append(fact)
                continue
            HANDLERS[type(fact)](board, fact, stamp)
            if type(fact) is FactDropped:
                continue  # one of very many, and there is nothing to keep
            self._log.append(_logged(fact, seq, read))
        for session_id in list(readings):
            board.count_readings(stamp, session_id)
        if read.quarantined:
            kinds = ", ".join(_kind_of(fact) for fact in part.facts)
            board.quarantined.append(
                QuarantineSnapshot(stamp.station_id, kinds, read.quarantined, read.received_at)
            )
        if self._with_telemetry and metered:
            self._telemetry.append(lines_of(stamp.station_id, metered))

    def _beat(self, known: Sequence[Read]) -> None:
        board = self._board
        for read in known:
            beat, station_id = read.batch.beat, read.batch.station
            if beat is None:
                continue
            link = replace(
                board.links[station_id],
                silent_chargers=frozenset(beat.silent_chargers),
                silent_sensors=frozenset(beat.silent_sensors),
            )
            board.put_link(link)
        for station_id, before in self._before.items():
            link = board.links[station_id]
            if before.is_silent or station_id in board.unheard_since:
                board.touch_station(station_id)
            if station_id in self._on_disk:
                board.touched_stations.add(station_id)
            self._hear_chargers(before, link)
            for sensor_id in before.silent_sensors ^ link.silent_sensors:
                if (station_id, sensor_id) in board.sensors:
                    board.put_sensor(board.sensors[station_id, sensor_id])
        self._say_heard(known)

    def _hear_chargers(self, before: StationLink, link: StationLink) -> None:
        board = self._board
        for charger_id in before.silent_chargers ^ link.silent_chargers:
            charger = board.chargers.get(charger_id)
            if charger is not None and charger.station_id == link.station_id:
                since = board.now if charger_id in link.silent_chargers else None
                board.put_charger(replace(charger, silent_since=since))

    def _say_heard(self, known: Iterable[Read]) -> None:
        beaten = {read.batch.station for read in known if read.batch.beat is not None}
        woken = {one for one, before in self._before.items() if before.is_silent}
        for station_id in sorted(beaten | woken):
            view = heard_view(self._board.links[station_id], self._board.policy)
            if view is not None:
                version = int(view.heard_at.timestamp() * 1000)
                self._applied.changes.append(
                    Change(
                        change=ChangeKind.HEARD,
                        station_id=station_id,
                        subject=station_id,
                        version=version,
                        user_id=None,
                        view=view,
                    )
                )

    # --- writing ------------------------------------------------------------------------------

    def _keep_sessions(self) -> None:
        board, work = self._board, self._work
        work.sessions.add_samples(board.samples)
        if board.late_sessions:
            kept = work.sessions.samples(sorted(board.late_sessions))
            for session_id in board.late_sessions:
                board.put_session(refolded(board.sessions[session_id], kept.get(session_id, ())))
        for session_id in sorted(board.changed_sessions):
            session = board.sessions[session_id]
            version = self._versions.get(session_id, 0) + 1
            board.sessions[session_id] = replace(session, changed_version=version)
        self._price_sessions(board.changed_sessions)
        self._priced = {one: board.sessions[one].reservation_id for one in board.changed_sessions}
        self._put_sessions(board.changed_sessions)

    def _put_sessions(self, session_ids: Iterable[str]) -> None:
        board = self._board
        changed = [board.sessions[one] for one in sorted(session_ids)]
        self._work.sessions.put(changed)
        stations, now = board.stations, board.now
        self._applied.changes += [
            Change(
                change=ChangeKind.SESSION,
                station_id=one.station_id,
                subject=one.id,
                version=one.changed_version,
                user_id=one.user_id,
                view=session_view(one, stations[one.station_id].name, now),
            )
            for one in changed
        ]

    def _price_sessions(self, session_ids: Iterable[str]) -> None:
        """Say what charges cost by now; those without a tariff know by their price alone."""
        board = self._board
        changed = [board.sessions[one] for one in sorted(session_ids)]
        costs = self._costs.of(
            self._work, changed, Known(board.stations, board.reservations), board.now
        )
        for session_id, cost_minor in costs.items():
            session = board.sessions[session_id]
            board.sessions[session_id] = replace(session, cost_minor=cost_minor)

    def _price_named(self) -> None:
        """Price those again of which it was found out just now for whom they are charged."""
        board = self._board
        named = [
            one
            for one, session in board.sessions.items()
            if one in self._priced and session.reservation_id != self._priced[one]
        ]
        if not named:
            return
        for one in named:
            session = board.sessions[one]
            version = session.changed_version + 1
            board.sessions[one] = replace(session, changed_version=version)
        self._price_sessions(named)
        self._put_sessions(named)

    def _look_at_far_sessions(self) -> None:
        """See to reservations whose bays the facts were not about: their driver is at another.

        What was not loaded is left to the clock: for samples alone nothing is.
        """
        board = self._board
        for session_id in sorted(board.full_sessions | board.ended_sessions):
            reservation_id = board.sessions[session_id].reservation_id
            if reservation_id in board.reservations:
                board.touch_bay(board.reservations[reservation_id].bay_id)
            elif reservation_id is not None:
                kind = DeadlineKind.RESERVATION
                board.deadlines.append(Deadline(kind, reservation_id, board.now))

    def _answer(self, known: Sequence[Read]) -> None:
        board = self._board
        for read in known:
            station_id = read.batch.station
            text = self._tariff_text(station_id) if read.batch.asks else ""
            self._applied.answers += [
                answer(
                    station_id,
                    ask,
                    board.grants,
                    board.now,
                    text,
                    is_busy=self._is_busy(station_id, ask),
                )
                for ask in read.batch.asks
            ]
            self._applied.relays += [(station_id, one) for one in read.batch.relays]
        answered: list[CommandView] = []
        for station_id, told in board.answers.items():
            views = self._work.commands.answer(station_id, told, board.now)
            self._applied.changes += [command_change(view) for view in views]
            answered += views
        security.keep(self._work, board, answered)

    def _tariff_text(self, station_id: str) -> str:
        station = self._board.stations[station_id]
        tariff_id = station.tariff_id or simple_id(station.currency, station.price_per_kwh_minor)
        tariff = self._shelf.by_ids(self._work, {tariff_id}).get(tariff_id)
        return in_words(tariff) if tariff is not None else ""

    def _is_busy(self, station_id: str, ask: AuthorizeAsk) -> bool:
        board = self._board
        any_token = board.stations[station_id].max_sessions_per_token
        limit = limit_of(ask, board.grants, any_token)
        if not limit:
            return False
        running = self._work.sessions.seated_of(same_token(ask.token))
        return sum(is_elsewhere(one, ask) for one in running) >= limit

    def _keep_rest(self) -> None:
        work, board = self._work, self._board
        work.event_log.add(self._log)
        if board.jobs:
            work.jobs.tell(board.jobs)
            board.inventory += published(work, board.jobs)
        for command in board.requests:
            work.commands.add(command)
        if board.token_types:
            learn_types(work, board.token_types, board.now)
        if board.signed:
            work.signed_readings.add(board.signed)
        if board.inventory:
            work.inventory.tell(board.inventory)
        if self._telemetry:
            work.telemetry.add("\n".join(self._telemetry))
        for station_id, before in self._before.items():
            link = board.links[station_id]
            if link != replace(before, is_silent=link.is_silent):
                work.links.advance(link, Cursor(link.epoch, link.committed_seq))


def _with_counts(link: StationLink, beat: Beat | None) -> StationLink:
    if beat is None:
        return link
    depth = min(beat.outbox_depth, 2**31 - 1)
    return replace(
        link,
        outbox_depth=depth,
        is_disk_short=beat.is_disk_short,
        agent_version=beat.agent_version[:40],
    )


def _logged(fact: Event | UnknownEvent, seq: int, read: Read) -> Logged:
    return Logged(
        station_id=read.batch.station,
        epoch=read.batch.epoch,
        seq=seq,
        kind=_kind_of(fact),
        charger_id=getattr(fact, "charger_id", None),
        observed_at=getattr(fact, "observed_at", None),
        received_at=read.received_at,
        body=_ENCODE(as_logged(fact)),
    )


def _kind_of(fact: Event | UnknownEvent) -> str:
    kind = fact.event_kind if isinstance(fact, UnknownEvent) else fact.__struct_config__.tag
    return str(kind)[:64]
