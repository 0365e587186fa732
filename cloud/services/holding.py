"""A bay is kept for a driver until it is confirmed and paid for, or the time for that is over."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from cloud.domain.booking_rules import Need, check_bay, check_window
from cloud.domain.driver_limits import most_here
from cloud.domain.errors import BayAlreadyBooked, NotBookable
from cloud.domain.reservations import Reservation
from cloud.domain.terms import Terms, frozen
from cloud.services.admin_ports import ChargingToken
from cloud.services.admission import Admission
from cloud.services.advancing import Advancer
from cloud.services.booking_ports import NewReservation, Told
from cloud.services.change_views import Change
from cloud.services.collaborators import Codes, Quoted, Quoting
from cloud.services.fact_ports import Deadline, DeadlineKind
from cloud.services.packing import REPACKED, Seating, Site, seat, site_of
from cloud.services.ports import TransactionLost, UnitOfWork
from contracts.ids import same_token
from contracts.token_types import TokenType

HIGHEST_NUMBER: Final = 2**31 - 1
"""OCPP's reservation ids are integers; some chargers keep 31 bits of them."""


class Overtaken(TransactionLost):
    """Somebody took the bay after it was looked at, and there may be another: look again."""


def _new_id() -> str:
    return uuid4().hex


@dataclass(frozen=True, slots=True)
class Draft:
    """What is asked for, checked, before anything is kept."""

    site: Site
    wanted: Reservation
    """Without an identity and a token yet; its bay is the best that would do."""
    bay_ids: Sequence[str]
    """What would do, the best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """See Holding."""

    quoting: Quoting
    codes: Codes
    advancer: Advancer
    admission: Admission = field(default_factory=Admission)
    new_id: Callable[[], str] = _new_id
    randbelow: Callable[[int], int] = secrets.randbelow

    def hold(
        self, work: UnitOfWork, user_id: str, ask: NewReservation, now: datetime
    ) -> tuple[Reservation, Sequence[Change]]:
        """See Holding.hold.

        Raises:
            Overtaken: somebody was faster, but another bay may do.
        """
        return self.hold_draft(work, self.draft(work, user_id, ask, now), now)

    def hold_draft(
        self, work: UnitOfWork, draft: Draft, now: datetime
    ) -> tuple[Reservation, Sequence[Change]]:
        """Claim what was checked; see `hold`."""
        seating = seat(work, draft.site, draft.wanted, draft.bay_ids)
        try:
            held, changes = self.keep(work, draft, seating, now)
        except BayAlreadyBooked as taken:
            if len(draft.bay_ids) == 1 and not seating.moved:
                raise
            raise Overtaken(taken.detail) from taken
        self.codes.send(work, held, now)
        return held, changes

    def draft(self, work: UnitOfWork, user_id: str, ask: NewReservation, now: datetime) -> Draft:
        """Check what is asked for; nothing is written, and nothing quoted yet.

        Raises:
            NotFound: there is no such station.
            NotBookable: it does not fit the station's terms.
        """
        site = site_of(work, ask.station_id, now)
        check_window(site.desk, ask.window)
        bay_ids = _bays_for(site, ask)
        return Draft(site, _wanted(site, user_id, ask, bay_ids[0]), bay_ids)

    def quoted(self, work: UnitOfWork, wanted: Reservation, now: datetime) -> Reservation:
        """Return what is wanted with its price as it is now."""
        quoted = self.quoting.quote(work, wanted, now)
        return replace(
            wanted,
            tariff_id=quoted.tariff_id,
            currency=quoted.currency,
            quote=quote_of(quoted),
        )

    def keep(
        self,
        work: UnitOfWork,
        draft: Draft,
        seating: Seating,
        now: datetime,
        series_id: str | None = None,
    ) -> tuple[Reservation, list[Change]]:
        """Quote and claim the bay that was found, and move aside who has to.

        Raises:
            BayAlreadyBooked: somebody was faster; the transaction must be left.
            BookedElsewhere: the driver has another station at this time; nothing is written yet.
            TooManyReservations: the driver has as many as one may.
        """
        terms, station = draft.site.desk.terms, draft.site.station
        asked = replace(draft.wanted, series_id=series_id)
        self.admission.admit(work, asked, station, terms)
        wanted = self.quoted(work, replace(draft.wanted, bay_id=seating.bay_id), now)
        held = replace(
            wanted,
            id=self.new_id(),
            number=1 + self.randbelow(HIGHEST_NUMBER),
            token=self._token(work, wanted.user_id, wanted.ends_at, now),
            series_id=series_id,
        )
        work.reservations.rebook(seating.moved, REPACKED, now)
        told = Told("held", held.user_id)
        work.reservations.claim(held, told, most_live=most_here(terms, held))
        due_at = now + timedelta(seconds=terms.hold_s)
        work.deadlines.set([Deadline(DeadlineKind.RESERVATION, held.id, due_at)])
        is_near = held.starts_at - terms.protect <= now
        return held, [
            *self.advancer.follow(work, seating.moved, now, is_repacked=True),
            *self.advancer.follow(work, [(held, held)], now, with_look=is_near),
        ]

    def _token(self, work: UnitOfWork, user_id: str, until: datetime, now: datetime) -> str:
        """Return by what the driver will charge; who has no card gets a token of the app's.

        Stations hear of a new one with their next plan; this one by the reservation itself.
        """
        for one in work.charging_tokens.of_user(user_id):
            if one.is_valid and (one.valid_until is None or one.valid_until >= until):
                return one.token
        token = same_token(f"APP{secrets.token_hex(6)}")
        work.charging_tokens.put(
            ChargingToken(
                token=token,
                user_id=user_id,
                label="app",
                is_valid=True,
                parent_token=None,
                valid_until=None,
                created_at=now,
                token_type=TokenType.CENTRAL,
            )
        )
        return token


def _bays_for(site: Site, ask: NewReservation) -> list[str]:
    need = Need(standard=ask.standard, min_power_w=ask.min_power_w)
    if ask.bay_id is None:
        return site.fitting(ask.window, need)
    bay = site.bays.get(ask.bay_id)
    if bay is None:
        has = ", ".join(sorted(site.bays)) or "none"
        raise NotBookable("bay_id", f"There is no such bay at this station; it has: {has}.")
    check_bay(site.desk, ask.window, bay, need)
    return [bay.bay_id]


def _wanted(site: Site, user_id: str, ask: NewReservation, bay_id: str) -> Reservation:
    terms, now = site.desk.terms, site.desk.now
    fixed_at = fixed_at_of(terms, ask.starts_at)
    return Reservation(
        id="",
        number=0,
        station_id=ask.station_id,
        bay_id=bay_id,
        user_id=user_id,
        token="",
        starts_at=ask.starts_at,
        ends_at=ask.ends_at,
        buffer_s=terms.buffer_s,
        status_at=now,
        held_until=now + timedelta(seconds=terms.hold_s),
        is_flexible=ask.bay_id is None and now < fixed_at,
        fixed_at=fixed_at if ask.bay_id is None else None,
        standard=ask.standard,
        min_power_w=ask.min_power_w,
        energy_wh=ask.energy_wh,
        tariff_id="",
        currency=site.station.currency,
        terms=frozen(terms),
        created_at=now,
    )


def quote_of(quoted: Quoted) -> dict[str, Any]:
    """Return what is kept of a quote, and shown."""
    return {
        **quoted.body,
        "total_minor": quoted.total_minor,
        "authorise_minor": quoted.authorise_minor,
    }


def fixed_at_of(terms: Terms, starts_at: datetime) -> datetime:
    """Return from when on a flexible reservation keeps its bay: before chargers protect it."""
    return starts_at - timedelta(seconds=max(terms.fix_s, terms.protect_s))
