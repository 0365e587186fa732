"""BootNotification (OCPP 2.0.1, B01): a charger introduces itself."""

from typing import Final

from contracts.events import ChargerBooted
from contracts.plan import Registration
from station_agent.ocpp.fields import Payload, cut
from station_agent.ocpp.instants import write
from station_agent.ocpp.outcome import Context, Outcome, Route
from station_agent.ocpp.words.v201 import RegistrationStatusEnumType

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
    station = request.charging_station
    if not _is_of_its_certificate(station.serial_number, context):
        return _refused(station.serial_number, context)
    registration = context.charger.registration()
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


def _is_of_its_certificate(serial_number: str, context: Context) -> bool:
    """Whether its certificate is of this serial number (B01.FR.11); ours may name the charger instead."""
    names = context.charger.common_names
    return not names or bool({serial_number, context.charger.charger_id} & set(names))


def _refused(serial_number: str, context: Context) -> Outcome:
    """Turn it away (B01.FR.12)."""
    called = ", ".join(context.charger.common_names)
    detail = f"{serial_number or 'none'}, and the certificate is of {called}"
    reply = {
        "status": RegistrationStatusEnumType.rejected,
        "currentTime": write(context.now),
        "interval": context.charger.interval_s(Registration.REJECTED),
    }
    why = "the serial number is not the certificate's"
    return Outcome(reply, (context.oddity("serial_differs", detail),), closes=why)


ROUTE = Route(BootNotification, handle, is_forgiving=True)
