"""python -m station_agent run | check FILE | chargers FOLDER."""

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Protocol

import structlog
import typer
import uvloop
from pydantic import ValidationError

from station_agent.agent import Agent
from station_agent.handover import Channel, OtherEndGone
from station_agent.logs import configure_logs
from station_agent.settings import Settings
from station_agent.side_by_side import SideBySide
from station_agent.station_file import StationFileWrong, StationLayout, load_station
from station_agent.stations_folder import Part, entries_of, problems_of
from station_agent.summary import headline_of, summary_of
from station_agent.wiring import SetUpWrong

log = structlog.get_logger()

WRONG_SET_UP = 2
"""The exit status for a station file or setting that a person has to mend."""

_SWITCH_INTERVAL_S = 0.0005
"""The outbox's thread gets the interpreter back this soon; a commit would wait ten times as long."""


class Runs(Protocol):
    """What this process is."""

    async def run(self) -> None:
        """Run until cancelled."""
        ...


app = typer.Typer(add_completion=False, help="Baywatt's on-site agent.", no_args_is_help=True)


@app.command()
def run() -> None:
    """Serve the station of AGENT_STATION_FILE, or those of AGENT_STATIONS_DIR, until SIGTERM."""
    settings = _settings()
    station = None
    if settings.stations_dir is None:
        station = _station(settings.station_file)
    if settings.processes > 1:
        _run_until_told(settings, lambda: SideBySide(settings))
    else:
        _run_until_told(settings, lambda: Agent(settings, station))


@app.command(hidden=True)
def part(number: Annotated[int, typer.Option()], channel: Annotated[int, typer.Option()]) -> None:
    """Serve one part of the stations, for a process that accepts their chargers' connections."""
    settings = _settings()
    mine = Part(number, settings.processes)
    sock = socket.socket(fileno=channel)
    _run_until_told(settings, lambda: Agent(settings, None, mine, Channel(sock)))


@app.command()
def check(file: Annotated[Path, typer.Argument(help="The station file, or a folder.")]) -> None:
    """Say what a station file describes, or all that is wrong with it; the same of a folder of them."""
    if not file.is_dir():
        typer.echo(summary_of(_station(file)))
        return
    if problems := problems_of(file):
        typer.echo("\n".join(problems), err=True)
        raise typer.Exit(WRONG_SET_UP)
    for entry in entries_of(file).values():
        typer.echo(headline_of(_station(entry.file)))


@app.command()
def chargers(
    folder: Annotated[Path, typer.Argument(help="As AGENT_STATIONS_DIR.")],
    host: Annotated[str, typer.Option(help="What to write behind each; else its station.")] = "",
) -> None:
    """Write each charger of a folder of station files in a line: the map a balancer goes by."""
    for entry in entries_of(folder).values():
        for charger_id in _station(entry.file).chargers:
            typer.echo(f"{charger_id} {host or entry.station_id}")


def _run_until_told(settings: Settings, make: Callable[[], Runs]) -> None:
    # what is loaded now stays: collections of garbage need not look through it again and again
    gc.freeze()
    configure_logs(settings.log_format, settings.log_level)
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    wrong: list[str] = []
    try:
        uvloop.run(_serve(make))
    except* SetUpWrong as group:
        wrong += _texts(group)
    except* OtherEndGone:
        log.warning("agent.front_gone")
    if wrong:
        typer.echo("\n".join(wrong), err=True)
        raise typer.Exit(WRONG_SET_UP)


async def _serve(make: Callable[[], Runs]) -> None:
    task = asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGINT):
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await make().run()


def _texts(error: BaseException) -> list[str]:
    if isinstance(error, BaseExceptionGroup):
        return [text for one in error.exceptions for text in _texts(one)]
    return [str(error)]


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        for one in error.errors():
            name = "_".join(str(part) for part in one["loc"]).upper()
            typer.echo(f"AGENT_{name}: {one['msg']}", err=True)
        raise typer.Exit(WRONG_SET_UP) from None


def _station(file: Path) -> StationLayout:
    try:
        return load_station(file)
    except StationFileWrong as error:
        typer.echo(str(error), err=True)
    except OSError as error:
        typer.echo(f"{file}: {error.strerror}", err=True)
    raise typer.Exit(WRONG_SET_UP)


if __name__ == "__main__":
    app()
