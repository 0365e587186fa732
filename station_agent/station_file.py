"""station.yaml: which bays, chargers and sensors a station has. Strict; all errors at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from contracts.ids import BayId, ChargerId, SensorId, StationId, is_identity, is_slug
from firmware_bridge.vendors import SENSOR_VENDORS, sensor_vendor
from firmware_bridge.vendors.sensor import BadOption, SensorDecoder, SensorVendor
from station_agent.broker_address import broker_address
from station_agent.yaml_reader import Found, Problem, Problems, compose, suggestion

EXPECTED_SLUG: Final = "small letters, digits, - and _, at most 63, first a letter or digit"
EXPECTED_IDENTITY: Final = "an OCPP identity: letters, digits and *-_=:+|@. , at most 48"
_BROKER: Final = "an address such as mqtt://user:password@localhost:1883"
_SENSOR_ID: Final = "a name of 1 to 128 characters"
_MAX_SENSOR_ID: Final = 128
_MAX_TOPIC_BYTES: Final = 1_024
_MAX_EVSES: Final = 1_000


class StationFileWrong(ValueError):
    """The file cannot be used; `problems` says where and why, in the order of the file."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(f"{file}:{problem}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class SensorLayout:
    """One bay sensor, with its vendor's decoder made ready."""

    sensor_id: SensorId
    bay_id: BayId
    vendor: str
    decoder: SensorDecoder
    silent_after_s: float | None
    """None: only its availability topic tells."""


@dataclass(frozen=True, slots=True)
class BayLayout:
    """A parking space in front of an EVSE."""

    bay_id: BayId
    charger_id: ChargerId
    evse_id: int
    sensors: tuple[SensorLayout, ...] = ()


@dataclass(frozen=True, slots=True)
class ChargerLayout:
    """One OCPP box; its EVSEs are numbered 1 to `evses`."""

    charger_id: ChargerId
    evses: int


@dataclass(frozen=True)
class StationLayout:
    """All a station consists of, with the ways to look it up."""

    station_id: StationId
    chargers: Mapping[ChargerId, ChargerLayout] = field(default_factory=dict)
    bays: Mapping[BayId, BayLayout] = field(default_factory=dict)
    sensor_broker: str = ""

    @cached_property
    def sensors(self) -> Mapping[SensorId, SensorLayout]:
        """Every sensor by its id."""
        found = (sensor for bay in self.bays.values() for sensor in bay.sensors)
        return MappingProxyType({sensor.sensor_id: sensor for sensor in found})

    @cached_property
    def sensors_by_topic(self) -> Mapping[str, tuple[SensorLayout, ...]]:
        """Who is concerned by a topic; one device may watch several bays."""
        by_topic: dict[str, tuple[SensorLayout, ...]] = {}
        for sensor in self.sensors.values():
            for topic in sensor.decoder.topics:
                by_topic[topic] = (*by_topic.get(topic, ()), sensor)
        return MappingProxyType(by_topic)

    @cached_property
    def _bay_of(self) -> dict[tuple[ChargerId, int], BayId]:
        return {(bay.charger_id, bay.evse_id): bay.bay_id for bay in self.bays.values()}

    def bay_of(self, charger_id: ChargerId, evse_id: int) -> BayId | None:
        """Return the bay in front of an EVSE."""
        return self._bay_of.get((charger_id, evse_id))

    def evses_of(self, charger_id: ChargerId) -> tuple[int, ...]:
        """Return a charger's EVSE numbers, from 1; none for a charger not of this station."""
        charger = self.chargers.get(charger_id)
        return tuple(range(1, charger.evses + 1)) if charger else ()


def load_station(path: Path) -> StationLayout:
    """Read a station file.

    Raises:
        StationFileWrong: with every problem found.
        OSError: the file cannot be opened.
    """
    return parse_station(path.read_bytes(), str(path))


def parse_station(text: str | bytes, file: str = "station.yaml") -> StationLayout:
    """Read a station file's text; `file` is how errors call it.

    Raises:
        StationFileWrong: with every problem found.
    """
    problems = Problems()
    root = compose(text, problems)
    layout = _station(root) if root is not None else None
    if problems.found or layout is None:
        raise StationFileWrong(file, problems.in_order())
    return layout


def _station(root: Found) -> StationLayout:
    keys = root.keys(required=("station", "bays"), optional=("sensor_broker", "chargers"))
    station_id = keys["station"].text(is_slug, EXPECTED_SLUG) if "station" in keys else ""
    broker = keys["sensor_broker"].text(_is_broker, _BROKER) if "sensor_broker" in keys else ""
    bays = _bays(keys["bays"]) if "bays" in keys else {}
    chargers = _chargers(keys.get("chargers"), bays)
    return StationLayout(
        station_id,
        MappingProxyType(chargers),
        MappingProxyType({bay_id: bay for bay_id, (bay, _) in bays.items()}),
        broker,
    )


def _bays(found: Found) -> dict[BayId, tuple[BayLayout, Found]]:
    bays: dict[BayId, tuple[BayLayout, Found]] = {}
    places: dict[tuple[ChargerId, int], Found] = {}
    sensors: dict[SensorId, Found] = {}
    for entry in found.items(at_least=1):
        bay = _bay(entry, sensors)
        if bay is None:
            continue
        if bay.bay_id in bays:
            entry.problem(f"bay {bay.bay_id!r} is already on line {bays[bay.bay_id][1].line}")
        place = (bay.charger_id, bay.evse_id)
        if place in places:
            line = places[place].line
            entry.problem(f"EVSE {bay.evse_id} of {bay.charger_id!r} has its bay on line {line}")
        bays[bay.bay_id] = (bay, entry)
        places[place] = entry
    return bays


def _bay(entry: Found, sensors: dict[SensorId, Found]) -> BayLayout | None:
    keys = entry.keys(required=("id", "charger", "evse"), optional=("sensors",))
    if not {"id", "charger", "evse"} <= keys.keys():
        return None
    bay_id = keys["id"].text(is_slug, EXPECTED_SLUG)
    charger_id = keys["charger"].text(is_identity, EXPECTED_IDENTITY)
    evse_id = keys["evse"].whole_number(1, _MAX_EVSES)
    listed = keys["sensors"].items() if "sensors" in keys else ()
    made = (_sensor(one, bay_id, sensors) for one in listed)
    return BayLayout(bay_id, charger_id, evse_id, tuple(one for one in made if one))


def _sensor(entry: Found, bay_id: BayId, seen: dict[SensorId, Found]) -> SensorLayout | None:
    keys = entry.keys(required=("id", "vendor", "topic"), optional=("silent_after_s", "options"))
    if not {"id", "vendor", "topic"} <= keys.keys():
        return None
    sensor_id = keys["id"].text(lambda text: 0 < len(text) <= _MAX_SENSOR_ID, _SENSOR_ID)
    if sensor_id in seen:
        entry.problem(f"sensor {sensor_id!r} is already on line {seen[sensor_id].line}")
    seen[sensor_id] = entry
    vendor = _vendor(keys["vendor"])
    decoder = _decoder(vendor, keys) if vendor else None
    if vendor is None or decoder is None:
        return None
    silent = keys["silent_after_s"].seconds() if "silent_after_s" in keys else vendor.silent_after_s
    return SensorLayout(sensor_id, bay_id, vendor.name, decoder, silent)


def _vendor(found: Found) -> SensorVendor | None:
    names = [vendor.name for vendor in SENSOR_VENDORS]
    name = found.text()
    vendor = sensor_vendor(name)
    if vendor is None:
        found.problem(f"unknown vendor {name!r}{suggestion(name, names)}")
    return vendor


def _decoder(vendor: SensorVendor, keys: Mapping[str, Found]) -> SensorDecoder | None:
    topic = keys["topic"].text(_is_topic, "an MQTT topic without + and #")
    written = keys["options"].keys(optional=vendor.option_names) if "options" in keys else {}
    options: dict[str, Any] = {name: found.scalar() for name, found in written.items()}
    try:
        return vendor.decoder(topic, options)
    except BadOption as error:
        written.get(error.option, keys["topic"]).wrong(error.expected)
        return None


def _chargers(
    found: Found | None, bays: Mapping[BayId, tuple[BayLayout, Found]]
) -> dict[ChargerId, ChargerLayout]:
    """Where the file lists chargers, bays may only name those; else the bays say which exist."""
    needed: dict[ChargerId, int] = {}
    for bay, _ in bays.values():
        needed[bay.charger_id] = max(needed.get(bay.charger_id, 1), bay.evse_id)
    if found is None:
        return {name: ChargerLayout(name, evses) for name, evses in needed.items()}
    chargers: dict[ChargerId, ChargerLayout] = {}
    for entry in found.items():
        charger = _charger(entry, needed)
        if charger and charger.charger_id in chargers:
            entry.problem(f"charger {charger.charger_id!r} is listed twice")
        elif charger:
            chargers[charger.charger_id] = charger
    for bay, entry in bays.values():
        _check_place(bay, entry, chargers)
    return chargers


def _charger(entry: Found, needed: Mapping[ChargerId, int]) -> ChargerLayout | None:
    keys = entry.keys(required=("id",), optional=("evses",))
    if "id" not in keys:
        return None
    charger_id = keys["id"].text(is_identity, EXPECTED_IDENTITY)
    if "evses" in keys:
        return ChargerLayout(charger_id, keys["evses"].whole_number(1, _MAX_EVSES))
    return ChargerLayout(charger_id, needed.get(charger_id, 1))


def _check_place(bay: BayLayout, entry: Found, chargers: Mapping[ChargerId, ChargerLayout]) -> None:
    charger = chargers.get(bay.charger_id)
    if charger is None:
        hint = suggestion(bay.charger_id, list(chargers))
        entry.problem(f"charger {bay.charger_id!r} is not listed under chargers{hint}")
    elif bay.evse_id > charger.evses:
        entry.problem(f"charger {bay.charger_id!r} has {charger.evses} EVSEs, not {bay.evse_id}")


def _is_topic(text: str) -> bool:
    return 0 < len(text.encode()) <= _MAX_TOPIC_BYTES and not set("+#\0") & set(text)


def _is_broker(text: str) -> bool:
    try:
        broker_address(text)
    except ValueError:
        return False
    return True
