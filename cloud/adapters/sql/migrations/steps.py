"""Steps of a migration that may be repeated: MySQL commits each DDL statement by itself (F19)."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

_TABLE_OPTIONS: Final[dict[str, Any]] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",  # names of sensors and tokens are exact
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}


def create_table(name: str, *parts: Any, **options: Any) -> None:
    """Create a table, unless it is there."""
    if not _inspector().has_table(name):
        op.create_table(name, *parts, **_TABLE_OPTIONS, **options)


def create_index(name: str, table: str, columns: list[str], *, unique: bool = False) -> None:
    """Create an index, unless it is there."""
    if name not in {index["name"] for index in _inspector().get_indexes(table)}:
        op.create_index(name, table, columns, unique=unique)


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add a column, unless it is there; give NOT NULL ones a server default (N-1)."""
    if column.name not in {known["name"] for known in _inspector().get_columns(table)}:
        op.add_column(table, column)


def _inspector() -> sa.Inspector:
    return sa.inspect(op.get_bind())
