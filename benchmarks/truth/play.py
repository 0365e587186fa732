"""Plays the week: the world, the agents and the cloud on one clock, and the score."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks.truth.agents import StationAgent
from benchmarks.truth.feeds import ChargerAlone, Published, SensorAlone
from benchmarks.truth.guests import GUESTS, Manners, start_bookings, user_id_of
from benchmarks.truth.house import Cloud
from benchmarks.truth.score import Score, Truth
from benchmarks.truth.week import TOKENS, Ailing, Chances, Wavering, bays_of, start_traffic, temper
from benchmarks.truth.week import stations as week_stations
from contracts import topics
from contracts.events import Event
from simulator import site
from simulator.bays import Bay
from simulator.clock import VirtualClock
from simulator.site import Site, station_file
from simulator.world import World
from station_agent.station_file import parse_station

MONDAY: Final = datetime(2026, 6, 1, tzinfo=UTC)
TICK_S: Final = 60
"""Facts travel, and time is looked at, so often: more often changes no figure, and takes longer."""
_LATENCY_S: Final = 1
"""So long after facts have travelled the feeds are asked."""
_SETTLE: Final = timedelta(hours=2)
"""Not scored: all is new to all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of a week."""

    stations: int = 20
    days: float = 7
    seed: int = 1
    chances: Chances = field(default_factory=Chances)
    manners: Manners = field(default_factory=Manners)


class Play:
    """One week."""

    def __init__(self, size: Size, folder: Path) -> None:
        self.size = size
        self.truth = Truth()
        self.clock = VirtualClock(MONDAY)
        self.world = World(self.clock, size.seed, self.truth)
        self.published = Published()
        specs = week_stations(size.stations)
        layouts = {one.station_id: parse_station(station_file(one)) for one in specs}
        self.charger_alone = ChargerAlone(layouts.values())
        self.sensor_alone = SensorAlone()
        self.score = Score([self.published, self.charger_alone, self.sensor_alone])
        self.cloud = Cloud(folder, self.clock, self.published.hear, self._send)
        self.agents = {
            name: StationAgent(layout, self.clock, folder, self._hear)
            for name, layout in layouts.items()
        }
        self.sites = [self._build(spec) for spec in specs]
        tokens: dict[str, str | None] = dict.fromkeys(TOKENS)
        self.cloud.set_up(specs, tokens | {one.token: user_id_of(one) for one in GUESTS})

    def run(self) -> "Play":
        """Live through it all."""
        began = time.perf_counter()
        self.cloud.clock_worker.sweeps.plans.publish_all()
        for place in self.sites:
            self._awaken(place)
        self._bays = bays_of(self.sites)
        start_traffic(self.world, self._bays, self.size.chances)
        self.promises = start_bookings(self.world, self.sites, self.cloud, self.size.manners)
        self.world.every(TICK_S, self._tick)
        self.world.every(60, self._look, first_after_s=_SETTLE.total_seconds() + _LATENCY_S)
        self.world.run_until(MONDAY + timedelta(days=self.size.days))
        self.took_s = time.perf_counter() - began
        return self

    # --- the parts -------------------------------------------------------------------------------

    def _build(self, spec: site.StationSpec) -> Site:
        agent = self.agents[spec.station_id]
        return site.build(self.world, spec, agent.hear_sensor, temper)

    def _awaken(self, place: Site) -> None:
        agent = self.agents[place.spec.station_id]
        chances = self.size.chances
        for charger in place.chargers.values():
            Wavering(self.world, charger, chances, agent.connect, agent.disconnect)
        place.power_on_sensors()
        for sensor in place.sensors.values():
            Ailing(self.world, sensor, chances)

    def _hear(self, fact: Event) -> None:
        self.charger_alone.hear(fact)
        self.sensor_alone.hear(fact)

    def _send(self, topic: str, payload: bytes, is_retained: bool) -> None:
        del is_retained
        station_id = topics.station_of(topic)
        if station_id is not None and topic == topics.plan(station_id):
            self.agents[station_id].plan.take(payload)

    # --- time ------------------------------------------------------------------------------------

    def _tick(self) -> None:
        batches = []
        for agent in self.agents.values():
            agent.look_around()
            batches += agent.next_batches()
        self.cloud.take(batches)
        self.cloud.tick()

    def _look(self) -> None:
        now = self.clock.now()
        for bay in self._bays:
            is_free = self._is_free(bay)
            wrong = self.score.look(bay.spec.bay_id, now, is_free=is_free)
            for feed, how in wrong.items():
                self.score.tallies[feed].why[how, *self._why(bay)] += 1

    def _is_free(self, bay: Bay) -> bool:
        spec = bay.spec
        is_in_order = self.truth.could_serve(spec.charger_id, spec.evse_id)
        is_empty = not self.truth.occupant(spec.bay_id)
        return (
            is_in_order and is_empty and not self.promises.protects(spec.bay_id, self.clock.now())
        )

    def _why(self, bay: Bay) -> tuple[str, ...]:
        view = self.published.view(bay.spec.bay_id)
        occupant = self.truth.occupant(bay.spec.bay_id).split("-")[0]
        sensor = bay.sensors[0]
        promised = self.promises.protects(bay.spec.bay_id, self.clock.now())
        return (
            view.situation if view else "",
            f"sensor {sensor.mood} ({sensor.spec.vendor})",
            f"{occupant or 'nobody'}{', promised' if promised else ''}",
        )
