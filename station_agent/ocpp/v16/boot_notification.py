"""BootNotification (OCPP 1.6, sections 4.2 and 6.7): a charger introduces itself."""

from typing import Final

from contracts.events import ChargerBooted
from contracts.plan import Registration
from station_agent.ocpp.fields import Payload, cut
from station_agent.ocpp.instants import write
from station_agent.ocpp.outcome import Context, Outcome, Route
from station_agent.ocpp.words.v16 import RegistrationStatus

STATUS: Final = {
    Registration.ACCEPTED: RegistrationStatus.accepted,
    Registration.PENDING: RegistrationStatus.pending,
    Registration.REJECTED: RegistrationStatus.rejected,
}


class BootNotification(Payload, frozen=True, rename="camel"):
    """What we use of it."""

    charge_point_vendor: str
    charge_point_model: str
    charge_point_serial_number: str = ""
    charge_box_serial_number: str = ""
    firmware_version: str = ""


def handle(request: BootNotification, context: Context) -> Outcome:
    """Answer as the plan says; held chargers ask again soon (section 4.2)."""
    registration = context.charger.registration()
    fact = ChargerBooted(
        charger_id=context.charger.charger_id,
        vendor=cut(request.charge_point_vendor),
        model=cut(request.charge_point_model),
        serial=cut(request.charge_point_serial_number or request.charge_box_serial_number),
        firmware_version=cut(request.firmware_version),
        observed_at=context.now,
    )
    reply = {
        "status": STATUS[registration],
        "currentTime": write(context.now),
        "interval": context.charger.interval_s(registration),
    }
    return Outcome(reply, (fact,))


ROUTE = Route(BootNotification, handle, is_forgiving=True)
