"""What many ask for at the same moment, found once for all of them."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future
from typing import Final, Generic, TypeVar

_T = TypeVar("_T")

_MOST: Final = 1_000
_PATIENCE_S: Final = 5.0


class Shared(Generic[_T]):
    """Keeps what was found for a moment; from any thread.

    For what is no promise: it may be as old as that when it is told.
    """

    def __init__(
        self, lasts_s: float = 0.5, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._lasts_s = lasts_s
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._found: OrderedDict[Hashable, tuple[Future[_T], float]] = OrderedDict()

    def get(self, key: Hashable, find: Callable[[], _T]) -> _T:
        """Return what was just found under this key, or find it; the others wait for it.

        Whatever keeps the first from finding need not keep the others: they look for themselves.

        Raises:
            Exception: whatever `find` raises.
        """
        now = self._monotonic()
        with self._lock:
            known = self._found.get(key)
            is_fresh = known is not None and now - known[1] < self._lasts_s
            future = known[0] if known is not None and is_fresh else Future[_T]()
            if not is_fresh:
                self._found[key] = (future, now)
                self._found.move_to_end(key)
                if len(self._found) > _MOST:
                    self._found.popitem(last=False)
        if not is_fresh:
            return self._look(key, future, find)
        try:
            return future.result(timeout=_PATIENCE_S)
        except (CancelledError, TimeoutError):
            return find()

    def _look(self, key: Hashable, future: Future[_T], find: Callable[[], _T]) -> _T:
        try:
            found = find()
        except BaseException:
            with self._lock:
                self._found.pop(key, None)
            future.cancel()
            raise
        future.set_result(found)
        return found
