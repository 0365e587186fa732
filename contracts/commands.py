"""Requests to a station, imperative; each with an id and a deadline, answered by CommandAnswered."""

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, field

from contracts.events import EvseId
from contracts.ids import ChargerId, CommandId, SessionId, StationId, Token
from contracts.token_types import TypeWord
from contracts.wire import UNREADABLE, Broken, Instant, TaggedWire, Wire

VariableName = Annotated[str, Meta(min_length=1, max_length=255)]
"""`Component[instance]@evse.connector/Variable[instance]`; of 1.6 a configuration key."""


class ResetKind(StrEnum):
    """How hard; `soft` lets sessions end in order (OCPP 2.0.1: OnIdle)."""

    SOFT = "soft"
    HARD = "hard"


class ProfilePurpose(StrEnum):
    """What a charging profile holds for."""

    CHARGER = "charger"
    """The charger as a whole; `evse_id` is 0."""
    DEFAULT = "default"
    """Every session that has none of its own."""
    SESSION = "session"
    """One session, and no longer than that."""


class ProfileKind(StrEnum):
    """From when a profile's periods count."""

    ABSOLUTE = "absolute"
    RECURRING = "recurring"
    RELATIVE = "relative"
    """From when the charger puts it to use: a session's start."""


class Recurrency(StrEnum):
    """How often a recurring profile begins anew."""

    DAILY = "daily"
    WEEKLY = "weekly"


class LimitUnit(StrEnum):
    """What limits are counted in; not every charger takes both."""

    WATT = "w"
    AMPERE = "a"
    """Of each phase."""


class LimitPeriod(Wire, kw_only=True):
    """A limit, from so many seconds on."""

    start_s: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    limit: Annotated[float, Meta(ge=0, le=10_000_000)]
    phases: Annotated[int, Meta(ge=1, le=3)] | None = None


class ChargingProfile(Wire, kw_only=True):
    """How much may be drawn, and when. Of several the higher `stack_level` counts."""

    profile_id: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    """Names it at its charger; setting it again replaces it."""
    stack_level: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    purpose: ProfilePurpose
    profile_kind: ProfileKind
    recurrency: Recurrency | None = None
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    starts_at: Instant | None = None
    duration_s: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    unit: LimitUnit = LimitUnit.WATT
    least: Annotated[float, Meta(ge=0, le=10_000_000)] | None = None
    """Below this the car cannot charge well."""
    periods: Annotated[list[LimitPeriod], Meta(min_length=1, max_length=1_024)]


class StartSession(TaggedWire, kw_only=True, tag="start_session"):
    """Ask a charger to start, as if the token had been shown to it."""

    charger_id: ChargerId
    evse_id: EvseId
    token: Token
    token_type: TypeWord = ""
    profile: ChargingProfile | None = None
    """Of the session to come; it has no transaction yet."""


class StopSession(TaggedWire, kw_only=True, tag="stop_session"):
    """Ask a charger to end a session."""

    charger_id: ChargerId
    session_id: SessionId
    transaction_id: str


class ResetCharger(TaggedWire, kw_only=True, tag="reset_charger"):
    """Reboot a charger."""

    charger_id: ChargerId
    reset: ResetKind = ResetKind.SOFT
    evse_id: EvseId = 0
    """0: all of it; one EVSE alone only 2.0.1 and later can (B11, B12)."""


class UnlockConnector(TaggedWire, kw_only=True, tag="unlock_connector"):
    """Release a stuck cable."""

    charger_id: ChargerId
    evse_id: EvseId
    connector_id: Annotated[int, Meta(ge=1)] = 1


class ChangeAvailability(TaggedWire, kw_only=True, tag="change_availability"):
    """Take an EVSE, or with `evse_id` 0 the charger, into or out of service."""

    charger_id: ChargerId
    evse_id: EvseId
    connector_id: Annotated[int, Meta(ge=1)] | None = None
    """Of the EVSE this connector alone; OCPP 1.6 knows none such."""
    is_available: bool


class TriggerMessage(TaggedWire, kw_only=True, tag="trigger_message"):
    """Ask a charger to send a message now, named as its OCPP version names it."""

    charger_id: ChargerId
    message: str
    evse_id: EvseId | None = None


class ReserveEvse(TaggedWire, kw_only=True, tag="reserve_evse"):
    """Have the charger keep an EVSE, or with `evse_id` 0 any one of it, for one token."""

    charger_id: ChargerId
    evse_id: EvseId
    reservation_number: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    """OCPP wants an integer; unique per charger."""
    token: Token
    token_type: TypeWord = ""
    parent_token: Token | None = None
    """Any token of the same parent may use it, too."""
    connector_type: Annotated[str, Meta(max_length=20)] = ""
    """OCPP 2.0.1's word; with `evse_id` 0 any EVSE that has such a plug will do."""
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
    serial_number: str = ""
    """As in the plan, which must count it before the charger has it."""


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
    token_type: TypeWord = ""
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


class ReadVariables(TaggedWire, kw_only=True, tag="read_variables"):
    """Ask for variables by their names in the inventory; none named: for all the charger has.

    Of all, 2.0.1 and later report in parts (B07); the others come with the answer.
    """

    charger_id: ChargerId
    names: Annotated[list[VariableName], Meta(max_length=500)] = field(default_factory=list)


class WriteVariable(TaggedWire, kw_only=True, tag="write_variable"):
    """Set a variable, by its name in the inventory."""

    charger_id: ChargerId
    name: VariableName
    value: Annotated[str, Meta(max_length=2_500)]


class LogKind(StrEnum):
    """Which log."""

    DIAGNOSTICS = "diagnostics"
    SECURITY = "security"


class FetchLog(TaggedWire, kw_only=True, tag="fetch_log"):
    """Have a charger upload a log (2.0.1 N01; 1.6 section 5.9, whitepaper)."""

    charger_id: ChargerId
    log: LogKind = LogKind.DIAGNOSTICS
    location: Annotated[str, Meta(min_length=1, max_length=512)]
    request_id: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    """Names the job; of 1.6's diagnostics there is one at a time, called 0."""
    since_at: Instant | None = None
    until_at: Instant | None = None


class MessagePriority(StrEnum):
    """How much a message on a display matters."""

    ALWAYS_FRONT = "always_front"
    IN_FRONT = "in_front"
    NORMAL = "normal"


class MessageState(StrEnum):
    """While the charger does what a message is shown."""

    CHARGING = "charging"
    FAULTED = "faulted"
    IDLE = "idle"
    UNAVAILABLE = "unavailable"


class ShowMessage(TaggedWire, kw_only=True, tag="show_message"):
    """Have a charger show a text (2.0.1 O01, O02, O06; 1.6 has no displays)."""

    charger_id: ChargerId
    text: Annotated[str, Meta(min_length=1, max_length=512)]
    language: Annotated[str, Meta(max_length=8)] = ""
    """RFC 5646; empty: not said."""
    message_id: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    """Replaces the message of this number; null: a new one."""
    priority: MessagePriority = MessagePriority.NORMAL
    state: MessageState | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    transaction_id: str = ""
    """Shown while this goes on; empty: always."""


class ClearMessage(TaggedWire, kw_only=True, tag="clear_message"):
    """Take a message off a charger's display (2.0.1 O05)."""

    charger_id: ChargerId
    message_id: Annotated[int, Meta(ge=0, le=2**31 - 1)]


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
    | SetChargingProfile
    | ClearChargingProfile
    | GetCompositeSchedule
    | SendLocalList
    | GetLocalListVersion
    | TellCost
    | ClearCache
    | UpdateFirmware
    | ReadVariables
    | WriteVariable
    | FetchLog
    | ShowMessage
    | ClearMessage
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
