"""From rows to the objects the use cases know: one column for each field, by the same name."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Row, Table

_T = TypeVar("_T")


class Reader(Generic[_T]):
    """Reads objects of one kind; `convert` says which columns need more than their type does."""

    def __init__(self, table: Table, kind: type[_T], /, **convert: Callable[[Any], Any]) -> None:
        self._kind = kind
        self._names = tuple(one.name for one in fields(kind))  # type: ignore[arg-type]
        self._convert = convert
        self.columns: tuple[ColumnElement[Any], ...] = tuple(table.c[name] for name in self._names)

    def one(self, row: Row[Any] | None) -> _T | None:
        """Return the row's object; None of no row."""
        return None if row is None else self._object(row)

    def all(self, rows: Iterable[Row[Any]]) -> list[_T]:
        """Return the rows' objects."""
        return [self._object(row) for row in rows]

    def _object(self, row: Row[Any]) -> _T:
        values = dict(zip(self._names, row, strict=True))
        for name, convert in self._convert.items():
            values[name] = convert(values[name])
        return self._kind(**values)
