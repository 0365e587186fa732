"""What chargers' faults mean: how urgent each is, and what to do about it."""

from dataclasses import dataclass
from typing import Final

from cloud.domain.alerts.rule import Severity


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as maintenance reads of it."""

    severity: Severity
    title: str
    what_to_do: str


_C, _M, _N, _I = Severity.CRITICAL, Severity.MAJOR, Severity.MINOR, Severity.INFO

# OCPP 1.6 section 7.6, ChargePointErrorCode: all sixteen
ERROR_CODES: Final[dict[str, Fault]] = {
    "ConnectorLockFailure": Fault(
        _M,
        "Connector lock failed",
        "Unlock the connector from here; if that fails, free the cable by hand and check the lock.",
    ),
    "EVCommunicationError": Fault(
        _N,
        "Car and charger do not understand each other",
        "Usually the car's fault: watch whether other cars charge; if none does, check the cable.",
    ),
    "GroundFailure": Fault(
        _C,
        "Ground fault",
        "Danger of electric shock: leave it out of service, switch off the supply, send an electrician.",
    ),
    "HighTemperature": Fault(
        _M,
        "Too hot inside",
        "Check fans, filters and sun; the charger comes back by itself once it has cooled down.",
    ),
    "InternalError": Fault(
        _M,
        "Internal error",
        "Reset the charger from here; if it comes back, fetch its diagnostics for the maker.",
    ),
    "LocalListConflict": Fault(
        _N,
        "Local list out of step",
        "Send the local authorisation list again; charging goes on meanwhile.",
    ),
    "NoError": Fault(
        _M,
        "Fault without a code",
        "Reset the charger from here; if it comes back, look at the vendor's error code.",
    ),
    "OtherError": Fault(
        _M,
        "Another error",
        "Look the vendor's error code up; reset the charger from here if it allows that.",
    ),
    "OverCurrentFailure": Fault(
        _C,
        "Over-current protection tripped",
        "Do not reset it unseen: have the cable, the breaker and the last car's session checked.",
    ),
    "OverVoltage": Fault(
        _M,
        "Supply voltage too high",
        "Look at neighbouring chargers: if they report it too, call the network operator.",
    ),
    "PowerMeterFailure": Fault(
        _M,
        "Energy meter unreadable",
        "Sessions cannot be billed exactly: take the charger out of service, send a technician.",
    ),
    "PowerSwitchFailure": Fault(
        _C,
        "Power contactor failed",
        "It may not switch off: switch off the supply and send an electrician.",
    ),
    "ReaderFailure": Fault(
        _N,
        "Card reader failed",
        "Drivers can still start by the app; replace the reader with the next visit.",
    ),
    "ResetFailure": Fault(
        _M,
        "Reset failed",
        "Try a hard reset; if that fails too, somebody has to switch it off and on there.",
    ),
    "UnderVoltage": Fault(
        _M,
        "Supply voltage too low",
        "Look at neighbouring chargers: if they report it too, call the network operator.",
    ),
    "WeakSignal": Fault(
        _N,
        "Weak mobile signal",
        "Check the antenna; expect gaps in what this charger tells.",
    ),
}

# OCPP 2.0.1 part 2, appendix 3: components whose failure matters; variables say in which way
COMPONENTS: Final[dict[str, Fault]] = {
    "AccessBarrier": Fault(_N, "Access barrier", "See whether cars still get in and out."),
    "AcDcConverter": Fault(_M, "AC/DC converter", "Reset it; if it comes back, send a technician."),
    "AcPhaseSelector": Fault(_M, "Phase selector", "Have the phases and the selector checked."),
    "Actuator": Fault(
        _M, "Connector lock", "Unlock the connector from here, else free it by hand."
    ),
    "AirCoolingSystem": Fault(_M, "Air cooling", "Check fans and filters."),
    "CablePresenceSensor": Fault(_N, "Cable sensor", "Cables may go unnoticed: check the sensor."),
    "CableBreakawaySensor": Fault(_C, "Cable torn off", "Live parts may be open: switch it off."),
    "CPPWMController": Fault(_M, "Control pilot", "Cars cannot be signalled: check the board."),
    "ChargingStateIndicator": Fault(_N, "State light", "Replace it with the next visit."),
    "ConnectedEV": Fault(_N, "Connected car", "Usually the car's fault; watch the next ones."),
    "ConnectorHolsterSensor": Fault(_N, "Holster sensor", "Check it with the next visit."),
    "ConnectorPlugRetentionLock": Fault(
        _M, "Connector lock", "Unlock the connector from here, else free it by hand."
    ),
    "ConnectorProtectionRelease": Fault(_M, "Connector cover", "Free the cover by hand."),
    "Controller": Fault(_M, "Controller", "Reset it; if it comes back, send a technician."),
    "DistributionPanel": Fault(_C, "Distribution panel", "Send an electrician."),
    "ElectricalFeed": Fault(_C, "Electrical feed", "Check the supply; send an electrician."),
    "ELVSupply": Fault(_M, "Low-voltage supply", "Reset it; if it comes back, send a technician."),
    "EmergencyStopSensor": Fault(
        _C, "Emergency stop pressed", "Find out why before it is released, there, by hand."
    ),
    "EnvironmentalLighting": Fault(_N, "Lighting", "Replace it with the next visit."),
    "ExternalTemperatureSensor": Fault(_N, "Temperature sensor", "Replace it when you are there."),
    "FiscalMetering": Fault(_M, "Energy meter", "Sessions cannot be billed exactly: take it out."),
    "FloodSensor": Fault(_C, "Water in the charger", "Switch off the supply; send an electrician."),
    "GroundIsolationProtection": Fault(
        _C, "Insulation fault", "Danger of electric shock: switch it off, send an electrician."
    ),
    "Heater": Fault(_N, "Heater", "Expect failures in frost; replace it."),
    "HumiditySensor": Fault(_N, "Humidity sensor", "Replace it with the next visit."),
    "LiquidCoolingSystem": Fault(_M, "Liquid cooling", "Check level, pump and hoses."),
    "LocalController": Fault(_M, "Local controller", "Reset it; if it comes back, go there."),
    "OverCurrentBreaker": Fault(_C, "Breaker tripped", "Find out why before it is put back."),
    "OverCurrentProtection": Fault(_C, "Over-current", "Have cable and breaker checked."),
    "OverCurrentProtectionRecloser": Fault(_C, "Recloser", "Send an electrician."),
    "PowerContactor": Fault(_C, "Power contactor", "It may not switch off: switch the supply off."),
    "RCD": Fault(_C, "Residual-current device tripped", "Send an electrician before it is reset."),
    "RCDRecloser": Fault(_C, "RCD recloser", "Send an electrician."),
    "ShockSensor": Fault(_M, "Hit by something", "Look at it: the housing may be open."),
    "SurgeProtection": Fault(_M, "Surge protection", "Replace the arrester."),
    "TemperatureSensor": Fault(_N, "Temperature sensor", "Replace it with the next visit."),
    "TiltSensor": Fault(_M, "Tilted", "It may have been hit: look at it before it charges again."),
    "TokenReader": Fault(_N, "Card reader", "Drivers can still start by the app; replace it."),
    "UpstreamProtectionTrigger": Fault(_C, "Upstream protection", "Send an electrician."),
    "VehicleIdSensor": Fault(_N, "Vehicle identification", "Replace it with the next visit."),
    "UIInput": Fault(_N, "Buttons or touch screen", "Drivers can still start by the app."),
    "Display": Fault(_N, "Display", "Replace it with the next visit."),
    "BayOccupancySensor": Fault(_N, "The charger's own bay sensor", "Clean or replace it."),
}

_UNKNOWN_CODE: Final = Fault(
    _M, "Unknown error", "Look the code up in the maker's manual; reset the charger from here."
)
_UNKNOWN_COMPONENT: Final = Fault(
    _N, "Component problem", "Look the component up in the maker's manual."
)


def fault_of(error_code: str) -> Fault:
    """Return what a 1.6 error code means; makers add their own."""
    return ERROR_CODES.get(error_code or "NoError", _UNKNOWN_CODE)


def component_fault_of(component: str) -> Fault:
    """Return what trouble with a 2.0.1 component means."""
    return COMPONENTS.get(component, _UNKNOWN_COMPONENT)
