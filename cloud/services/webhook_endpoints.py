"""Programs that want to be told: signed events, patience with those that fail, and an end to it."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import uuid4

import structlog

from cloud.domain.access import Viewer
from cloud.domain.errors import NotFound, NotValid, TooManyAttempts
from cloud.domain.notices import Channel, NoticeKind
from cloud.domain.outbound import target_of
from cloud.services.collaborators import Notice, Telling
from cloud.services.fact_ports import Message
from cloud.services.messages import Gone, NotSent
from cloud.services.notice_ports import WebhookEndpoint
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.retrying import retried

log = structlog.get_logger(__name__)

TEST: Final = "test"
MOST_ENDPOINTS: Final = 10
_GIVEN_UP_AFTER: Final = timedelta(days=3)
_SECRET_BYTES: Final = 32
_MINUTE_S: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a program is told."""

    message_id: str
    """The same for every attempt, so that the receiver can drop the second."""
    kind: str
    user_id: str
    subject: str
    text: str
    facts: Mapping[str, Any]
    created_at: datetime


class WebhookSender(Protocol):
    """Sends signed events."""

    def send(self, url: str, secrets_: Sequence[str], delivery: Delivery) -> None:
        """Send it, signed by each of the secrets.

        Raises:
            Gone: the endpoint wants nothing more.
            NotSent: it was not taken.
        """
        ...


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """See Channel: the recipient is an endpoint's id."""

    open_work: OpenWork
    clock: Clock
    sender: WebhookSender
    telling: Telling

    def send(self, message: Message) -> str:
        """See Channel.send. An endpoint that was switched off gets tests only."""
        with self.open_work(is_read_only=True) as work:
            endpoint = work.webhook_endpoints.get(message.recipient)
        if endpoint is None or (endpoint.disabled_at is not None and message.kind != TEST):
            raise Gone("there is no such endpoint, or it is switched off")
        try:
            self.sender.send(endpoint.url, endpoint.secrets, _delivery(message))
        except NotSent as error:
            self._failed(endpoint, error)
            raise
        if endpoint.failing_since is not None or endpoint.disabled_at is not None:
            self._succeeded(endpoint)
        return ""

    @retried
    def _succeeded(self, endpoint: WebhookEndpoint) -> None:
        with self.open_work() as work:
            work.webhook_endpoints.succeeded(endpoint.id)
            work.commit()

    @retried
    def _failed(self, endpoint: WebhookEndpoint, error: NotSent) -> None:
        now = self.clock.now()
        since = endpoint.failing_since or now
        with self.open_work() as work:
            work.webhook_endpoints.failed(endpoint.id, str(error), now)
            if isinstance(error, Gone) or now - since >= _GIVEN_UP_AFTER:
                self._disable(work, endpoint, str(error), now)
            work.commit()

    def _disable(
        self, work: UnitOfWork, endpoint: WebhookEndpoint, error: str, now: datetime
    ) -> None:
        if not work.webhook_endpoints.disable(endpoint.id, now):
            return
        log.warning("webhook.disabled", endpoint_id=endpoint.id, error=error)
        notice = Notice(
            user_id=endpoint.user_id,
            kind=NoticeKind.WEBHOOK_DISABLED,
            cause=f"webhook_disabled/{endpoint.id}/{now:%Y%m%d%H%M%S}",
            data={"endpoint_id": endpoint.id, "url": endpoint.url, "reason": error},
        )
        self.telling.tell(work, notice, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookView:
    """A program that is told."""

    endpoint_id: str
    url: str
    kinds: list[str]
    """What it hears of; empty: everything."""
    created_at: datetime
    failing_since: datetime | None
    disabled_at: datetime | None
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSecret:
    """An endpoint with its newest secret, shown now and never again."""

    endpoint: WebhookView
    secret: str
    """`whsec_...`: verify with it what is sent (Standard Webhooks)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookList:
    """All endpoints of a user, oldest first."""

    endpoints: list[WebhookView]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSent:
    """A test event on its way."""

    __test__ = False

    message_id: str
    """Its `webhook-id`."""


@dataclass(frozen=True, slots=True)
class WebhookEndpointService:
    """The use cases of programs that want to be told."""

    open_work: OpenWork
    clock: Clock
    is_lab: bool = False
    """Also plain http and loopback will do."""

    def list(self, viewer: Viewer) -> WebhookList:
        """Return the viewer's endpoints."""
        with self.open_work(is_read_only=True) as work:
            found = work.webhook_endpoints.of_user(viewer.user_id)
        return WebhookList(endpoints=[_view(one) for one in found])

    @retried
    def add(self, viewer: Viewer, url: str, kinds: Sequence[NoticeKind]) -> WebhookSecret:
        """Store an endpoint.

        Raises:
            NotValid: the address is none of a public server, or the user has enough of them.
        """
        target_of(url, is_lab=self.is_lab)
        endpoint = WebhookEndpoint(
            id=uuid4().hex,
            user_id=viewer.user_id,
            url=url,
            secrets=(_new_secret(),),
            kinds=tuple(dict.fromkeys(kinds)),
            created_at=self.clock.now(),
        )
        with self.open_work() as work:
            if len(work.webhook_endpoints.of_user(viewer.user_id)) >= MOST_ENDPOINTS:
                raise NotValid("url", f"There are at most {MOST_ENDPOINTS} webhooks for one user.")
            work.webhook_endpoints.add(endpoint)
            work.commit()
        return WebhookSecret(endpoint=_view(endpoint), secret=endpoint.secrets[0])

    @retried
    def remove(self, viewer: Viewer, endpoint_id: str) -> None:
        """Forget an endpoint; what waits for it is not sent.

        Raises:
            NotFound: there is no such one of the viewer's.
        """
        with self.open_work() as work:
            _theirs(work, viewer, endpoint_id)
            work.webhook_endpoints.remove(endpoint_id)
            work.commit()

    @retried
    def rotate(self, viewer: Viewer, endpoint_id: str) -> WebhookSecret:
        """Sign with a new secret, and until the next rotation with the one before as well.

        Raises:
            NotFound: there is no such one of the viewer's.
        """
        with self.open_work() as work:
            endpoint = _theirs(work, viewer, endpoint_id)
            made = _new_secret()
            work.webhook_endpoints.rotate(endpoint_id, (made, endpoint.secrets[0]))
            work.commit()
        return WebhookSecret(endpoint=_view(endpoint), secret=made)

    @retried
    def test(self, viewer: Viewer, endpoint_id: str) -> TestSent:
        """Send a test event, at most one a minute; where it is taken, the endpoint is on again.

        Raises:
            NotFound: there is no such one of the viewer's.
            TooManyAttempts: this minute had one already.
        """
        now = self.clock.now()
        message = _test_message(viewer, endpoint_id, now)
        with self.open_work() as work:
            _theirs(work, viewer, endpoint_id)
            if not work.messages.add([message]):
                raise TooManyAttempts(endpoint_id, retry_after_s=_MINUTE_S - now.second)
            work.commit()
        return TestSent(message_id=message.id)


def _test_message(viewer: Viewer, endpoint_id: str, now: datetime) -> Message:
    return Message(
        id=uuid4().hex,
        idempotency_key=f"test/{endpoint_id}/{now:%Y%m%d%H%M}",
        channel=Channel.WEBHOOK,
        recipient=endpoint_id,
        subject="Test",
        body="This is a test event. Nothing has happened.\n",
        created_at=now,
        user_id=viewer.user_id,
        kind=TEST,
        data={},
    )


def _theirs(work: UnitOfWork, viewer: Viewer, endpoint_id: str) -> WebhookEndpoint:
    endpoint = work.webhook_endpoints.get(endpoint_id)
    if endpoint is None or endpoint.user_id != viewer.user_id:
        raise NotFound(endpoint_id)
    return endpoint


def _new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def _delivery(message: Message) -> Delivery:
    return Delivery(
        message_id=message.id,
        kind=message.kind or TEST,
        user_id=message.user_id or "",
        subject=message.subject,
        text=message.body,
        facts=message.data or {},
        created_at=message.created_at,
    )


def _view(one: WebhookEndpoint) -> WebhookView:
    return WebhookView(
        endpoint_id=one.id,
        url=one.url,
        kinds=list(one.kinds),
        created_at=one.created_at,
        failing_since=one.failing_since,
        disabled_at=one.disabled_at,
        last_error=one.last_error,
    )
