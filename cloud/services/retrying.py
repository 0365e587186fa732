"""Doing a use case again when the database undid it for another's sake."""

import functools
import random
import time
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from cloud.services.ports import TransactionLost

_P = ParamSpec("_P")
_R = TypeVar("_R")

_ATTEMPTS: Final = 6
_PATIENCE_S: Final = 1.0
_AT_LEAST: Final = 3
"""Attempts: on a busy machine one may take longer than all should."""
_FIRST_PAUSE_S: Final = 0.004


def retried(use_case: Callable[_P, _R]) -> Callable[_P, _R]:
    """Run the whole use case again on TransactionLost: a few times, within about a second or three attempts.

    For use cases that open one unit of work and have no effect but through it.

    Raises:
        TransactionLost: it was lost every time.
    """

    @functools.wraps(use_case)
    def attempt(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        began = time.monotonic()
        for round_ in range(1, _ATTEMPTS):
            try:
                return use_case(*args, **kwargs)
            except TransactionLost:
                if round_ >= _AT_LEAST and time.monotonic() - began > _PATIENCE_S:
                    raise
                # not a secret: the pause only keeps two losers from meeting again
                time.sleep(random.uniform(0.5, 1.5) * _FIRST_PAUSE_S * 2**round_)  # noqa: S311
        return use_case(*args, **kwargs)

    return attempt
