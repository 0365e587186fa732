"""The names of things, and how they are written."""

import re
from typing import Annotated, Final

from msgspec import Meta

# `$` alone would let a line break pass at the end
_SLUG: Final = r"^[a-z0-9][a-z0-9_-]{0,62}$(?!\n)"
_IDENTITY: Final = r"^[A-Za-z0-9*_=:|@.\-]{1,48}$(?!\n)"

StationId = Annotated[str, Meta(pattern=_SLUG)]
"""A place run by one agent; also the agent's MQTT client id and user name."""

BayId = Annotated[str, Meta(pattern=_SLUG)]
"""A parking space, unique over all stations: `dundee-greenmarket-1`."""

SensorId = Annotated[str, Meta(min_length=1, max_length=128)]
"""A bay sensor as its vendor names it, unique within its station."""

ChargerId = Annotated[str, Meta(pattern=_IDENTITY)]
"""An OCPP identity (identifierString, at most 48 characters), unique over all stations."""

SessionId = Annotated[str, Meta(min_length=1, max_length=64)]
"""One charging transaction; made by the agent, the same for every copy of its messages."""

CommandId = Annotated[str, Meta(min_length=1, max_length=64)]

Token = Annotated[str, Meta(max_length=255)]
"""What a driver shows to a charger (idTag, idToken), as the charger wrote it."""


def is_slug(text: str) -> bool:
    """Whether `text` can name a station or a bay."""
    return re.match(_SLUG, text) is not None


def is_identity(text: str) -> bool:
    """Whether `text` can be an OCPP identity (OCPP 2.0.1 part 4, section 3.1.1)."""
    return re.match(_IDENTITY, text) is not None


def same_token(token: str) -> str:
    """Return the form under which tokens are compared: trimmed, without case (QUIRKS 18, 19)."""
    return "".join(c for c in token if c.isprintable()).strip().casefold()
