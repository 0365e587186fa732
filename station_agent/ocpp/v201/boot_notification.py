"""BootNotification (OCPP 2.0.1, B01): a charger introduces itself."""

from typing import Final

from ocpp.v201.enums import RegistrationStatusEnumType

from contracts.events import ChargerBooted
from contracts.plan import Registration
from station_agent.ocpp.fields import Payload, cut
from station_agent.ocpp.instants import write
from station_agent.ocpp.outcome import Context, Outcome, Route

STATUS: Final = {
    Registration.ACCEPTED: RegistrationStatusEnumType.accepted,
    Registration.PENDING: RegistrationStatusEnumType.pending,
    Registration.REJECTED: RegistrationStatusEnumType.rejected,
}


class ChargingStation(Payload, frozen=True, rename="camel"):
    """The box."""

    model: str
    vendor_name: str
    serial_number: str = ""
    firmware_version: str = ""


class BootNotification(Payload, frozen=True, rename="camel"):
    """Who, and why now."""

    charging_station: ChargingStation
    reason: str


def handle(request: BootNotification, context: Context) -> Outcome:
    """Answer as the plan says; held chargers ask again soon (B02, B03)."""
    registration = context.charger.registration()
    station = request.charging_station
    fact = ChargerBooted(
        charger_id=context.charger.charger_id,
        vendor=cut(station.vendor_name),
        model=cut(station.model),
        serial=cut(station.serial_number),
        firmware_version=cut(station.firmware_version),
        reason=request.reason,
        observed_at=context.now,
    )
    reply = {
        "status": STATUS[registration],
        "currentTime": write(context.now),
        "interval": context.charger.interval_s(registration),
    }
    return Outcome(reply, (fact,))


ROUTE = Route(BootNotification, handle, is_forgiving=True)
