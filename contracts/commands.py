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
