"""The database: one schema on both, busy and broken ones told apart, nobody waits for ever."""

import signal
import subprocess
import sys
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from cloud.adapters.sql import tables
from cloud.adapters.sql.engine import TIMEOUT_S, open_engine
from cloud.adapters.sql.migrate import is_current, migrate
from cloud.adapters.sql.unit_of_work import work_opener
from cloud.services.ports import DatabaseAway, TransactionLost, Unstorable
from cloud.services.retrying import retried
from tests.support.mariadb import MariaDb
from tests.support.processes import ROOT


@pytest.fixture
def engine(database_url):
    made = open_engine(database_url, timeout_s=60)
    yield made
    made.dispose()


def test_the_migrations_make_the_schema_of_the_tables(engine):
    with engine.connect() as connection:
        # MySQL reads FLOAT(53) back as DOUBLE, and the like: columns and keys are compared
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differences = compare_metadata(context, tables.metadata)

        assert [one for one in differences if "alembic_version" not in str(one)] == []
        assert is_current(connection)


def test_migrating_again_changes_nothing(engine):
    migrate(engine)

    with engine.connect() as connection:
        assert is_current(connection)


@pytest.mark.parametrize("statements", [1, 7, 20])
def test_a_migration_interrupted_anywhere_succeeds_when_run_again(empty_database_url, statements):
    """FAULTS F19: MySQL commits each DDL statement by itself."""
    engine = open_engine(empty_database_url, timeout_s=60)
    script = (
        "import os, sys\n"
        "from sqlalchemy import event\n"
        "from cloud.adapters.sql.engine import open_engine\n"
        "from cloud.adapters.sql.migrate import migrate\n"
        "engine, left = open_engine(sys.argv[1]), [int(sys.argv[2])]\n"
        "@event.listens_for(engine, 'after_cursor_execute')\n"
        "def count(conn, cursor, statement, *rest):\n"
        "    left[0] -= statement.lstrip().startswith('CREATE')\n"
        "    if not left[0]:\n"
        "        os.kill(os.getpid(), 9)\n"
        "migrate(engine)\n"
    )
    command = [sys.executable, "-c", script, empty_database_url, str(statements)]
    killed = subprocess.run(command, cwd=ROOT, check=False, timeout=60)
    with engine.connect() as connection:
        was_current = is_current(connection)
    migrate(engine)

    with engine.connect() as connection:
        assert killed.returncode == -signal.SIGKILL
        assert not was_current
        assert is_current(connection)
        assert set(tables.metadata.tables) <= set(inspect(connection).get_table_names())
    engine.dispose()


@pytest.mark.real
def test_of_several_that_migrate_at_once_one_does_and_the_others_wait(databases):
    url = databases.mariadb(is_migrated=False)
    engines = [open_engine(url, timeout_s=60) for _ in range(3)]
    errors = []

    def run(engine):
        try:
            migrate(engine)
        except Exception as error:  # noqa: BLE001 - any is a failure of the test
            errors.append(error)

    threads = [threading.Thread(target=run, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert errors == []
    for engine in engines:
        engine.dispose()


def test_leaving_without_commit_undoes_everything(engine):
    open_work = work_opener(engine)
    with open_work() as work:
        work.connection.execute(text("DELETE FROM alembic_version"))

    with engine.connect() as connection:
        assert is_current(connection)


def test_a_unit_of_work_is_used_inside_with(engine):
    with pytest.raises(RuntimeError):
        _ = work_opener(engine)().connection


def test_what_no_column_takes_is_unstorable(engine):
    with pytest.raises(Unstorable), work_opener(engine)() as work:
        work.connection.execute(
            text(
                "INSERT INTO alert_log (alert_id, version, at, actor, what, note) "
                "VALUES ('none', 1, '2026-01-01', '', 'x', '')"
            )
        )


def test_a_sqlite_that_is_busy_loses_the_transaction_and_readers_do_not_wait(databases):
    engine = open_engine(databases.sqlite())
    open_work = work_opener(engine)
    with open_work() as first:
        first.connection.execute(text("DELETE FROM messages"))
        with open_work(is_read_only=True) as reader:
            assert reader.messages.page(5) == []
        with engine.connect() as other:
            other.connection.dbapi_connection.execute("PRAGMA busy_timeout = 1")
        with pytest.raises(TransactionLost), open_work() as second:
            second.connection.execute(text("DELETE FROM messages"))

    engine.dispose()


def test_migrations_are_named_by_their_revisions_and_the_last_is_the_head():
    config = Config()
    folder = ROOT / "cloud/adapters/sql/migrations"
    config.set_main_option("script_location", str(folder))
    scripts = ScriptDirectory.from_config(config)
    revisions = [one.revision for one in scripts.walk_revisions()]

    assert sorted(revisions) == sorted(one.name[1:5] for one in folder.glob("versions/v*.py"))
    assert max(revisions) == scripts.get_current_head()


@pytest.fixture
def own_server():
    server = MariaDb().start()
    yield server
    server.remove()


@pytest.mark.real
def test_a_server_that_hangs_fails_within_five_seconds_and_works_again_after(own_server):
    """FAULTS F11."""
    url = own_server.url(own_server.new_database())
    engine = open_engine(url)
    migrate(open_engine(url, timeout_s=60))
    open_work = work_opener(engine)
    with open_work(is_read_only=True) as work:
        work.messages.page(1)
    own_server.program.freeze()
    try:
        # it hangs until this is over: that it ends at all is the timeout's doing
        with pytest.raises((DatabaseAway, TransactionLost)):
            _read(open_work)
    finally:
        own_server.program.thaw()

    assert 2 * TIMEOUT_S < 5
    assert _read(open_work) == []
    engine.dispose()


@pytest.mark.real
def test_a_server_killed_and_started_again_serves_the_next_transaction(own_server):
    """FAULTS F10: the pool holds dead connections."""
    url = own_server.url(own_server.new_database())
    migrate(open_engine(url, timeout_s=60))
    engine = open_engine(url)
    open_work = work_opener(engine)
    assert _read(open_work) == []
    own_server.kill()
    with pytest.raises((DatabaseAway, TransactionLost)):
        _read(open_work)
    own_server.start()

    assert _read(open_work) == []
    engine.dispose()


@retried
def _read(open_work):
    with open_work(is_read_only=True) as work:
        return work.messages.page(1)


def test_a_use_case_that_loses_is_tried_again_but_not_for_ever():
    tries = []

    @retried
    def unlucky():
        tries.append(1)
        raise TransactionLost("again")

    @retried
    def lucky():
        tries.append(1)
        if len(tries) < 3:
            raise TransactionLost("again")
        return "done"

    with pytest.raises(TransactionLost):
        unlucky()
    assert len(tries) == 6
    tries.clear()
    assert lucky() == "done"
