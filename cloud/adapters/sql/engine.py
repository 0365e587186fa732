"""Opening the database: MySQL/MariaDB or SQLite, so that a server that hangs fails within 5 s."""

from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

TIMEOUT_S: Final = 2
"""Of connecting and of one statement: the check of an idle connection and a new one make 4 s."""

READ_ONLY: Final = "baywatt_read_only"
"""Execution option: this transaction will not write, and need not wait for those that do."""

_MORE: Final = 2
_MYSQL_SESSION: Final = (
    "SET SESSION time_zone = '+00:00', innodb_lock_wait_timeout = 2, "
    "sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO'"
)
_SQLITE_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 4000",
)

_HERE: Final = {"127.0.0.1", "::1", "localhost"}


def open_engine(url: str, *, pool_size: int = 20, timeout_s: float = TIMEOUT_S) -> Engine:
    """Return an engine for `mysql+pymysql://...` or `sqlite:///path`.

    Args:
        url: as SQLAlchemy writes it; `mysql://` and `mariadb://` mean PyMySQL too.
        pool_size: connections kept once they were needed; two more may be opened for a moment. To
            open and close them in a rush takes longer than what they are opened for.
        timeout_s: the longest a statement may take (migrations need more than requests).
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(url, pool_size)
    if parsed.drivername in {"mysql", "mariadb"}:
        parsed = parsed.set(drivername="mysql+pymysql")
    return create_engine(
        parsed,
        isolation_level="READ COMMITTED",
        pool_size=pool_size,
        max_overflow=_MORE,
        pool_timeout=timeout_s,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={
            "charset": "utf8mb4",
            "connect_timeout": max(1, round(timeout_s)),
            "read_timeout": timeout_s,
            "write_timeout": timeout_s,
            "init_command": _MYSQL_SESSION,
            # what stays on this machine needs no TLS; PyMySQL prepares for it at each connection
            "ssl_disabled": parsed.host in _HERE and not any("ssl" in one for one in parsed.query),
        },
    )


def _open_sqlite(url: str, pool_size: int) -> Engine:
    engine = create_engine(
        url, pool_size=pool_size, max_overflow=_MORE, connect_args={"check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _prepare(dbapi_connection: Any, _record: object) -> None:
        dbapi_connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in _SQLITE_PRAGMAS:
            dbapi_connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        is_read_only = connection.get_execution_options().get(READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if is_read_only else "BEGIN IMMEDIATE")

    return engine
