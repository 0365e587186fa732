"""What an agent needs to act alone; sent retained and whole, the newest version wins."""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta, field

from contracts.ids import BayId, ChargerId, StationId, Token
from contracts.token_types import TypeWord
from contracts.wire import UNREADABLE, Broken, Instant, Text, Wire

SessionLimit = Annotated[int, Meta(ge=0, le=1_000)]
"""How many sessions one token may run at the same time; 0: any number."""


class OfflinePolicy(StrEnum):
    """What to say to a token nobody nearer knows while the cloud is away."""

    REFUSE = "refuse"
    ACCEPT = "accept"
    """Charge first, settle later: for stations where a stranded driver costs more than a lost fee."""


class Registration(StrEnum):
    """How a charger is answered when it introduces itself (BootNotification)."""

    ACCEPTED = "accepted"
    PENDING = "pending"
    """It may be asked and set up, and is to say nothing unasked."""
    REJECTED = "rejected"


class TokenGrant(Wire, kw_only=True):
    """A token that may charge at this station."""

    token: Token
    is_valid: bool = True
    """False: known and refused, also offline."""
    parent_token: Token | None = None
    valid_until: Instant | None = None
    token_type: TypeWord = ""
    max_sessions: SessionLimit | None = None
    """Null: as many as the station lets any token run."""


class PlannedReservation(Wire, kw_only=True):
    """A promise the agent keeps also when alone."""

    reservation_id: str
    reservation_number: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    """What chargers call it, unique per station; 0: chargers are not told of it."""
    bay_id: BayId
    token: Token
    token_type: TypeWord = ""
    protect_from: Instant | None = None
    """From when on the bay is for this token alone; null: from `starts_at`."""
    starts_at: Instant
    ends_at: Instant
    """Until when; the buffer after it is the cloud's concern."""
    tariff_text: Text = ""
    """What it was agreed on to cost, where that is not what the station costs now."""

    @property
    def protected_from(self) -> Instant:
        """Return from when on the bay is for this token alone."""
        return self.protect_from or self.starts_at


class PowerLimit(Wire, kw_only=True):
    """The most a bay, or with null the whole station, may draw."""

    bay_id: BayId | None = None
    limit_w: Annotated[int, Meta(ge=0)]


class ChargerCredential(Wire, kw_only=True):
    """How a charger proves who it is; the key itself never travels."""

    charger_id: ChargerId
    salt: str
    """Hexadecimal, 16 bytes."""
    key_hash: str
    """Hexadecimal HMAC-SHA-256 of the key under the salt; see `hash_key`."""
    security_profile: Annotated[int, Meta(ge=0, le=3)] = 1
    """The least it may log in by."""
    profile_generation: Annotated[int, Meta(ge=0)] = 0
    """Greater each time somebody sets `security_profile`: by what it came before counts no more."""
    certificate_serials: list[str] = field(default_factory=list)
    """Hexadecimal, lower case: of its certificates these alone count; none: each that is good by itself."""
    next_salt: str = ""
    """Of the key that is to follow this one and is good already; empty: none is."""
    next_key_hash: str = ""
    registration: Registration = Registration.ACCEPTED


class Plan(Wire, kw_only=True):
    """The station's standing orders. `version` only grows; an older one is ignored."""

    station: StationId
    version: Annotated[int, Meta(ge=1)]
    issued_at: Instant
    offline_policy: OfflinePolicy = OfflinePolicy.REFUSE
    tokens: list[TokenGrant] = field(default_factory=list)
    reservations: list[PlannedReservation] = field(default_factory=list)
    power_limits: list[PowerLimit] = field(default_factory=list)
    chargers: list[ChargerCredential] = field(default_factory=list)
    tariff_text: Text = ""
    """What charging costs here, in words for a charger's display."""
    max_sessions_per_token: SessionLimit = 0


_DECODER: Final = msgspec.json.Decoder(Plan)


def decode_plan(payload: bytes) -> Plan:
    """Read a plan.

    Raises:
        Broken: the bytes are not a plan.
    """
    try:
        return _DECODER.decode(payload)
    except UNREADABLE as error:
        raise Broken(f"plan: {error}") from error
