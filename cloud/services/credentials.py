"""Logging in and out: browser sessions and bearer tokens, opaque secrets both."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from cloud.domain.errors import NotValid, WrongLogin
from cloud.services.accounts import compared
from cloud.services.admin_ports import (
    Account,
    Credential,
    CredentialKind,
    Login,
    Passwords,
    Throttle,
)
from cloud.services.ports import Clock, OpenWork
from cloud.services.retrying import retried

BROWSER_FOR: Final = timedelta(days=14)
BEARER_FOR: Final = timedelta(days=30)
LONGEST: Final = timedelta(days=366)

_SECRET_BYTES: Final = 32
_PREFIX: Final = "bwt_"
"""So that a secret that got into a file or a log is known for what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Somebody who wants in."""

    email: str
    password: str
    origin: str
    """The network address they come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A new credential; the secret is told now and never again."""

    secret: str
    login: Login
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class CredentialService:
    """Who is who."""

    open_work: OpenWork
    passwords: Passwords
    throttle: Throttle
    clock: Clock

    def log_in(
        self,
        attempt: Attempt,
        kind: CredentialKind,
        *,
        label: str = "",
        lasts: timedelta | None = None,
    ) -> Issued:
        """Issue a credential.

        Raises:
            WrongLogin: whatever is wrong: the address, the password, or the account is inactive.
            TooManyAttempts: throttled, right or not.
            Unavailable: too many log in at the moment.
        """
        email = compared(attempt.email)
        self.throttle.attempt(email, attempt.origin)
        with self.open_work(is_read_only=True) as work:
            account = work.accounts.by_email(email)
        # outside the transaction: this takes a tenth of a second
        kept = account.password_hash if account is not None else None
        is_right = self.passwords.is_right(attempt.password, kept)
        if account is None or not is_right or not account.is_active:
            raise WrongLogin
        self.throttle.succeeded(email, attempt.origin)
        return self._issue(account, kind, label, lasts or _usual(kind))

    @retried
    def _issue(
        self, account: Account, kind: CredentialKind, label: str, lasts: timedelta
    ) -> Issued:
        if not timedelta(minutes=1) <= lasts <= LONGEST:
            raise NotValid("ttl_s", "A login lasts from a minute to 366 days.")
        secret = _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        now = self.clock.now()
        credential = Credential(
            credential_id=uuid4().hex,
            user_id=account.user_id,
            kind=kind,
            secret_hash=_hash(secret),
            label=label,
            created_at=now,
            expires_at=now + lasts,
        )
        with self.open_work() as work:
            work.credentials.add(credential)
            login = work.credentials.login_by_secret(credential.secret_hash, now)
            # deactivated, or given another password, between the check and now
            now_kept = work.accounts.by_id(account.user_id)
            if login is None or now_kept is None or not _is_same(now_kept, account):
                raise WrongLogin
            work.commit()
        return Issued(secret=secret, login=login, issued_at=now)

    def resolve(self, secret: str) -> Login | None:
        """Return whose secret this is; None if it is nobody's, expired or revoked."""
        if not secret.startswith(_PREFIX) or not secret.isascii():
            return None
        with self.open_work(is_read_only=True) as work:
            return work.credentials.login_by_secret(_hash(secret), self.clock.now())

    def still_logged_in(self, credential_ids: Collection[str]) -> dict[str, Login]:
        """Return the logins of those credentials that are still of use, as they are now."""
        found: dict[str, Login] = {}
        ids = list(credential_ids)
        now = self.clock.now()
        with self.open_work(is_read_only=True) as work:
            for start in range(0, len(ids), 500):
                found |= work.credentials.logins(ids[start : start + 500], now)
        return found

    @retried
    def log_out(self, login: Login) -> None:
        """Make the credential of no use, at once and everywhere."""
        with self.open_work() as work:
            work.credentials.revoke(login.credential_id, self.clock.now())
            work.commit()

    @retried
    def log_out_everywhere(self, user_id: str) -> None:
        """Make all credentials of a user of no use."""
        with self.open_work() as work:
            work.credentials.revoke_all(user_id, self.clock.now())
            work.commit()

    @retried
    def forget(self, before: datetime) -> int:
        """Delete credentials that have been of no use since before then; for the clock."""
        with self.open_work() as work:
            count = work.credentials.forget(before)
            work.commit()
        return count


def _is_same(now: Account, checked: Account) -> bool:
    return now.is_active and now.password_hash == checked.password_hash


def _usual(kind: CredentialKind) -> timedelta:
    return BROWSER_FOR if kind is CredentialKind.BROWSER else BEARER_FOR


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
