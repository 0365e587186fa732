"""The act that stories of bookings share: a guest books the first bay for the next quarter of an hour."""

from datetime import timedelta
from typing import Final

from simulator.bookings import Booker, Habit, Wish, next_slot
from simulator.scenarios.scenario import Stage
from simulator.vehicles import a_car

_BOOKS_S: Final = 20
_LEAD: Final = timedelta(minutes=2)
LENGTH: Final = timedelta(minutes=45)


def book(stage: Stage, habit: Habit, limit_pct: float = 60) -> Booker:
    """Let the first guest book soon after the story begins; what follows is the guest's habit.

    The car comes with 30 % in its battery, and takes no energy above `limit_pct`.
    """
    bay = next(iter(stage.site.bays.values()))
    standard = bay.evse.spec.outlets[0].standard
    chance = stage.world.random("guest")
    car = a_car(chance, name="guest's car", standard=standard, soc_pct=30, limit_pct=limit_pct)
    guest = Booker(stage.world, stage.site, stage.desk, stage.guests[0], car, habit)
    starts_at, ends_at = next_slot(stage.world.now(), _LEAD, LENGTH)
    wish = Wish(
        station_id=stage.site.spec.station_id,
        bay_id=bay.spec.bay_id,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    stage.world.after(_BOOKS_S, lambda: guest.book(wish))
    return guest
