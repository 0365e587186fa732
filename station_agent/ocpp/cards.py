"""Tokens as readers write them."""

from typing import Final

from contracts.ids import Token
from contracts.token_types import TokenType, TypeWord, type_by_shape

_IN_CAPITALS: Final = frozenset(
    {TokenType.ISO14443, TokenType.ISO15693, TokenType.EMAID, TokenType.MAC_ADDRESS}
)


def as_shown(token: Token, word: TypeWord) -> Token:
    """Return a token as a reader would tell it.

    We compare without case; a charger that is told to expect a card may not (QUIRKS 19), and nearly
    all readers write capitals.
    """
    kind = word or type_by_shape(token)
    return token.upper() if kind in _IN_CAPITALS else token
