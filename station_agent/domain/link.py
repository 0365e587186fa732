"""Whether the cloud can be asked: connected is not enough, it must have answered lately."""

from dataclasses import dataclass


@dataclass(slots=True)
class Link:
    """On or off, by what was heard. Times are monotonic seconds."""

    patience_s: float
    """How long after its last word the cloud still counts as there: a few heartbeats."""
    is_connected: bool = False
    heard_at: float | None = None

    def connect(self) -> None:
        """The broker let us in; the cloud behind it is given the benefit of the doubt once."""
        self.is_connected = True
        self.heard_at = None

    def disconnect(self) -> None:
        """The broker is gone."""
        self.is_connected = False

    def hear(self, now: float) -> None:
        """The cloud said something."""
        self.heard_at = now

    def is_on(self, now: float) -> bool:
        """Whether it is worth waiting for an answer."""
        if not self.is_connected:
            return False
        return self.heard_at is None or now - self.heard_at <= self.patience_s
