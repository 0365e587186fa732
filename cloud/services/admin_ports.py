"""What accounts, logins, tokens, administration and commands need of the outside, and their rows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from cloud.domain.access import Role, Viewer
from cloud.services.charger_views import ChargerLogEntry, ChargerView, ConnectorStateView
from cloud.services.command_views import CommandView
from cloud.services.security_ports import Login as ChargerLogin
from contracts.events import CommandAnswered


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user; without a password hash nobody can log in as them."""

    user_id: str
    email: str
    """As compared: trimmed, lower case."""
    name: str
    role: Role
    is_active: bool
    created_at: datetime
    password_hash: str | None


class Accounts(Protocol):
    """Users, by id and by address."""

    def by_id(self, user_id: str) -> Account | None:
        """Return the account, if there is one."""
        ...

    def by_email(self, email: str) -> Account | None:
        """Return the account, if there is one; the address as compared."""
        ...

    def page(self, limit: int, after_email: str) -> list[Account]:
        """Return the next accounts in the order of their addresses."""
        ...

    def add(self, account: Account) -> None:
        """Store a new account.

        Raises:
            AlreadyExists: the address is taken.
        """
        ...

    def change(self, account: Account) -> None:
        """Store all of an account that is there.

        Raises:
            AlreadyExists: the address is taken.
        """
        ...

    def count_active(self, role: Role) -> int:
        """How many active accounts have this role; none is added or changed meanwhile."""
        ...


class CredentialKind(StrEnum):
    """How a login travels: in a cookie, or in the Authorization header."""

    BROWSER = "browser"
    BEARER = "bearer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Somebody logged in, and by which credential."""

    credential_id: str
    kind: CredentialKind
    viewer: Viewer
    email: str
    name: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """An opaque secret's row; of the secret only its SHA-256 is kept."""

    credential_id: str
    user_id: str
    kind: CredentialKind
    secret_hash: str
    label: str
    created_at: datetime
    expires_at: datetime


class Credentials(Protocol):
    """Who is logged in. Of no use: what expired, was revoked, or belongs to an inactive account."""

    def add(self, credential: Credential) -> None:
        """Store a new credential."""
        ...

    def login_by_secret(self, secret_hash: str, now: datetime) -> Login | None:
        """Return whose secret this is, if it is of use."""
        ...

    def logins(self, credential_ids: Collection[str], now: datetime) -> dict[str, Login]:
        """Return those of the credentials that are of use."""
        ...

    def revoke(self, credential_id: str, now: datetime) -> None:
        """Make one of no use; a second time does nothing."""
        ...

    def revoke_all(self, user_id: str, now: datetime) -> None:
        """Make all of a user's of no use."""
        ...

    def forget(self, before: datetime) -> int:
        """Delete what has been of no use since before then; returns how many."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingToken:
    """What a driver shows to a charger; the key is its compared form (contracts.ids.same_token)."""

    token: str
    user_id: str | None
    label: str
    is_valid: bool
    parent_token: str | None
    valid_until: datetime | None
    created_at: datetime
    token_type: str = ""
    """contracts.token_types.TokenType; empty: nobody said, its shape decides."""
    max_sessions: int | None = None
    """At the same time; 0: any number, null: as the station lets any token."""


class ChargingTokens(Protocol):
    """Tokens, by their compared form."""

    def get(self, token: str) -> ChargingToken | None:
        """Return the token, if it is known."""
        ...

    def page(self, limit: int, after: str) -> list[ChargingToken]:
        """Return the next tokens in their order."""
        ...

    def of_user(self, user_id: str) -> list[ChargingToken]:
        """Return a user's tokens, the oldest first."""
        ...

    def put(self, token: ChargingToken) -> None:
        """Store, whether it is there or not; `created_at` of one that is there stays."""
        ...

    def note_type(self, token: str, token_type: str) -> bool:
        """Keep the type of a token that has none yet; whether that was so."""
        ...

    def remove(self, token: str) -> bool:
        """Delete; whether there was one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StationRecord:
    """A station as its administrators see it."""

    station_id: str
    name: str
    operator: str
    address: str
    city: str
    country: str
    latitude: float
    longitude: float
    timezone: str
    owner_id: str | None
    currency: str
    price_per_kwh_minor: int
    offline_policy: str
    max_sessions_per_token: int = 0
    """At the same time, wherever; 0: any number."""
    created_at: datetime
    plan_version: int = 1
    plan_published_version: int = 0
    has_agent_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorRecord:
    """A plug, as told by its owner; OCPI 2.3.0's words."""

    connector_id: int
    standard: str
    power_type: str
    max_power_w: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvseRecord:
    """An EVSE, its bay, its plugs and its bay's sensors."""

    evse_id: int
    bay_id: str
    bay_name: str
    max_power_w: int
    is_accessible: bool
    connectors: Sequence[ConnectorRecord]
    sensors: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerRecord:
    """A charger and what belongs to it, as told by its owner."""

    charger_id: str
    station_id: str
    security_profile: int
    evses: Sequence[EvseRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerPlace:
    """Where a charger stands, and whether it can be reached."""

    charger_id: str
    station_id: str
    owner_id: str | None
    is_connected: bool
    heard_at: datetime | None
    """When its station was last heard, our clock."""
    booted_at: datetime | None
    """When it last booted, as its station says."""


class StationsAdmin(Protocol):
    """Stations and chargers, as they are set up."""

    def station(self, station_id: str) -> StationRecord | None:
        """Return the station, if there is one."""
        ...

    def owned_by(self, user_id: str) -> list[str]:
        """Return the ids of a user's stations."""
        ...

    def add_station(self, station: StationRecord) -> None:
        """Store a new station with its (silent) link.

        Raises:
            AlreadyExists: the id is taken.
        """
        ...

    def change_station(self, station_id: str, values: Mapping[str, Any]) -> None:
        """Store changed columns."""
        ...

    def set_agent_key(self, station_id: str, key_hash: str) -> None:
        """Store how the station's agent logs in at the broker."""
        ...

    def agent_logins(self) -> dict[str, str]:
        """Return the key hash of every station's agent that has one."""
        ...

    def charger_place(self, charger_id: str) -> ChargerPlace | None:
        """Return where the charger stands, if there is one."""
        ...

    def add_charger(self, charger: ChargerRecord, now: datetime) -> None:
        """Store a new charger, its bays, plugs and sensors.

        Raises:
            AlreadyExists: the charger, a bay or a sensor is there already.
        """
        ...

    def set_charger_key(self, charger_id: str, salt: str, key_hash: str) -> None:
        """Store how the charger logs in at its station."""
        ...

    def set_registration(self, charger_id: str, registration: str) -> None:
        """Say how a charger is answered when it introduces itself next."""
        ...

    def raise_profiles(self, logins: Sequence[ChargerLogin]) -> set[str]:
        """Have chargers log in by no less than they have; returns the stations whose plans change.

        Logins of before the profile was set last do not count.
        """
        ...

    def set_profile(self, charger_id: str, security_profile: int, by: str, now: datetime) -> None:
        """Say by how much a charger must prove itself, whatever it came by before."""
        ...

    def bump_plan(self, station_id: str) -> None:
        """Have the station's plan built and sent again."""
        ...

    def bump_plans(self) -> None:
        """Have every station's plan built and sent again."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class LogPlace:
    """Where a fact stands in its charger's log."""

    received_at: datetime
    epoch: int
    seq: int


class Chargers(Protocol):
    """Chargers, to be read."""

    def page(
        self, owner_id: str | None, station_id: str | None, after: str, limit: int
    ) -> list[ChargerView]:
        """Return the next chargers by id; of one owner's stations, of one station, or of all."""
        ...

    def get(self, charger_id: str) -> tuple[ChargerView, str | None] | None:
        """Return the charger and its station's owner, if there is one."""
        ...

    def connectors(self, charger_id: str) -> list[ConnectorStateView]:
        """Return its plugs in order."""
        ...

    def log(
        self, charger_id: str, before: LogPlace | None, limit: int
    ) -> list[tuple[LogPlace, ChargerLogEntry]]:
        """Return what it told before then, newest first."""
        ...


class Commands(Protocol):
    """Commands to stations, and how they stand."""

    def latest(self, charger_id: str, limit: int) -> list[CommandView]:
        """Return a charger's last commands, newest first."""
        ...

    def page(
        self, charger_id: str, state: str | None, before: tuple[datetime, str] | None, limit: int
    ) -> list[CommandView]:
        """Return a charger's commands, of one state or all, newest first, from a place on."""
        ...

    def add(self, *new: CommandView) -> None:
        """Store new commands, at least one."""
        ...

    def get(self, command_id: str) -> CommandView | None:
        """Return the command, if there is one."""
        ...

    def unsent(self, now: datetime, before: datetime, limit: int) -> list[CommandView]:
        """Return commands under way, in time, not published since `before`; oldest first."""
        ...

    def sendable(
        self, now: datetime, before: datetime, heard_since: datetime, limit: int
    ) -> list[CommandView]:
        """Return queued commands, in time, whose charger is there; oldest first.

        One that came back is among them only once it was not published since `before`; those of a
        fleet command only while it runs.
        """
        ...

    def claim(self, command_ids: Sequence[str], now: datetime) -> list[CommandView]:
        """Turn queued commands, if they still are, to `sent` at `now`; returns those it changed."""
        ...

    def cancel(self, command_ids: Sequence[str]) -> list[CommandView]:
        """Turn queued commands, if they still are, to `cancelled`; returns those it changed."""
        ...

    def mark_published(self, command_ids: Collection[str], at: datetime) -> None:
        """Note when they were last handed to the broker."""
        ...

    def answer(
        self, station_id: str, answers: Sequence[CommandAnswered], now: datetime
    ) -> list[CommandView]:
        """Store the first answer to each of the station's commands; returns those it changed.

        A patient command that, by its answer, was not sent to the charger is queued again.
        """
        ...

    def expire(self, now: datetime, limit: int) -> list[CommandView]:
        """Turn commands past their deadline without an answer to `expired`; returns those."""
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """Delete those of no fleet command that were over before then; returns how many."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What a request with an Idempotency-Key was answered, sealed."""

    request_hash: str
    body: str


class Idempotency(Protocol):
    """Requests that were carried out, by who asked and under which key."""

    def claim(self, user_id: str, key_hash: str, request_hash: str, now: datetime) -> bool:
        """Take the key within this transaction; False: it was taken, and its answer is there."""
        ...

    def kept(self, user_id: str, key_hash: str) -> KeptAnswer | None:
        """Return what the key was answered."""
        ...

    def keep(self, user_id: str, key_hash: str, body: str) -> None:
        """Store the answer beside the claim."""
        ...

    def forget(self, before: datetime) -> int:
        """Delete what is older; returns how many."""
        ...


class Passwords(Protocol):
    """Slow hashes of passwords, a few at a time."""

    def hash(self, password: str) -> str:
        """Return what to keep.

        Raises:
            Unavailable: too many are waiting.
        """
        ...

    def is_right(self, password: str, kept: str | None) -> bool:
        """Whether it is the one kept; without one, takes the same time and says no.

        Raises:
            Unavailable: too many are waiting.
        """
        ...


class Throttle(Protocol):
    """Counts login attempts by address of origin and account."""

    def attempt(self, email: str, origin: str) -> None:
        """Count one.

        Raises:
            TooManyAttempts: more than allowed, counted or not.
        """
        ...

    def succeeded(self, email: str, origin: str) -> None:
        """Forget the attempts at this account from there."""
        ...


class BrokerUsers(Protocol):
    """How agents log in at the broker."""

    def hash(self, key: str) -> str:
        """Return what the broker keeps of an agent's key."""
        ...

    def changed(self) -> None:
        """Have the broker read its users again; returns at once, never raises."""
        ...
