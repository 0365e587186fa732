"""A station of the world: its specification, and what is built from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from simulator.bays import Bay, BaySpec
from simulator.chargers.charger import Charger
from simulator.chargers.evse import EvseSpec, Outlet
from simulator.chargers.manners import Manners
from simulator.chargers.quirks import Quirk
from simulator.chargers.spec import Behaviour, ChargerSpec
from simulator.chargers.versions import build as build_charger
from simulator.sensors import Publish, Sensor, SensorSpec
from simulator.vehicles import Standard
from simulator.world import World


@dataclass(frozen=True, slots=True)
class StationSpec:
    """What a station is: plain data, from which station files and API calls are made, too."""

    station_id: str
    name: str
    bays: tuple[BaySpec, ...]
    chargers: tuple[ChargerSpec, ...]
    address: str = ""
    latitude: float = 0.0
    longitude: float = 0.0
    price_per_kwh_minor: int = 0

    def charger_of(self, bay: BaySpec) -> ChargerSpec:
        """Return the charger in front of a bay."""
        return next(one for one in self.chargers if one.charger_id == bay.charger_id)

    def evse_of(self, bay: BaySpec) -> EvseSpec:
        """Return the EVSE in front of a bay."""
        charger = self.charger_of(bay)
        return next(one for one in charger.evses if one.evse_id == bay.evse_id)

    def evse_ids(self, charger_id: str) -> list[int]:
        """Return a charger's EVSEs."""
        charger = next(one for one in self.chargers if one.charger_id == charger_id)
        return [one.evse_id for one in charger.evses]


@dataclass(frozen=True, slots=True)
class Temper:
    """How one charger differs from a faultless one."""

    behaviour: Behaviour | None = None
    manners: Manners | None = None
    quirks: tuple[Quirk, ...] = ()


@dataclass
class Site:
    """A station at work."""

    spec: StationSpec
    chargers: dict[str, Charger]
    bays: dict[str, Bay]
    sensors: dict[str, Sensor] = field(default_factory=dict)

    def power_on_sensors(self) -> None:
        """Let every sensor say hello."""
        for sensor in self.sensors.values():
            sensor.power_on()


def build(
    world: World,
    spec: StationSpec,
    publish: Publish,
    temper_of: Callable[[ChargerSpec], Temper] | None = None,
) -> Site:
    """Build a station; nothing is switched on yet."""
    temper = temper_of or (lambda _: Temper())
    chargers = {one.charger_id: _built(world, one, temper(one)) for one in spec.chargers}
    bays = {one.bay_id: _bay(world, one, chargers, publish) for one in spec.bays}
    sensors = {sensor.spec.sensor_id: sensor for bay in bays.values() for sensor in bay.sensors}
    return Site(spec, chargers, bays, sensors)


def _built(world: World, spec: ChargerSpec, temper: Temper) -> Charger:
    return build_charger(
        world, spec, behaviour=temper.behaviour, manners=temper.manners, quirks=temper.quirks
    )


def _bay(world: World, spec: BaySpec, chargers: Mapping[str, Charger], publish: Publish) -> Bay:
    sensors = [Sensor(world, one, publish) for one in spec.sensors]
    return Bay(world, spec, chargers[spec.charger_id], sensors)


@dataclass(frozen=True, slots=True)
class Post:
    """A charger in a few words: `Post("2.0.1", 50, bays=1, plugs=(CCS, CHADEMO))`."""

    version: str
    power_kw: int
    bays: int = 1
    plugs: tuple[Standard, ...] = (Standard.TYPE_2,)
    vendor: str = "Baywatt Labs"
    model: str = "Virtual 1"
    sensor: str = "plain"
    """Vendor of each bay's sensor; empty: the bays have none."""
    is_accessible: bool = False


def station(
    station_id: str, name: str, prefix: str, posts: tuple[Post, ...], **more: object
) -> StationSpec:
    """Return a station of these posts; bays are numbered through, chargers named after `prefix`."""
    bays: list[BaySpec] = []
    chargers: list[ChargerSpec] = []
    for number, post in enumerate(posts, 1):
        charger_id = f"{prefix}-{number:02d}"
        chargers.append(_charger(charger_id, post))
        for evse_id in range(1, post.bays + 1):
            at = len(bays) + 1
            sensors = (
                (SensorSpec(f"{prefix.lower()}-bay-{at}", post.sensor),) if post.sensor else ()
            )
            bays.append(
                BaySpec(
                    f"{station_id}-{at}",
                    f"Bay {at}",
                    charger_id,
                    evse_id,
                    sensors,
                    post.is_accessible,
                )
            )
    return StationSpec(station_id, name, tuple(bays), tuple(chargers), **more)  # type: ignore[arg-type]


def _charger(charger_id: str, post: Post) -> ChargerSpec:
    outlets = tuple(
        Outlet(number, standard, _power_w(standard, post.power_kw))
        for number, standard in enumerate(post.plugs, 1)
    )
    evses = tuple(EvseSpec(evse_id, outlets) for evse_id in range(1, post.bays + 1))
    return ChargerSpec(charger_id, post.version, evses, post.vendor, post.model)


def _power_w(standard: Standard, power_kw: int) -> int:
    """CHAdeMO posts in the field give 50 kW whatever their CCS neighbour does."""
    most_kw = 50 if standard is Standard.CHADEMO else power_kw
    return min(power_kw, most_kw) * 1000


def station_file(spec: StationSpec, sensor_broker: str = "") -> str:
    """Return the station file that an agent of this station needs (YAML)."""
    lines = [f"station: {spec.station_id}"]
    if sensor_broker:
        lines.append(f'sensor_broker: "{sensor_broker}"')
    lines.append("chargers:")
    for charger in spec.chargers:
        lines += [f"  - id: {charger.charger_id}", f"    evses: {len(charger.evses)}"]
    lines.append("bays:")
    for bay in spec.bays:
        lines += _bay_lines(bay)
    return "\n".join(lines) + "\n"


def _bay_lines(bay: BaySpec) -> list[str]:
    lines = [
        f"  - id: {bay.bay_id}",
        f"    charger: {bay.charger_id}",
        f"    evse: {bay.evse_id}",
    ]
    if bay.sensors:
        lines.append("    sensors:")
    for sensor in bay.sensors:
        lines += [
            f"      - id: {sensor.sensor_id}",
            f"        vendor: {sensor.vendor}",
            f"        topic: {sensor.topic}",
        ]
    return lines
