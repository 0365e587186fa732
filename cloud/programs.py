"""The cloud's programs: what `python -m cloud` can do, and how each is run and ended."""

import contextlib
import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import structlog
import typer
from pydantic import ValidationError

from cloud.adapters.mqtt import BrokerAddress, MqttBroker
from cloud.domain.access import Role
from cloud.domain.errors import AlreadyExists, Refused
from cloud.embedded.broker import BrokerUnavailable
from cloud.logs import configure_logs
from cloud.services.accounts import NewUser
from cloud.services.ledger import LedgerService
from cloud.services.ports import DatabaseAway, TransactionLost
from cloud.settings import Settings
from cloud.wiring import BrokerFiles, House, embedded_broker
from cloud.workers.loop import Loop

log = structlog.get_logger(__name__)

WRONG_SET_UP: Final = 2
"""The exit status for a setting, or a surrounding, that a person has to mend."""

_STOP_WITHIN_S: Final = 5.0
_WATCH_EVERY_S: Final = 2.0

app = typer.Typer(
    add_completion=False,
    help="Baywatt's cloud.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.command()
def serve() -> None:
    """Run all of it in one process; without settings with SQLite and a broker of its own."""
    house = _house()
    house.migrate()
    with contextlib.ExitStack() as stack:
        address, on_users = _broker_of(house, stack)
        hear = house.hear_events() | house.hear_changes()
        broker = house.connect(address, "serve", hear=hear, on_connected=house.broker_connected)
        loops = [*house.ingest_loops(), *house.clock_loops(), *house.courier_loops()]
        stack.enter_context(_running(broker, loops))
        _serve_http(house, on_users)


@app.command()
def web() -> None:
    """Serve the API and the pages."""
    house = _house()
    hear, connected = house.hear_changes(), house.hub.lost_track
    broker = house.connect(_address(house), "web", hear=hear, on_connected=connected)
    with _running(broker, []):
        _serve_http(house)


@app.command()
def ingest() -> None:
    """Apply what stations tell; as many of these as it takes."""
    house = _house()
    broker = house.connect(_address(house), "ingest", hear=house.hear_events())
    _run_until_told(broker, house.ingest_loops())


@app.command()
def clock() -> None:
    """Do what is due, and publish what a crash kept back."""
    house = _house()
    connected = house.clock_worker.broker_connected
    broker = house.connect(_address(house), "clock", hear={}, on_connected=connected)
    _run_until_told(broker, house.clock_loops())


@app.command()
def courier() -> None:
    """Send messages and telemetry, and have payments carried out."""
    house = _house()
    # what follows from a payment is told to who watches
    broker = house.connect(_address(house), "courier", hear={})
    _run_until_told(broker, house.courier_loops())


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema; may be interrupted, and run again."""
    _house().migrate()


@app.command()
def check_ledger() -> None:
    """See whether the books hold: nothing altered, taken out or put between, every sum zero."""
    broken = LedgerService(_house().open_work).broken()
    for one in broken:
        typer.echo(f"{one.book or 'all books'} {one.seq}: {one.why}", err=True)
    if broken:
        raise typer.Exit(1)
    typer.echo("the ledger holds")


@app.command()
def create_user(
    email: Annotated[str, typer.Option(help="Their address, by which they log in.")],
    role: Annotated[Role, typer.Option(help="What they are here for.")] = Role.DRIVER,
    name: Annotated[str, typer.Option(help="How they are called.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Leave a user who is there as they are.")
    ] = False,
) -> None:
    """Make a user, with the database brought to the newest schema first."""
    house = _house()
    house.migrate()
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    try:
        made = house.accounts.create(NewUser(email=email, name=name, role=role, password=password))
    except AlreadyExists:
        if not if_missing:
            typer.echo(f"{email} is there already", err=True)
            raise typer.Exit(1) from None
    except Refused as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(WRONG_SET_UP) from None
    else:
        typer.echo(made.user_id)


@app.command()
def broker_files(
    out: Annotated[Path, typer.Option(help="The folder for `passwords` and `acl`.")],
    watch: Annotated[
        bool, typer.Option("--watch", help="Write them again whenever they change.")
    ] = False,
) -> None:
    """Write the users' files of a Mosquitto; CLOUD_BROKER_URL says the cloud's own password."""
    house = _house()
    files = BrokerFiles(house, out, _address(house).password)
    if not watch:
        files.write()
        return

    def step() -> bool:
        if files.write():
            log.info("broker_files.written", folder=str(out))
        return False

    _run_until_told(None, [Loop("broker files", step, _WATCH_EVERY_S)])


def _broker_of(
    house: House, stack: contextlib.ExitStack
) -> tuple[BrokerAddress, Callable[[], None]]:
    """Return the broker's address, and what to do when its users change; starts an embedded one."""
    if house.settings.broker_url:
        return _address(house), lambda: None
    try:
        broker, address, files = embedded_broker(house)
        stack.enter_context(broker)
    except BrokerUnavailable as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(WRONG_SET_UP) from None

    def on_users() -> None:
        try:
            if files.write():
                broker.reload()
        except (DatabaseAway, TransactionLost) as error:
            log.warning("broker_files.not_written", error=str(error))

    return address, on_users


def _serve_http(house: House, on_users: Callable[[], None] = lambda: None) -> None:
    # ours until uvicorn takes the signals over, and again after it: it raises them once more
    told = threading.Event()
    with _signals(told.set):
        # three of the four processes do without: they start in two thirds of the time
        from cloud.wiring.api import server_of  # noqa: PLC0415

        server = server_of(house, on_users)
        if told.is_set():
            return
        try:
            server.run()
        except SystemExit:  # how uvicorn says that it cannot listen
            where = f"{house.settings.http_host}:{house.settings.http_port}"
            typer.echo(f"cannot serve on {where}; choose another port (CLOUD_HTTP_PORT)", err=True)
            raise typer.Exit(WRONG_SET_UP) from None


def _run_until_told(broker: MqttBroker | None, loops: Sequence[Loop]) -> None:
    told = threading.Event()
    with _signals(told.set), _running(broker, loops):
        told.wait()


@contextlib.contextmanager
def _running(broker: MqttBroker | None, loops: Sequence[Loop]) -> Iterator[None]:
    """Run the broker's connection and the loops; at the end all stop within seconds."""
    for loop in loops:
        loop.start()
    if broker is not None:
        broker.start()
    try:
        yield
    finally:
        for loop in loops:
            loop.stop()
        for loop in loops:
            if not loop.join(_STOP_WITHIN_S):
                log.warning("worker.still_busy", worker=loop.name)
        if broker is not None:
            broker.stop()


@contextlib.contextmanager
def _signals(on_signal: Callable[[], None]) -> Iterator[None]:
    def handle(number: int, frame: FrameType | None) -> None:
        del number, frame
        on_signal()

    before = {one: signal.signal(one, handle) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _address(house: House) -> BrokerAddress:
    try:
        return house.broker_address
    except ValueError as error:
        typer.echo(f"CLOUD_BROKER_URL: {error}", err=True)
        raise typer.Exit(WRONG_SET_UP) from None


def _house() -> House:
    try:
        settings = Settings()
    except ValidationError as error:
        for one in error.errors():
            name = "_".join(str(part) for part in one["loc"]).upper()
            typer.echo(f"CLOUD_{name}: {one['msg']}", err=True)
        raise typer.Exit(WRONG_SET_UP) from None
    configure_logs(settings.log_format, settings.log_level)
    # what is loaded now stays: collections of garbage need not look through it again and again
    gc.freeze()
    gc.enable()
    return House(settings)
