"""Notices to users: written with their cause, once for each way they are to come."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from cloud.domain.notices import Channel, NoticeKind, Preferences, plan_of
from cloud.domain.reservations import Reservation
from cloud.services.collaborators import Notice
from cloud.services.fact_ports import Message
from cloud.services.notice_ports import Addressee
from cloud.services.notice_texts import Written, write
from cloud.services.ports import UnitOfWork

_KEY_LENGTH: Final = 200


def about(reservation: Reservation) -> dict[str, Any]:
    """Return what notices about a reservation tell of it; names are looked up by `Notices.tell`."""
    return {
        "reservation_id": reservation.id,
        "station_id": reservation.station_id,
        "bay_id": reservation.bay_id,
        "starts_at": reservation.starts_at.isoformat(),
        "ends_at": reservation.ends_at.isoformat(),
        "currency": reservation.currency,
        "status": str(reservation.status),
    }


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
        ways = self._ways(addressee, kind)
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

    def _ways(self, addressee: Addressee, kind: NoticeKind) -> dict[Channel, Sequence[str]]:
        """Return the recipients of each channel that has any."""
        phone = addressee.preferences.phone
        ways: dict[Channel, Sequence[str]] = {
            Channel.APP: [addressee.user_id],
            Channel.MAIL: [addressee.email],
            Channel.SMS: [phone] if phone and self.has_sms else [],
            Channel.PUSH: addressee.push_ids,
            Channel.WEBHOOK: [one.id for one in addressee.endpoints if one.wants(kind)],
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
    return f"/stations/{facts['station_id']}" if facts.get("station_id") else "/"


def _written(kind: NoticeKind, facts: Mapping[str, Any], preferences: Preferences) -> Written:
    timezone = preferences.timezone or str(facts.get("timezone") or "UTC")
    return write(kind, facts, language=preferences.language, timezone=timezone)
