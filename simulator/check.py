"""Holds what a reader found against the journal: lost, doubled, or with another energy.

Takes plain rows, so that it judges any cloud by its database or its API alike. Lost and doubled
speak of what was acknowledged; what never was may be there once, or not at all.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from simulator.journal import Entry, Kind

_STARTS = ("StartTransaction",)
_ENDS = ("StopTransaction",)
_EVENT = "TransactionEvent"
_STATUS = "StatusNotification"
_SAME_INSTANT = timedelta(milliseconds=1)


class Wrong(StrEnum):
    """What kind of difference."""

    LOST_SESSION = "lost_session"
    DOUBLED_SESSION = "doubled_session"
    INVENTED_SESSION = "invented_session"
    """On a charger of the journal, but nothing there ever began it."""
    LOST_END = "lost_end"
    INVENTED_END = "invented_end"
    """Ended there, still going on in truth."""
    ENERGY = "energy"
    METER_START = "meter_start"
    LOST_SAMPLE = "lost_sample"
    SAMPLE_ENERGY = "sample_energy"
    LOST_STATUS = "lost_status"
    OCCUPANCY = "occupancy"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was told."""

    wrong: Wrong
    charger_id: str
    subject: str
    """Session, bay, or what was told; as the reader can look it up."""
    expected: str = ""
    found: str = ""

    def __str__(self) -> str:
        told = f"expected {self.expected or 'nothing'}, found {self.found or 'nothing'}"
        return f"{self.wrong} {self.charger_id} {self.subject}: {told}"


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as the reader found it."""

    session_id: str
    charger_id: str
    transaction_id: str
    started_at: datetime
    ended_at: datetime | None
    energy_wh: int
    meter_start_wh: int | None = None


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A point of a session's curve; `energy_wh` since the session's start."""

    session_id: str
    observed_at: datetime
    energy_wh: int


@dataclass(frozen=True, slots=True)
class StatusRow:
    """A connector state as it was kept."""

    charger_id: str
    evse_id: int
    observed_at: datetime


@dataclass
class Told:
    """One session of the truth, with what of it was acknowledged."""

    ref: str
    charger_id: str
    transaction_id: str
    meter_start_wh: int
    observed_at: datetime
    """Of its start, as the charger wrote it."""
    meter_stop_wh: int | None = None
    is_start_acknowledged: bool = False
    is_end_acknowledged: bool = False
    samples: dict[datetime, int] = field(default_factory=dict)
    """Register by instant, of acknowledged samples."""

    @property
    def energy_wh(self) -> int | None:
        """Return what it took in all; None: not over yet."""
        if self.meter_stop_wh is None:
            return None
        return self.meter_stop_wh - self.meter_start_wh


def compare(
    journal: Iterable[Entry],
    sessions: Sequence[SessionRow],
    samples: Sequence[SampleRow] | None = None,
    *,
    statuses: Sequence[StatusRow] | None = None,
    occupancy: Mapping[str, bool] | None = None,
) -> list[Difference]:
    """Return every difference; what is given as None is not looked at.

    Args:
        journal: the truth, in order.
        sessions: all the reader knows of the journal's chargers.
        samples: of those sessions, unthinned.
        statuses: the connector states kept.
        occupancy: what each bay is taken for now.
    """
    entries = list(journal)
    told = told_sessions(entries)
    rows, differences = _match(told, sessions)
    for ref, row in rows.items():
        differences += _compare_session(told[ref], row)
    if samples is not None:
        differences += _compare_samples(told, rows, samples)
    if statuses is not None:
        differences += _compare_statuses(entries, statuses)
    if occupancy is not None:
        differences += _compare_occupancy(entries, occupancy)
    return differences


def told_sessions(entries: Iterable[Entry]) -> dict[str, Told]:
    """Return every session of the truth by its `session_ref`."""
    told: dict[str, Told] = {}
    for entry in entries:
        if entry.kind is Kind.SESSION_BEGUN:
            told[entry.session_ref] = _begun(entry)
        elif entry.session_ref in told:
            _take(told[entry.session_ref], entry)
    return told


def _begun(entry: Entry) -> Told:
    if entry.meter_start_wh is None or entry.observed_at is None:
        raise ValueError(f"a session begun without meter or instant: {entry}")
    return Told(
        entry.session_ref,
        entry.charger_id,
        entry.transaction_id,
        entry.meter_start_wh,
        entry.observed_at,
    )


def _take(told: Told, entry: Entry) -> None:
    if entry.kind is Kind.SESSION_ENDED:
        told.meter_stop_wh = entry.register_wh
    elif entry.kind is Kind.METER and entry.observed_at and entry.register_wh is not None:
        told.samples[entry.observed_at] = entry.register_wh
    elif entry.kind is Kind.ACKNOWLEDGED:
        _take_acknowledgement(told, entry)


def _take_acknowledgement(told: Told, entry: Entry) -> None:
    if entry.action in _STARTS:
        told.is_start_acknowledged = True
        told.transaction_id = str(entry.body.get("transactionId", ""))
    elif entry.action in _ENDS:
        told.is_end_acknowledged = True
    elif entry.action == _EVENT:
        told.is_start_acknowledged |= entry.step in {"Started", "Updated", "Ended"}
        told.is_end_acknowledged |= entry.step == "Ended"


def _match(
    told: Mapping[str, Told], sessions: Sequence[SessionRow]
) -> tuple[dict[str, SessionRow], list[Difference]]:
    by_name: dict[tuple[str, str], list[SessionRow]] = defaultdict(list)
    for row in sessions:
        by_name[row.charger_id, row.transaction_id].append(row)
    rows: dict[str, SessionRow] = {}
    differences: list[Difference] = []
    for one in told.values():
        found = by_name.pop((one.charger_id, one.transaction_id), [])
        if found:
            rows[one.ref] = found[0]
        elif one.is_start_acknowledged:
            differences.append(
                Difference(Wrong.LOST_SESSION, one.charger_id, one.ref, one.transaction_id)
            )
        differences += [_doubled(one, row) for row in found[1:]]
    chargers = {one.charger_id for one in told.values()}
    rest = [row for group in by_name.values() for row in group if row.charger_id in chargers]
    return rows, differences + _judge_rest(rest, told, rows)


def _judge_rest(
    rest: Sequence[SessionRow], told: Mapping[str, Told], rows: dict[str, SessionRow]
) -> list[Difference]:
    """Judge rows no transaction id explains: starts whose answer never came, or copies."""
    differences: list[Difference] = []
    for row in rest:
        one = next((one for one in told.values() if _is_start_of(one, row)), None)
        if one is None:
            differences.append(
                Difference(
                    Wrong.INVENTED_SESSION, row.charger_id, row.session_id, found=row.transaction_id
                )
            )
        elif one.ref in rows:
            differences.append(_doubled(one, row))
        else:
            rows[one.ref] = row
    return differences


def _is_start_of(one: Told, row: SessionRow) -> bool:
    is_then = abs(row.started_at - one.observed_at) <= _SAME_INSTANT
    is_meter = row.meter_start_wh in (None, one.meter_start_wh)
    return row.charger_id == one.charger_id and is_then and is_meter


def _doubled(one: Told, row: SessionRow) -> Difference:
    return Difference(Wrong.DOUBLED_SESSION, one.charger_id, one.ref, "once", row.session_id)


def _compare_session(one: Told, row: SessionRow) -> list[Difference]:
    differences = []
    if row.meter_start_wh is not None and row.meter_start_wh != one.meter_start_wh:
        differences.append(
            _difference(Wrong.METER_START, one, one.meter_start_wh, row.meter_start_wh)
        )
    if one.meter_stop_wh is None and row.ended_at is not None:
        differences.append(_difference(Wrong.INVENTED_END, one, "going on", row.ended_at))
    if one.is_end_acknowledged and row.ended_at is None:
        differences.append(_difference(Wrong.LOST_END, one, "ended", "going on"))
    if row.ended_at is not None and one.energy_wh not in (None, row.energy_wh):
        differences.append(_difference(Wrong.ENERGY, one, one.energy_wh, row.energy_wh))
    return differences


def _compare_samples(
    told: Mapping[str, Told], rows: Mapping[str, SessionRow], samples: Sequence[SampleRow]
) -> list[Difference]:
    by_session: dict[str, dict[datetime, int]] = defaultdict(dict)
    for sample in samples:
        by_session[sample.session_id][sample.observed_at] = sample.energy_wh
    differences = []
    for ref, row in rows.items():
        one, found = told[ref], by_session[row.session_id]
        for at, register_wh in one.samples.items():
            expected_wh = register_wh - one.meter_start_wh
            if at not in found:
                differences.append(_difference(Wrong.LOST_SAMPLE, one, at, ""))
            elif found[at] != expected_wh:
                differences.append(_difference(Wrong.SAMPLE_ENERGY, one, expected_wh, found[at]))
    return differences


def _compare_statuses(entries: Sequence[Entry], statuses: Sequence[StatusRow]) -> list[Difference]:
    kept = {(row.charger_id, row.evse_id, row.observed_at) for row in statuses}
    sent = {entry.message_id: entry for entry in entries if entry.kind is Kind.SENT}
    differences = []
    for entry in entries:
        if entry.kind is not Kind.ACKNOWLEDGED or entry.action != _STATUS:
            continue
        at = _instant(sent[entry.message_id].body["timestamp"])
        if (entry.charger_id, entry.evse_id, at) not in kept:
            subject = f"EVSE {entry.evse_id} at {at.isoformat()}"
            differences.append(Difference(Wrong.LOST_STATUS, entry.charger_id, subject))
    return differences


def _instant(text: str) -> datetime:
    """Read an instant; without a zone it is UTC, as OCPP wants them."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _compare_occupancy(entries: Sequence[Entry], occupancy: Mapping[str, bool]) -> list[Difference]:
    truth = {
        entry.bay_id: (bool(entry.body["is_occupied"]), entry.charger_id)
        for entry in entries
        if entry.kind is Kind.OCCUPANCY
    }
    return [
        Difference(Wrong.OCCUPANCY, charger_id, bay_id, str(is_occupied), str(occupancy[bay_id]))
        for bay_id, (is_occupied, charger_id) in truth.items()
        if bay_id in occupancy and occupancy[bay_id] is not is_occupied
    ]


def _difference(wrong: Wrong, one: Told, expected: object, found: object) -> Difference:
    return Difference(wrong, one.charger_id, one.ref, str(expected), str(found))
