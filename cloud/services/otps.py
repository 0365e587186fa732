"""One-time codes: sent with a hold, given once to confirm it."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import uuid4

from cloud.domain.access import Viewer
from cloud.domain.errors import (
    CodeLocked,
    HoldExpired,
    IllegalTransition,
    NotFound,
    TooManyAttempts,
    WrongCode,
)
from cloud.domain.notices import Channel
from cloud.domain.otp import HOUR, MOST_TRIES, VALID_FOR, is_right, new_code, sealed, wait_s
from cloud.domain.reservations import Happening, Reservation, Status
from cloud.services.booking_ports import Otp, Told
from cloud.services.change_views import Change
from cloud.services.collaborators import Advancing
from cloud.services.fact_ports import Message
from cloud.services.idempotency import Once, do_once
from cloud.services.otp_texts import About, Wording, write
from cloud.services.ports import Clock, OpenWork, TransactionLost, UnitOfWork
from cloud.services.publishing import Publisher
from cloud.services.reservation_changes import change_of
from cloud.services.reservation_views import ReservationView, places
from cloud.services.retrying import retried


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSent:
    """Where a code went; the code itself is nobody's to read here."""

    reservation_id: str
    channel: str
    recipient: str
    """Enough of it for its owner to know it by."""
    sent_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Otps:
    """Makes codes and writes their messages; see Codes."""

    key: bytes
    """The house's secret, for this purpose."""
    has_sms: bool = False
    """Whether short messages leave the house: then to whoever told their number."""
    randbelow: Callable[[int], int] = secrets.randbelow

    def send(self, work: UnitOfWork, reservation: Reservation, now: datetime) -> None:
        """See Codes.send."""
        self.make(work, reservation, now)

    def make(self, work: UnitOfWork, reservation: Reservation, now: datetime) -> Otp:
        """Make a code and write its message; returns what is kept of it.

        Raises:
            TooManyAttempts: the last one is too young, or the driver was sent too many this hour.
            TransactionLost: the driver was sent another one at the same moment.
        """
        # the id before the count: whoever adds a code in between takes this id
        otp_id = work.otps.next_id(reservation.user_id)
        newest = work.otps.newest([one.id for one in _with_series(work, reservation)])
        sent_at = None if newest is None else newest.created_at
        wait = wait_s(work.otps.sent_since(reservation.user_id, now - HOUR), sent_at, now)
        if wait:
            detail = f"A code was sent just now, or too many this hour: try again in {wait} s."
            raise TooManyAttempts("code", detail, retry_after_s=wait)
        channel, recipient, language = self._way_to(work, reservation.user_id)
        code = new_code(self.randbelow)
        otp = Otp(
            id=otp_id,
            reservation_id=reservation.id,
            user_id=reservation.user_id,
            code_hmac=sealed(self.key, code, reservation.id, reservation.user_id),
            channel=channel,
            recipient=recipient,
            created_at=now,
            expires_at=now + VALID_FOR,
        )
        work.otps.add(otp)
        station = work.stations.by_ids([reservation.station_id])[reservation.station_id]
        about = About(
            station_name=station.name,
            timezone=station.timezone,
            starts_at=reservation.starts_at,
            ends_at=reservation.ends_at,
        )
        work.messages.add([_message(otp, write(code, about, language))])
        return otp

    def is_right(self, otp: Otp, code: str) -> bool:
        """Whether it is the code; to be asked only after the try was counted."""
        return is_right(self.key, code, otp.reservation_id, otp.user_id, otp.code_hmac)

    def _way_to(self, work: UnitOfWork, user_id: str) -> tuple[Channel, str, str]:
        addressee = work.notices.addressee(user_id)
        if addressee is None:
            raise NotFound(user_id)
        known = addressee.preferences
        if known.phone and self.has_sms:
            return Channel.SMS, known.phone, known.language
        return Channel.MAIL, addressee.email, known.language


class _Outcome(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What became of a guess; a value, for a wrong one is committed too."""

    outcome: _Outcome
    tries_left: int = 0
    view: ReservationView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtpService:
    """What drivers do with codes: their own holds' only."""

    open_work: OpenWork
    clock: Clock
    otps: Otps
    advancing: Advancing
    publisher: Publisher

    def confirm(
        self, viewer: Viewer, reservation_id: str, code: str, once: Once | None = None
    ) -> ReservationView:
        """Confirm a hold, and those of its series, by the code; a try is counted before it looks.

        Raises:
            NotFound: there is no such reservation of the viewer's.
            WrongCode: it is another code; so many tries are left.
            CodeLocked: it was tried too often (and the hold is given up), is used, or too old.
            HoldExpired: the time to confirm is over.
        """
        verdict, changes = self._confirm(viewer, reservation_id, code, once)
        self.publisher.publish(changes)
        if verdict.outcome is _Outcome.WRONG:
            raise WrongCode(reservation_id, tries_left=verdict.tries_left)
        if verdict.view is None:
            detail = "This code was tried too often: please choose a bay again."
            raise CodeLocked(reservation_id, detail)
        return verdict.view

    @retried
    def send_again(self, viewer: Viewer, reservation_id: str, once: Once | None = None) -> CodeSent:
        """Send a new code for a hold; the one before counts no more.

        Raises:
            NotFound: there is no such reservation of the viewer's.
            TooManyAttempts: the last one is too young, or it were too many this hour.
            CodeLocked: the hold is confirmed already.
            HoldExpired: the time to confirm is over.
        """
        now = self.clock.now()
        with self.open_work() as work:
            held = _held(work, viewer, reservation_id, now)
            sent = do_once(
                work, once, now, lambda: _sent(self.otps.make(work, held, now)), CodeSent
            )
            work.commit()
        return sent

    @retried
    def _confirm(
        self, viewer: Viewer, reservation_id: str, code: str, once: Once | None
    ) -> tuple[_Verdict, list[Change]]:
        now = self.clock.now()
        changes: list[Change] = []

        def effect() -> _Verdict:
            verdict, more = self._judge(work, viewer, reservation_id, code, now)
            changes.extend(more)
            return verdict

        with self.open_work() as work:
            verdict = do_once(work, once, now, effect, _Verdict)
            work.commit()
        return verdict, changes

    def _judge(
        self, work: UnitOfWork, viewer: Viewer, reservation_id: str, code: str, now: datetime
    ) -> tuple[_Verdict, Sequence[Change]]:
        held = _held(work, viewer, reservation_id, now)
        holds = _with_series(work, held)
        otp = work.otps.newest([one.id for one in holds])
        if otp is None or now >= otp.expires_at:
            raise CodeLocked(reservation_id, "This code is too old: please ask for a new one.")
        tries = work.otps.count_try(otp, MOST_TRIES)
        if tries is None:
            # whoever took the last try has given the hold up in the same transaction
            return _Verdict(_Outcome.LOCKED), ()
        if self.otps.is_right(otp, code):
            if not work.otps.use(otp, now):
                raise TransactionLost("this code was used at the same moment")
            return self._confirmed(work, holds, held, now)
        if tries < MOST_TRIES:
            return _Verdict(_Outcome.WRONG, tries_left=MOST_TRIES - tries), ()
        return _Verdict(_Outcome.LOCKED), self._given_up(work, holds, now)

    def _confirmed(
        self, work: UnitOfWork, holds: Sequence[Reservation], held: Reservation, now: datetime
    ) -> tuple[_Verdict, Sequence[Change]]:
        told = Told("confirmed", held.user_id)
        after = [
            replace(one, is_confirmed=True, changed_version=one.changed_version + 1)
            for one in holds
        ]
        for one in after:
            work.reservations.put(one, told, now)
        there = places(work, after)
        views = {one.id: there.view(one, now) for one in after}
        changes = [change_of(view) for view in views.values()]
        return _Verdict(_Outcome.RIGHT, view=views[held.id]), changes

    def _given_up(
        self, work: UnitOfWork, holds: Sequence[Reservation], now: datetime
    ) -> list[Change]:
        told = Told(Happening.CODE_LOCKED)
        changes: list[Change] = []
        for one in holds:
            changes += self.advancing.advance(work, one, Happening.CODE_LOCKED, told, now)
        return changes


def _held(work: UnitOfWork, viewer: Viewer, reservation_id: str, now: datetime) -> Reservation:
    """Return the viewer's hold that waits for its code.

    Raises:
        NotFound: there is no such reservation of the viewer's.
        HoldExpired: it was given up, or is about to be.
        CodeLocked: it was confirmed, or guessed at too often.
        IllegalTransition: it is no hold any more.
    """
    found = work.reservations.by_ids([reservation_id]).get(reservation_id)
    if found is None or found.user_id != viewer.user_id:
        raise NotFound(reservation_id)
    if found.reason == Happening.CODE_LOCKED or found.is_confirmed:
        raise CodeLocked(reservation_id)
    is_late = found.held_until is not None and now >= found.held_until
    if found.reason == Happening.HOLD_EXPIRED or (found.status is Status.HELD and is_late):
        raise HoldExpired(reservation_id)
    if found.status is not Status.HELD:
        raise IllegalTransition(reservation_id)
    return found


def _with_series(work: UnitOfWork, held: Reservation) -> list[Reservation]:
    """Return the hold and those made with it that wait for the same code, by start."""
    if held.series_id is None:
        return [held]
    return [
        one
        for one in work.reservations.of_series(held.series_id)
        if one.status is Status.HELD and not one.is_confirmed
    ]


def _message(otp: Otp, wording: Wording) -> Message:
    is_short = otp.channel == Channel.SMS
    return Message(
        id=uuid4().hex,
        idempotency_key=f"otp/{otp.id}",
        channel=otp.channel,
        recipient=otp.recipient,
        subject=wording.subject,
        body=wording.sms if is_short else wording.body,
        created_at=otp.created_at,
    )


def _sent(otp: Otp) -> CodeSent:
    return CodeSent(
        reservation_id=otp.reservation_id,
        channel=otp.channel,
        recipient=masked(otp.recipient),
        sent_at=otp.created_at,
        expires_at=otp.expires_at,
    )


def masked(recipient: str) -> str:
    """Return an address or number that only who knows it can read."""
    name, at, domain = recipient.rpartition("@")
    if at:
        return f"{name[:1]}***@{domain}"
    return f"***{recipient[-3:]}"
