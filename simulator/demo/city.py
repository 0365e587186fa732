"""Six stations in Dundee, as they could be: places are real, chargers and bays are made up."""

from typing import Final

from simulator.site import Post, StationSpec, station
from simulator.vehicles import Standard

_RAPID: Final = (Standard.CCS, Standard.CHADEMO)
_CCS: Final = (Standard.CCS,)


def _rapid(version: str, sensor: str, **more: bool) -> Post:
    return Post(
        version, 50, 1, _RAPID if version != "1.6" else _CCS, "Tay Power", "R50", sensor, **more
    )


def _fast(version: str, sensor: str, bays: int = 2) -> Post:
    return Post(version, 22, bays, (Standard.TYPE_2,), "Law Hill", "Duo 22", sensor)


def _slow(version: str, sensor: str) -> Post:
    return Post(version, 7, 1, (Standard.TYPE_2,), "Law Hill", "Solo 7", sensor)


def _hyper(version: str, sensor: str) -> Post:
    return Post(version, 150, 2, _CCS, "Tay Power", "H150", sensor)


GREENMARKET: Final = station(
    "dundee-greenmarket",
    "Greenmarket Multi-Storey",
    "DD-GREEN",
    (
        _rapid("2.0.1", "plain", is_accessible=True),
        _rapid("2.0.1", "plain"),
        _fast("1.6", "zigbee2mqtt"),
        _fast("1.6", "zigbee2mqtt"),
        _fast("2.0.1", "plain"),
    ),
    address="Greenmarket, Dundee DD1 4QB",
    latitude=56.4569,
    longitude=-2.9705,
    price_per_kwh_minor=55,
)
OLYMPIA: Final = station(
    "dundee-olympia",
    "Olympia Multi-Storey",
    "DD-OLYMP",
    (
        _fast("2.0.1", "plain"),
        _fast("2.0.1", "plain"),
        _slow("1.6", "tasmota"),
        _slow("1.6", "tasmota"),
        _slow("1.6", "plain"),
    ),
    address="East Whale Lane, Dundee DD1 3JU",
    latitude=56.4640,
    longitude=-2.9590,
    price_per_kwh_minor=45,
)
PRINCES: Final = station(
    "dundee-princes-street",
    "Princes Street Charging Hub",
    "DD-PRINC",
    (
        _hyper("2.1", "plain"),
        _rapid("2.0.1", "chirpstack", is_accessible=True),
        _rapid("1.6", "chirpstack"),
        _fast("1.6", "plain"),
    ),
    address="Princes Street, Dundee DD4 6BY",
    latitude=56.4672,
    longitude=-2.9578,
    price_per_kwh_minor=69,
)
LOCHEE: Final = station(
    "dundee-lochee",
    "Lochee Charging Hub",
    "DD-LOCHE",
    (
        _rapid("1.6", "plain", is_accessible=True),
        _rapid("2.0.1", "plain"),
        _fast("2.0.1", "esphome"),
        _fast("1.6", "plain"),
    ),
    address="Aimer Square, Dundee DD2 3BN",
    latitude=56.4712,
    longitude=-3.0120,
    price_per_kwh_minor=55,
)
QUEEN_STREET: Final = station(
    "broughty-ferry-queen-street",
    "Queen Street, Broughty Ferry",
    "DD-QUEEN",
    (
        _rapid("2.0.1", "thethingsstack"),
        _fast("1.6", "plain"),
        _fast("2.0.1", "thethingsstack"),
        _slow("1.6", "plain"),
    ),
    address="Queen Street, Broughty Ferry DD5 1AJ",
    latitude=56.4680,
    longitude=-2.8735,
    price_per_kwh_minor=49,
)
ICE_ARENA: Final = station(
    "dundee-ice-arena",
    "Dundee Ice Arena",
    "DD-ARENA",
    (
        _rapid("1.6", "plain", is_accessible=True),
        _rapid("2.0.1", "plain"),
        _fast("2.0.1", "zigbee2mqtt"),
        _fast("1.6", "zigbee2mqtt"),
    ),
    address="Camperdown Leisure Park, Dundee DD2 4TF",
    latitude=56.4838,
    longitude=-3.0370,
    price_per_kwh_minor=55,
)

STATIONS: Final[tuple[StationSpec, ...]] = (
    GREENMARKET,
    OLYMPIA,
    PRINCES,
    LOCHEE,
    QUEEN_STREET,
    ICE_ARENA,
)
OFFLINE: Final = ICE_ARENA
"""Its agent is not started."""
LIVE: Final = tuple(one for one in STATIONS if one is not OFFLINE)

DRIVER_TOKEN: Final = "04D5E2A1B37C80"  # noqa: S105 - an id tag, printed on a card
TOKENS: Final = tuple(f"04A1{number:02X}C3D4E580" for number in range(1, 31))
"""What the city's other drivers show."""
