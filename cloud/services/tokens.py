"""Charging tokens: what drivers show to chargers. Each change reaches all stations by their plans."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cloud.domain.access import Role, Viewer
from cloud.domain.errors import NotAllowed, NotFound, NotValid
from cloud.services.admin_ports import ChargingToken
from cloud.services.cursors import seal, unseal
from cloud.services.local_lists import tokens_changed
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.retrying import retried
from contracts.ids import same_token


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenList:
    """Tokens in their order."""

    tokens: list[ChargingToken]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSetting:
    """What a token is to be."""

    user_id: str | None = None
    label: str = ""
    is_valid: bool = True
    parent_token: str | None = None
    valid_until: datetime | None = None
    token_type: str = ""
    max_sessions: int | None = None


@dataclass(frozen=True, slots=True)
class TokenService:
    """The use cases of charging tokens; administrators' all."""

    open_work: OpenWork
    clock: Clock

    @retried
    def put(self, viewer: Viewer, token: str, setting: TokenSetting) -> ChargingToken:
        """Store a token as said, whether it is known or not; doing so again changes nothing.

        Raises:
            NotAllowed: the viewer is no administrator.
            NotValid: the token is empty, or its user is not there.
        """
        _demand_admin(viewer)
        key = same_token(token)
        if not key:
            raise NotValid("token", "A token has at least one visible character.")
        with self.open_work() as work:
            if setting.user_id is not None and work.accounts.by_id(setting.user_id) is None:
                raise NotValid("user_id", "There is no such user.")
            work.charging_tokens.put(self._asked(key, setting))
            tokens_changed(work, self.clock.now())
            kept = work.charging_tokens.get(key)
            work.stations_admin.bump_plans()
            work.commit()
        if kept is None:
            raise NotFound(token)
        return kept

    @retried
    def remove(self, viewer: Viewer, token: str) -> None:
        """Forget a token.

        Raises:
            NotAllowed: the viewer is no administrator.
            NotFound: there is no such token.
        """
        _demand_admin(viewer)
        with self.open_work() as work:
            if not work.charging_tokens.remove(same_token(token)):
                raise NotFound(token)
            tokens_changed(work, self.clock.now())
            work.stations_admin.bump_plans()
            work.commit()

    def list(self, viewer: Viewer, *, limit: int = 50, cursor: str | None = None) -> TokenList:
        """Return tokens after the one the cursor names.

        Raises:
            NotAllowed: the viewer is no administrator.
            NotValid: a cursor of another list.
        """
        _demand_admin(viewer)
        with self.open_work(is_read_only=True) as work:
            found = work.charging_tokens.page(limit + 1, _after(cursor))
        shown = found[:limit]
        return TokenList(
            tokens=shown, next_cursor=seal(shown[-1].token) if len(found) > limit else None
        )

    def _asked(self, key: str, setting: TokenSetting) -> ChargingToken:
        parent = setting.parent_token
        return ChargingToken(
            token=key,
            user_id=setting.user_id,
            label=setting.label,
            is_valid=setting.is_valid,
            parent_token=None if parent is None else parent.strip(),
            valid_until=setting.valid_until,
            token_type=setting.token_type,
            max_sessions=setting.max_sessions,
            created_at=self.clock.now(),
        )


def learn_types(work: UnitOfWork, told: Mapping[str, str], now: datetime) -> None:
    """Keep the types chargers told of tokens that had none, and have all stations hear of them."""
    noted = [work.charging_tokens.note_type(token, told[token]) for token in sorted(told)]
    if any(noted):
        tokens_changed(work, now)
        work.stations_admin.bump_plans()


def _after(cursor: str | None) -> str:
    return "" if cursor is None else str(unseal(cursor, (str,))[0])


def _demand_admin(viewer: Viewer) -> None:
    if viewer.role is not Role.ADMIN:
        raise NotAllowed(viewer.user_id)
