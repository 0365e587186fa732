"""Whether an agent is there: retained on `link`, and the agent's last will."""

from enum import StrEnum
from typing import Final

import msgspec

from contracts.ids import StationId
from contracts.wire import UNREADABLE, Broken, Instant, Wire


class LinkStatus(StrEnum):
    """Online says the agent spoke; silence is judged by heartbeats, not by this."""

    ONLINE = "online"
    OFFLINE = "offline"


class Link(Wire, kw_only=True):
    """The agent's own word, or the broker's on its behalf; `sent_at` is null in a last will."""

    station: StationId
    status: LinkStatus
    epoch: int
    agent_version: str
    sent_at: Instant | None = None


_DECODER: Final = msgspec.json.Decoder(Link)


def decode_link(payload: bytes) -> Link:
    """Read a link message.

    Raises:
        Broken: the bytes are not one.
    """
    try:
        return _DECODER.decode(payload)
    except UNREADABLE as error:
        raise Broken(f"link: {error}") from error
