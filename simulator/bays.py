"""A parking space as it really is: who stands there, and which sensors look at it."""

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.chargers.charger import Charger
from simulator.chargers.evse import Evse
from simulator.journal import Entry, Kind
from simulator.sensors import Sensor, SensorSpec
from simulator.world import World


@dataclass(frozen=True, slots=True)
class BaySpec:
    """What a bay is."""

    bay_id: str
    name: str
    charger_id: str
    evse_id: int
    sensors: tuple[SensorSpec, ...] = ()
    is_accessible: bool = False


class Bay:
    """One bay; at most one vehicle stands in it."""

    def __init__(
        self, world: World, spec: BaySpec, charger: Charger, sensors: Sequence[Sensor]
    ) -> None:
        self._world = world
        self.spec = spec
        self.charger = charger
        self.sensors = list(sensors)
        self.stands_there = ""
        """Name of the vehicle; empty: nobody."""

    @property
    def is_occupied(self) -> bool:
        """Whether somebody stands there: the truth."""
        return bool(self.stands_there)

    @property
    def evse(self) -> Evse:
        """Return the EVSE in front of it."""
        return self.charger.evses[self.spec.evse_id]

    @property
    def is_inviting(self) -> bool:
        """Whether a driver who comes by would take it."""
        evse = self.evse
        is_usable = evse.is_available and not evse.fault and evse.reservation is None
        return not self.is_occupied and evse.car is None and is_usable

    def arrive(self, vehicle: str) -> None:
        """Somebody parks.

        Raises:
            ValueError: another stands there.
        """
        if self.stands_there:
            raise ValueError(f"{self.stands_there} stands in {self.spec.bay_id} already")
        self.stands_there = vehicle
        self._changed()

    def leave(self) -> None:
        """The bay is empty again."""
        self.stands_there = ""
        self._changed()

    def _changed(self) -> None:
        self._world.tell(
            Entry(
                at=self._world.now(),
                kind=Kind.OCCUPANCY,
                charger_id=self.spec.charger_id,
                evse_id=self.spec.evse_id,
                bay_id=self.spec.bay_id,
                body={"is_occupied": self.is_occupied, "vehicle": self.stands_there},
            )
        )
        for sensor in self.sensors:
            sensor.see(self.is_occupied)
