"""One charging transaction as a fold over its facts, in whatever order they come.

Samples count by the instant they were taken. One that comes late makes the fold begin again over all
samples kept (`refolded`); the outcome is the same as if they had come in order (FAULTS T02, T03).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from cloud.domain.estimates import expected_end_at
from cloud.domain.meter import ExportMeter, Meter
from cloud.domain.tariffs import cost_minor

START_MISSING: Final = "start_missing"
"""Facts of the session came, its start has not (yet)."""
STOP_MISSING: Final = "stop_missing"
"""Another session began on the EVSE; when this one ended was never told."""
STOPPED_TWICE: Final = "stopped_twice"
POWER_ABSURD: Final = "power_absurd"
BY_INTERVALS: Final = "counted_by_intervals"
"""It has no register, and is the sum of what flowed between its samples."""
SUPERSEDED: Final = "superseded"
"""The end reason of a session whose stop is missing."""

_FLAGS_KEPT: Final = 16


class SessionState(StrEnum):
    """How a session stands; the words of contracts.events.ChargingState, and its end."""

    PLUGGED = "plugged"
    CHARGING = "charging"
    SUSPENDED_BY_CAR = "suspended_by_car"
    SUSPENDED_BY_CHARGER = "suspended_by_charger"
    IDLE = "idle"
    ENDED = "ended"


_PAUSED: Final = frozenset(
    {SessionState.SUSPENDED_BY_CAR, SessionState.SUSPENDED_BY_CHARGER, SessionState.IDLE}
)

_WANTED: Final = frozenset({SessionState.CHARGING, SessionState.SUSPENDED_BY_CHARGER})
"""The car takes energy, or would: when the charger holds it back the car is not parked
(OCPI 2.3.0 mod_cdrs, PARKING_TIME)."""


class Reading(Protocol):
    """What a meter sample says, from the wire or from the table; null was not reported."""

    @property
    def observed_at(self) -> datetime: ...  # noqa: D102
    @property
    def energy_wh(self) -> int | None: ...  # noqa: D102
    @property
    def power_w(self) -> float | None: ...  # noqa: D102
    @property
    def soc_pct(self) -> float | None: ...  # noqa: D102
    @property
    def interval_wh(self) -> int | None: ...  # noqa: D102
    @property
    def export_wh(self) -> int | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session as it stands."""

    id: str
    station_id: str
    charger_id: str
    evse_id: int = 0
    connector_id: int = 0
    bay_id: str | None = None
    transaction_id: str = ""
    token: str | None = None
    user_id: str | None = None
    state: str = SessionState.PLUGGED
    state_at: datetime | None = None
    started_at: datetime
    charging_ended_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str = ""
    meter_start_wh: int | None = None
    meter_stop_wh: int | None = None
    meter_last_wh: int | None = None
    metered_at: datetime | None = None
    meter_pending_wh: int | None = None
    meter_pending_at: datetime | None = None
    power_limit_w: int = 0
    energy_wh: int = 0
    export_wh: int = 0
    """What its car gave back; nothing is billed or paid by it."""
    export_last_wh: int | None = None
    power_w: float | None = None
    soc_start_pct: float | None = None
    soc_start_wh: int | None = None
    soc_pct: float | None = None
    sampled_at: datetime | None = None
    expected_end_at: datetime | None = None
    currency: str
    price_per_kwh_minor: int
    cost_minor: int = 0
    flags: tuple[str, ...] = ()
    is_offline: bool = False
    tariff_id: str | None = None
    """The tariff's version it is charged by, frozen at its start."""
    reservation_id: str | None = None
    """Whose promise it is charged under; null: a walk-in."""
    changed_version: int = 0

    @property
    def is_open(self) -> bool:
        """Whether its end has not been told."""
        return self.ended_at is None

    @property
    def is_final(self) -> bool:
        """Whether its end was told, not guessed: no later sample counts."""
        return self.ended_at is not None and self.end_reason != SUPERSEDED

    @property
    def said_at(self) -> datetime:
        """The instant of its latest word."""
        words = (self.started_at, self.state_at, self.sampled_at, self.ended_at)
        return max(at for at in words if at is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a start tells."""

    charger_id: str
    evse_id: int
    connector_id: int
    bay_id: str | None
    transaction_id: str
    token: str | None
    user_id: str | None
    meter_start_wh: int | None
    is_offline: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """What a stop tells."""

    meter_stop_wh: int | None
    reason: str
    at: datetime


def flagged(session: Session, *words: str) -> Session:
    """Return the session with these flags, each once."""
    new = tuple(word for word in dict.fromkeys(words) if word not in session.flags)
    return replace(session, flags=(session.flags + new)[:_FLAGS_KEPT]) if new else session


def started(session: Session, start: Start) -> Session:
    """Return the session with its start; what was counted before is to be refolded.

    The very same session where nothing is new: a repeated start.
    """
    if START_MISSING not in session.flags:
        told = _told_again(session, start)
        return session if told == session else told
    return replace(
        session,
        charger_id=start.charger_id,
        evse_id=start.evse_id,
        connector_id=start.connector_id,
        bay_id=start.bay_id,
        transaction_id=start.transaction_id or session.transaction_id,
        token=start.token or session.token,
        user_id=start.user_id or session.user_id,
        started_at=start.at if session.ended_at is None else min(start.at, session.ended_at),
        state_at=session.state_at or start.at,
        meter_start_wh=start.meter_start_wh,
        is_offline=start.is_offline,
        flags=tuple(flag for flag in session.flags if flag != START_MISSING),
    )


def _told_again(session: Session, start: Start) -> Session:
    """Fill in what a first word of the session left open: who it is, where, or its true start."""
    is_truer = start.at < session.started_at or session.meter_start_wh is None
    meter_start_wh = start.meter_start_wh if is_truer else None
    return replace(
        session,
        evse_id=session.evse_id or start.evse_id,
        connector_id=session.connector_id or start.connector_id,
        bay_id=session.bay_id or start.bay_id,
        transaction_id=session.transaction_id or start.transaction_id,
        token=session.token or start.token,
        user_id=session.user_id or start.user_id,
        started_at=min(session.started_at, start.at),
        meter_start_wh=session.meter_start_wh if meter_start_wh is None else meter_start_wh,
    )


def state_changed(session: Session, state: SessionState, at: datetime) -> Session:
    """Return the session in this state, unless later news is held."""
    if not session.is_open or (session.state_at is not None and at < session.state_at):
        return session
    is_charging = state is SessionState.CHARGING
    was_wanted = session.state in _WANTED
    ended_at = None if state in _WANTED else (at if was_wanted else session.charging_ended_at)
    return replace(
        session,
        state=state,
        state_at=at,
        charging_ended_at=ended_at,
        expected_end_at=session.expected_end_at if is_charging else None,
        power_w=session.power_w if is_charging or session.power_w is None else 0.0,
    )


def ended(session: Session, stop: Stop) -> Session:
    """Return the session with its end; samples after it will not count.

    The first stop counts; a second one with another register is flagged (QUIRKS 26).
    """
    if session.is_final:
        is_other = stop.meter_stop_wh not in {None, session.meter_stop_wh}
        return flagged(session, STOPPED_TWICE) if is_other else session
    at = max(stop.at, session.started_at) if START_MISSING not in session.flags else stop.at
    return replace(
        session,
        state=SessionState.ENDED,
        state_at=at,
        started_at=min(session.started_at, at),
        ended_at=at,
        charging_ended_at=session.charging_ended_at or at,
        end_reason=stop.reason[:64],
        meter_stop_wh=stop.meter_stop_wh,
        power_w=0.0,
        expected_end_at=None,
        flags=tuple(flag for flag in session.flags if flag != STOP_MISSING),
    )


def superseded(session: Session) -> Session:
    """Return the session ended at its last word: another one began where it was (QUIRKS 24)."""
    if not session.is_open:
        return session
    stop = Stop(meter_stop_wh=None, reason=SUPERSEDED, at=session.said_at)
    return flagged(ended(session, stop), STOP_MISSING)


def is_late(session: Session, readings: Sequence[Reading]) -> bool:
    """Whether the session must be refolded: a reading belongs before what was counted, or changes how."""
    if _changes_the_count(session, readings):
        return True
    if session.sampled_at is None and session.metered_at is None:
        return session.is_final
    counted_to = max(at for at in (session.sampled_at, session.metered_at) if at is not None)
    if session.is_final:
        end_at = session.ended_at
        return any(end_at is not None and reading.observed_at <= end_at for reading in readings)
    return any(reading.observed_at < counted_to for reading in readings)


def _changes_the_count(session: Session, readings: Sequence[Reading]) -> bool:
    """Whether intervals begin to count, one of them is told again, or a register comes after them."""
    is_by_intervals = BY_INTERVALS in session.flags
    metered_at, counted_to = session.metered_at, session.sampled_at
    has_register = metered_at is not None and metered_at > session.started_at
    for one in readings:
        if one.energy_wh is not None:
            if is_by_intervals:
                return True
        elif one.interval_wh is not None:
            is_repeated = counted_to is not None and one.observed_at <= counted_to
            if is_repeated if is_by_intervals else not has_register:
                return True
            counted_to = one.observed_at
    return False


def _has_registers(session: Session, readings: Iterable[Reading]) -> bool:
    """Whether a session is counted by its registers: there are two to tell apart, its start's included."""
    instants = {one.observed_at for one in readings if one.energy_wh is not None}
    if session.meter_start_wh is not None and session.meter_start_wh >= 0:
        instants.add(session.started_at)
    return len(instants) > 1


def sampled(session: Session, readings: Iterable[Reading]) -> Session:
    """Return the session after readings in the order of their instants, all after those counted."""
    if session.is_final:
        return session
    return _fold(session, readings)


def refolded(session: Session, readings: Iterable[Reading]) -> Session:
    """Return the session counted anew over all its readings, in any order, and its stop."""
    base = replace(
        session,
        meter_last_wh=None,
        metered_at=None,
        meter_pending_wh=None,
        meter_pending_at=None,
        energy_wh=0,
        export_wh=0,
        export_last_wh=None,
        power_w=None,
        soc_start_pct=None,
        soc_start_wh=None,
        soc_pct=None,
        sampled_at=None,
        flags=tuple(
            flag
            for flag in session.flags
            if flag != BY_INTERVALS and not flag.startswith(("meter_", "power_"))
        ),
    )
    ordered = sorted(readings, key=lambda reading: reading.observed_at)
    if session.is_final and session.ended_at is not None:
        ordered = [reading for reading in ordered if reading.observed_at <= session.ended_at]
    has_intervals = any(reading.interval_wh is not None for reading in ordered)
    if has_intervals and not _has_registers(session, ordered):
        base = flagged(base, BY_INTERVALS)
    return stopped(_fold(base, ordered))


def stopped(session: Session) -> Session:
    """Return an ended session with its stop register counted, once all before it is."""
    if session.ended_at is None:
        return session
    meter = meter_of(session)
    oddity = None
    if session.meter_stop_wh is not None:
        oddity = meter.read(session.meter_stop_wh, session.ended_at)
    told = _with_meter(session, meter)
    told = replace(told, power_w=0.0, expected_end_at=None)
    return flagged(told, oddity) if oddity else told


def meter_of(session: Session) -> Meter:
    """Return the session's count as it stands."""
    last_wh, last_at = session.meter_last_wh, session.metered_at
    if last_wh is None and session.meter_start_wh is not None and session.meter_start_wh >= 0:
        last_wh, last_at = session.meter_start_wh, session.started_at
    return Meter(
        session.started_at,
        session.power_limit_w,
        session.energy_wh,
        last_wh,
        last_at,
        session.meter_pending_wh,
        session.meter_pending_at,
    )


def _read(meter: Meter, reading: Reading, *, is_by_intervals: bool) -> str | None:
    """Count a reading, by its register or by its interval; return what is odd about it."""
    if not is_by_intervals:
        if reading.energy_wh is not None:
            return meter.read(reading.energy_wh, reading.observed_at)
    elif reading.interval_wh is not None and reading.observed_at > meter.started_at:
        return meter.add(reading.interval_wh, reading.observed_at)
    return None


def _fold(session: Session, readings: Iterable[Reading]) -> Session:
    meter = meter_of(session)
    export = ExportMeter(
        session.started_at, session.power_limit_w, session.export_wh, session.export_last_wh
    )
    is_by_intervals = BY_INTERVALS in session.flags
    power_w, soc_pct = session.power_w, session.soc_pct
    soc_start_pct, soc_start_wh = session.soc_start_pct, session.soc_start_wh
    sampled_at = session.sampled_at
    oddities = []
    limit_w = (session.power_limit_w or 1_000_000) * 1.5
    for reading in readings:
        sampled_at = reading.observed_at
        oddity = _read(meter, reading, is_by_intervals=is_by_intervals)
        if oddity:
            oddities.append(oddity)
        if reading.export_wh is not None:
            export.read(reading.export_wh, sampled_at)
        if reading.power_w is not None:
            if abs(reading.power_w) <= limit_w:
                power_w = reading.power_w
            else:
                oddities.append(POWER_ABSURD)
        if reading.soc_pct is not None:
            soc_pct = reading.soc_pct
            if soc_start_pct is None:
                soc_start_pct, soc_start_wh = soc_pct, meter.energy_wh
    if sampled_at is None:
        return session
    told = replace(
        session,
        meter_last_wh=meter.last_wh,
        metered_at=meter.last_at,
        meter_pending_wh=meter.pending_wh,
        meter_pending_at=meter.pending_at,
        energy_wh=meter.energy_wh,
        cost_minor=cost_minor(meter.energy_wh, session.price_per_kwh_minor),
        export_wh=export.energy_wh,
        export_last_wh=export.last_wh,
        power_w=power_w,
        soc_start_pct=soc_start_pct,
        soc_start_wh=soc_start_wh,
        soc_pct=soc_pct,
        sampled_at=sampled_at,
        expected_end_at=None
        if session.state in _PAUSED
        else expected_end_at(
            now=sampled_at,
            soc_start_pct=soc_start_pct,
            soc_pct=soc_pct,
            charged_wh=meter.energy_wh - (soc_start_wh or 0),
            power_w=power_w,
        ),
        ended_at=session.ended_at and max(session.ended_at, sampled_at),
    )
    return flagged(told, *oddities) if oddities else told


def _with_meter(session: Session, meter: Meter) -> Session:
    return replace(
        session,
        meter_last_wh=meter.last_wh,
        metered_at=meter.last_at,
        meter_pending_wh=meter.pending_wh,
        meter_pending_at=meter.pending_at,
        energy_wh=meter.energy_wh,
        cost_minor=cost_minor(meter.energy_wh, session.price_per_kwh_minor),
    )


def curve(session: Session, readings: Iterable[Reading]) -> list[tuple[Reading, int]]:
    """Return each counted reading, in order, with the energy since the start as of then."""
    meter = Meter(session.started_at, session.power_limit_w)
    if session.meter_start_wh is not None and session.meter_start_wh >= 0:
        meter.last_wh, meter.last_at = session.meter_start_wh, session.started_at
    points: list[tuple[Reading, int]] = []
    for reading in sorted(readings, key=lambda one: one.observed_at):
        if session.is_final and session.ended_at and reading.observed_at > session.ended_at:
            break
        _read(meter, reading, is_by_intervals=BY_INTERVALS in session.flags)
        points.append((reading, meter.energy_wh))
    return points
