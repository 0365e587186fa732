"""Users: who may be made, changed and seen by whom."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import uuid4

from cloud.domain.access import Role, Viewer
from cloud.domain.errors import NotAllowed, NotFound, NotValid
from cloud.services.admin_ports import Account, Passwords
from cloud.services.cursors import seal, unseal
from cloud.services.idempotency import Once, do_once
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.retrying import retried

MIN_PASSWORD: Final = 10
MAX_PASSWORD: Final = 256

# a mail that arrives is the proof; this only catches what cannot be one
_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,185}")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserView:
    """A user, as administrators and they themselves see them."""

    user_id: str
    email: str
    name: str
    role: Role
    is_active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UserList:
    """Users in the order of their addresses."""

    users: list[UserView]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """Who is to be made; without a password they cannot log in yet."""

    email: str
    name: str
    role: Role
    password: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChange:
    """What is to change; None stays as it is."""

    email: str | None = None
    name: str | None = None
    role: Role | None = None
    is_active: bool | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class AccountService:
    """The use cases of accounts. All but `create` are asked by a viewer."""

    open_work: OpenWork
    passwords: Passwords
    clock: Clock

    def create(self, new: NewUser, once: Once | None = None) -> UserView:
        """Make a user.

        Raises:
            AlreadyExists: the address is taken.
            NotValid: the address cannot be one, or the password is too short.
        """
        account = Account(
            user_id=uuid4().hex,
            email=_email(new.email),
            name=new.name.strip() or compared(new.email),
            role=new.role,
            is_active=True,
            created_at=self.clock.now(),
            password_hash=None if new.password is None else self._hashed(new.password),
        )
        return self._add(account, once)

    @retried
    def _add(self, account: Account, once: Once | None) -> UserView:
        def add() -> UserView:
            work.accounts.add(account)
            return _view(account)

        with self.open_work() as work:
            view = do_once(work, once, account.created_at, add, UserView)
            work.commit()
        return view

    def change(self, viewer: Viewer, user_id: str, change: UserChange) -> UserView:
        """Change a user; a new password or a withdrawn account logs them out everywhere.

        Raises:
            NotAllowed: the viewer is no administrator, or would leave the house without one.
            NotFound: there is no such user.
            AlreadyExists: the address is taken.
        """
        _demand_admin(viewer)
        password_hash = None if change.password is None else self._hashed(change.password)
        return self._change(user_id, change, password_hash)

    @retried
    def _change(self, user_id: str, change: UserChange, password_hash: str | None) -> UserView:
        with self.open_work() as work:
            before = work.accounts.by_id(user_id)
            if before is None:
                raise NotFound(user_id)
            after = _changed(before, change, password_hash)
            _keep_an_admin(work, before, after)
            work.accounts.change(after)
            if password_hash is not None or not after.is_active:
                work.credentials.revoke_all(user_id, self.clock.now())
            work.commit()
        return _view(after)

    def get(self, viewer: Viewer, user_id: str) -> UserView:
        """Return a user: anyone to administrators, to others only themselves.

        Raises:
            NotFound: there is no such user, or it is not the viewer's to see.
        """
        if viewer.role is not Role.ADMIN and viewer.user_id != user_id:
            raise NotFound(user_id)
        with self.open_work(is_read_only=True) as work:
            account = work.accounts.by_id(user_id)
        if account is None:
            raise NotFound(user_id)
        return _view(account)

    def list(self, viewer: Viewer, *, limit: int = 50, cursor: str | None = None) -> UserList:
        """Return users after the one the cursor names.

        Raises:
            NotAllowed: the viewer is no administrator.
            NotValid: a cursor of another list.
        """
        _demand_admin(viewer)
        with self.open_work(is_read_only=True) as work:
            found = work.accounts.page(limit + 1, _after(cursor))
        shown = [_view(account) for account in found[:limit]]
        return UserList(
            users=shown, next_cursor=seal(shown[-1].email) if len(found) > limit else None
        )

    def names(self, user_ids: Collection[str]) -> dict[str, str]:
        """Return what these users are called, those there are: to say who did what."""
        with self.open_work(is_read_only=True) as work:
            found = [work.accounts.by_id(user_id) for user_id in set(user_ids)]
        return {account.user_id: account.name for account in found if account is not None}

    def _hashed(self, password: str) -> str:
        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            raise NotValid(
                "password", f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters."
            )
        return self.passwords.hash(password)


def compared(email: str) -> str:
    """Return the form under which addresses are compared and kept."""
    return email.strip().lower()


def _email(text: str) -> str:
    email = compared(text)
    if not _EMAIL.fullmatch(email):
        raise NotValid("email", "This cannot be an e-mail address.")
    return email


def _changed(before: Account, change: UserChange, password_hash: str | None) -> Account:
    return replace(
        before,
        email=before.email if change.email is None else _email(change.email),
        name=before.name if change.name is None else change.name.strip(),
        role=before.role if change.role is None else change.role,
        is_active=before.is_active if change.is_active is None else change.is_active,
        password_hash=before.password_hash if password_hash is None else password_hash,
    )


def _keep_an_admin(work: UnitOfWork, before: Account, after: Account) -> None:
    """Refuse to leave the house without an administrator."""
    was_admin = before.role is Role.ADMIN and before.is_active
    is_admin = after.role is Role.ADMIN and after.is_active
    if was_admin and not is_admin and work.accounts.count_active(Role.ADMIN) <= 1:
        raise NotAllowed(before.user_id, "The last administrator stays one.")


def _after(cursor: str | None) -> str:
    return "" if cursor is None else str(unseal(cursor, (str,))[0])


def _demand_admin(viewer: Viewer) -> None:
    if viewer.role is not Role.ADMIN:
        raise NotAllowed(viewer.user_id)


def _view(account: Account) -> UserView:
    return UserView(
        user_id=account.user_id,
        email=account.email,
        name=account.name,
        role=account.role,
        is_active=account.is_active,
        created_at=account.created_at,
    )
