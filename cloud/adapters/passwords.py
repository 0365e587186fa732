"""Passwords by argon2id: slow on purpose, so only a few at a time and a few in line."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from cloud.domain.errors import Unavailable

AT_ONCE: Final = 2
IN_LINE: Final = 8
"""More than these and the login is refused at once: threads are for everybody's requests."""


class ArgonPasswords:
    """See Passwords."""

    def __init__(self, hasher: Argon2Hasher | None = None) -> None:
        self._hasher = PasswordHash([hasher or Argon2Hasher()])
        self._working = threading.Semaphore(AT_ONCE)
        self._present = threading.Semaphore(AT_ONCE + IN_LINE)

    def hash(self, password: str) -> str:
        """See Passwords.hash."""
        with self._turn():
            return self._hasher.hash(password)

    def is_right(self, password: str, kept: str | None) -> bool:
        """See Passwords.is_right."""
        with self._turn():
            if not kept:
                # as slow as a look at a hash: how long it takes tells nobody who is here
                self._hasher.hash(password)
                return False
            try:
                return self._hasher.verify(password, kept)
            except UnknownHashError:
                return False

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._present.acquire(blocking=False):
            raise Unavailable("passwords", "Too many logins at the moment; please try again.")
        try:
            with self._working:
                yield
        finally:
            self._present.release()
