"""Runs the demonstration: starts everything, tells where it is, and ends everything."""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Final, TypeVar
from urllib.parse import quote

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from simulator.api_desk import ApiDesk
from simulator.broker import SensorBroker
from simulator.chargers.charger import Charger
from simulator.chargers.dialer import Address
from simulator.demo import city, setting_up
from simulator.demo.api import Api, ApiRefused, is_ready
from simulator.demo.appointments import Appointments
from simulator.demo.children import ChildDied, Children
from simulator.demo.life import City
from simulator.demo.offline import appear_and_vanish
from simulator.demo.ports import HOST, Ports, PortTrouble
from simulator.journal import FileJournal
from simulator.running import connect_all, dial
from simulator.site import station_file

_READY_WITHIN_S: Final = 90
_POLL_S: Final = 0.05
_REDIAL_WITHIN_S: Final = 2
_SEED: Final = 20260105
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the demonstration runs."""

    ports: Ports
    folder: Path
    sensors_key: str

    @property
    def url(self) -> str:
        """Return the address of the pages."""
        return f"http://{HOST}:{self.ports.http}"

    @property
    def sensors_url(self) -> str:
        """Return where, and as whom, the bay sensors speak."""
        return f"mqtt://sensors:{quote(self.sensors_key)}@{HOST}:{self.ports.broker}"


def run() -> int:
    """Run until Ctrl-C, SIGTERM or the end of a part; return the exit code."""
    console = Console()
    try:
        ports = Ports.of(os.environ)
        ports.refuse_busy()
        asyncio.run(_run_until_told(console, ports))
    except (PortTrouble, ChildDied, ApiRefused) as error:
        console.print(Panel(Text(str(error)), title="The demonstration has ended", style="red"))
        return 1
    return 0


async def _run_until_told(console: Console, ports: Ports) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    folder = _fresh_folder(ports)
    place = Place(ports, folder, token_hex(16))
    children = Children(folder / "logs")
    playing = asyncio.create_task(_play(console, place, children), name="demo")
    waiting = asyncio.create_task(told.wait(), name="told")
    try:
        await asyncio.wait([playing, waiting], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        console.print("\n[dim]ending ...[/dim]")
        await _finish(playing, children)


async def _finish(playing: asyncio.Task[None], children: Children) -> None:
    """End the world first, then the programs; what went wrong is raised afterwards."""
    playing.cancel()
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await playing
    finally:
        await children.stop()


async def _play(console: Console, place: Place, children: Children) -> None:
    began = time.monotonic()
    cloud = _cloud_environment(place)
    admin = ("--email", setting_up.ADMIN.email, "--role", "admin", "--password-stdin")
    await children.start("cloud", ("cloud", "serve"), cloud)
    # Both bring the database to the newest schema first; the second waits for the other.
    making = children.call(("cloud", "create-user", *admin), cloud, setting_up.PASSWORD + "\n")
    await _or_death(children, asyncio.gather(making, _until_ready(place)))
    keys = await _or_death(children, asyncio.to_thread(_set_up, place))
    console.print(_welcome(place, time.monotonic() - began))
    await _start_agents(place, children, keys)
    await asyncio.to_thread(_lose_a_station, place, keys)
    await _live(place, children, keys)


async def _until_ready(place: Place) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while not await asyncio.to_thread(is_ready, HOST, place.ports.http):
        if time.monotonic() > deadline:
            raise ChildDied(f"the cloud does not answer on {place.url} after {_READY_WITHIN_S} s")
        await asyncio.sleep(_POLL_S)


async def _or_death(children: Children, work: Awaitable[Result]) -> Result:
    """Do something that needs the programs; should one end meanwhile, say so instead."""
    working = asyncio.ensure_future(work)
    watching = asyncio.create_task(children.watch(), name="watch")
    try:
        await asyncio.wait([working, watching], return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            await watching
        return await working
    finally:
        working.cancel()
        watching.cancel()


def _set_up(place: Place) -> setting_up.Keys:
    with Api(HOST, place.ports.http) as api:
        return setting_up.set_up(api)


async def _start_agents(place: Place, children: Children, keys: setting_up.Keys) -> None:
    for number, spec in enumerate(city.LIVE):
        folder = place.folder / spec.station_id
        folder.mkdir()
        (folder / "station.yaml").write_text(station_file(spec))
        environment = {
            "AGENT_STATION_FILE": str(folder / "station.yaml"),
            "AGENT_DATA_DIR": str(folder),
            "AGENT_BROKER_URL": f"mqtt://{HOST}:{place.ports.broker}",
            "AGENT_BROKER_KEY": keys.agents[spec.station_id],
            "AGENT_OCPP_HOST": HOST,
            "AGENT_OCPP_PORT": str(place.ports.ocpp + number),
        }
        await children.start(f"agent-{spec.station_id}", ("station_agent", "run"), environment)


def _lose_a_station(place: Place, keys: setting_up.Keys) -> None:
    spec = city.OFFLINE
    appear_and_vanish(spec, HOST, place.ports.broker, keys.agents[spec.station_id])


async def _live(place: Place, children: Children, keys: setting_up.Keys) -> None:
    with (
        FileJournal(place.folder / "journal.jsonl") as journal,
        SensorBroker(place.sensors_url, "bay-sensors") as broker,
        contextlib.closing(ApiDesk(HOST, place.ports.http)) as desk,
    ):
        life = City(journal, _SEED, datetime.now(UTC))
        life.rehearse()
        ports = {
            spec.station_id: place.ports.ocpp + number for number, spec in enumerate(city.LIVE)
        }

        def address_of(charger: Charger) -> Address:
            port = ports[life.station_of(charger).spec.station_id]
            key = keys.chargers[charger.charger_id]
            return Address(f"ws://{HOST}:{port}", key, longest_wait_s=_REDIAL_WITHIN_S)

        dialled = dial(life.world, life.chargers, address_of)
        life.open(broker.publish, desk)
        booked = Appointments(life.world, life.sites, desk, (HOST, place.ports.http))
        await _together(connect_all(dialled), life.world.run(), booked.run(), children.watch())


async def _together(*parts: Coroutine[None, None, None]) -> None:
    """Run the parts until one fails; its own error is raised, not a group of one."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for part in parts:
                tasks.create_task(part)
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


def _cloud_environment(place: Place) -> dict[str, str]:
    return {
        "CLOUD_DATA_DIR": str(place.folder / "cloud"),
        "CLOUD_HTTP_HOST": HOST,
        "CLOUD_HTTP_PORT": str(place.ports.http),
        "CLOUD_PUBLIC_URL": place.url,
        "CLOUD_EMBEDDED_BROKER_PORT": str(place.ports.broker),
        "CLOUD_EMBEDDED_SENSORS_KEY": place.sensors_key,
        "CLOUD_SHOW_MAILBOX": "true",
        "CLOUD_BLOCKED_BAY_ALERT_AFTER_S": "60",
    }


def _fresh_folder(ports: Ports) -> Path:
    folder = Path(__file__).resolve().parents[2] / "var" / "demo" / str(ports.http)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "logs").mkdir(parents=True)
    return folder


def _shortened(path: Path) -> str:
    """Return a path as seen from here, where it is below."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _welcome(place: Place, took_s: float) -> Panel:
    logins = Table("log in as", "password", "and see", box=None, padding=(0, 2, 0, 0))
    for one in setting_up.LOGINS:
        logins.add_row(f"[bold]{one.email}[/bold]", setting_up.PASSWORD, one.sees)
    bays = sum(len(spec.bays) for spec in city.STATIONS)
    return Panel(
        Group(
            Text.from_markup(f"[bold green]{place.url}[/bold green]\n"),
            logins,
            Text(
                f"\n{len(city.STATIONS)} stations in Dundee, {bays} bays. One station is offline, a van blocks a bay,\n"
                "a car was left where it charged, one sensor and one charger are broken; guests book and come.\n"
                "Book a bay as the driver: her car comes to it; at Lochee a van is faster.\n"
            ),
            Text(
                f"Ready in {took_s:.1f} s. Logs and journal: {_shortened(place.folder)}",
                style="dim",
            ),
            Text("Ctrl-C ends everything.", style="dim"),
        ),
        title="Baywatt",
        border_style="green",
        expand=False,
    )
