"""Money for bookings far ahead: authorised again before the slot, or the bay is released."""

from dataclasses import dataclass, field
from datetime import datetime

from cloud.domain import postings
from cloud.domain.payments import Payment, Purpose, StepKind
from cloud.domain.reauthorisation import Holding, Move, next_move
from cloud.domain.reservations import Happening, Reservation
from cloud.services.booking_ports import Told
from cloud.services.collaborators import Advancing
from cloud.services.fact_ports import Deadline, DeadlineKind
from cloud.services.ports import UnitOfWork
from cloud.services.till import Opening, TillService


@dataclass(frozen=True, slots=True)
class Reauthoriser:
    """See Reauthorising."""

    till: TillService
    advancer: Advancing
    holding: Holding = field(default_factory=Holding)

    def tend(self, work: UnitOfWork, reservation_id: str, now: datetime) -> None:
        """See Reauthorising.tend."""
        reservation = work.reservations.by_ids([reservation_id]).get(reservation_id)
        if reservation is None:
            return
        payments = work.payments.of_subject(Purpose.RESERVATION, reservation_id)
        move, look_at = next_move(reservation, payments, self.holding, now)
        if move is Move.ASK:
            self._ask(work, reservation, payments[-1], now)
        elif move is Move.RELEASE:
            happening = Happening.PAYMENT_DECLINED
            self.advancer.advance(work, reservation, happening, Told(happening), now)
        if look_at is not None:
            kind = DeadlineKind.AUTHORISATION
            work.deadlines.set([Deadline(kind, reservation_id, look_at)])

    def _ask(
        self, work: UnitOfWork, reservation: Reservation, last: Payment, now: datetime
    ) -> None:
        opening = Opening(
            purpose=Purpose.RESERVATION,
            subject=reservation.id,
            book=postings.station_book(reservation.station_id),
            user_id=last.user_id,
            method=last.method,
            method_id=last.method_id,
            provider=last.provider,
            currency=reservation.currency,
            amount_minor=reservation.authorised_minor,
            number=last.number + 1,
        )
        self.till.open(work, opening, StepKind.AUTHORISE, now)
