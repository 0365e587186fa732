"""How a charger conducts its line, by its settings and by its quirks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Payload = dict[str, Any]
Said = tuple[str, Payload]
"""An action and its payload."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a charger conducts its line."""

    answer_timeout_s: float = 30
    renews_message_ids: bool = True
    """Whether a call repeated on the same connection gets a new id (1.6 asks so, 2.x does not)."""
    attempts_after_error: int = 3
    """How often a refused transaction message is tried before it is dropped."""
    retry_after_s: float = 10
    waits_for_boot: bool = True
    """False: sends boot and all else without waiting for answers (QUIRKS 13)."""
    answers_after_s: float = 0
    """How long the charger takes to answer the other side's calls (QUIRKS 10)."""
    alters: Callable[[str, Payload], Payload] | None = None
    """Changes each payload on its way out: a quirk."""
    rewrites: Callable[[str, str], str] | None = None
    """Changes the text of each call on its way out, which need not stay JSON."""
    retells: Callable[[str, Payload], Sequence[Said]] | None = None
    """Says these calls in place of one; the one itself is the first of its action among them."""
    boots: bool = True
    """False: never sends BootNotification (QUIRKS 12)."""
    copies: int = 0
    """How often each call is sent once more at once, under its id (QUIRKS 9)."""
    message_id: str | None = None
    """The id of all its calls (QUIRKS 8)."""
    numbers_ids: bool = False
    """Whether its message ids are JSON numbers; it takes no others for its own (QUIRKS 8)."""
    deaf_to: frozenset[str] = frozenset()
    """Actions of which it misses the answer to the first attempt (QUIRKS 23)."""
    asks_first: bool = False
    """Whether it wants a call of its own answered before it answers one of ours (QUIRKS 11)."""
