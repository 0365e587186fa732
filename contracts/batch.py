"""Numbered batches from a station, and the cloud's answers to them.

A batch is applied whole, in one transaction with the station's cursor, or not at all. `first_seq` numbers its
first event; events of one epoch are numbered without gaps from 1. What is not numbered (beat, asks) is only true
now: it is never stored by the agent and never repeated.
"""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, field

from contracts.events import Event
from contracts.ids import ChargerId, SensorId, StationId, Token
from contracts.wire import UNREADABLE, Broken, Instant, TaggedWire, Text, Wire

MAX_BATCH_EVENTS: Final = 500
MAX_BATCH_BYTES: Final = 256 * 1024


class Beat(Wire, kw_only=True):
    """The agent is alive as the batch is sent, and so is all it watches but what is listed."""

    silent_chargers: list[ChargerId] = field(default_factory=list)
    """Chargers not heard from within their ping or heartbeat time, connected or not."""
    silent_sensors: list[SensorId] = field(default_factory=list)
    outbox_depth: Annotated[int, Meta(ge=0)] = 0
    is_disk_short: bool = False
    """Telemetry is being dropped, or nothing can be written at all."""
    agent_version: str = ""


class AuthorizeAsk(Wire, kw_only=True):
    """May this token charge here? Answered by AuthorizeAnswer, or not in time."""

    ask_id: str
    charger_id: ChargerId
    evse_id: int = 0
    token: Token
    begins_on: int | None = None
    """Where a session is to begin with it now, 0: somewhere at the charger; null: it is only shown."""


class RelayAsk(Wire, kw_only=True):
    """A charger's question only the cloud can answer; RelayAnswer does, or nothing does in time."""

    ask_id: str
    charger_id: ChargerId
    action: Annotated[str, Meta(max_length=64)]
    """As OCPP 2.0.1 calls it: `Get15118EVCertificate`, `GetCertificateStatus`, `Authorize` for what it
    says of certificates (C07), `GetCertificateChainStatus` of 2.1."""
    payload: dict[str, Any] = field(default_factory=dict)


class UnknownEvent(TaggedWire, kw_only=True, tag="unknown_event"):
    """A fact this version cannot read: of a newer kind, or broken; kept as it came."""

    event_kind: str
    error: str
    body: Any
    """The event as plain JSON data."""


class Batch(Wire, kw_only=True):
    """What an agent sends on `events`. Without events it is a heartbeat."""

    station: StationId
    epoch: Annotated[int, Meta(ge=1)]
    """Milliseconds since 1970 when this outbox was made; a greater one follows a lost disk."""
    first_seq: Annotated[int, Meta(ge=1)]
    sent_at: Instant
    """The agent's clock at sending: what its instants are measured against."""
    beat: Beat | None = None
    asks: list[AuthorizeAsk] = field(default_factory=list)
    relays: list[RelayAsk] = field(default_factory=list)
    events: list[Event | UnknownEvent] = field(default_factory=list)


class Ack(TaggedWire, kw_only=True, tag="ack"):
    """All events of `epoch` up to `committed_seq` are durable in the cloud; resume after it."""

    station: StationId
    epoch: int
    committed_seq: Annotated[int, Meta(ge=0)]


class AuthorizeAnswer(TaggedWire, kw_only=True, tag="authorize_answer"):
    """The cloud's word on a token an agent asked about."""

    station: StationId
    ask_id: str
    is_accepted: bool
    refusal: str = ""
    """Why not: `blocked`, `expired`, `concurrent`; empty, or a word nobody knows: it is unknown."""
    parent_token: Token | None = None
    valid_until: Instant | None = None
    tariff_text: Text = ""
    """What it is to pay there, in words; empty: as the plan says."""


class RelayAnswer(TaggedWire, kw_only=True, tag="relay_answer"):
    """What a charger is to be told; an empty payload: nobody here can answer."""

    station: StationId
    ask_id: str
    payload: dict[str, Any] = field(default_factory=dict)


Answer = Ack | AuthorizeAnswer | RelayAnswer


class _RawBatch(msgspec.Struct):
    station: StationId
    epoch: Annotated[int, Meta(ge=1)]
    first_seq: Annotated[int, Meta(ge=1)]
    sent_at: Instant
    beat: Beat | None = None
    asks: list[AuthorizeAsk] = []
    relays: list[RelayAsk] = []
    events: list[msgspec.Raw] = []


_BATCH: Final = msgspec.json.Decoder(Batch)
_RAW_BATCH: Final = msgspec.json.Decoder(_RawBatch)
_EVENT: Final[msgspec.json.Decoder[Event]] = msgspec.json.Decoder(Event)
_ACK: Final[msgspec.json.Decoder[Answer]] = msgspec.json.Decoder(Answer)


def decode_batch(payload: bytes) -> Batch:
    """Read a batch; an event of an unknown kind becomes an UnknownEvent in its place.

    Raises:
        Broken: the envelope itself cannot be read, so that no event can be told from another.
    """
    try:
        return _BATCH.decode(payload)
    except UNREADABLE:
        return _decode_leniently(payload)


def decode_ack(payload: bytes) -> Answer:
    """Read an answer of the cloud.

    Raises:
        Broken: the bytes are none of the three.
    """
    try:
        return _ACK.decode(payload)
    except UNREADABLE as error:
        raise Broken(f"ack: {error}") from error


def _decode_leniently(payload: bytes) -> Batch:
    try:
        raw = _RAW_BATCH.decode(payload)
    except UNREADABLE as error:
        raise Broken(f"batch: {error}") from error
    return Batch(
        station=raw.station,
        epoch=raw.epoch,
        first_seq=raw.first_seq,
        sent_at=raw.sent_at,
        beat=raw.beat,
        asks=raw.asks,
        relays=raw.relays,
        events=[_decode_event(one) for one in raw.events],
    )


def _decode_event(raw: msgspec.Raw) -> Event | UnknownEvent:
    try:
        return _EVENT.decode(raw)
    except UNREADABLE as error:
        body = _body_of(raw)
        kind = body.get("kind") if isinstance(body, dict) else None
        return UnknownEvent(event_kind=str(kind)[:64], error=str(error)[:500], body=body)


def _body_of(raw: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except UNREADABLE:
        return bytes(raw).decode(errors="replace")
