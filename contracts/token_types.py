"""How a token is shown: a charger knows one again by its text and by this."""

import re
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta

from contracts.ids import Token

TypeWord = Annotated[str, Meta(max_length=20)]
"""A word of TokenType, or one that a maker adds; empty: nobody said, its shape decides."""


class TokenType(StrEnum):
    """OCPP's own words, but for that of no token at all."""

    CENTRAL = "Central"
    """Made by a back office: an app's."""
    EMAID = "eMAID"
    """Of a car's contract (ISO 15118, Plug and Charge)."""
    ISO14443 = "ISO14443"
    ISO15693 = "ISO15693"
    KEY_CODE = "KeyCode"
    LOCAL = "Local"
    MAC_ADDRESS = "MacAddress"
    EVCCID = "EVCCID"
    """Of 2.1 alone, as is the next."""
    VIN = "VIN"


_HEX: Final = "[0-9A-Fa-f]"
_SHAPES: Final = (
    # as the cloud makes them for an app; some would pass for a contract
    (TokenType.CENTRAL, re.compile(rf"[Aa][Pp][Pp]{_HEX}{{12}}")),
    # ISO/IEC 14443-3, section 6.5.4: 4, 7 or 10 bytes
    (TokenType.ISO14443, re.compile(rf"(?:{_HEX}{{8}}|{_HEX}{{14}}|{_HEX}{{20}})")),
    (TokenType.ISO15693, re.compile(rf"{_HEX}{{16}}")),
    (
        TokenType.MAC_ADDRESS,
        re.compile(rf"{_HEX}{{2}}(?:([:-]?){_HEX}{{2}})(?:\1{_HEX}{{2}}){{4}}"),
    ),
    # ISO 15118-1, annex H: country, provider, C, instance, check digit
    (
        TokenType.EMAID,
        re.compile(r"[A-Za-z]{2}(-?)[A-Za-z0-9]{3}\1[Cc][A-Za-z0-9]{8}(?:\1[A-Za-z0-9])?"),
    ),
)
"""The first that fits: a contract all of hexadecimal digits is taken for a card."""


def type_by_shape(token: Token) -> TokenType:
    """Return the type a token has as far as it shows; what looks like nothing is a back office's."""
    fitting = (kind for kind, shape in _SHAPES if shape.fullmatch(token))
    return next(fitting, TokenType.CENTRAL)
