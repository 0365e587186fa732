"""The station most stories happen at: four bays, every version, AC and DC."""

from typing import Final

from simulator.bookings import Guest
from simulator.site import Post, StationSpec, station
from simulator.vehicles import Standard

CORNER: Final[StationSpec] = station(
    "sim-corner",
    "Corner Car Park",
    "SIM-CORNER",
    (
        Post("1.6", 22, bays=2, sensor="plain"),
        Post("2.0.1", 50, plugs=(Standard.CCS, Standard.CHADEMO), sensor="zigbee2mqtt"),
        Post("2.1", 150, plugs=(Standard.CCS,), sensor="plain"),
    ),
)
GUESTS: Final = tuple(
    Guest(f"guest{number}@sim.example", "simulated-guest", f"SIMGUEST{number:02d}")
    for number in range(1, 5)
)
"""Drivers with accounts, who can book; `settle` makes them."""
TOKENS: Final = tuple(f"SIM{number:05d}" for number in range(1, 41))
"""What the drivers of all scenarios show."""
