"""Logs chargers upload to us: asked for, received once under a secret address, kept for a while."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from cloud.domain.access import Viewer
from cloud.domain.errors import NotFound
from cloud.services.chargers import seen
from cloud.services.log_file_ports import LogFileView, LogShelf
from cloud.services.ports import Clock, OpenWork
from cloud.services.retrying import retried
from contracts.commands import LogKind

KEEP: Final = timedelta(days=30)
"""Logs may tell of drivers: nobody needs them for longer."""
MAY_TAKE: Final = timedelta(hours=2)
"""From the request to the last byte."""
_LISTED: Final = 100
_MAX_NAME: Final = 255
_FORGET: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFileList:
    """A charger's logs, newest first."""

    logs: list[LogFileView]


@dataclass(frozen=True, slots=True)
class LogFileService:
    """For who looks after chargers; `base_url` is where chargers reach us."""

    open_work: OpenWork
    clock: Clock
    shelf: LogShelf
    base_url: str

    @retried
    def expect(self, viewer: Viewer, charger_id: str, log: LogKind) -> tuple[LogFileView, str]:
        """Make room for a log; returns it, and the address it is to be uploaded to, told only now.

        Raises:
            NotFound: there is no such charger, or it is not the viewer's to see.
        """
        secret, now = secrets.token_urlsafe(24), self.clock.now()
        with self.open_work() as work:
            seen(work, charger_id, viewer)
            made = work.log_files.add(charger_id, log, _hash(secret), now, now + MAY_TAKE)
            work.commit()
        return made, f"{self.base_url.rstrip('/')}/uploads/{secret}"

    def awaited(self, secret: str) -> LogFileView:
        """Return the log that may be uploaded under a secret now.

        Raises:
            NotFound: there is none, it is too late, or it was uploaded before.
        """
        with self.open_work(is_read_only=True) as work:
            found = work.log_files.by_secret(_hash(secret))
        if found is None or found.received_at or found.expires_at <= self.clock.now():
            raise NotFound("upload")
        return found

    @retried
    def received(self, log_id: int, file_name: str, size_bytes: int) -> None:
        """Note that a log lies on the shelf; the first one counts."""
        name = "".join(letter for letter in file_name if letter.isprintable())[:_MAX_NAME]
        with self.open_work() as work:
            work.log_files.receive(log_id, name, size_bytes, self.clock.now())
            work.commit()

    def of_charger(self, viewer: Viewer, charger_id: str) -> LogFileList:
        """Return what was asked for of a charger.

        Raises:
            NotFound: there is no such charger, or it is not the viewer's to see.
        """
        with self.open_work(is_read_only=True) as work:
            seen(work, charger_id, viewer)
            return LogFileList(logs=work.log_files.of_charger(charger_id, _LISTED))

    def content(self, viewer: Viewer, log_id: int) -> tuple[LogFileView, Path]:
        """Return a log that was received, and where it lies.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
        """
        with self.open_work(is_read_only=True) as work:
            found = work.log_files.get(log_id)
            if found is not None:
                seen(work, found.charger_id, viewer)
        path = self.shelf.path(log_id) if found is not None and found.received_at else None
        if found is None or path is None:
            raise NotFound(str(log_id))
        return found, path

    @retried
    def forget(self) -> int:
        """Delete what was kept long enough; returns how many. For the clock."""
        with self.open_work() as work:
            old = work.log_files.forget(self.clock.now() - KEEP, _FORGET)
            work.commit()
        for log_id in old:
            self.shelf.throw_away(log_id)
        return len(old)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
