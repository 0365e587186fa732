"""The demonstration's guests: each books a bay again and again, comes more or less in time, and charges."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random
from typing import Final

from simulator.bookings import Booker, Desk, Guest, Habit, Wish, next_slot
from simulator.site import Site
from simulator.vehicles import Standard, a_car
from simulator.world import World

GUESTS: Final = tuple(
    Guest(f"guest{number}@baywatt.example", "baywatt-demo", f"04B1{number:02X}C3D4E580")
    for number in range(1, 5)
)
_FIRST_S: Final = 20.0
_APART_S: Final = 45.0
_PAUSE_S: Final = 240.0
_LEAD: Final = timedelta(minutes=1)
_LENGTHS_MIN: Final = (30, 45, 60)


@dataclass
class Regulars:
    """The guests at their stations; a search finds each its bay."""

    world: World
    sites: Sequence[Site]
    desk: Desk
    guests: Sequence[Guest] = GUESTS
    _visits: dict[str, int] = field(default_factory=dict, init=False)

    def start(self) -> None:
        """Let them book one after another, soon."""
        for number, guest in enumerate(self.guests):
            self.world.after(_FIRST_S + _APART_S * number, partial(self._book, guest))

    def _book(self, guest: Guest) -> None:
        visit = self._visits[guest.email] = self._visits.get(guest.email, 0) + 1
        chance = self.world.random("regular", guest.email, visit)
        place = chance.choice(list(self.sites))
        standard = _plug(place, chance)
        car = a_car(
            chance,
            name=f"{guest.email}'s car",
            standard=standard,
            soc_pct=chance.uniform(15, 50),
            limit_pct=chance.uniform(60, 90),
        )
        booker = Booker(self.world, place, self.desk, guest, car, _habit(chance))
        booker.then = lambda: self.world.after(_PAUSE_S, partial(self._book, guest))
        length = timedelta(minutes=chance.choice(_LENGTHS_MIN))
        starts_at, ends_at = next_slot(self.world.now(), _LEAD, length)
        booker.book(
            Wish(
                station_id=place.spec.station_id,
                starts_at=starts_at,
                ends_at=ends_at,
                standard=str(standard),
            )
        )


def _plug(place: Site, chance: Random) -> Standard:
    outlets = [bay.evse.spec.outlets[0] for bay in place.bays.values()]
    return chance.choice(outlets).standard


def _habit(chance: Random) -> Habit:
    return Habit(
        comes_s=chance.uniform(-240, 300),
        goes_s=chance.choice((-300.0, -120.0, 600.0)),
        checks_in=chance.random() < 0.5,  # noqa: PLR2004 - half of them
        steps_s=(chance.uniform(15, 60), chance.uniform(4, 20), chance.uniform(10, 40)),
    )
