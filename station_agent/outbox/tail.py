"""The newest facts, in memory too, so that the uplink need not read what was just written."""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final

_MAX_FACTS: Final = 4_096
_MAX_BYTES: Final = 2 * 1024 * 1024


class Tail:
    """A bounded run of facts up to the head; older ones are on disk only."""

    def __init__(self, head_seq: int) -> None:
        self._facts: deque[bytes] = deque()
        self._before_seq = head_seq
        self._bytes = 0

    def append(self, facts: Sequence[bytes]) -> None:
        """Add facts that follow the last one."""
        self._facts.extend(facts)
        self._bytes += sum(map(len, facts))
        while len(self._facts) > _MAX_FACTS or self._bytes > _MAX_BYTES:
            self._pop()

    def forget(self, seq: int) -> None:
        """Drop the facts up to `seq`."""
        while self._facts and self._before_seq < seq:
            self._pop()

    def after(self, seq: int, max_facts: int, max_bytes: int) -> list[bytes] | None:
        """Return facts after `seq`, at least one if there is any; None: not all are here."""
        if seq < self._before_seq:
            return None
        facts: list[bytes] = []
        size = 0
        for fact in islice(self._facts, seq - self._before_seq, None):
            size += len(fact) + 1
            if facts and (len(facts) == max_facts or size > max_bytes):
                break
            facts.append(fact)
        return facts

    def _pop(self) -> None:
        self._bytes -= len(self._facts.popleft())
        self._before_seq += 1
