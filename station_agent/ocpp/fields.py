"""Field types of charger messages: bounded, so that whatever was read can be stored and sent on."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Index = Annotated[int, Meta(ge=0, le=2**31 - 1)]
"""Number of an EVSE or connector."""

_MAX_TEXT: Final = 2_000
_MAX_TOKEN: Final = 255


class Payload(msgspec.Struct, frozen=True, rename="camel"):
    """A request as its handler wants it: fields we do not use are not listed, and are skipped.

    Only what a handler cannot do without is required; the schema has checked the rest before.
    """


def cut(text: str) -> str:
    """Return a text no longer than facts may carry."""
    return text[:_MAX_TEXT]


def cut_token(token: str) -> str:
    """Return a token no longer than facts may carry (QUIRKS 18)."""
    return token[:_MAX_TOKEN]
