"""A charger's certificate: asked for, signed, delivered, in force, renewed in time (2.0.1 A02, A03)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cloud.domain.errors import IllegalTransition


class Status(StrEnum):
    """How far it is."""

    REQUESTED = "requested"
    """The charger sent a request to sign; nobody has yet."""
    SIGNED = "signed"
    """To be delivered, or being delivered."""
    INSTALLED = "installed"
    """The charger took it."""
    REFUSED = "refused"
    """The authority did not sign it."""
    REJECTED = "rejected"
    """The charger did not take it."""
    REPLACED = "replaced"
    """The charger asked anew, or has a newer one."""


class Happening(StrEnum):
    """What moves it on."""

    SIGNED = "signed"
    REFUSED = "refused"
    TAKEN = "taken"
    NOT_TAKEN = "not_taken"
    REPLACED = "replaced"


CHARGING_STATION: Final = "ChargingStationCertificate"
LOGIN_PURPOSES: Final = (CHARGING_STATION, "")
"""Of certificates a charger logs in by."""

NEXT: Final = {
    (Status.REQUESTED, Happening.SIGNED): Status.SIGNED,
    (Status.REQUESTED, Happening.REFUSED): Status.REFUSED,
    (Status.REQUESTED, Happening.REPLACED): Status.REPLACED,
    (Status.SIGNED, Happening.TAKEN): Status.INSTALLED,
    (Status.SIGNED, Happening.NOT_TAKEN): Status.REJECTED,
    (Status.SIGNED, Happening.REPLACED): Status.REPLACED,
    (Status.INSTALLED, Happening.REPLACED): Status.REPLACED,
}

RENEW_BEFORE: Final = timedelta(days=30)
MOST_DELIVERED: Final = 10
"""Tries, before a certificate is given up; the charger asks anew (A02.FR.17)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One request to sign, and what became of it."""

    id: str
    charger_id: str
    purpose: str
    """OCPP's word; empty: for all of the charger's connections."""
    status: Status = Status.REQUESTED
    csr: str
    request_id: int | None = None
    chain: str | None = None
    serial_number: str = ""
    valid_until: datetime | None = None
    why: str = ""
    """Why it was refused or rejected."""
    command_id: str | None = None
    """By which it is delivered."""
    delivered: int = 0
    """How often it was tried."""
    used_at: datetime | None = None
    """When the charger first logged in by it."""
    requested_at: datetime
    changed_at: datetime


def advance(certificate: Certificate, happening: Happening, now: datetime) -> Certificate:
    """Return the certificate after `happening`.

    Raises:
        IllegalTransition: `NEXT` has no such row.
    """
    try:
        status = NEXT[certificate.status, happening]
    except KeyError:
        raise IllegalTransition(f"{certificate.status} does not allow {happening}") from None
    return replace(certificate, status=status, changed_at=now)


def counting(newest_first: Iterable[tuple[str, bool]]) -> tuple[str, ...]:
    """Return the serial numbers by which a charger may come (FAULTS S03); none: by whichever it has.

    The newest it ever came by, and those since: it may have each of them, whatever it said. While it
    came by none of ours, it may have one from elsewhere.

    Args:
        newest_first: of all it was signed, the serial number, and whether it came by it.
    """
    counted: list[str] = []
    for serial_number, is_used in newest_first:
        counted.append(serial_number)
        if is_used:
            return tuple(counted)
    return ()


def renewal_at(certificate: Certificate) -> datetime | None:
    """Return when to ask the charger for a new request; None: it has no end.

    A month before its end; of one that is good for less than three months, after two thirds.
    """
    if certificate.valid_until is None:
        return None
    lasts = certificate.valid_until - certificate.changed_at
    return certificate.valid_until - min(RENEW_BEFORE, lasts / 3)
