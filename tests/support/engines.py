"""Engines of the databases tests are lent, each for a moment: quick to start, quick on the disk."""

from typing import Any, Final

from sqlalchemy import Dialect, Engine, event

from cloud.adapters.sql.engine import open_engine

_FIRST: Final[dict[str, Dialect]] = {}
_COMPILED: Final[dict[Any, Any]] = {}


def quick_engine(url: str) -> Engine:
    """Return an engine that does not wait for the disk: no test that uses it cuts the power.

    Statements compiled for one are there for all: most tests would compile the same ones anew.
    """
    engine = open_engine(url, timeout_s=60)
    engine.dialect = _FIRST.setdefault(engine.dialect.name, engine.dialect)
    engine.update_execution_options(compiled_cache=_COMPILED)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _hurry(dbapi_connection: Any, _record: object) -> None:
            dbapi_connection.execute("PRAGMA synchronous = OFF")

    return engine
