"""Go-back-N: which batches may be sent, and what an acknowledgement means. No I/O, no clock.

The channel may lose, double and reorder in both directions. The cloud applies only the batch that
follows its cursor and answers every batch with the cursor, so resending is always harmless.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_BEHIND_BEFORE_BELIEVED: Final = 3
"""Acknowledgements may overtake each other; a cloud that lost its cursor says so again and again."""


class Meaning(StrEnum):
    """What an acknowledgement calls for."""

    NOTHING = "nothing"
    PROGRESS = "progress"
    GO_BACK = "go_back"
    """Something on the way was lost; sending begins again after what is committed."""
    CLOUD_IS_AHEAD = "cloud_is_ahead"
    """It has facts in these numbers that this outbox never told: ours came back from a backup."""
    CLOUD_FORGOT = "cloud_forgot"
    """It lacks what it once acknowledged, and what we therefore no longer have."""


@dataclass(frozen=True, slots=True)
class _Sent:
    last_seq: int
    sent_at: float


@dataclass(slots=True)
class Delivery:
    """One epoch's way to the cloud. Times are monotonic seconds.

    Until the cloud was heard (`is_heard`) nothing numbered may leave: what it has tells whether
    this outbox is the one it knows.
    """

    epoch: int
    committed_seq: int
    opened_seq: int
    """What was there when the outbox was opened: more than that it cannot have delivered."""
    window: int
    timeout_s: float
    pace_s: float = 0.0
    """While a batch is on its way, another follows no sooner, and is the fuller for it."""
    is_up: bool = False
    is_heard: bool = False
    _sent_seq: int = field(init=False)
    _highest_seq: int = field(init=False)
    _in_flight: deque[_Sent] = field(default_factory=deque)
    _is_probing: bool = False
    _echoes: int = 0
    """Answers that may still come to batches sent twice: they repeat the cursor and prove nothing.
    Without counting them, each would be taken for a gap and cause the next."""
    _behind: int = 0
    _progress_at: float = 0.0

    def __post_init__(self) -> None:
        self._sent_seq = self.committed_seq
        self._highest_seq = max(self.committed_seq, self.opened_seq)

    @property
    def sent_seq(self) -> int:
        """The last fact on its way, or committed."""
        return self._sent_seq

    @property
    def has_room(self) -> bool:
        """Whether another batch may leave now."""
        room = 1 if self._is_probing else self.window
        return self.is_up and self.is_heard and len(self._in_flight) < room

    @property
    def ready_at(self) -> float:
        """When another batch may leave, if there is room: at once while none is on its way."""
        return self._in_flight[-1].sent_at + self.pace_s if self._in_flight else float("-inf")

    def connect(self) -> None:
        """The way is open: whatever was on it is lost, or will be answered twice."""
        self.is_up = True
        self._go_back()

    def disconnect(self) -> None:
        """The way is cut."""
        self.is_up = False

    def send(self, count: int, now: float) -> None:
        """Take note that the next `count` facts were sent."""
        self._sent_seq += count
        self._highest_seq = max(self._highest_seq, self._sent_seq)
        self._in_flight.append(_Sent(self._sent_seq, now))

    def acknowledge(self, epoch: int, committed_seq: int, now: float) -> Meaning:
        """Take an acknowledgement, however late or often it comes."""
        if epoch > self.epoch:
            return Meaning.CLOUD_IS_AHEAD
        if epoch < self.epoch:
            return Meaning.NOTHING
        if committed_seq > self._highest_seq:
            return Meaning.CLOUD_IS_AHEAD
        if committed_seq < self.committed_seq:
            self._behind += 1
            is_forgotten = self._behind >= _BEHIND_BEFORE_BELIEVED
            return Meaning.CLOUD_FORGOT if is_forgotten else Meaning.NOTHING
        self._behind = 0
        was_heard, self.is_heard = self.is_heard, True
        if committed_seq > self.committed_seq:
            self._commit(committed_seq, now)
            return Meaning.PROGRESS
        return self._repeated() if was_heard else Meaning.PROGRESS

    def expire(self, now: float) -> bool:
        """Go back if the oldest batch was not acknowledged in time; whether it was so."""
        if not self._in_flight or now < self.due_at:
            return False
        self._go_back()
        self._is_probing = True
        return True

    @property
    def due_at(self) -> float:
        """When `expire` will have something to do; infinity while nothing is on its way."""
        if not self._in_flight:
            return float("inf")
        return max(self._in_flight[0].sent_at, self._progress_at) + self.timeout_s

    def _commit(self, committed_seq: int, now: float) -> None:
        self.committed_seq = committed_seq
        self._sent_seq = max(self._sent_seq, committed_seq)
        while self._in_flight and self._in_flight[0].last_seq <= committed_seq:
            self._in_flight.popleft()
        self._is_probing = False
        self._progress_at = now

    def _repeated(self) -> Meaning:
        """The cursor stands still although something is on its way: a gap, or an echo."""
        if self._echoes:
            self._echoes -= 1
            return Meaning.NOTHING
        if not self._in_flight:
            return Meaning.NOTHING
        self._go_back()
        return Meaning.GO_BACK

    def _go_back(self) -> None:
        self._echoes = min(self._echoes + len(self._in_flight), 2 * self.window)
        self._in_flight.clear()
        self._sent_seq = self.committed_seq
