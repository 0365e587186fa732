"""Calendar feeds: secret addresses under which calendar programs read a driver's reservations."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from cloud.domain.access import Viewer
from cloud.domain.errors import NotFound, NotValid
from cloud.domain.reservations import Reservation
from cloud.services.booking_ports import ReservationPage
from cloud.services.calendar_files import Places, calendar_of
from cloud.services.notice_ports import CalendarFeed
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.retrying import retried

MOST_FEEDS: Final = 10
_SECRET_BYTES: Final = 16
"""128 bits: nobody guesses one."""
_MOST_EVENTS: Final = 500
_KEPT_FOR: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedView:
    """A calendar feed; its address is not told again."""

    feed_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedList:
    """All feeds of a user that were not revoked, oldest first."""

    feeds: list[FeedView]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFeed:
    """A new feed with its address, shown now and never again."""

    feed: FeedView
    url: str
    """Whoever knows it reads the driver's reservations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarFile:
    """What a calendar program is given."""

    content: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class CalendarFeedService:
    """The use cases of calendar feeds."""

    open_work: OpenWork
    clock: Clock
    public_url: str

    def list(self, viewer: Viewer) -> FeedList:
        """Return the viewer's feeds."""
        with self.open_work(is_read_only=True) as work:
            found = work.calendar_feeds.of_user(viewer.user_id)
        return FeedList(feeds=[_view(one) for one in found])

    @retried
    def make(self, viewer: Viewer) -> NewFeed:
        """Open a new feed.

        Raises:
            NotValid: the viewer has enough of them.
        """
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        feed = CalendarFeed(
            id=uuid4().hex,
            user_id=viewer.user_id,
            secret_hash=_hash(secret),
            created_at=self.clock.now(),
        )
        with self.open_work() as work:
            if len(work.calendar_feeds.of_user(viewer.user_id)) >= MOST_FEEDS:
                raise NotValid("feeds", f"There are at most {MOST_FEEDS} feeds for one user.")
            work.calendar_feeds.add(feed)
            work.commit()
        url = f"{self.public_url.rstrip('/')}/api/v1/calendars/{secret}.ics"
        return NewFeed(feed=_view(feed), url=url)

    @retried
    def revoke(self, viewer: Viewer, feed_id: str) -> None:
        """Close a feed, at once.

        Raises:
            NotFound: there is no such one of the viewer's.
        """
        with self.open_work() as work:
            if not work.calendar_feeds.revoke(viewer.user_id, feed_id, self.clock.now()):
                raise NotFound(feed_id)
            work.commit()

    def read(self, secret: str) -> CalendarFile:
        """Return the calendar a secret opens.

        Raises:
            NotFound: it opens none, or none any more.
        """
        with self.open_work(is_read_only=True) as work:
            feed = work.calendar_feeds.by_secret(_hash(secret))
            if feed is None:
                raise NotFound
            found = self._reservations(work, feed.user_id)
            places = _places(work, found)
            language = work.notices.preferences(feed.user_id).language
        content = calendar_of(found, places, public_url=self.public_url, language=language)
        return CalendarFile(content=content, etag=f'"{hashlib.sha256(content).hexdigest()[:32]}"')

    def _reservations(self, work: UnitOfWork, user_id: str) -> Sequence[Reservation]:
        page = ReservationPage(user_id=user_id, limit=_MOST_EVENTS)
        since = self.clock.now() - _KEPT_FOR
        return [one for one in work.reservations.page(page) if one.ends_at > since]


def _places(work: UnitOfWork, found: Sequence[Reservation]) -> Places:
    station_ids, bay_ids = {one.station_id for one in found}, {one.bay_id for one in found}
    _, bay_names = work.notices.names((), bay_ids)
    return Places(stations=work.stations.by_ids(station_ids), bay_names=bay_names)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _view(one: CalendarFeed) -> FeedView:
    return FeedView(feed_id=one.id, created_at=one.created_at)
