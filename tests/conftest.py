"""Fixtures every test may ask for. Servers start when first asked for, one of each per worker."""

import gc
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tests.support import processes
from tests.support.brokers import Broker
from tests.support.mariadb import MariaDb
from tests.support.mosquitto import Mosquitto
from tests.support.processes import our_program

# What is collected stays until the end: to look through it for garbage again and again costs minutes.
gc.disable()

# property tests have no deadline, for the machine may be busy with other tests
settings.register_profile("baywatt", deadline=None)
settings.load_profile("baywatt")


def pytest_collection_finish() -> None:
    """Leave the collected tests out of all collections of garbage from now on."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Write exceptions as Python does: drawn with all their values they take seconds each."""
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.stdlib.add_log_level, plain])


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    """A private MariaDB; take a database of it by `database_url` or `new_database`."""
    server = MariaDb().start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def open_mosquitto() -> Iterator[Mosquitto]:
    """A private Mosquitto anybody may use; choose topics nobody else in your tests uses."""
    broker = Mosquitto().start()
    yield broker
    broker.remove()


@pytest.fixture(params=["aedes", "mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A fresh broker with users and our ACL: the test runs on both (mark it `real`)."""
    made = Broker(request.param, tmp_path / "broker").start()
    yield made
    made.stop()


class Databases:
    """Gives out fresh databases, empty or migrated; migrates once and copies from then on."""

    def __init__(self, folder: Path, request: pytest.FixtureRequest) -> None:
        self._folder = folder
        self._request = request
        self._made: list[str] = []
        self._templates: dict[str, str] = {}
        self._spare: list[str] = []

    def sqlite(self, *, is_migrated: bool = True) -> str:
        """Return the address of a new SQLite file."""
        target = self._folder / f"{len(self._made)}.db"
        self._made.append("")
        if is_migrated:
            shutil.copyfile(self._template("sqlite"), target)
        return f"sqlite:///{target}"

    def mariadb(self, *, is_migrated: bool = True) -> str:
        """Return the address of a new database on the worker's MariaDB."""
        server = self._server()
        name = server.new_database(like=self._template("mariadb") if is_migrated else None)
        self._made.append(name)
        return server.url(name)

    @contextmanager
    def lent(self, kind: str) -> Iterator[str]:
        """Lend the address of a fresh migrated database; what was lent before is renewed for it."""
        if kind == "sqlite":
            yield self.sqlite()
            return
        name = (
            self._spare.pop()
            if self._spare
            else self._server().new_database(like=self._template("mariadb"))
        )
        yield self._server().url(name)
        self._server().renew_database(name, like=self._template("mariadb"))
        self._spare.append(name)

    def _server(self) -> MariaDb:
        return self._request.getfixturevalue("mariadb")

    def _template(self, kind: str) -> str:
        if kind not in self._templates:
            make = {"sqlite": self._migrated_file, "mariadb": self._migrated_database}
            self._templates[kind] = make[kind]()
        return self._templates[kind]

    def _migrated_file(self) -> str:
        path = self._folder / "template.db"
        _migrate(f"sqlite:///{path}")
        return str(path)

    def _migrated_database(self) -> str:
        name = self._server().new_database()
        _migrate(self._server().url(name))
        return name


def _migrate(url: str) -> None:
    with our_program("cloud", "migrate", env={"CLOUD_DATABASE_URL": url}) as program:
        program.start()
        code = program.wait_for_end(within_s=60)
        assert code == 0, program.log_tail()


@pytest.fixture(scope="session")
def databases(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Databases:
    """Fresh databases for tests which need several, or choose the kind themselves."""
    # those on the server go with the server, which may be gone before this fixture is
    return Databases(tmp_path_factory.mktemp("databases"), request)


DATABASES = ["sqlite", pytest.param("mariadb", marks=pytest.mark.real)]


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, databases: Databases) -> Iterator[str]:
    """A fresh migrated database: the test runs on SQLite and on MariaDB."""
    with databases.lent(request.param) as url:
        yield url


@pytest.fixture(params=DATABASES)
def empty_database_url(request: pytest.FixtureRequest, databases: Databases) -> str:
    """A fresh database without tables, for tests of the migrations themselves."""
    return getattr(databases, request.param)(is_migrated=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Show what the programs wrote when a test fails."""
    report = yield
    if report.failed and item.get_closest_marker("real"):
        for program in processes.started:
            if program.exit_code is None or program in _of_this_test(item):
                report.sections.append((f"log of {program.name}", program.log_tail()))
    return report


def _of_this_test(item: pytest.Item) -> list[processes.Program]:
    return processes.started[getattr(item, "first_program", 0) :]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Remember which programs are this test's own."""
    item.first_program = len(processes.started)


def pytest_sessionfinish() -> None:
    """End what tests left running."""
    for program in processes.started:
        program.stop()
