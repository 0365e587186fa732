"""Runs a world against real parts: dials its chargers in, connects its sensors, lets time pass."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulator.chargers.charger import Charger
from simulator.chargers.dialer import Address, Dialer
from simulator.chargers.fetching import fetch_over_http
from simulator.chargers.logs import upload_over_http
from simulator.world import World

AddressOf = Callable[[Charger], Address]


@dataclass(frozen=True, slots=True)
class Dialled:
    """A charger with its socket."""

    charger: Charger
    dialer: Dialer


def dial(world: World, chargers: Sequence[Charger], address_of: AddressOf) -> list[Dialled]:
    """Give every charger a socket; nothing is connected until `connect_all` runs."""
    dialled = []
    for charger in chargers:
        dialer = Dialer(
            world,
            charger.charger_id,
            charger.line,
            address_of(charger),
            charger.offers,
            habits=charger.habits,
        )
        charger.reboot = dialer.cut
        charger.device.upload = upload_over_http
        charger.device.fetch = fetch_over_http
        charger.safe.redial = dialer.change
        dialled.append(Dialled(charger, dialer))
    return dialled


async def connect_all(dialled: Sequence[Dialled]) -> None:
    """Keep all connected, until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        for one in dialled:
            tasks.create_task(one.dialer.run(), name=f"dialer {one.charger.charger_id}")
