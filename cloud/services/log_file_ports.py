"""What log files need of the outside: where they are listed, and where they lie."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFileView:
    """A log a charger was asked to upload."""

    log_id: int
    """Also the request's number: the job of its upload is called so."""
    charger_id: str
    log: str
    """diagnostics security"""
    asked_at: datetime
    expires_at: datetime
    """Until when it may be uploaded."""
    received_at: datetime | None
    file_name: str
    """As the charger calls it; empty until then, or if it does not say."""
    size_bytes: int


class LogFiles(Protocol):
    """The list of them."""

    def add(
        self, charger_id: str, log: str, secret_hash: str, asked_at: datetime, expires_at: datetime
    ) -> LogFileView:
        """Note a log that was asked for, under a number no other has."""
        ...

    def of_charger(self, charger_id: str, limit: int) -> list[LogFileView]:
        """Return a charger's logs, newest first."""
        ...

    def get(self, log_id: int) -> LogFileView | None:
        """Return one."""
        ...

    def by_secret(self, secret_hash: str) -> LogFileView | None:
        """Return the one that is uploaded under a secret."""
        ...

    def receive(self, log_id: int, file_name: str, size_bytes: int, at: datetime) -> bool:
        """Note that it came; False: it had come before."""
        ...

    def forget(self, before: datetime, limit: int) -> Sequence[int]:
        """Delete those asked for before an instant; returns their numbers."""
        ...


class LogShelf(Protocol):
    """The files."""

    def writing(self, log_id: int) -> AbstractContextManager[BinaryIO]:
        """Write one anew; left by an exception, there is none."""
        ...

    def path(self, log_id: int) -> Path | None:
        """Return where one lies; None: there is none."""
        ...

    def throw_away(self, log_id: int) -> None:
        """Delete one, if it is there."""
        ...
