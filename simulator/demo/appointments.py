"""Dora keeps her appointments: whatever is booked in her name, by page or API, her car comes to.

It comes when the slot begins, charges, and leaves a few minutes late, so that there is an overstay
to see. At one station a white van is faster, and stays.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http.client import HTTPException
from typing import Any, Final, Protocol

from simulator.api_desk import promise_of
from simulator.bookings import Booker, Desk, Guest, Habit, Promise
from simulator.demo import city
from simulator.demo.api import Api, ApiRefused
from simulator.demo.setting_up import DRIVER, PASSWORD
from simulator.drivers import block
from simulator.site import Site
from simulator.vehicles import MODELS, Battery, Car
from simulator.world import World

VAN_AT: Final = city.LOCHEE
"""Where a van takes every bay that Dora books."""
HABIT: Final = Habit(goes_s=150, steps_s=(15, 5, 10))
_TO_DRIVE_S: Final = 20.0
_LOOK_EVERY_S: Final = 2.0
_VAN_STAYS_S: Final = 900.0
_VAN_BEFORE_S: Final = 30.0


class Asked(Protocol):
    """The API, as far as it is read here."""

    def get(self, path: str) -> Any:
        """See Api.get."""
        ...


class Appointments:
    """Looks for what Dora has booked, and has her car and the van act on it."""

    def __init__(
        self, world: World, sites: Sequence[Site], desk: Desk, where: tuple[str, int]
    ) -> None:
        self._world = world
        self._sites: Mapping[str, Site] = {one.spec.station_id: one for one in sites}
        self._desk = desk
        self._where = where
        self._guest = Guest(DRIVER.email, PASSWORD, city.DRIVER_TOKEN)
        self._known: set[str] = set()

    async def run(self) -> None:
        """Look until cancelled; a cloud that is away is asked again."""
        with Api(*self._where) as api:
            await asyncio.to_thread(api.log_in, DRIVER.email, PASSWORD)
            while True:
                try:
                    await self.look(api)
                except (ApiRefused, OSError, HTTPException):
                    api.close()
                await asyncio.sleep(_LOOK_EVERY_S)

    async def look(self, api: Asked) -> None:
        """Look once for what is new."""
        listed = await asyncio.to_thread(api.get, "/reservations?live=true&limit=50")
        for one in listed["reservations"]:
            if one["state"] == "booked" and one["reservation_id"] not in self._known:
                self._known.add(one["reservation_id"])
                self._expect(one)

    def _expect(self, booked: Mapping[str, Any]) -> None:
        site = self._sites.get(booked["station_id"])
        if site is None:
            return
        promise = promise_of(booked)
        if site.spec is VAN_AT:
            self._send_van(site, promise)
        model = next(one for one in MODELS if one.name == "Crossover 77")
        # it wants little, so that it is done before the slot is, and stands there
        car = Car("Dora's crossover", Battery(model, model.capacity_wh * 0.4), 41)
        late_s = max(0.0, (self._world.now() - promise.starts_at).total_seconds())
        habit = replace(HABIT, comes_s=late_s + _TO_DRIVE_S)
        Booker(self._world, site, self._desk, self._guest, car, habit).expect(promise)

    def _send_van(self, site: Site, promise: Promise) -> None:
        bay = site.bays[promise.bay_id]

        def park() -> None:
            if not bay.is_occupied:
                block(self._world, bay, "white van", _VAN_STAYS_S)

        early_s = (promise.starts_at - self._world.now()).total_seconds() - _VAN_BEFORE_S
        self._world.after(max(1.0, early_s), park)
