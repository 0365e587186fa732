"""Plays a scenario: live against an agent and a broker, or rehearsed alone in virtual time."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import Final
from urllib.parse import urlsplit

from contracts.clock import Clock, SystemClock
from simulator import profile, site
from simulator.api_desk import ApiDesk
from simulator.bookings import PaperDesk
from simulator.broker import SensorBroker
from simulator.chargers.dialer import Address
from simulator.chargers.quirks import Quirk
from simulator.journal import Journal
from simulator.payloads import Message
from simulator.running import connect_all, dial
from simulator.scenarios.scenario import Scenario, Stage
from simulator.scenarios.stations import GUESTS, TOKENS
from simulator.sensors import Publish
from simulator.site import Temper
from simulator.world import World

_ATTENDED_EVERY_S: Final = 30


@dataclass(frozen=True, slots=True)
class Cast:
    """Against what, and with what, a scenario is played."""

    agent_url: str = ""
    broker_url: str = ""
    """Empty: the sensors speak to nobody."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Basic auth passwords by charger id."""
    tokens: Sequence[str] = TOKENS
    cloud_url: str = ""
    """Where guests book, http://host:port; empty: they write their promises down themselves."""
    quirks: tuple[Quirk, ...] = ()
    """What all chargers do wrong."""
    session_files: Sequence[Path] = ()
    clock: Clock = field(default_factory=SystemClock)
    seed: int = 1
    settle_s: float = 5
    """How long, at the end, chargers may take to deliver what they still keep."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a played story ended."""

    backlog: int
    """Transaction messages that chargers still keep: nobody acknowledged them."""
    refusals: int
    """Handshakes that failed."""


async def play(scenario: Scenario, cast: Cast, journal: Journal) -> Outcome:
    """Play a scenario to its end against real parts.

    Raises:
        ApiRefused, NoCode, OSError: a guest could not book as the public API promises.
    """
    world = World(cast.clock, cast.seed, journal)
    with contextlib.ExitStack() as stack:
        publish = _publisher(stack, cast.broker_url)
        place = site.build(world, scenario.station, publish, lambda _: Temper(quirks=cast.quirks))
        dialled = dial(
            world,
            list(place.chargers.values()),
            lambda charger: Address(cast.agent_url, cast.keys.get(charger.charger_id, "")),
        )
        sockets = {one.charger.charger_id: one.dialer for one in dialled}
        loaded = profile.load(cast.session_files)
        place.power_on_sensors()
        app = _app(stack, cast.cloud_url)
        desk = app or PaperDesk(world, [place])
        scenario.play(Stage(world, place, loaded, cast.tokens, sockets, desk, GUESTS))
        dialling = asyncio.create_task(connect_all(dialled), name="chargers")
        try:
            length_s = scenario.duration_s + cast.settle_s
            await world.run(world.now() + timedelta(seconds=length_s))
        finally:
            dialling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await dialling
    if app is not None and app.trouble is not None:
        raise app.trouble
    return Outcome(
        sum(one.charger.line.backlog for one in dialled),
        sum(one.dialer.refusals for one in dialled),
    )


def rehearse(
    scenario: Scenario,
    world: World,
    publish: Publish,
    attend: Callable[[Stage], None] | None = None,
) -> Stage:
    """Play a scenario in virtual time without any sockets; returns the stage as it ends.

    `attend` is called every few seconds of the world: a stand-in for what sockets would do.
    """
    place = site.build(world, scenario.station, publish)
    desk = PaperDesk(world, [place])
    stage = Stage(world, place, profile.shipped(), TOKENS, {}, desk, GUESTS)
    if attend is not None:
        attend(stage)
        world.every(_ATTENDED_EVERY_S, partial(attend, stage))
    place.power_on_sensors()
    scenario.play(stage)
    world.run_for(scenario.duration_s)
    return stage


def _publisher(stack: contextlib.ExitStack, broker_url: str) -> Publish:
    if not broker_url:
        return _to_nobody
    client_id = f"simulator-{SystemRandom().getrandbits(32):08x}"
    return stack.enter_context(SensorBroker(broker_url, client_id)).publish


def _app(stack: contextlib.ExitStack, cloud_url: str) -> ApiDesk | None:
    if not cloud_url:
        return None
    where = urlsplit(cloud_url)
    app = ApiDesk(where.hostname or "", where.port or 80)
    stack.callback(app.close)
    return app


def _to_nobody(message: Message) -> None:
    del message
