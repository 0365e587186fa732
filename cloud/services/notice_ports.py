"""What telling people needs of the database; see also ports.py."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from cloud.domain.notices import NoticeKind, Preferences
from cloud.services.fact_ports import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSubscription:
    """A browser that wants to be told (Push API)."""

    id: str
    user_id: str
    endpoint: str
    p256dh: str
    """The browser's public key, base64url."""
    auth: str
    """Its secret, base64url."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint:
    """A program that wants to be told."""

    id: str
    user_id: str
    url: str
    secrets: tuple[str, ...]
    """`whsec_...`, the newest first; each signs what is sent."""
    kinds: tuple[NoticeKind, ...]
    """What it wants to hear of; empty: everything."""
    created_at: datetime
    failing_since: datetime | None = None
    disabled_at: datetime | None = None
    last_error: str = ""

    def wants(self, kind: NoticeKind) -> bool:
        """Whether it is to be told of this kind."""
        return not self.kinds or kind in self.kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarFeed:
    """A secret address of a user's calendar; of the secret only its SHA-256 is kept."""

    id: str
    user_id: str
    secret_hash: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """A user, and all ways to reach them."""

    user_id: str
    email: str
    preferences: Preferences
    push_ids: tuple[str, ...]
    endpoints: tuple[WebhookEndpoint, ...]


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Which notices to list: newest first, those after `before`."""

    user_id: str
    is_unread: bool | None = None
    before: tuple[datetime, str] | None = None
    limit: int = 50


class Notices(Protocol):
    """How users want to be told, and what they were told."""

    def addressee(self, user_id: str) -> Addressee | None:
        """Return an active user with all ways to reach them."""
        ...

    def preferences(self, user_id: str) -> Preferences:
        """Return a user's preferences; the defaults where they set none."""
        ...

    def put_preferences(self, user_id: str, preferences: Preferences, at: datetime) -> None:
        """Store a user's preferences."""
        ...

    def names(
        self, station_ids: Collection[str], bay_ids: Collection[str]
    ) -> tuple[dict[str, Mapping[str, str]], dict[str, str]]:
        """Return what texts say of stations (name, address, city, timezone), and bays' names."""
        ...

    def inbox(self, page: InboxPage) -> list[Message]:
        """Return a user's notices by (created_at, id), newest first."""
        ...

    def count_unread(self, user_id: str) -> int:
        """Return how many notices in the inbox were not read."""
        ...

    def mark_read(self, user_id: str, message_ids: Collection[str] | None, at: datetime) -> int:
        """Mark these unread notices of the user, or all up to now, as read; returns how many."""
        ...

    def has(self, user_id: str, message_id: str) -> bool:
        """Whether this notice lies in the user's inbox."""
        ...


class PushSubscriptions(Protocol):
    """Browsers that want to be told."""

    def put(self, subscription: PushSubscription) -> PushSubscription:
        """Store a subscription; one whose endpoint is known becomes this user's, and keeps its id.

        Raises:
            TransactionLost: the same one was stored meanwhile.
        """
        ...

    def get(self, subscription_id: str) -> PushSubscription | None:
        """Return the subscription, if there is one that is not gone."""
        ...

    def of_user(self, user_id: str) -> list[PushSubscription]:
        """Return a user's subscriptions that are not gone, oldest first."""
        ...

    def gone(self, subscription_id: str, at: datetime) -> None:
        """Note that the browser wants nothing more; a second time does nothing."""
        ...


class WebhookEndpoints(Protocol):
    """Programs that want to be told."""

    def add(self, endpoint: WebhookEndpoint) -> None:
        """Store a new endpoint."""
        ...

    def get(self, endpoint_id: str) -> WebhookEndpoint | None:
        """Return the endpoint, if there is one."""
        ...

    def of_user(self, user_id: str) -> list[WebhookEndpoint]:
        """Return a user's endpoints, oldest first."""
        ...

    def rotate(self, endpoint_id: str, secrets: Sequence[str]) -> None:
        """Have what is sent signed by these from now on."""
        ...

    def failed(self, endpoint_id: str, error: str, at: datetime) -> None:
        """Note a failure; it has been failing since the first after a success."""
        ...

    def succeeded(self, endpoint_id: str) -> None:
        """Note that it answers; one that was switched off is on again."""
        ...

    def disable(self, endpoint_id: str, at: datetime) -> bool:
        """Switch it off; False: it was, or is not there any more."""
        ...

    def remove(self, endpoint_id: str) -> None:
        """Forget an endpoint."""
        ...


class CalendarFeeds(Protocol):
    """Secret addresses of calendars."""

    def add(self, feed: CalendarFeed) -> None:
        """Store a new feed."""
        ...

    def by_secret(self, secret_hash: str) -> CalendarFeed | None:
        """Return whose calendar this secret opens; none once it was revoked."""
        ...

    def of_user(self, user_id: str) -> Sequence[CalendarFeed]:
        """Return a user's feeds that were not revoked, oldest first."""
        ...

    def revoke(self, user_id: str, feed_id: str, at: datetime) -> bool:
        """Close a feed of the user's; False: there is no such one."""
        ...


Facts = Mapping[str, Any]
"""What a notice is told from, as plain JSON data."""
