"""Chargers' logs as files in a folder, one a number; a file is whole or not there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO


class FolderShelf:
    """See LogShelf. Processes that share the folder share the logs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def writing(self, log_id: int) -> Iterator[BinaryIO]:
        """See LogShelf.writing."""
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / f"{log_id}.{token_hex(4)}.part"
        try:
            with part.open("wb") as file:
                yield file
            part.replace(self._place(log_id))
        finally:
            part.unlink(missing_ok=True)

    def path(self, log_id: int) -> Path | None:
        """See LogShelf.path."""
        place = self._place(log_id)
        return place if place.is_file() else None

    def throw_away(self, log_id: int) -> None:
        """See LogShelf.throw_away."""
        self._place(log_id).unlink(missing_ok=True)

    def _place(self, log_id: int) -> Path:
        return self._folder / f"{log_id}.log"
