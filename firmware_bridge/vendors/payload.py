"""Payload bytes to plain data, and instants in it; every way to fail is an UnreadablePayload."""

import base64
import binascii
import math
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from firmware_bridge.vendors.sensor import UnreadablePayload

MAX_PAYLOAD_BYTES: Final = 64 * 1024


def json_object(payload: bytes) -> dict[str, Any]:
    """Read a JSON object of at most 64 KiB."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise UnreadablePayload(f"{len(payload)} bytes, at most {MAX_PAYLOAD_BYTES} are read")
    try:
        data = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadablePayload(f"not JSON: {error}") from error
    if not isinstance(data, dict):
        raise UnreadablePayload(f"expected a JSON object, got {type(data).__name__}")
    return data


def text(payload: bytes) -> str:
    """Read a short UTF-8 text."""
    if len(payload) > 256:  # noqa: PLR2004 - a state or status word, with room
        raise UnreadablePayload(f"{len(payload)} bytes, expected a word")
    try:
        return payload.decode().strip()
    except UnicodeDecodeError as error:
        raise UnreadablePayload("not UTF-8 text") from error


def online_word(payload: bytes) -> bool:
    """Read `online` or `offline`, in any case."""
    word = text(payload).casefold()
    if word not in {"online", "offline"}:
        raise UnreadablePayload(f"expected online or offline, got {word[:32]!r}")
    return word == "online"


def raw_bytes(encoded: Any) -> list[int]:
    """Read base64 as a list of byte values."""
    if not isinstance(encoded, str):
        raise UnreadablePayload(f"expected base64 text, got {type(encoded).__name__}")
    try:
        return list(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError) as error:
        raise UnreadablePayload(f"not base64: {error}") from error


def instant(value: Any) -> datetime:
    """Read an ISO 8601 instant with a zone, or milliseconds since 1970."""
    try:
        at = _instant(value)
        at = at.astimezone(UTC) if at is not None and at.tzinfo is not None else None
    except (ValueError, OverflowError, OSError) as error:
        raise UnreadablePayload(f"not an instant: {value!r}"[:100]) from error
    if at is None:
        raise UnreadablePayload(f"expected an instant with a zone, got {value!r}"[:100])
    return at


def _instant(value: Any) -> datetime | None:
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value / 1000, UTC)
    return None


def number(value: Any, what: str) -> float:
    """Read a finite number; booleans and text are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadablePayload(f"{what} is {value!r}, expected a number"[:100])
    try:
        figure = float(value)
    except OverflowError:
        figure = math.inf
    if not math.isfinite(figure):
        raise UnreadablePayload(f"{what} is not a finite number")
    return figure
