"""Tokens that are cards' numbers, and how readers write those."""

import re
from typing import Final

from contracts.ids import Token

_UID: Final = re.compile(r"(?:[0-9A-Fa-f]{8}|[0-9A-Fa-f]{14}|[0-9A-Fa-f]{20})")
"""ISO/IEC 14443-3, section 6.5.4: 4, 7 or 10 bytes."""


def is_card(token: Token) -> bool:
    """Whether a token looks like a card's number."""
    return _UID.fullmatch(token) is not None


def as_shown(token: Token) -> Token:
    """Return a token as a reader would tell it.

    We compare without case; a charger that is told to expect a card may not (QUIRKS 19), and nearly
    all readers write capitals.
    """
    return token.upper() if is_card(token) else token
