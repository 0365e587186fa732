"""One file per device family; a vendor exists by standing in the tuple here."""

from typing import Final

from firmware_bridge.vendors.chirpstack import ChirpStack
from firmware_bridge.vendors.esphome import EspHome
from firmware_bridge.vendors.plain import Plain
from firmware_bridge.vendors.sensor import SensorVendor
from firmware_bridge.vendors.tasmota import Tasmota
from firmware_bridge.vendors.thethingsstack import TheThingsStack
from firmware_bridge.vendors.zigbee2mqtt import Zigbee2Mqtt

SENSOR_VENDORS: Final[tuple[SensorVendor, ...]] = (
    Zigbee2Mqtt(),
    EspHome(),
    Tasmota(),
    ChirpStack(),
    TheThingsStack(),
    Plain(),
)


def sensor_vendor(name: str) -> SensorVendor | None:
    """Return the vendor a station file calls so."""
    return next((vendor for vendor in SENSOR_VENDORS if vendor.name == name), None)
