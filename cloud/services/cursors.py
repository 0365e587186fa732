"""Where a page of a list ends: opaque to callers, so that the order may change behind it."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from cloud.domain.errors import NotValid

_FIRST_YEAR: Final = 1000
_LAST_YEAR: Final = 9999
_BITS: Final = 63


def seal(*place: Any) -> str:
    """Return the cursor for what follows this place."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def unseal(cursor: str, shape: Sequence[type]) -> tuple[Any, ...]:
    """Return the place a cursor of ours names.

    Raises:
        NotValid: it is none of ours.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        kinds = tuple.__class_getitem__(tuple(shape))
        place = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=kinds)
        return tuple(_possible(part) for part in place)
    except (msgspec.MsgspecError, binascii.Error, ValueError) as error:
        raise NotValid("cursor", "This page does not exist; start at the first.") from error


def _possible(part: Any) -> Any:
    """Return a part the database can take; cursors come from outside.

    Raises:
        ValueError: an instant without a zone or out of the calendar, or a number too great.
    """
    if isinstance(part, datetime):
        if part.tzinfo is None or not _FIRST_YEAR < part.year < _LAST_YEAR:
            raise ValueError("no instant of ours")
    elif isinstance(part, int) and part.bit_length() >= _BITS:
        raise ValueError("no number of ours")
    return part
