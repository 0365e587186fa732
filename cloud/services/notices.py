"""Notices to users: written with their cause, once for each way they are to come; and the inbox."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import uuid4

from cloud.domain.access import Viewer
from cloud.domain.errors import NotFound, NotValid
from cloud.domain.notices import (
    DISTURBING,
    URGENT,
    Channel,
    NoticeKind,
    Preferences,
    Quiet,
    plan_of,
)
from cloud.domain.reservations import Reservation
from cloud.services.collaborators import Notice
from cloud.services.cursors import seal, unseal
from cloud.services.fact_ports import Message
from cloud.services.notice_ports import Addressee, InboxPage
from cloud.services.notice_texts import Written, write
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.retrying import retried

_KEY_LENGTH: Final = 200


def about(reservation: Reservation) -> dict[str, Any]:
    """Return what notices about a reservation tell of it; names are looked up by `Notices.tell`."""
    facts = {
        "reservation_id": reservation.id,
        "station_id": reservation.station_id,
        "bay_id": reservation.bay_id,
        "starts_at": reservation.starts_at.isoformat(),
        "ends_at": reservation.ends_at.isoformat(),
        "currency": reservation.currency,
        "status": str(reservation.status),
    }
    if reservation.trouble:
        facts["trouble"] = str(reservation.trouble)
    fee_minor = (reservation.terms or {}).get("overstay_per_minute_minor")
    return facts | {"fee_per_min_minor": fee_minor} if fee_minor else facts


@dataclass(frozen=True, slots=True)
class Notices:
    """See Telling."""

    public_url: str
    has_sms: bool = True
    """Whether short messages leave the house, or at least show on the mailbox page."""

    def tell(self, work: UnitOfWork, notice: Notice, now: datetime) -> None:
        """See Telling.tell. Somebody who is not there any more is told nothing."""
        addressee = work.notices.addressee(notice.user_id)
        if addressee is None:
            return
        kind = NoticeKind(notice.kind)
        facts = _named(work, notice.data)
        facts["language"] = addressee.preferences.language
        facts["link"] = self.public_url.rstrip("/") + _page(facts)
        ways = self.ways(addressee, kind)
        planned = plan_of(kind, addressee.preferences, ways.keys(), now)
        text = _written(kind, facts, addressee.preferences)
        told = _Told(notice, kind, facts, text, now)
        work.messages.add(
            [
                told.message(channel, recipient, at)
                for channel, at in planned
                for recipient in ways[channel]
            ]
        )

    def ways(
        self, addressee: Addressee, kind: NoticeKind | None = None
    ) -> dict[Channel, Sequence[str]]:
        """Return the recipients of each channel that has any; with a kind, of those it is for."""
        phone = addressee.preferences.phone
        endpoints = [one for one in addressee.endpoints if kind is None or one.wants(kind)]
        ways: dict[Channel, Sequence[str]] = {
            Channel.APP: [addressee.user_id],
            Channel.MAIL: [addressee.email],
            Channel.SMS: [phone] if phone and self.has_sms else [],
            Channel.PUSH: addressee.push_ids,
            Channel.WEBHOOK: [one.id for one in endpoints],
        }
        return {channel: recipients for channel, recipients in ways.items() if recipients}


@dataclass(frozen=True, slots=True)
class _Told:
    """A notice on its way into messages."""

    notice: Notice
    kind: NoticeKind
    facts: Mapping[str, Any]
    text: Written
    now: datetime

    def message(self, channel: Channel, recipient: str, at: datetime) -> Message:
        text = self.text
        bodies = {
            Channel.SMS: text.sms,
            Channel.PUSH: text.glance,
            Channel.MAIL: f"{text.body}\n{self.facts['link']}\n",
        }
        return Message(
            id=uuid4().hex,
            idempotency_key=key_of(self.notice.cause, channel, recipient),
            channel=channel,
            recipient=recipient,
            subject=text.subject,
            body=bodies.get(channel, text.body),
            created_at=self.now,
            user_id=self.notice.user_id,
            kind=self.kind,
            data={**self.facts, "cause": self.notice.cause, "link_text": text.more},
            next_attempt_at=at,
        )


def key_of(cause: str, channel: Channel, recipient: str) -> str:
    """Return by what a message is known again: one a cause and channel, or browser, or program."""
    key = f"notice/{cause}/{channel}"
    if channel in {Channel.PUSH, Channel.WEBHOOK}:
        key = f"{key}/{recipient}"
    if len(key) <= _KEY_LENGTH:
        return key
    return f"notice/{hashlib.sha256(key.encode()).hexdigest()}/{channel}"


def _named(work: UnitOfWork, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts with what the station and its bays are called, where they do not say."""
    station_ids = {data[name] for name in ("station_id",) if data.get(name)}
    bay_ids = {data[name] for name in ("bay_id", "from_bay_id") if data.get(name)}
    places, bays = work.notices.names(station_ids, bay_ids)
    facts = dict(data)
    for place in places.values():
        facts = {"station_name": place["name"], **_without_name(place), **facts}
    for name in ("bay", "from_bay"):
        bay_name = bays.get(data.get(f"{name}_id", ""))
        if bay_name is not None:
            facts.setdefault(f"{name}_name", bay_name)
    return facts


def _without_name(place: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in place.items() if key != "name"}


def _page(facts: Mapping[str, Any]) -> str:
    """Return the page that shows more."""
    if facts.get("session_id"):
        return f"/sessions/{facts['session_id']}"
    if facts.get("reservation_id"):
        return f"/reservations/{facts['reservation_id']}"
    if facts.get("waitlist_id"):
        return "/reservations"
    return f"/stations/{facts['station_id']}" if facts.get("station_id") else "/"


def _written(kind: NoticeKind, facts: Mapping[str, Any], preferences: Preferences) -> Written:
    timezone = preferences.timezone or str(facts.get("timezone") or "UTC")
    return write(kind, facts, language=preferences.language, timezone=timezone)


# --- what users see and choose ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """A notice in the inbox."""

    notice_id: str
    kind: str
    is_urgent: bool
    subject: str
    body: str
    data: Mapping[str, Any]
    """What it is told from: ids, instants, amounts."""
    created_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeList:
    """A page of the inbox, newest first."""

    as_of: datetime
    notices: list[NoticeView]
    unread: int
    """In the whole inbox."""
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """How many notices were not read."""

    unread: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KindView:
    """By which channels a kind of notice comes."""

    kind: str
    is_urgent: bool
    """It breaks quiet hours."""
    channels: dict[str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferencesView:
    """How a user is told."""

    language: str
    timezone: str
    phone: str
    quiet: Quiet | None
    kinds: list[KindView]
    channels: dict[str, bool]
    """Which channels reach the user at all, as things are."""


@dataclass(frozen=True, slots=True)
class NoticeService:
    """The use cases of the inbox and of preferences; each user's own."""

    open_work: OpenWork
    clock: Clock
    telling: Notices

    def list(
        self,
        viewer: Viewer,
        *,
        is_unread: bool | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> NoticeList:
        """Return the viewer's notices, newest first, after the one the cursor names.

        Raises:
            NotValid: a cursor of another list.
        """
        before = None if cursor is None else unseal(cursor, (datetime, str))
        page = InboxPage(viewer.user_id, is_unread, cast("Place | None", before), limit + 1)
        with self.open_work(is_read_only=True) as work:
            found = work.notices.inbox(page)
            unread = work.notices.count_unread(viewer.user_id)
        shown = found[:limit]
        has_more = len(found) > limit
        return NoticeList(
            as_of=self.clock.now(),
            notices=[_notice_view(one) for one in shown],
            unread=unread,
            next_cursor=seal(shown[-1].created_at, shown[-1].id) if has_more else None,
        )

    def unread(self, viewer: Viewer) -> Unread:
        """Return how many notices the viewer has not read."""
        with self.open_work(is_read_only=True) as work:
            return Unread(unread=work.notices.count_unread(viewer.user_id))

    @retried
    def mark_read(self, viewer: Viewer, notice_id: str | None) -> Unread:
        """Mark a notice, or all of them, as read; a second time changes nothing.

        Raises:
            NotFound: there is no such notice in the viewer's inbox.
        """
        with self.open_work() as work:
            if notice_id is not None and not work.notices.has(viewer.user_id, notice_id):
                raise NotFound(notice_id)
            ids = None if notice_id is None else [notice_id]
            work.notices.mark_read(viewer.user_id, ids, self.clock.now())
            unread = work.notices.count_unread(viewer.user_id)
            work.commit()
        return Unread(unread=unread)

    def preferences(self, viewer: Viewer) -> PreferencesView:
        """Return how the viewer is told."""
        with self.open_work(is_read_only=True) as work:
            return self._preferences(work, viewer)

    @retried
    def set_preferences(self, viewer: Viewer, preferences: Preferences) -> PreferencesView:
        """Store how the viewer wants to be told.

        Raises:
            NotValid: quiet hours without a time zone, or a phone where nothing is sent to phones.
        """
        if preferences.quiet is not None and not preferences.timezone:
            raise NotValid("timezone", "Quiet hours need a time zone.")
        if preferences.phone and not self.telling.has_sms:
            raise NotValid("phone", "Short messages are not set up here.")
        with self.open_work() as work:
            work.notices.put_preferences(viewer.user_id, preferences, self.clock.now())
            view = self._preferences(work, viewer)
            work.commit()
        return view

    def _preferences(self, work: UnitOfWork, viewer: Viewer) -> PreferencesView:
        addressee = work.notices.addressee(viewer.user_id)
        if addressee is None:
            raise NotFound(viewer.user_id)
        known = addressee.preferences
        ways = self.telling.ways(addressee)
        return PreferencesView(
            language=known.language,
            timezone=known.timezone,
            phone=known.phone,
            quiet=known.quiet,
            kinds=[_kind_view(kind, known) for kind in NoticeKind],
            channels={str(one): bool(ways.get(one)) for one in Channel},
        )


Place = tuple[datetime, str]


def _notice_view(one: Message) -> NoticeView:
    return NoticeView(
        notice_id=one.id,
        kind=one.kind or "",
        is_urgent=one.kind in URGENT,
        subject=one.subject,
        body=one.body,
        data=one.data or {},
        created_at=one.created_at,
        read_at=one.read_at,
    )


def _kind_view(kind: NoticeKind, known: Preferences) -> KindView:
    chosen = {str(one): known.wants(kind, one) for one in sorted(DISTURBING)}
    return KindView(kind=kind, is_urgent=kind in URGENT, channels=chosen)
