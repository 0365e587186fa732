"""Bounds on what one peer may do in a time. Pure: the time is an argument, in monotonic seconds."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

_MAX_KEYS: Final = 10_000


class TokenBucket:
    """Lets `rate_per_s` through on the average, and `burst` at once."""

    def __init__(self, rate_per_s: float, burst: int, now_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = float(burst)
        self._at_s = now_s

    def take(self, now_s: float) -> float:
        """Take one; returns how many seconds to wait before acting on it."""
        gained = (now_s - self._at_s) * self._rate_per_s
        self._at_s = now_s
        self._tokens = min(self._tokens + gained, self._burst) - 1
        return 0.0 if self._tokens >= 0 else -self._tokens / self._rate_per_s


class Buckets:
    """A bucket for each key, the same however often it comes; forgets those unused the longest."""

    def __init__(self, rate_per_s: float, burst: int) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._of: OrderedDict[Hashable, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._of)

    def of(self, key: Hashable, now_s: float) -> TokenBucket:
        """Return the key's bucket; a full one if it is new."""
        bucket = self._of.setdefault(key, TokenBucket(self._rate_per_s, self._burst, now_s))
        self._of.move_to_end(key)
        if len(self._of) > _MAX_KEYS:
            self._of.popitem(last=False)
        return bucket


class OncePer:
    """Lets a key through once in `every_s`; forgets the oldest keys when there are too many."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._last_s: OrderedDict[Hashable, float] = OrderedDict()

    def allows(self, key: Hashable, now_s: float) -> bool:
        """Whether the key may pass now."""
        last_s = self._last_s.get(key)
        if last_s is not None and now_s - last_s < self._every_s:
            return False
        self._last_s[key] = now_s
        self._last_s.move_to_end(key)
        if len(self._last_s) > _MAX_KEYS:
            self._last_s.popitem(last=False)
        return True


class Failures:
    """Counts failures a key; blocks it once there are `limit` in `window_s` (FAULTS S05)."""

    def __init__(self, limit: int, window_s: float) -> None:
        self._limit = limit
        self._window_s = window_s
        self._since: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def is_blocked(self, key: Hashable, now_s: float) -> bool:
        """Whether the key has failed too often lately."""
        since_s, count = self._since.get(key, (now_s, 0))
        return count >= self._limit and now_s - since_s < self._window_s

    def add(self, key: Hashable, now_s: float) -> None:
        """Count a failure."""
        since_s, count = self._since.get(key, (now_s, 0))
        if now_s - since_s >= self._window_s:
            since_s, count = now_s, 0
        self._since[key] = (since_s, count + 1)
        self._since.move_to_end(key)
        if len(self._since) > _MAX_KEYS:
            self._since.popitem(last=False)
