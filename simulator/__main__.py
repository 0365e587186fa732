"""`python -m simulator list | run | load | demo | station | settle | distil`."""

import asyncio
import contextlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
import typer
import uvloop
from rich.console import Console
from rich.table import Table

from contracts.clock import Clock, FastClock, clock_from
from simulator import distil as distilling
from simulator import load as loading
from simulator import story
from simulator.chargers.lean import DEFAULT_VERSION, VERSIONS
from simulator.chargers.quirks import Quirk
from simulator.chargers.quirks import quirk as find_quirk
from simulator.demo import settling
from simulator.demo.api import Api
from simulator.journal import FileJournal, MemoryJournal
from simulator.scenarios import SCENARIOS, scenario
from simulator.scenarios.scenario import Scenario
from simulator.scenarios.stations import GUESTS, TOKENS
from simulator.site import station_file

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="A seeded world of chargers, cars, drivers and bay sensors.",
)

_PROFILE = Path(__file__).with_name("profile.json")
Keys = Annotated[Path | None, typer.Option(help="JSON file: charger id to key.")]


@app.command(name="list")
def list_scenarios() -> None:
    """List the scenarios."""
    table = Table("scenario", "minutes", "what happens")
    for one in SCENARIOS:
        table.add_row(one.name, f"{one.duration_s / 60:g}", one.about)
    Console().print(table)


@app.command()
def run(
    name: Annotated[str, typer.Argument(metavar="SCENARIO")],
    *,
    agent: Annotated[str, typer.Option(help="Where chargers dial: ws://host:port")],
    broker: Annotated[str, typer.Option(help="Where sensors speak: mqtt://...")] = "",
    cloud: Annotated[str, typer.Option(help="Where guests book: http://host:port")] = "",
    journal: Annotated[Path | None, typer.Option(help="Where the truth is written.")] = None,
    keys: Keys = None,
    key: Annotated[str, typer.Option(help="Key of every charger not in --keys.")] = "",
    token: Annotated[list[str] | None, typer.Option(help="What drivers show; repeat.")] = None,
    sessions: Annotated[
        list[Path] | None, typer.Option(help="Raw session file (csv.gz) to draw from; repeat.")
    ] = None,
    quirk: Annotated[
        list[str] | None, typer.Option(help="What all chargers do wrong; repeat.")
    ] = None,
    seed: Annotated[int, typer.Option()] = 1,
    speed: Annotated[float, typer.Option(min=0.1, help="World seconds a second.")] = 1,
    clock: Annotated[str, typer.Option(help="As AGENT_CLOCK; instead of --speed.")] = "system",
    forever: Annotated[bool, typer.Option(help="Begin again when the story is over.")] = False,
) -> None:
    """Play a scenario against an agent and a broker."""
    told = _scenario(name)
    cast = story.Cast(
        agent_url=agent,
        broker_url=broker,
        keys=_keys(keys, told, key),
        tokens=token or TOKENS,
        cloud_url=cloud,
        quirks=tuple(_quirk(one) for one in quirk or ()),
        session_files=sessions or [],
        clock=_clock(clock, speed),
        seed=seed,
    )
    kept = FileJournal(journal) if journal else MemoryJournal(limit=1_000)
    with _runner() as runner, contextlib.suppress(KeyboardInterrupt):
        while True:
            outcome = runner.run(story.play(told, cast, kept))
            if not forever:
                raise typer.Exit(_say(outcome))


@app.command()
def load(
    *,
    url: Annotated[str, typer.Option(help="Where chargers dial: ws://host:port")],
    chargers: Annotated[int, typer.Option(min=1)] = 100,
    rate: Annotated[float, typer.Option(min=0.1, help="Messages a second, all together.")] = 100,
    seconds: Annotated[float, typer.Option(min=0)] = 30,
    version: Annotated[str, typer.Option(help=" or ".join(VERSIONS))] = DEFAULT_VERSION,
    prefix: Annotated[str, typer.Option(help="Charger ids: prefix and five digits.")] = "LOAD-",
    token: Annotated[str, typer.Option(help="What is shown to begin sessions.")] = TOKENS[0],
    keys: Keys = None,
    key: Annotated[str, typer.Option(help="Key of every charger not in --keys.")] = "",
) -> None:
    """Connect many chargers and send meter values at a rate; a live table tells how it goes."""
    if version not in VERSIONS:
        raise typer.BadParameter(f"there are: {', '.join(VERSIONS)}", param_hint="--version")
    asked = loading.Load(url, chargers, rate, seconds, version, prefix, token)
    known = json.loads(keys.read_text()) if keys else {}
    with _runner() as runner, contextlib.suppress(KeyboardInterrupt):
        tally = runner.run(
            loading.run_with_table(asked, lambda charger_id: known.get(charger_id, key))
        )
        if tally.lost or tally.errors or tally.refused:
            raise typer.Exit(1)


@app.command()
def station(
    name: Annotated[str, typer.Argument(metavar="SCENARIO|load")],
    sensor_broker: Annotated[str, typer.Option(help="mqtt://... for the file")] = "",
    chargers: Annotated[int, typer.Option(min=1, help="Of `load`: how many.")] = 100,
    prefix: Annotated[str, typer.Option(help="Of `load`: as there.")] = "LOAD-",
) -> None:
    """Print the station file an agent needs to serve a scenario's station, or a load."""
    if name == "load":
        spec = loading.Load("", chargers, 1, 1, prefix=prefix).station
    else:
        spec = _scenario(name).station
    typer.echo(station_file(spec, sensor_broker), nl=False)


@app.command()
def settle(
    name: Annotated[str, typer.Argument(metavar="SCENARIO")],
    *,
    cloud: Annotated[str, typer.Option(help="The cloud's address: http://host:port")],
    email: Annotated[str, typer.Option(help="An administrator of the cloud.")],
    out: Annotated[Path, typer.Option(help="Folder for station file and keys.")],
) -> None:
    """Set a scenario's station up in a running cloud; the password is read from standard input."""
    where = urlsplit(cloud)
    with Api(where.hostname or "", where.port or 80) as api:
        api.log_in(email, sys.stdin.readline().rstrip("\n"))
        is_new = settling.settle(api, _scenario(name).station, TOKENS, out, GUESTS)
    typer.echo(f"{'set up in' if is_new else 'was set up before in'} {out}")


@app.command()
def distil(
    folder: Annotated[Path, typer.Argument(help="Folder of the raw session files.")],
    out: Annotated[Path, typer.Option()] = _PROFILE,
) -> None:
    """Make the arrival profile anew from raw session files."""
    data: Any = distilling.distil(folder)
    out.write_bytes(msgspec.json.format(msgspec.json.encode(data), indent=1) + b"\n")


@app.command()
def demo() -> None:
    """Run the whole system here, with a busy city, until Ctrl-C."""
    from simulator.demo import main  # noqa: PLC0415 - what only the demonstration needs

    raise typer.Exit(main.run())


def _scenario(name: str) -> Scenario:
    found = scenario(name)
    if found is None:
        known = ", ".join(one.name for one in SCENARIOS)
        raise typer.BadParameter(f"no scenario {name!r}; there are: {known}")
    return found


def _say(outcome: story.Outcome) -> int:
    """Say how a story ended; return the exit code."""
    kept, failed = outcome.backlog, outcome.refusals
    Console().print(f"{kept} messages were never acknowledged, {failed} handshakes failed")
    return 1 if kept else 0


def _quirk(name: str) -> Quirk:
    try:
        return find_quirk(name)
    except KeyError as error:
        raise typer.BadParameter(str(error.args[0])) from None


def _keys(file: Path | None, told: Scenario, key: str) -> dict[str, str]:
    known = json.loads(file.read_text()) if file else {}
    return {one.charger_id: key for one in told.station.chargers} | known


def _clock(spec: str, speed: float) -> Clock:
    if spec != "system" or speed == 1:
        return clock_from(spec)
    origin = datetime.now(UTC)
    text = origin.isoformat().replace("+00:00", "Z")
    Console(stderr=True).print(f"clock for the other side: fast:{speed:g}:{text}")
    return FastClock(speed, origin)


def _runner() -> asyncio.Runner:
    """Return a runner of the fast event loop."""
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


if __name__ == "__main__":
    app()
