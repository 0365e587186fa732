"""BootNotification (OCPP 1.6, sections 4.2 and 6.7): a charger introduces itself."""

from ocpp.v16.enums import RegistrationStatus

from contracts.events import ChargerBooted
from station_agent.ocpp.fields import Payload
from station_agent.ocpp.instants import write
from station_agent.ocpp.outcome import Context, Outcome, Route


class BootNotification(Payload, frozen=True, rename="camel"):
    """What we use of it."""

    charge_point_vendor: str
    charge_point_model: str
    charge_point_serial_number: str = ""
    charge_box_serial_number: str = ""
    firmware_version: str = ""


def handle(request: BootNotification, context: Context) -> Outcome:
    """Accept: whoever may not serve here could not log in."""
    fact = ChargerBooted(
        charger_id=context.charger.charger_id,
        vendor=request.charge_point_vendor,
        model=request.charge_point_model,
        serial=request.charge_point_serial_number or request.charge_box_serial_number,
        firmware_version=request.firmware_version,
        observed_at=context.now,
    )
    reply = {
        "status": RegistrationStatus.accepted,
        "currentTime": write(context.now),
        "interval": context.charger.heartbeat_interval_s,
    }
    return Outcome(reply, (fact,))


ROUTE = Route(BootNotification, handle)
