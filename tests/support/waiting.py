"""Wait for a condition with a deadline, instead of sleeping and hoping."""

import asyncio
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")

LONG_S: Final = 60.0
"""What comes at all comes long before, on a machine that has stalled for seconds, too."""

_FIRST_PAUSE_S: Final = 0.01
_LONGEST_PAUSE_S: Final = 0.15
_GROWTH: Final = 1.3
"""What is near is seen at once, and what takes long is not asked so often that it takes longer."""


def eventually(
    condition: Callable[[], T],
    within_s: float = LONG_S,
    what: str = "",
    *,
    retry_on: tuple[type[Exception], ...] = (AssertionError, OSError),
) -> T:
    """Return the condition's first true value.

    An exception of `retry_on` counts as not yet. Where asserts read best, let the condition
    assert and return True.

    Raises:
        AssertionError: it was never true within `within_s` seconds; says the last value or error.
    """
    deadline = time.monotonic() + within_s
    nobody = threading.Event()
    pauses = _pauses()
    while True:
        last = _look(condition, retry_on)
        if last.is_true:
            return last.value
        if time.monotonic() >= deadline:
            raise _never(condition, within_s, what, last) from last.error
        nobody.wait(next(pauses))


async def eventually_async(
    condition: Callable[[], T | Awaitable[T]],
    within_s: float = LONG_S,
    what: str = "",
    *,
    retry_on: tuple[type[Exception], ...] = (AssertionError, OSError),
) -> T:
    """Do as `eventually`, letting the event loop run between looks.

    Raises:
        AssertionError: it was never true within `within_s` seconds; says the last value or error.
    """
    deadline = time.monotonic() + within_s
    pauses = _pauses()
    while True:
        last = _look(condition, retry_on)
        if inspect.isawaitable(last.value):
            last = await _look_async(last.value, retry_on)
        if last.is_true:
            return last.value
        if time.monotonic() >= deadline:
            raise _never(condition, within_s, what, last) from last.error
        await asyncio.sleep(next(pauses))


def _pauses() -> Iterator[float]:
    pause_s = _FIRST_PAUSE_S
    while True:
        yield pause_s
        pause_s = min(pause_s * _GROWTH, _LONGEST_PAUSE_S)


class _Look:
    def __init__(self, value=None, error=None):
        self.value = value
        self.error = error
        self.is_true = bool(value)


def _look(condition, retry_on):
    try:
        return _Look(value=condition())
    except retry_on as error:
        return _Look(error=error)


async def _look_async(awaitable, retry_on):
    try:
        return _Look(value=await awaitable)
    except retry_on as error:
        return _Look(error=error)


def _never(condition, within_s, what, last):
    name = what or getattr(condition, "__name__", "the condition")
    seen = f"{last.error!r}" if last.error else f"{last.value!r}"
    return AssertionError(f"{name} did not come true within {within_s} s; last seen: {seen}")
