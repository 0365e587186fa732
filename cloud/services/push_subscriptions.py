"""Browsers that want to be told: they subscribe, are told, and are forgotten once they are gone."""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import uuid4

import structlog
from cryptography.hazmat.primitives.asymmetric import ec

from cloud.domain.access import Viewer
from cloud.domain.errors import NotFound, NotValid
from cloud.domain.notices import PASSING, URGENT, USEFUL_FOR
from cloud.domain.outbound import target_of
from cloud.services.fact_ports import Message
from cloud.services.messages import Gone
from cloud.services.notice_ports import PushSubscription
from cloud.services.ports import Clock, OpenWork
from cloud.services.retrying import retried

log = structlog.get_logger(__name__)

MOST_BROWSERS: Final = 20
_AUTH_BYTES: Final = 16
_A_DAY_S: Final = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """What a browser is told."""

    message_id: str
    """The same for every attempt: a message not yet fetched is replaced, one shown is shown over."""
    kind: str
    title: str
    body: str
    link: str
    created_at: datetime
    is_urgent: bool
    ttl_s: int
    """So long the push service keeps it for a browser that is away."""


class PushSender(Protocol):
    """Speaks to push services (RFC 8030)."""

    @property
    def public_key(self) -> str:
        """The application server's key browsers subscribe with, base64url (RFC 8292)."""
        ...

    def push(self, subscription: PushSubscription, push: Push) -> None:
        """Hand it to the browser's push service.

        Raises:
            Gone: the browser wants nothing more.
            NotSent: it did not leave the house.
        """
        ...


@dataclass(frozen=True, slots=True)
class PushChannel:
    """See Channel: the recipient is a subscription's id."""

    open_work: OpenWork
    clock: Clock
    sender: PushSender

    def send(self, message: Message) -> str:
        """See Channel.send."""
        with self.open_work(is_read_only=True) as work:
            subscription = work.push_subscriptions.get(message.recipient)
        # a browser that is somebody else's by now is not told of the one before
        if subscription is None or subscription.user_id != message.user_id:
            raise Gone("there is no such subscription any more")
        try:
            self.sender.push(subscription, _push(message))
        except Gone:
            self._forget(subscription)
            raise
        return ""

    @retried
    def _forget(self, subscription: PushSubscription) -> None:
        with self.open_work() as work:
            work.push_subscriptions.gone(subscription.id, self.clock.now())
            work.commit()
        log.info("push.gone", subscription_id=subscription.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubscription:
    """What a browser says when it subscribes (Push API, PushSubscription.toJSON)."""

    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionView:
    """A browser that is told."""

    subscription_id: str
    service: str
    """The host of its push service."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionList:
    """All browsers of a user, and with which key another one subscribes."""

    public_key: str
    subscriptions: list[SubscriptionView]


@dataclass(frozen=True, slots=True)
class PushSubscriptionService:
    """The use cases of browsers."""

    open_work: OpenWork
    clock: Clock
    public_key: str
    is_lab: bool = False
    """Also push services on loopback will do."""

    def list(self, viewer: Viewer) -> SubscriptionList:
        """Return the viewer's browsers, oldest first."""
        with self.open_work(is_read_only=True) as work:
            found = work.push_subscriptions.of_user(viewer.user_id)
        return SubscriptionList(
            public_key=self.public_key, subscriptions=[self._view(one) for one in found]
        )

    @retried
    def add(self, viewer: Viewer, new: NewSubscription) -> SubscriptionView:
        """Store a browser; the same one again is the same subscription.

        Raises:
            NotValid: its address or its keys are none.
        """
        target_of(new.endpoint, is_lab=self.is_lab)
        _demand_keys(new)
        subscription = PushSubscription(
            id=uuid4().hex,
            user_id=viewer.user_id,
            endpoint=new.endpoint,
            p256dh=new.p256dh,
            auth=new.auth,
            created_at=self.clock.now(),
        )
        with self.open_work() as work:
            kept = work.push_subscriptions.put(subscription)
            for surplus in work.push_subscriptions.of_user(viewer.user_id)[:-MOST_BROWSERS]:
                work.push_subscriptions.gone(surplus.id, self.clock.now())
            work.commit()
        return self._view(kept)

    @retried
    def remove(self, viewer: Viewer, subscription_id: str) -> None:
        """Tell a browser no more.

        Raises:
            NotFound: there is no such one of the viewer's.
        """
        with self.open_work() as work:
            subscription = work.push_subscriptions.get(subscription_id)
            if subscription is None or subscription.user_id != viewer.user_id:
                raise NotFound(subscription_id)
            work.push_subscriptions.gone(subscription_id, self.clock.now())
            work.commit()

    def _view(self, one: PushSubscription) -> SubscriptionView:
        return SubscriptionView(
            subscription_id=one.id,
            service=target_of(one.endpoint, is_lab=True).host,
            created_at=one.created_at,
        )


def _push(message: Message) -> Push:
    facts = message.data or {}
    return Push(
        message_id=message.id,
        kind=message.kind or "",
        title=message.subject,
        body=message.body,
        link=str(facts.get("link", "")),
        created_at=message.created_at,
        is_urgent=message.kind in URGENT,
        ttl_s=int(USEFUL_FOR.total_seconds()) if message.kind in PASSING else _A_DAY_S,
    )


def _demand_keys(new: NewSubscription) -> None:
    """Refuse keys nothing could be encrypted with (RFC 8291, section 2).

    Raises:
        NotValid: they are none.
    """
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _decoded(new.p256dh))
        is_secret = len(_decoded(new.auth)) == _AUTH_BYTES
    except ValueError:
        is_secret = False
    if not is_secret:
        raise NotValid("keys", "These are no keys of a push subscription.")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
