"""Bringing a database to the newest schema; may be interrupted anywhere and run again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_HEAD: Final = max(path.name[1:5] for path in _MIGRATIONS.glob("versions/v[0-9]*.py"))
"""The newest revision: files are named by theirs."""
_LOCK: Final = "baywatt_migrate"
_LOCK_WAIT_S: Final = 60


class MigrationBusy(RuntimeError):
    """Another process has been migrating for longer than we wait."""


def migrate(engine: Engine) -> None:
    """Run what is missing; of several processes at once one does, the others wait for it.

    Args:
        engine: opened with time for DDL (`open_engine(url, timeout_s=60)`).
    """
    with engine.connect() as connection:
        if is_current(connection):
            return
    # a tenth of the time a process takes to start, which those that find nothing to do can do without
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.connect() as connection, _alone(connection):
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def is_current(connection: Connection) -> bool:
    """Whether the schema is the newest this program knows."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == _HEAD


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    if connection.dialect.name == "sqlite":
        yield  # BEGIN IMMEDIATE already lets one in at a time
        return
    asked = text("SELECT GET_LOCK(:name, :wait_s)")
    if connection.execute(asked, {"name": _LOCK, "wait_s": _LOCK_WAIT_S}).scalar() != 1:
        raise MigrationBusy("another process is migrating this database")
    try:
        yield
    finally:
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": _LOCK})
