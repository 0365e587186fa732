"""What maintenance is written about alerts: at most two messages each, however it flaps."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import uuid4

from cloud.domain.alerts.rule import Alert, Happened, Happening, Severity
from cloud.domain.stations import Station
from cloud.services.fact_ports import Message

MAIL: Final = "mail"
_FLAPPING_AT: Final = 3
"""Openings after which it is said, once, that an alert comes and goes."""


def is_told(one: Happened) -> bool:
    """Whether anybody is written to about it."""
    if one.alert.severity == Severity.INFO:
        return False
    is_flapping = one.happening is Happening.REOPENED and one.alert.count == _FLAPPING_AT
    return one.happening is Happening.OPENED or is_flapping


def mails(
    happened: Sequence[Happened],
    stations: Mapping[str, Station],
    recipients: Mapping[str, Collection[str]],
    public_url: str,
    now: datetime,
) -> list[Message]:
    """Return the messages; told twice, each is sent once."""
    return [
        _mail(one, stations[one.alert.station_id], recipient, public_url, now)
        for one in happened
        if is_told(one)
        for recipient in sorted(recipients.get(one.alert.station_id, ()))
    ]


def _mail(
    one: Happened, station: Station, recipient: str, public_url: str, now: datetime
) -> Message:
    alert = one.alert
    is_first = one.happening is Happening.OPENED
    what = "opened" if is_first else "flapping"
    lead = "" if is_first else "Comes and goes: "
    return Message(
        id=uuid4().hex,
        idempotency_key=f"alert/{alert.id}/{what}/{recipient}"[:200],
        channel=MAIL,
        recipient=recipient,
        subject=_line(f"[{alert.severity}] {lead}{alert.title} ({station.name})"),
        body=_body(alert, station, public_url),
        created_at=now,
    )


def _body(alert: Alert, station: Station, public_url: str) -> str:
    parts = [
        alert.title,
        "",
        alert.detail,
        "",
        f"What to do: {alert.what_to_do}" if alert.what_to_do else "",
        "",
        f"Station: {station.name}, {station.address} {station.city}".rstrip(),
        f"Since: {alert.opened_at:%Y-%m-%d %H:%M:%S} UTC",
        f"All alerts: {public_url.rstrip('/')}/maintenance",
    ]
    return "\n".join(parts) + "\n"


def _line(text: str) -> str:
    # names come from chargers and people: a line break would be another header
    return " ".join(text.split())[:255]
