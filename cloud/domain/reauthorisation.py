"""When an amount a bank keeps is to be kept anew: banks let go of it after about a week.

A booking far ahead is authorised again shortly before its slot, by the same card. Should that be
declined, there is time to pay another way; after it the bay is released.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cloud.domain.payments import Method, Payment, PaymentStatus
from cloud.domain.reservations import Reservation, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """How long banks are trusted, and how long before a slot its money is seen to."""

    lasts: timedelta = timedelta(days=5)
    """So long an amount is believed to be kept."""
    renew_before: timedelta = timedelta(hours=24)
    """So long before the slot it is asked for anew."""
    pay_before: timedelta = timedelta(hours=2)
    """So long before the slot it has to be there."""
    least_time: timedelta = timedelta(minutes=30)
    """To pay another way, however late the card was declined; never beyond the slot's start."""


class Move(StrEnum):
    """What is to be done."""

    NOTHING = "nothing"
    WAIT = "wait"
    ASK = "ask"
    """The bank, by the same card."""
    RELEASE = "release"


ANSWER_AFTER: Final = timedelta(minutes=1)
"""A bank that was asked is looked after so often."""


def next_move(
    reservation: Reservation, payments: Sequence[Payment], holding: Holding, now: datetime
) -> tuple[Move, datetime | None]:
    """Return what is to be done for a reservation's money, and when to look again.

    Once the slot has begun nothing is: what is due in the end is charged to the saved card.
    """
    is_over = reservation.status is not Status.BOOKED or reservation.starts_at <= now
    if is_over or not payments or reservation.authorised_minor == 0:
        return Move.NOTHING, None
    newest = payments[-1]
    renew_at = reservation.starts_at - holding.renew_before
    if newest.status is PaymentStatus.NEW:
        return Move.WAIT, now + ANSWER_AFTER
    if newest.status is PaymentStatus.AUTHORISED and is_lasting(newest, reservation, holding):
        return Move.NOTHING, None
    if now < renew_at:
        return Move.WAIT, renew_at
    if newest.status is not PaymentStatus.DECLINED:
        return Move.ASK, now + ANSWER_AFTER
    until = pay_until(reservation, newest.created_at, holding)
    return (Move.WAIT, until) if now < until else (Move.RELEASE, None)


def is_far(reservation: Reservation, holding: Holding, now: datetime) -> bool:
    """Whether what a bank keeps now may be gone when the slot begins."""
    return reservation.starts_at - now > holding.lasts


def is_lasting(payment: Payment, reservation: Reservation, holding: Holding) -> bool:
    """Whether what is kept will be there when the slot begins; a wallet's always is."""
    is_near = not is_far(reservation, holding, payment.created_at)
    return payment.method is Method.WALLET or is_near


def pay_until(reservation: Reservation, asked_at: datetime, holding: Holding) -> datetime:
    """Return until when another way can be found to pay, after a bank asked then has declined."""
    usual = reservation.starts_at - holding.pay_before
    return min(reservation.starts_at, max(usual, asked_at + holding.least_time))
