"""python -m station_agent run | check FILE."""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvloop
from pydantic import ValidationError

from station_agent.logs import configure_logs
from station_agent.settings import Settings
from station_agent.station_file import StationFileWrong, StationLayout, load_station
from station_agent.summary import summary_of
from station_agent.wiring import Agent, SetUpWrong

log = structlog.get_logger()

WRONG_SET_UP = 2
"""The exit status for a station file or setting that a person has to mend."""

_SWITCH_INTERVAL_S = 0.0005
"""The outbox's thread gets the interpreter back this soon; a commit would wait ten times as long."""

app = typer.Typer(add_completion=False, help="Baywatt's on-site agent.", no_args_is_help=True)


@app.command()
def run() -> None:
    """Serve the station that AGENT_STATION_FILE describes, until SIGTERM."""
    settings = _settings()
    configure_logs(settings.log_format, settings.log_level)
    station = _station(settings.station_file)
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    wrong: list[str] = []
    try:
        uvloop.run(_serve(settings, station))
    except* SetUpWrong as group:
        wrong += [str(error) for error in group.exceptions]
    if wrong:
        typer.echo("\n".join(wrong), err=True)
        raise typer.Exit(WRONG_SET_UP)


@app.command()
def check(file: Annotated[Path, typer.Argument(help="The station file.")]) -> None:
    """Say what a station file describes, or all that is wrong with it."""
    typer.echo(summary_of(_station(file)))


async def _serve(settings: Settings, station: StationLayout) -> None:
    task = asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGINT):
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await Agent(settings, station).run()


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
