"""Requests to a station, imperative; each with an id and a deadline, answered by CommandAnswered."""

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, field

from contracts.events import EvseId
from contracts.ids import ChargerId, CommandId, SessionId, StationId, Token
from contracts.wire import UNREADABLE, Broken, Instant, TaggedWire, Wire


class ResetKind(StrEnum):
    """How hard; `soft` lets sessions end in order (OCPP 2.0.1: OnIdle)."""

    SOFT = "soft"
    HARD = "hard"


class StartSession(TaggedWire, kw_only=True, tag="start_session"):
    """Ask a charger to start, as if the token had been shown to it."""

    charger_id: ChargerId
    evse_id: EvseId
    token: Token


class StopSession(TaggedWire, kw_only=True, tag="stop_session"):
    """Ask a charger to end a session."""

    charger_id: ChargerId
    session_id: SessionId
    transaction_id: str


class ResetCharger(TaggedWire, kw_only=True, tag="reset_charger"):
    """Reboot a charger."""

    charger_id: ChargerId
    reset: ResetKind = ResetKind.SOFT


class UnlockConnector(TaggedWire, kw_only=True, tag="unlock_connector"):
    """Release a stuck cable."""

    charger_id: ChargerId
    evse_id: EvseId
    connector_id: Annotated[int, Meta(ge=1)] = 1


class ChangeAvailability(TaggedWire, kw_only=True, tag="change_availability"):
    """Take an EVSE, or with `evse_id` 0 the charger, into or out of service."""

    charger_id: ChargerId
    evse_id: EvseId
    is_available: bool


class TriggerMessage(TaggedWire, kw_only=True, tag="trigger_message"):
    """Ask a charger to send a message now, named as its OCPP version names it."""

    charger_id: ChargerId
    message: str
    evse_id: EvseId | None = None


class ReserveEvse(TaggedWire, kw_only=True, tag="reserve_evse"):
    """Have the charger keep an EVSE for one token."""

    charger_id: ChargerId
    evse_id: EvseId
    reservation_number: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    """OCPP wants an integer; unique per charger."""
    token: Token
    parent_token: Token | None = None
    """Any token of the same parent may use it, too."""
    until_at: Instant


class CancelReservation(TaggedWire, kw_only=True, tag="cancel_reservation"):
    """Undo a ReserveEvse."""

    charger_id: ChargerId
    reservation_number: Annotated[int, Meta(ge=1, le=2**31 - 1)]


class SetMeterInterval(TaggedWire, kw_only=True, tag="set_meter_interval"):
    """How often a charger samples during a session; 0 turns it off."""

    charger_id: ChargerId
    interval_s: Annotated[int, Meta(ge=0, le=86_400)]


class SetChargerKey(TaggedWire, kw_only=True, tag="set_charger_key"):
    """Give a charger the key that follows (2.0.1 A01); only once its station takes both.

    The key itself is filled in as the command leaves the cloud: it is kept nowhere.
    """

    charger_id: ChargerId
    salt: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
    """As in the plan: names the key."""
    key: Annotated[str, Meta(max_length=40)] = ""


class DeliverCertificate(TaggedWire, kw_only=True, tag="deliver_certificate"):
    """Bring a charger the certificate it asked to have signed (2.0.1 A02)."""

    charger_id: ChargerId
    chain: Annotated[str, Meta(min_length=1, max_length=10_000)]
    """PEM: the charger's own first, then those above it but the root."""
    purpose: str = ""
    """As it was asked for; empty: the charger did not say, it is for all of its connections."""
    request_id: int | None = None
    """As it was asked for, where the version has such numbers."""


class CallCharger(TaggedWire, kw_only=True, tag="call_charger"):
    """Any action of the charger's OCPP version, with its payload; checked against its schema."""

    charger_id: ChargerId
    action: Annotated[str, Meta(min_length=1, max_length=64)]
    payload: dict[str, Any] = field(default_factory=dict)


Request = (
    StartSession
    | StopSession
    | ResetCharger
    | UnlockConnector
    | ChangeAvailability
    | TriggerMessage
    | ReserveEvse
    | CancelReservation
    | SetMeterInterval
    | SetChargerKey
    | DeliverCertificate
    | CallCharger
)


class Command(Wire, kw_only=True):
    """One request on `commands`; executed at most once, and never after `expires_at`."""

    station: StationId
    id: CommandId
    issued_at: Instant
    expires_at: Instant
    is_patient: bool = False
    """The cloud keeps it for a charger that is away: what was not sent to it may come once more."""
    request: Request


_DECODER = msgspec.json.Decoder(Command)


def decode_command(payload: bytes) -> Command:
    """Read a command.

    Raises:
        Broken: the bytes are not a command this version knows.
    """
    try:
        return _DECODER.decode(payload)
    except UNREADABLE as error:
        raise Broken(f"command: {error}") from error
class SetChargingProfile(TaggedWire, kw_only=True, tag="set_charging_profile"):
    """Limit what an EVSE, or with `evse_id` 0 the charger, may give.

    One for a session is for the one going on there; the station knows what the charger calls it.
    """

    charger_id: ChargerId
    evse_id: EvseId
    profile: ChargingProfile


class ClearChargingProfile(TaggedWire, kw_only=True, tag="clear_charging_profile"):
    """Take back the profiles that fit all that is said; nothing said: all."""

    charger_id: ChargerId
    profile_id: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    evse_id: EvseId | None = None
    purpose: ProfilePurpose | None = None
    stack_level: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None


class GetCompositeSchedule(TaggedWire, kw_only=True, tag="get_composite_schedule"):
    """Ask what all profiles together come to, at an EVSE, or with 0 at the grid connection."""

    charger_id: ChargerId
    evse_id: EvseId
    duration_s: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    unit: LimitUnit | None = None


class ListedToken(Wire, kw_only=True):
    """An entry of a charger's own list of tokens."""

    token: Token
    is_valid: bool = True
    parent_token: Token | None = None
    valid_until: Instant | None = None
    is_gone: bool = False
    """It is to be forgotten; only in a list of differences."""


class SendLocalList(TaggedWire, kw_only=True, tag="send_local_list"):
    """Give a charger tokens to go by while nobody can be asked, or what changed of them.

    The station sends it in as many parts as the charger needs.
    """

    charger_id: ChargerId
    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    is_whole: bool
    """False: entries are added to, or change, those the charger has."""
    entries: Annotated[list[ListedToken], Meta(max_length=100_000)] = field(default_factory=list)


class GetLocalListVersion(TaggedWire, kw_only=True, tag="get_local_list_version"):
    """Ask which list of tokens a charger has; 0: none."""

    charger_id: ChargerId


class TellCost(TaggedWire, kw_only=True, tag="tell_cost"):
    """Have a charger show its driver what the session has cost so far."""

    charger_id: ChargerId
    transaction_id: str
    total: Annotated[str, Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,4})?$(?!\n)")]
    """In the major unit, with taxes; in which currency the charger was told when it was set up."""


class ClearCache(TaggedWire, kw_only=True, tag="clear_cache"):
    """Have a charger forget what it remembers of tokens (2.0.1 C11, 1.6 section 5.4)."""

    charger_id: ChargerId


class UpdateFirmware(TaggedWire, kw_only=True, tag="update_firmware"):
    """Have a charger fetch and install firmware (2.0.1 L01, L02; 1.6 section 5.19, whitepaper L01).

    Signed, it is installed only once the charger has checked it.
    """

    charger_id: ChargerId
    location: Annotated[str, Meta(min_length=1, max_length=512)]
    retrieve_at: Instant
    install_at: Instant | None = None
    """Null: once it is there."""
    signing_certificate: Annotated[str, Meta(max_length=5_500)] = ""
    """PEM."""
    signature: Annotated[str, Meta(max_length=800)] = ""
    """Base64; empty: the firmware is not signed."""


    | SetChargingProfile
    | ClearChargingProfile
    | GetCompositeSchedule
    | SendLocalList
    | GetLocalListVersion
    | TellCost
    | ClearCache
    | UpdateFirmware
