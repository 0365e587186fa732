"""Column types that mean the same on MySQL/MariaDB and SQLite."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, DateTime, Dialect, Integer, LargeBinary, String, TypeDecorator
from sqlalchemy.dialects import mysql

BigInt = BigInteger().with_variant(Integer, "sqlite")


def Identifier(length: int = 64) -> String:  # noqa: N802 - reads as a type in tables/
    """Return a string compared byte by byte: ids are exact."""
    return String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant with microseconds; naive values are refused, never guessed."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Return microseconds on MySQL too, whose DATETIME drops them by default."""
        if dialect.name in {"mysql", "mariadb"}:
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store as UTC without a zone."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: every instant has a zone here")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Read back as aware UTC."""
        del dialect
        return None if value is None else value.replace(tzinfo=UTC)


class Json(TypeDecorator[Any]):
    """Plain JSON data as bytes: read whole or not at all, never searched by SQL."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Return up to 16 MB on MySQL."""
        if dialect.name in {"mysql", "mariadb"}:
            return dialect.type_descriptor(mysql.MEDIUMBLOB())
        return dialect.type_descriptor(LargeBinary())

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        """Encode."""
        del dialect
        return None if value is None else msgspec.json.encode(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Decode."""
        del dialect
        return None if value is None else msgspec.json.decode(value)
