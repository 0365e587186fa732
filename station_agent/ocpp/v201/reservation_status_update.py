"""ReservationStatusUpdate (OCPP 2.0.1, H01.FR.08, H04): a reservation ended at the charger, unused."""

from contracts.events import ReservationDropped
from station_agent.ocpp.fields import Int32, Payload, cut
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route


class ReservationStatusUpdate(Payload, frozen=True, rename="camel"):
    """Which, and why."""

    reservation_id: Int32
    reservation_update_status: str


def handle(request: ReservationStatusUpdate, context: Context) -> Outcome:
    """Tell it; a promise stands by the plan, so who keeps chargers told may tell it anew."""
    context.promise_dropped(request.reservation_id)
    fact = ReservationDropped(
        charger_id=context.charger.charger_id,
        reservation_number=request.reservation_id,
        reason=cut(request.reservation_update_status),
        observed_at=context.now,
    )
    return Outcome({}, (fact,))


ROUTE = Route(ReservationStatusUpdate, handle, answers=Answers.REMEMBERED)
