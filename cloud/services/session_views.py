"""How a session looks from outside, with its curve and what its meter signed."""

from dataclasses import dataclass
from datetime import datetime

from cloud.domain.sessions import Reading, Session
from cloud.services.carbon_views import Co2View


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleView:
    """A point of a session's curve."""

    at: datetime
    power_w: float | None
    energy_wh: int
    """Since the session's start."""
    soc_pct: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """A charge, as its driver may see it; unknown values are null, which is not zero."""

    session_id: str
    station_id: str
    station_name: str
    bay_id: str | None
    charger_id: str
    evse_id: int
    state: str
    """plugged charging suspended_by_car suspended_by_charger idle ended"""
    is_live: bool
    started_at: datetime
    ended_at: datetime | None
    end_reason: str
    duration_s: int
    energy_wh: int
    power_w: float | None
    soc_pct: float | None
    expected_end_at: datetime | None
    currency: str
    price_per_kwh_minor: int
    cost_minor: int
    """So far, by its tariff where it has one; a receipt counts by the whole curve."""
    sampled_at: datetime | None
    flags: list[str]
    as_of: datetime
    version: int
    tariff_id: str | None = None
    """The tariff's version it is charged by; null: the price by the kilowatt-hour alone."""
    reservation_id: str | None = None
    """Whose promise it is charged under; null: a walk-in."""
    export_wh: int = 0
    """What the car gave back; it is not billed, nor taken off `energy_wh`."""
    co2_saved_g: int | None = None
    """By today's factors, which its detail and the totals tell; null: not reckoned, in live changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDetail:
    """A charge with its curve."""

    session: SessionView
    samples: list[SampleView]
    co2: Co2View | None = None
    """What it saved so far, by today's factors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedReadingView:
    """A meter's own signed word, as it came; whether the signature holds is for others to check."""

    at: datetime
    context: str
    """OCPP's word for when it was taken."""
    data: str
    method: str
    encoding: str
    public_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedReadingList:
    """What a charge's meter signed, oldest first."""

    signed_readings: list[SignedReadingView]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionList:
    """Charges, the newest first."""

    as_of: datetime
    sessions: list[SessionView]
    next_cursor: str | None = None


def session_view(session: Session, station_name: str, now: datetime) -> SessionView:
    """Return the session as it leaves the house."""
    until = session.ended_at or max(now, session.started_at)
    return SessionView(
        session_id=session.id,
        station_id=session.station_id,
        station_name=station_name,
        bay_id=session.bay_id,
        charger_id=session.charger_id,
        evse_id=session.evse_id,
        state=session.state,
        is_live=session.is_open,
        started_at=session.started_at,
        ended_at=session.ended_at,
        end_reason=session.end_reason,
        duration_s=round((until - session.started_at).total_seconds()),
        energy_wh=session.energy_wh,
        power_w=session.power_w,
        soc_pct=session.soc_pct,
        expected_end_at=session.expected_end_at,
        currency=session.currency,
        price_per_kwh_minor=session.price_per_kwh_minor,
        cost_minor=session.cost_minor,
        sampled_at=session.sampled_at,
        flags=list(session.flags),
        as_of=now,
        version=session.changed_version,
        tariff_id=session.tariff_id,
        reservation_id=session.reservation_id,
        export_wh=session.export_wh,
    )


def sample_view(reading: Reading, energy_wh: int) -> SampleView:
    """Return a point of the curve, with what was charged until then."""
    return SampleView(
        at=reading.observed_at,
        power_w=reading.power_w,
        energy_wh=energy_wh,
        soc_pct=reading.soc_pct,
    )
