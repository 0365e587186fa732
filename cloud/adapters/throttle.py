"""Login attempts, counted in this process's memory by sliding windows."""

import hashlib
import time
from typing import Final

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from cloud.domain.errors import TooManyAttempts

PER_ACCOUNT_AND_ORIGIN: Final = RateLimitItemPerMinute(10, 5)
PER_ORIGIN: Final = RateLimitItemPerMinute(300, 5)
PER_ACCOUNT: Final = RateLimitItemPerHour(100)
"""From anywhere: guesses spread over many origins; high, so that nobody can lock others out."""


class LoginThrottle:
    """See Throttle. An account that is not there is counted like one that is."""

    def __init__(self) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def attempt(self, email: str, origin: str) -> None:
        """See Throttle.attempt."""
        for limit, keys in _limits(email, origin):
            if not self._limiter.hit(limit, *keys):
                reset_at = self._limiter.get_window_stats(limit, *keys).reset_time
                raise TooManyAttempts("login", retry_after_s=round(reset_at - time.time()) + 1)

    def succeeded(self, email: str, origin: str) -> None:
        """See Throttle.succeeded."""
        for limit, keys in _limits(email, origin):
            if limit is not PER_ORIGIN:
                self._limiter.clear(limit, *keys)


def _limits(email: str, origin: str) -> list[tuple[RateLimitItem, tuple[str, ...]]]:
    account = hashlib.sha256(email.encode("utf-8", "replace")).hexdigest()
    return [
        (PER_ORIGIN, ("origin", origin)),
        (PER_ACCOUNT_AND_ORIGIN, ("pair", account, origin)),
        (PER_ACCOUNT, ("account", account)),
    ]
