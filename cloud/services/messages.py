"""Sending what must be sent: at least once, with growing patience."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

import structlog

from cloud.services.fact_ports import Message
from cloud.services.ports import Clock, OpenWork
from cloud.services.retrying import retried
from cloud.services.views import MailView

log = structlog.get_logger(__name__)

_LEASE: Final = timedelta(minutes=2)
_BATCH: Final = 20
_PAUSES: Final = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
)
"""After the last of them a message is given up; it stays in the table, with its error."""


class NotSent(Exception):
    """A channel could not send; `is_final`: no later attempt will do better."""

    def __init__(self, why: str, *, is_final: bool = False) -> None:
        """Say why, as it is kept with the message."""
        super().__init__(why)
        self.is_final = is_final


class Channel(Protocol):
    """A way to reach people."""

    def send(self, message: Message) -> str:
        """Send; returns what there is to note (empty: nothing).

        Raises:
            NotSent: it did not leave the house.
        """
        ...


class _NoChannel:
    """Stands for channels nobody set up."""

    def send(self, message: Message) -> str:
        """See Channel.send."""
        raise NotSent(f"there is no channel {message.channel!r}", is_final=True)


_NO_CHANNEL: Final = _NoChannel()


@dataclass(frozen=True, slots=True)
class MessageService:
    """The courier's use cases."""

    open_work: OpenWork
    clock: Clock
    channels: Mapping[str, Channel]

    def deliver(self) -> int:
        """Send what is due; returns how many messages were taken up."""
        due = self._claim()
        for message in due:
            self._deliver(message)
        return len(due)

    def mailbox(self, limit: int = 100) -> list[MailView]:
        """Return the newest messages, sent or not: for demonstrations."""
        with self.open_work(is_read_only=True) as work:
            return [_view(one) for one in work.messages.page(limit)]

    @retried
    def _claim(self) -> list[Message]:
        with self.open_work() as work:
            due = work.messages.claim(self.clock.now(), _LEASE, _BATCH)
            work.commit()
        return due

    def _deliver(self, message: Message) -> None:
        channel = self.channels.get(message.channel, _NO_CHANNEL)
        try:
            self._sent(message, channel.send(message))
        except NotSent as error:
            log.warning("message.not_sent", message_id=message.id, error=str(error))
            self._failed(message, error)

    @retried
    def _sent(self, message: Message, note: str) -> None:
        with self.open_work() as work:
            work.messages.sent(message.id, self.clock.now(), note)
            work.commit()

    @retried
    def _failed(self, message: Message, error: NotSent) -> None:
        tried = message.attempts
        is_over = error.is_final or tried >= len(_PAUSES)
        next_at = None if is_over else self.clock.now() + _PAUSES[tried]
        with self.open_work() as work:
            work.messages.failed(message.id, str(error), next_at)
            work.commit()


def _view(one: Message) -> MailView:
    return MailView(
        message_id=one.id,
        channel=one.channel,
        recipient=one.recipient,
        subject=one.subject,
        body=one.body,
        created_at=one.created_at,
        sent_at=one.sent_at,
        attempts=one.attempts,
        last_error=one.last_error,
    )
