"""Sending what must be sent: at least once, with growing patience."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from cloud.domain.notices import Channel as Way
from cloud.domain.notices import is_too_late
from cloud.services.fact_ports import Message
from cloud.services.ports import Clock, OpenWork
from cloud.services.retrying import retried

log = structlog.get_logger(__name__)

_LEASE: Final = timedelta(minutes=2)
"""Longer than a batch takes, whatever the other side does."""
_BATCH: Final = 8
"""All at once, each in a thread."""
_PAUSES: Final = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
)
"""After the last of them a message is given up; it stays in the table, with its error."""
_PATIENT_PAUSES: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""For programs, whose makers sleep and have weekends (Standard Webhooks, "Retry schedule")."""


class NotSent(Exception):
    """A channel could not send; `is_final`: no later attempt will do better."""

    def __init__(
        self, why: str, *, is_final: bool = False, retry_after: timedelta | None = None
    ) -> None:
        """Say why, as it is kept with the message, and when the other side wants to be asked."""
        super().__init__(why)
        self.is_final = is_final
        self.retry_after = retry_after


class Gone(NotSent):
    """The recipient wants nothing more, of anything."""

    def __init__(self, why: str) -> None:
        """See NotSent."""
        super().__init__(why, is_final=True)


class Channel(Protocol):
    """A way to reach people."""

    def send(self, message: Message) -> str:
        """Send; returns what there is to note (empty: nothing).

        Called by several threads at once.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class MailView:
    """A message that went out, or waits to."""

    message_id: str
    channel: str
    recipient: str
    """An address, a number, or an id: of a user, a push subscription, a webhook endpoint."""
    subject: str
    body: str
    created_at: datetime
    sent_at: datetime | None
    attempts: int
    last_error: str
    kind: str | None = None
    """A NoticeKind; null: no notice."""


@dataclass(frozen=True, slots=True)
class MessageService:
    """The courier's use cases."""

    open_work: OpenWork
    clock: Clock
    channels: Mapping[str, Channel]
    only: str | None = None
    """The one channel it cares for."""
    but: str | None = None
    """The one it leaves to another courier: who is slow there holds up nobody here."""

    def deliver(self) -> int:
        """Send what is due; returns how many messages were taken up."""
        due = self._claim()
        if len(due) == 1:
            self._deliver(due[0])
        elif due:
            with ThreadPoolExecutor(_BATCH, thread_name_prefix="courier") as pool:
                # asked for, so that an error of any of them is ours
                list(pool.map(self._deliver, due))
        return len(due)

    def mailbox(self, limit: int = 100, recipient: str | None = None) -> list[MailView]:
        """Return the newest messages, sent or not, of all or to one: for demonstrations."""
        with self.open_work(is_read_only=True) as work:
            return [_view(one) for one in work.messages.page(limit, recipient)]

    @retried
    def _claim(self) -> list[Message]:
        with self.open_work() as work:
            due = work.messages.claim(
                self.clock.now(), _LEASE, _BATCH, only=self.only, but=self.but
            )
            work.commit()
        return due

    def _deliver(self, message: Message) -> None:
        channel = self.channels.get(message.channel, _NO_CHANNEL)
        try:
            self._demand_sense(message)
            self._sent(message, channel.send(message))
        except NotSent as error:
            log.warning("message.not_sent", message_id=message.id, error=str(error))
            self._failed(message, error)

    def _demand_sense(self, message: Message) -> None:
        if message.attempts > len(_pauses_of(message)):
            raise NotSent("taken up again and again, and never done with", is_final=True)
        is_for_a_program = message.channel == Way.WEBHOOK
        now = self.clock.now()
        if not is_for_a_program and is_too_late(message.kind, message.created_at, now):
            raise NotSent("too late to be of use", is_final=True)

    @retried
    def _sent(self, message: Message, note: str) -> None:
        with self.open_work() as work:
            work.messages.sent(message.id, self.clock.now(), note)
            work.commit()

    @retried
    def _failed(self, message: Message, error: NotSent) -> None:
        pauses, tried = _pauses_of(message), message.attempts
        if error.is_final or tried >= len(pauses):
            next_at = None
        else:
            next_at = self.clock.now() + max(pauses[tried], error.retry_after or timedelta())
        with self.open_work() as work:
            work.messages.failed(message.id, str(error), next_at)
            work.commit()


def _pauses_of(message: Message) -> tuple[timedelta, ...]:
    return _PATIENT_PAUSES if message.channel == Way.WEBHOOK else _PAUSES


def _view(one: Message) -> MailView:
    return MailView(
        message_id=one.id,
        channel=one.channel,
        kind=one.kind,
        recipient=one.recipient,
        subject=one.subject,
        body=one.body,
        created_at=one.created_at,
        sent_at=one.sent_at,
        attempts=one.attempts,
        last_error=one.last_error,
    )
