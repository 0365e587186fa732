"""Whether an ask for a bay fits the station's terms, and in words why not and what would.

Pure. What two people cannot both have is not decided here but by the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cloud.domain.calendar import bookable, opened
from cloud.domain.errors import IllegalTransition, NotBookable
from cloud.domain.reservations import Reservation, Status
from cloud.domain.terms import Terms, refund_pct
from cloud.domain.windows import GRANULE, Window, ceiling, floor

MENDED_WITHIN: Final = timedelta(days=1)
"""A bay out of order is not promised for sooner: nobody knows when it will be mended."""

_BROKEN: Final = frozenset({"OUTOFORDER", "INOPERATIVE"})
_TAKEN: Final = frozenset({"CHARGING", "BLOCKED"})
_UNKNOWN: Final = "UNKNOWN"
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=8)
_FULL_PCT: Final = 100


@dataclass(frozen=True, slots=True)
class Plug:
    """A connector of a bay."""

    standard: str
    """OCPI ConnectorType."""
    max_power_w: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a car needs of a bay, whichever it is."""

    standard: str = ""
    """Empty: any connector."""
    min_power_w: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BookableBay:
    """A bay as bookings see it."""

    bay_id: str
    station_id: str
    name: str
    status: str = "AVAILABLE"
    """As published, in OCPI's words."""
    plugs: tuple[Plug, ...] = ()

    @property
    def max_power_w(self) -> int:
        """Return what its strongest plug gives."""
        return max((plug.max_power_w for plug in self.plugs), default=0)


@dataclass(frozen=True, slots=True)
class Desk:
    """By what an ask is measured: the station's terms and zone, and the time."""

    terms: Terms
    zone: ZoneInfo
    now: datetime

    def clock(self, at: datetime) -> str:
        """Write an instant as the clock at the station shows it."""
        return f"{at.astimezone(self.zone):%a %d %b %H:%M}"


def check_window(desk: Desk, window: Window, *, is_begun: bool = False) -> None:
    """Refuse a window the station cannot be booked for.

    Args:
        desk: by what it is measured.
        window: which is asked for.
        is_begun: it is a longer or shorter end of a window that runs already.

    Raises:
        NotBookable: it does not fit; the subject is the field, the detail says what would.
    """
    if not desk.terms.is_bookable:
        raise NotBookable("station_id", "This station takes no bookings: just come.")
    _check_granules(desk, window)
    _check_time(desk, window, is_begun=is_begun)
    _check_duration(desk.terms, window)
    _check_hours(desk, window)
    _check_blackouts(desk, window, None)


def check_bay(desk: Desk, window: Window, bay: BookableBay, need: Need) -> None:
    """Refuse a bay that cannot be had for a window, or does not fit the car.

    Raises:
        NotBookable: the subject is the field, the detail says what would.
    """
    if bay.bay_id in desk.terms.unbookable_bays:
        raise NotBookable("bay_id", f"Bay {bay.name} is for those who just come.")
    _check_plug(bay, need)
    _check_blackouts(desk, window, bay.bay_id)
    _check_state(desk, window, bay)


def fitting(
    desk: Desk, window: Window, bays: Sequence[BookableBay], need: Need
) -> list[BookableBay]:
    """Return the bays that would do, the weakest that suffices first: strong ones are kept free.

    Raises:
        NotBookable: none would; the reason is that of the last that was looked at.
    """
    found, why = [], NotBookable("bay_id", "This station has no bays.")
    for bay in sorted(bays, key=lambda one: (one.max_power_w, one.bay_id)):
        try:
            check_bay(desk, window, bay, need)
        except NotBookable as refusal:
            why = refusal
        else:
            found.append(bay)
    if not found:
        raise why
    return found


def check_move(desk: Desk, reservation: Reservation, window: Window) -> None:
    """Refuse a change of the window that the driver cannot have any more.

    The start may come later only while a cancellation would still bring everything back; otherwise
    a late cancellation could be made an early one by moving first.

    Raises:
        IllegalTransition: it stands where nothing can be changed.
        NotBookable: the start cannot be moved there any more.
    """
    if window.starts_at == reservation.starts_at:
        if reservation.status in {Status.FINISHED, Status.OVERSTAYING} or not reservation.is_live:
            raise IllegalTransition(reservation.id)
        return
    if reservation.status not in {Status.HELD, Status.BOOKED}:
        raise IllegalTransition(reservation.id, "You have arrived: only the end can be changed.")
    if desk.now >= reservation.starts_at:
        detail = f"The slot has begun at {desk.clock(reservation.starts_at)}."
        raise NotBookable("starts_at", f"{detail} Only its end can be changed.")
    back_pct = refund_pct(desk.terms, reservation.starts_at - desk.now)
    if window.starts_at > reservation.starts_at and back_pct < _FULL_PCT:
        detail = f"It is too late to begin later than {desk.clock(reservation.starts_at)}."
        raise NotBookable("starts_at", f"{detail} Come earlier, change the end, or cancel.")


def check_arrival(desk: Desk, reservation: Reservation) -> None:
    """Refuse a check-in before the bay is kept for the driver, or after the slot.

    Raises:
        IllegalTransition: the detail says from when, or until when, it can be done.
    """
    opens_at = reservation.starts_at - desk.terms.protect
    if desk.now < opens_at:
        detail = f"You can check in from {desk.clock(opens_at)}."
        raise IllegalTransition(reservation.id, detail)
    if desk.now >= reservation.ends_at:
        detail = f"The slot ended at {desk.clock(reservation.ends_at)}."
        raise IllegalTransition(reservation.id, detail)


def wall(day: date, minutes: int, zone: ZoneInfo, *, fold: int = 0) -> datetime:
    """Return the instant at which the clock shows so many minutes after a day's midnight.

    One that is left out when clocks are put forward is as much later as they are.
    """
    days, rest = divmod(minutes, 24 * 60)
    shown = datetime.combine(day + timedelta(days=days), time(*divmod(rest, 60)), zone)
    return shown.replace(fold=fold).astimezone(UTC)


def _check_granules(desk: Desk, window: Window) -> None:
    if window.ends_at <= window.starts_at:
        raise NotBookable("ends_at", "A booking ends after it begins.")
    for name, at in (("starts_at", window.starts_at), ("ends_at", window.ends_at)):
        if floor(at) != at:
            near = f"{desk.clock(floor(at))} or {desk.clock(ceiling(at))}"
            detail = f"Bookings begin and end on a quarter of an hour: {near}."
            raise NotBookable(name, detail)


def _check_time(desk: Desk, window: Window, *, is_begun: bool) -> None:
    if is_begun and window.ends_at <= desk.now:
        detail = f"{desk.clock(window.ends_at)} is past: the first end"
        raise NotBookable("ends_at", f"{detail} to be had is {desk.clock(ceiling(desk.now))}.")
    if is_begun:
        return
    may_be = bookable(desk.terms, desk.now)
    if window.starts_at < may_be.starts_at:
        detail = f"{desk.clock(window.starts_at)} is past: the first slot"
        raise NotBookable("starts_at", f"{detail} begins at {desk.clock(may_be.starts_at)}.")
    if window.ends_at > may_be.ends_at:
        detail = f"{desk.clock(window.ends_at)} is too far ahead: bookings"
        raise NotBookable("ends_at", f"{detail} end by {desk.clock(may_be.ends_at)}.")


def _check_duration(terms: Terms, window: Window) -> None:
    is_s = window.duration.total_seconds()
    if is_s < terms.min_s:
        detail = f"{_minutes(is_s)} is too short: a booking is at least {_minutes(terms.min_s)}."
        raise NotBookable("ends_at", detail)
    if is_s > terms.max_s:
        detail = f"{_minutes(is_s)} is too long: a booking is at most {_minutes(terms.max_s)}."
        raise NotBookable("ends_at", detail)


def _check_hours(desk: Desk, window: Window) -> None:
    around = Window(window.starts_at - _DAY, window.ends_at + _WEEK)
    opens = opened(desk.terms.hours, desk.zone, around)
    if any(one.starts_at <= window.starts_at and window.ends_at <= one.ends_at for one in opens):
        return
    within = next((one for one in opens if one.holds(window.starts_at)), None)
    if within is not None:
        detail = f"The station closes at {desk.clock(within.ends_at)}."
        raise NotBookable("ends_at", detail)
    coming = next((one for one in opens if one.starts_at > window.starts_at), None)
    detail = f"The station is closed on {desk.clock(window.starts_at)}"
    if coming is None:
        raise NotBookable("starts_at", f"{detail}.")
    when = f"it is open from {desk.clock(coming.starts_at)} to {desk.clock(coming.ends_at)}"
    raise NotBookable("starts_at", f"{detail}; {when}.")


def _check_blackouts(desk: Desk, window: Window, bay_id: str | None) -> None:
    for blackout in desk.terms.blackouts:
        out = Window(blackout.starts_at, blackout.ends_at)
        if blackout.bay_id == bay_id and out.overlaps(window):
            what = "This station" if bay_id is None else "This bay"
            why = f" ({blackout.why})" if blackout.why else ""
            detail = f"{what} cannot be booked{why} from {desk.clock(out.starts_at)}"
            field = "starts_at" if bay_id is None else "bay_id"
            raise NotBookable(field, f"{detail} to {desk.clock(out.ends_at)}.")


def _check_plug(bay: BookableBay, need: Need) -> None:
    plugs = [plug for plug in bay.plugs if need.standard in {"", plug.standard}]
    if need.standard and not plugs:
        has = ", ".join(sorted({plug.standard for plug in bay.plugs})) or "none that is known"
        raise NotBookable("standard", f"Bay {bay.name} has no {need.standard}; it has: {has}.")
    most_w = max((plug.max_power_w for plug in plugs), default=0)
    if most_w < need.min_power_w:
        detail = f"Bay {bay.name} gives at most {most_w / 1000:g} kW."
        raise NotBookable("min_power_w", detail)


def _check_state(desk: Desk, window: Window, bay: BookableBay) -> None:
    notice = window.starts_at - desk.now
    if bay.status in _BROKEN and notice < MENDED_WITHIN:
        later = desk.clock(ceiling(desk.now + MENDED_WITHIN))
        detail = f"Bay {bay.name} is out of order; it can be booked from {later}."
        raise NotBookable("bay_id", detail)
    if bay.status == _UNKNOWN and notice < desk.terms.protect:
        later = desk.clock(ceiling(desk.now + desk.terms.protect))
        detail = f"Nobody knows at the moment whether bay {bay.name} is free; it can be booked"
        raise NotBookable("bay_id", f"{detail} from {later}.")
    if bay.status in _TAKEN and notice <= timedelta(0):
        detail = f"Somebody stands in bay {bay.name}; it can be booked"
        raise NotBookable("bay_id", f"{detail} from {desk.clock(floor(desk.now) + GRANULE)}.")


def _minutes(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes or not hours)
    return " ".join(parts)
