"""One-time codes: how they are made, kept, compared and limited.

Of a code only its HMAC is kept, under the house's key and bound to the reservation and the user, so
that a stolen table gives no codes and a code fits nobody else's hold. Of all that can be guessed in an
hour (10 codes, 5 tries each, a million possibilities) one in 20 000 succeeds.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

DIGITS: Final = 6
VALID_FOR: Final = timedelta(minutes=10)
MOST_TRIES: Final = 5
RESEND_AFTER: Final = timedelta(seconds=30)
HOUR: Final = timedelta(hours=1)
MOST_AN_HOUR: Final = 10
"""Codes one user is sent, whatever they are for."""


def new_code(randbelow: Callable[[int], int]) -> str:
    """Return six digits; `randbelow` is `secrets.randbelow`."""
    return f"{randbelow(10**DIGITS):0{DIGITS}d}"


def sealed(key: bytes, code: str, reservation_id: str, user_id: str) -> str:
    """Return what is kept of a code: HMAC-SHA-256 in hex."""
    # ids have no NUL: no two different triples make one text
    said = f"{reservation_id}\0{user_id}\0{code}"
    return hmac.new(key, said.encode(), hashlib.sha256).hexdigest()


def is_right(key: bytes, code: str, reservation_id: str, user_id: str, kept: str) -> bool:
    """Whether it is the code that was kept; takes the same time either way."""
    return hmac.compare_digest(sealed(key, code, reservation_id, user_id), kept)


def wait_s(user_sent_at: Sequence[datetime], sent_at: datetime | None, now: datetime) -> int:
    """Return for how many seconds no new code is sent; 0: at once.

    Args:
        user_sent_at: when the user was sent codes within the last hour, oldest first.
        sent_at: when the last code for this reservation was sent.
        now: the instant.
    """
    free_at = [now]
    if sent_at is not None:
        free_at.append(sent_at + RESEND_AFTER)
    if len(user_sent_at) >= MOST_AN_HOUR:
        free_at.append(user_sent_at[-MOST_AN_HOUR] + HOUR)
    wait = max(free_at) - now
    return -(-wait // timedelta(seconds=1))
