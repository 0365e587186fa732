"""What every message on the wire has in common."""

from datetime import datetime
from typing import Annotated, Final, dataclass_transform

import msgspec
from msgspec import Meta, field

Instant = Annotated[datetime, Meta(tz=True)]
"""An aware UTC instant; naive values are refused at decoding."""

Text = Annotated[str, Meta(max_length=2_000)]
"""Free text from a device: bounded, never rendered unescaped."""

Ratio = Annotated[float, Meta(ge=0, le=1)]


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Wire(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message part: frozen, tolerant of fields a newer peer adds.

    `kw_only` and the tag are said by each class: msgspec does not inherit them.
    """


class TaggedWire(Wire, frozen=True, tag_field="kind"):
    """One of several that may stand in the same place; `kind` says which."""


class Broken(ValueError):
    """Bytes that are not the message they should be; says where and why."""


UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding may raise on foreign bytes: msgspec does not wrap the latter two."""


def encode(message: msgspec.Struct) -> bytes:
    """Return the message as JSON bytes."""
    return msgspec.json.encode(message)
